"""A project of DVC 2.58 in the hands of DVC 3 and of `retrain`: what changes is named anew, the rest is not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import commit, git, put
from tests.interop.traces import objects, runs, workspace
from tests.support import legacy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow

BIG = b"text\r\n" * 200_000
EDITS: dict[str, Mapping[str, bytes]] = {
    "nothing": {},
    "a param": {"params.yaml": b"rate: 3\n"},
    "line ends only": {"notes.txt": b"a\nb\n"},
    "line ends of a binary file": {"data/two": b"\0\n"},
    "a file of a directory": {"data/one": b"y\r\n"},
    "a new file of a directory": {"data/three": b"z\r\n"},
    "a large text with CRLF at the ends of its blocks": {"notes.txt": BIG},
}


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """Give a project of DVC 2.58, as it left it after a run."""
    root = tmp_path / "before"
    legacy.lay_out(root, "pipeline", legacy.RAN)
    git(root, "init", "--quiet", "-b", "main")
    put(root, {".dvc/config": "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../remote\n"})
    commit(root)
    return root


@pytest.mark.parametrize("edit", EDITS)
def test_after_a_run_locks_and_objects_are_those_of_dvc_3(before: Path, sides: Sides, edit: str) -> None:
    theirs, ours = before, before.parent / "ours"
    put(theirs, EDITS[edit])
    shutil.copytree(theirs, ours, symlinks=True)
    stale = {address for address, row in sides.retrain.plan(ours).items() if row["decision"] not in {"fresh", "wait"}}
    assert stale == set(sides.dvc.status(theirs))
    sides.dvc.run(theirs, "repro", "--quiet")
    sides.retrain.run(ours, "repro")
    assert workspace(ours) == workspace(theirs)
    assert objects(ours) == objects(theirs)
    assert runs(ours) == runs(theirs)
    assert _objects_before_3(ours) == _objects_before_3(theirs)
    assert sides.dvc.status(ours) == {}
    assert {row["decision"] for row in sides.retrain.plan(theirs).values()} == {"fresh"}


def test_what_a_run_of_dvc_2_wrote_is_restored_and_named_as_dvc_3_names_it(before: Path, sides: Sides) -> None:
    theirs, ours = before, before.parent / "ours"
    shutil.copytree(theirs, ours, symlinks=True)
    for rate in (3, 1, 3):
        for root, run in ((theirs, sides.dvc.run), (ours, sides.retrain.run)):
            put(root, {"params.yaml": f"rate: {rate}\n"})
            run(root, "repro")
        assert workspace(ours) == workspace(theirs)
        assert objects(ours) == objects(theirs)
        assert runs(ours) == runs(theirs)
    assert sides.dvc.status(ours) == {}


def _objects_before_3(root: Path) -> dict[str, bytes]:
    """Give the files in the old layout; no listings, as DVC 3 keeps those of directories that it only compares."""
    found = (path for path in (root / ".dvc" / "cache").glob("[0-9a-f][0-9a-f]/*") if path.suffix != ".dir")
    return {f"{path.parent.name}{path.name}": path.read_bytes() for path in found}


def test_each_side_pulls_the_mixed_objects_that_the_other_pushed(before: Path, sides: Sides) -> None:
    put(before, {"params.yaml": b"rate: 3\n", "data/one": b"y\r\n"})
    sides.retrain.run(before, "repro")
    commit(before)
    for push, pull in ((sides.retrain, sides.dvc), (sides.dvc, sides.retrain)):
        shutil.rmtree(before.parent / "remote", ignore_errors=True)
        push.run(before, "push")
        clone = before.parent / pull.__class__.__name__
        git(before.parent, "clone", "--quiet", str(before), str(clone))
        pull.run(clone, "pull")
        assert workspace(clone) == workspace(before)
        assert sides.dvc.status(clone) == {}
        assert {row["decision"] for row in sides.retrain.plan(clone).values()} == {"fresh"}


def test_a_fresh_clone_is_planned_from_the_old_hashes_alone(before: Path, sides: Sides) -> None:
    sides.retrain.run(before, "push")
    clone = before.parent / "clone"
    git(before.parent, "clone", "--quiet", str(before), str(clone))
    assert {row["decision"] for row in sides.retrain.plan(clone).values()} == {"fresh"}
    put(clone, {"params.yaml": b"rate: 3\n"})
    rows = sides.retrain.plan(clone)
    assert {address: rows[address]["decision"] for address in ("split", "fit")} == {"split": "run", "fit": "run"}


@pytest.mark.parametrize("part", ["data/one", "data/two"])
def test_a_part_of_a_directory_pulled_before_the_whole_harms_neither(before: Path, sides: Sides, part: str) -> None:
    sides.retrain.run(before, "push")
    clone = before.parent / "clone"
    git(before.parent, "clone", "--quiet", str(before), str(clone))
    sides.retrain.run(clone, "pull", part)
    assert "in no cache" not in sides.retrain.ask(clone, "pull").err
    assert workspace(clone) == workspace(before)
    assert sides.dvc.status(clone) == {}
