"""Each side pulls, checks out and restores what the other pushed, through a directory and through S3."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import (
    ADDED,
    CHAIN,
    METRICS,
    ODD_NAMES,
    SHARED_FOLDER,
    Project,
    cloned,
    commit,
    git,
    put,
    use_remote,
)
from tests.interop.traces import contents, objects, remote_objects

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.conftest import Pair
    from tests.interop.oracle import Sides

JOURNALLED = Project(
    "journalled",
    """\
    stages:
      first:
        cmd: echo first >> journal; cat seed > first
        deps: [seed]
        params: [k]
        outs: [first]
      second:
        cmd: echo second >> journal; mkdir second; cp first second/a; cp seed second/b; echo 1 > m.json
        deps: [first, seed]
        outs: [second]
        metrics:
        - m.json:
            cache: false
    """,
    {"seed": "s", "params.yaml": "k: 1\n", ".gitignore": "/journal\n"},
)


def test_both_push_the_same_objects(pair: Pair, sides: Sides, tmp_path: Path) -> None:
    theirs, ours = copies(pair, tmp_path)
    sides.dvc.run(theirs, "push", "--quiet")
    sides.retrain.run(ours, "push")
    assert remote_objects(tmp_path / "remote-ours") == remote_objects(tmp_path / "remote-theirs")


def test_dvc_pulls_what_we_pushed(pair: Pair, sides: Sides, tmp_path: Path) -> None:
    _, ours = copies(pair, tmp_path)
    sides.retrain.run(ours, "push")
    clone = cloned(ours, tmp_path)
    sides.dvc.run(clone, "pull", "--quiet")
    assert contents(clone) == contents(ours)
    assert sides.dvc.status(clone) == {}
    assert "in sync" in sides.dvc.run(clone, "status", "--cloud")


def test_we_pull_what_dvc_pushed(pair: Pair, sides: Sides, tmp_path: Path) -> None:
    theirs, _ = copies(pair, tmp_path)
    sides.dvc.run(theirs, "push", "--quiet")
    clone = cloned(theirs, tmp_path)
    sides.retrain.run(clone, "pull")
    assert contents(clone) == contents(theirs)
    assert {row["decision"] for row in sides.retrain.plan(clone).values()} == {"fresh"}
    assert sides.dvc.status(clone) == {}


def test_dvc_finds_nothing_to_push_after_us(pair: Pair, sides: Sides, tmp_path: Path) -> None:
    _, ours = copies(pair, tmp_path)
    sides.retrain.run(ours, "push")
    assert "up to date" in sides.dvc.run(ours, "push")


def test_we_find_nothing_to_push_after_dvc(pair: Pair, sides: Sides, tmp_path: Path) -> None:
    theirs, _ = copies(pair, tmp_path)
    sides.dvc.run(theirs, "push", "--run-cache", "--quiet")
    keep_uncached_metrics(theirs, tmp_path / "remote-theirs")
    assert sides.retrain.ask(theirs, "push", "--json").json["objects"] == 0


def test_dvc_restores_our_runs_from_its_run_cache(sides: Sides, tmp_path: Path) -> None:
    root, clone = journalled(sides, tmp_path)
    sides.retrain.run(root, "repro")
    sides.retrain.run(root, "push")
    told = sides.dvc.run(clone, "repro", "--pull")
    assert told.count("is cached - skipping run") == len(("first", "second"))
    assert not (clone / "journal").exists()
    assert (clone / "dvc.lock").read_bytes() == (root / "dvc.lock").read_bytes()


def test_we_restore_the_runs_that_dvc_pushed(sides: Sides, tmp_path: Path) -> None:
    root, clone = journalled(sides, tmp_path)
    sides.dvc.run(root, "repro", "--quiet")
    sides.dvc.run(root, "push", "--run-cache", "--quiet")
    keep_uncached_metrics(root, tmp_path / "remote")
    sides.retrain.run(clone, "repro")
    assert not (clone / "journal").exists()
    assert (clone / "dvc.lock").read_bytes() == (root / "dvc.lock").read_bytes()
    assert sides.dvc.status(clone) == {}


def test_we_restore_our_own_runs_on_another_machine(sides: Sides, tmp_path: Path) -> None:
    root, clone = journalled(sides, tmp_path)
    sides.retrain.run(root, "repro")
    sides.retrain.run(root, "push")
    sides.retrain.run(clone, "repro")
    assert not (clone / "journal").exists()
    assert contents(clone) == {path: text for path, text in contents(root).items() if path != "journal"}


def test_a_changed_parameter_is_not_restored(sides: Sides, tmp_path: Path) -> None:
    root, clone = journalled(sides, tmp_path)
    sides.retrain.run(root, "repro")
    sides.retrain.run(root, "push")
    put(clone, {"params.yaml": "k: 2\n"})
    sides.retrain.run(clone, "repro")
    assert (clone / "journal").read_text() == "first\n"


@pytest.mark.parametrize("project", [CHAIN, SHARED_FOLDER, ODD_NAMES, METRICS, ADDED], ids=lambda project: project.name)
def test_objects_go_through_s3_both_ways(project: Project, sides: Sides, tmp_path: Path, s3_config: str) -> None:
    root = tmp_path / "root"
    project.write(root, sides.dvc)
    sides.dvc.run(root, "repro", "--quiet")
    for name, push, pull in (("ours", sides.retrain, sides.dvc), ("theirs", sides.dvc, sides.retrain)):
        put(root, {".dvc/config": s3_config.replace("PREFIX", f"{tmp_path.name}/{name}")})
        push.run(root, "push")
        clone = tmp_path / name
        commit(root)
        git(tmp_path, "clone", "--quiet", str(root), str(clone))
        pull.run(clone, "pull")
        assert contents(clone) == contents(root)
        assert sides.dvc.status(clone) == {}


@pytest.mark.parametrize("path", ["a//b", "behind//", "a/./b", "a/../b"])
def test_slashes_and_dots_in_the_path_of_a_bucket_name_the_same_objects(
    path: str, sides: Sides, tmp_path: Path, s3_config: str
) -> None:
    root = tmp_path / "root"
    ADDED.write(root, sides.dvc)
    for name, push, other in (("ours", sides.retrain, sides.dvc), ("theirs", sides.dvc, sides.retrain)):
        put(root, {".dvc/config": s3_config.replace("PREFIX", f"{tmp_path.name}/{name}/{path}")})
        push.run(root, "push")
        assert "in sync" in other.run(root, "status", "--cloud")


def copies(pair: Pair, folder: Path) -> tuple[Path, Path]:
    """Copy both sides of `pair` below `folder`, each with a directory remote of its own."""
    for name, source in (("theirs", pair.theirs), ("ours", pair.ours)):
        shutil.copytree(source, folder / name, symlinks=True)
        use_remote(folder / name, folder / f"remote-{name}")
    return folder / "theirs", folder / "ours"


def journalled(sides: Sides, folder: Path) -> tuple[Path, Path]:
    """Give a project whose commands note that they ran, and a clone of it from before its first run."""
    JOURNALLED.write(folder / "root", sides.dvc)
    use_remote(folder / "root", folder / "remote")
    return folder / "root", cloned(folder / "root", folder)


def keep_uncached_metrics(root: Path, remote: Path) -> None:
    """Put into the remote what DVC leaves out: the objects of uncached metrics, which its run cache names (T37)."""
    for name in objects(root):
        source = root / ".dvc" / "cache" / "files" / "md5" / name[:2] / name[2:]
        target = remote / "files" / "md5" / name[:2] / name[2:]
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy2(source, target)
