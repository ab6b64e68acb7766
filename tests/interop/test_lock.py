"""After the same run, DVC and `retrain` leave the same bytes; each finds nothing to do in what the other left."""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING

from tests.interop.traces import objects, records, runs, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.conftest import Pair
    from tests.interop.oracle import Sides


def test_the_lock_files_and_dvc_files_are_the_same_bytes(pair: Pair) -> None:
    assert records(pair.ours) == records(pair.theirs)
    assert any(path.endswith("dvc.lock") for path in records(pair.theirs))


def test_the_outs_in_the_workspace_are_the_same_files_executable_or_not(pair: Pair) -> None:
    assert workspace(pair.ours) == workspace(pair.theirs)


def test_the_caches_hold_the_same_objects_read_only(pair: Pair) -> None:
    theirs = objects(pair.theirs)
    assert objects(pair.ours) == theirs
    assert {stat.S_IMODE(mode) for mode, _ in theirs.values()} == {0o444}


def test_the_run_caches_hold_the_same_records(pair: Pair) -> None:
    assert runs(pair.ours) == runs(pair.theirs)


def test_dvc_status_is_quiet_after_us(pair: Pair, sides: Sides) -> None:
    assert sides.dvc.status(pair.ours) == {}
    assert "didn't change" in sides.dvc.run(pair.ours, "repro", "--dry", "--all-pipelines")


def test_our_plan_says_fresh_after_dvc(pair: Pair, sides: Sides) -> None:
    plan = sides.retrain.plan(pair.theirs)
    assert {stage: row["decision"] for stage, row in plan.items()} == dict.fromkeys(plan, "fresh")
    sides.retrain.run(pair.theirs, "plan", "--check")


def test_a_second_run_after_changes_leaves_the_same_bytes_too(pair: Pair, sides: Sides, tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    shutil.copytree(pair.theirs, theirs, symlinks=True)
    shutil.copytree(pair.ours, ours, symlinks=True)
    pair.project.edit(theirs)
    pair.project.edit(ours)
    before = records(theirs)
    sides.dvc.run(theirs, "repro", "--quiet", "--all-pipelines")
    sides.retrain.run(ours, "repro")
    assert records(ours) == records(theirs) != before
    assert (workspace(ours), objects(ours), runs(ours)) == (workspace(theirs), objects(theirs), runs(theirs))


def test_each_continues_the_lock_of_the_other(pair: Pair, sides: Sides, tmp_path: Path) -> None:
    after_us, after_them = tmp_path / "after-us", tmp_path / "after-them"
    shutil.copytree(pair.ours, after_us, symlinks=True)
    shutil.copytree(pair.theirs, after_them, symlinks=True)
    pair.project.edit(after_us)
    pair.project.edit(after_them)
    sides.dvc.run(after_us, "repro", "--quiet", "--all-pipelines")
    sides.retrain.run(after_them, "repro")
    assert records(after_us) == records(after_them)
