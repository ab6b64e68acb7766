"""Outs with a remote of their own, and outs that are never pushed: beside DVC, from push to the baseline's metrics."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import Project, commit, git, put

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow

HOMES = Project(
    "homes",
    """\
    stages:
      train:
        cmd: mkdir -p model && cp seed model/a && cp seed usual && cp seed.json m.json && cp seed private
        deps: [seed, seed.json]
        outs:
        - model: {remote: Big}
        - usual
        - private: {push: false}
        metrics:
        - m.json: {remote: big}
    """,
    {"seed": "s\n", "seed.json": '{"accuracy": 0.5}\n'},
)


def configured(root: Path, sides: Sides) -> None:
    """Lay the project out with two remotes beside it, run by DVC."""
    HOMES.write(root, sides.dvc)
    config = "[core]\n    remote = small\n"
    for name in ("small", "big", "other"):
        config += f"['remote \"{name}\"']\n    url = ../../{root.name}-{name}\n"
    put(root, {".dvc/config": config})
    sides.dvc.run(root, "repro", "--quiet")
    commit(root)


def stored(root: Path, name: str) -> set[str]:
    remote = root.with_name(f"{root.name}-{name}")
    return {path.relative_to(remote).as_posix() for path in remote.glob("files/**/*") if path.is_file()}


def clone(root: Path) -> Path:
    place = root.with_name(f"{root.name}-clone")
    git(root.parent, "clone", "--quiet", str(root), str(place))
    config = (place / ".dvc" / "config").read_text()
    put(place, {".dvc/config": config.replace(f"../../{root.name}-", f"{root.parent}/{root.name}-")})
    return place


def test_each_out_goes_to_its_own_remote_and_some_to_none(sides: Sides, tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for root in (theirs, ours):
        configured(root, sides)
    sides.dvc.run(theirs, "push", "--quiet")
    sides.retrain.run(ours, "push")
    for name in ("small", "big"):
        assert stored(ours, name) == stored(theirs, name)
    assert len(stored(ours, "small")) == 1
    assert len(stored(ours, "big")) == 3


def test_a_remote_that_is_asked_for_takes_the_place_of_the_default_one_only(sides: Sides, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    configured(ours, sides)
    sides.retrain.run(ours, "push", "--remote", "other")
    assert stored(ours, "small") == set()
    assert (len(stored(ours, "other")), len(stored(ours, "big"))) == (1, 3)


def test_what_is_never_pushed_is_had_where_another_out_has_the_same_bytes(sides: Sides, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    configured(ours, sides)
    sides.retrain.run(ours, "push")
    again = clone(ours)
    sides.retrain.run(again, "pull")
    assert {path.name for path in again.iterdir()} >= {"model", "usual", "private", "m.json"}


def test_what_was_never_pushed_is_told_with_the_reason(sides: Sides, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    configured(ours, sides)
    put(ours, {"dvc.yaml": (ours / "dvc.yaml").read_text().replace("cp seed private", "echo p > private")})
    sides.dvc.run(ours, "repro", "--quiet")
    commit(ours)
    sides.retrain.run(ours, "push")
    again = clone(ours)
    assert sides.dvc.ask(again, "pull").code != 0
    shutil.rmtree(again)
    again = clone(ours)
    assert sides.retrain.plan(again)["train"]["decision"] == "fresh"
    done = sides.retrain.ask(again, "pull")
    assert done.code == 4, done
    assert "it has push: false, so only the place where it was made has it" in done.err
    assert (again / "model" / "a").read_text() == "s\n"
    done = sides.retrain.ask(again, "run", "--push", "always")
    assert done.code == 0, done


def test_metrics_of_the_baseline_come_from_their_own_remote(sides: Sides, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    configured(ours, sides)
    sides.retrain.run(ours, "push")
    base = git(ours, "rev-parse", "HEAD")
    put(ours, {"seed.json": '{"accuracy": 0.25}\n'})
    sides.dvc.run(ours, "repro", "--quiet")
    put(ours, {"retrain.yaml": "gates:\n- metric: m.json:$.accuracy\n  better: higher\n  allow-drop: 0.1\n"})
    commit(ours)
    sides.retrain.run(ours, "push")
    again = clone(ours)
    done = sides.retrain.ask(again, "gate", "--base", base, "--report-dir", "report")
    (verdict,) = json.loads((again / "report" / "report.json").read_text())["gates"]
    assert (done.code, verdict["base"], verdict["head"]) == (1, 0.5, 0.25), done


def test_an_unknown_remote_of_an_out_is_told_with_the_known_ones(sides: Sides, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    configured(ours, sides)
    put(ours, {"dvc.yaml": (ours / "dvc.yaml").read_text().replace("remote: Big", "remote: bog")})
    done = sides.retrain.ask(ours, "push")
    assert done.code == 2, done
    assert "there is no remote 'bog'" in done.err
    assert "did you mean 'big'?" in done.err
