"""Remotes that keep versions of files: what DVC pushed there is planned, pulled and judged, and never pushed to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import Project, commit, git, put
from tests.support import s3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow

TRAINED = Project(
    "versioned",
    """\
    stages:
      train:
        cmd: mkdir -p w/out/in && cp one.txt w/out/in/x && cp data/a* w/f && cp seed.json m.json
        deps: [one.txt, data, seed.json]
        outs: [w/out, w/f]
        metrics: [m.json]
    """,
    {"data/a b.txt": "1\n", "data/sub/é": "2\n", "one.txt": "one\n", "w/keep": "", "seed.json": '{"accuracy": 0.5}\n'},
    added=("data", "one.txt"),
)


@dataclass(frozen=True)
class Pushed:
    """A project whose two commits DVC pushed: `first` and HEAD differ in the data, the model and the metrics."""

    root: Path
    first: str
    server: s3.Server

    def clone(self, place: Path, rev: str = "main") -> Path:
        """Clone it at a commit, with nothing of its data."""
        git(place.parent, "clone", "--quiet", str(self.root), str(place))
        git(place, "checkout", "--quiet", rev)
        return place


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> Iterator[Pushed]:
    root = tmp_path_factory.mktemp("versioned") / "theirs"
    with s3.moto() as server:
        server.client.put_bucket_versioning(Bucket=s3.BUCKET, VersioningConfiguration={"Status": "Enabled"})
        TRAINED.write(root, sides.dvc)
        options = "".join(f"    {name} = {value}\n" for name, value in server.options.items())
        put(
            root,
            {
                ".dvc/config": f"[core]\n    remote = store\n['remote \"store\"']\n    url = s3://{s3.BUCKET}/pre/fix\n"
                f"    version_aware = true\n{options}"
            },
        )
        first = _made(root, sides)
        put(root, {"data/sub/é": "3\n", "seed.json": '{"accuracy": 0.25}\n'})
        sides.dvc.run(root, "add", "--quiet", "data")
        _made(root, sides)
        yield Pushed(root, first, server)


def _made(root: Path, sides: Sides) -> str:
    """Let DVC run and push, and commit what that left."""
    sides.dvc.run(root, "repro", "--quiet")
    sides.dvc.run(root, "push", "--quiet")
    commit(root)
    return git(root, "rev-parse", "HEAD")


def contents(root: Path) -> dict[str, bytes]:
    paths = [path for path in root.rglob("*") if path.is_file() and not {".git", ".dvc"} & set(path.parts)]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("rev", ["first", "main"])
def test_what_dvc_pushed_is_planned_without_data_and_pulled_by_version(
    rev: str, pushed: Pushed, sides: Sides, tmp_path: Path
) -> None:
    rev = pushed.first if rev == "first" else rev
    ours, theirs = pushed.clone(tmp_path / "ours", rev), pushed.clone(tmp_path / "theirs", rev)
    assert {row["decision"] for row in sides.retrain.plan(ours).values()} == {"fresh"}
    sides.retrain.run(ours, "pull")
    sides.dvc.run(theirs, "pull", "--quiet")
    assert contents(ours) == contents(theirs)
    assert git(ours, "status", "--porcelain") == ""
    assert sides.dvc.status(ours) == {}
    assert {row["decision"] for row in sides.retrain.plan(ours).values()} == {"fresh"}


def test_a_worktree_remote_is_read_in_the_same_way(pushed: Pushed, sides: Sides, tmp_path: Path) -> None:
    ours = pushed.clone(tmp_path / "ours")
    put(ours, {".dvc/config": (ours / ".dvc" / "config").read_text().replace("version_aware", "worktree")})
    sides.retrain.run(ours, "pull", "w/out")
    assert (ours / "w" / "out" / "in" / "x").read_text() == "one\n"
    assert "is worktree: it is read, and not pushed to" in sides.retrain.ask(ours, "push").err


def test_versions_that_other_commits_name_are_fetched_and_all_is_in_sync(
    pushed: Pushed, sides: Sides, tmp_path: Path
) -> None:
    ours = pushed.clone(tmp_path / "ours")
    sides.retrain.run(ours, "fetch", "--all-commits")
    for scope in ((), ("--all-commits",)):
        assert sides.retrain.ask(ours, "status", "--cloud", "--json", *scope).json == {}
    put(ours, {".dvc/config": ""})
    git(ours, "checkout", "--quiet", "--force", pushed.first)
    put(ours, {".dvc/config": ""})  # from the cache alone
    sides.retrain.run(ours, "checkout")
    assert (ours / "data/sub/é").read_text() == "2\n"


def test_data_edited_after_the_pull_is_stale_for_both(pushed: Pushed, sides: Sides, tmp_path: Path) -> None:
    ours = pushed.clone(tmp_path / "ours")
    sides.retrain.run(ours, "pull")
    (ours / "data" / "sub" / "é").unlink()
    put(ours, {"data/sub/é": "4\n"})
    assert set(sides.dvc.status(ours)) == {"data.dvc", "train"}
    plan = sides.retrain.plan(ours)
    assert {address for address, row in plan.items() if row["decision"] != "fresh"} == {"data.dvc", "train"}


def test_metrics_of_the_baseline_come_from_their_own_version(pushed: Pushed, sides: Sides, tmp_path: Path) -> None:
    ours = pushed.clone(tmp_path / "ours")
    put(ours, {"retrain.yaml": "gates:\n- metric: m.json:$.accuracy\n  better: higher\n  allow-drop: 0.1\n"})
    sides.retrain.run(ours, "pull", "m.json")
    done = sides.retrain.ask(ours, "gate", "--base", pushed.first, "--report-dir", "report")
    assert done.code == 1, done
    (verdict,) = json.loads((ours / "report" / "report.json").read_text())["gates"]
    assert (verdict["base"], verdict["head"]) == (0.5, 0.25)


def test_other_bytes_than_recorded_are_never_taken(pushed: Pushed, sides: Sides, tmp_path: Path) -> None:
    ours = pushed.clone(tmp_path / "ours")
    text = (ours / "one.txt.dvc").read_text()
    put(ours, {"one.txt.dvc": text.replace("5bbf5a52328e7439ae6e719dfe712200", "a" * 32)})
    done = sides.retrain.ask(ours, "pull", "one.txt.dvc")
    assert done.code == 4, done
    assert not (ours / "one.txt").exists()


def test_a_version_that_was_never_pushed_is_told_with_what_to_do(pushed: Pushed, sides: Sides, tmp_path: Path) -> None:
    ours = pushed.clone(tmp_path / "ours")
    put(ours, {"one.txt.dvc": "outs:\n- md5: 5bbf5a52328e7439ae6e719dfe712201\n  hash: md5\n  path: one.txt\n"})
    done = sides.retrain.ask(ours, "pull", "one.txt.dvc")
    assert done.code == 4, done
    assert "name no version of" in done.err
    assert "dvc push" in done.err


def test_nothing_is_pushed_there_and_run_says_so_before_anything_runs(
    pushed: Pushed, sides: Sides, tmp_path: Path
) -> None:
    ours = pushed.clone(tmp_path / "ours")
    done = sides.retrain.ask(ours, "push")
    assert done.code == 2, done
    assert "remote 'store' (.dvc/config) is " in done.err
    put(ours, {"seed.json": '{"accuracy": 0.75}\n'})
    done = sides.retrain.ask(ours, "run")
    assert done.code == 2, done
    assert "it is read, and not pushed to" in done.err
    assert not (ours / "w" / "f").exists()
    done = sides.retrain.ask(ours, "run", "--push", "never")
    assert done.code == 0, done
    assert json.loads((ours / "m.json").read_text()) == {"accuracy": 0.75}
    sides.dvc.run(ours, "push", "--quiet")
    commit(ours)
    again = tmp_path / "again"
    git(tmp_path, "clone", "--quiet", str(ours), str(again))
    sides.retrain.run(again, "pull")
    assert contents(again) == contents(ours)
