"""Layouts of public repositories, generated: real DVC and `retrain` read, run, compare and clone them alike."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop import layouts_data, layouts_many, layouts_single, resolving
from tests.interop.agreement import assert_alike, assert_same_traces, assert_stale_alike
from tests.interop.projects import cloned, commit, use_remote
from tests.interop.traces import contents, records, remote_objects, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.layouts import Layout
    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow

RUN = (*layouts_single.RUN, *layouts_many.RUN, *layouts_data.RUN)
READ = layouts_many.READ


@dataclass(frozen=True)
class Pair:
    """A layout run once by each side. To be copied before it is changed."""

    layout: Layout
    place: Path

    def copy(self, place: Path) -> tuple[Path, Path]:
        """Copy the repositories and what they take from beside them; give the roots of DVC's project and of ours."""
        shutil.copytree(self.place, place, symlinks=True, dirs_exist_ok=True)
        return place / "theirs" / self.layout.folder, place / "ours" / self.layout.folder


@pytest.fixture(scope="module", params=RUN, ids=lambda layout: layout.name)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> Pair:
    """Give a layout, read by both before its first run, and then run by both."""
    layout: Layout = request.param
    place = tmp_path_factory.mktemp("layout")
    theirs = layout.write(place, "theirs", sides.dvc)
    assert_read_alike(theirs, sides)
    shutil.copytree(place / "theirs", place / "ours", symlinks=True)
    sides.dvc.run(theirs, "repro", "--quiet", "--all-pipelines")
    sides.retrain.run(place / "ours" / layout.folder, "repro")
    return Pair(layout, place)


def assert_read_alike(root: Path, sides: Sides) -> None:
    """Compare the stages, their order, and what is stale."""
    theirs = sides.dvc.resolved(root)
    assert not theirs["error"]
    assert_alike(resolving.resolved(root), theirs, root.name)
    assert_stale_alike(sides.retrain.plan(root), sides.dvc.status(root), theirs["stages"], root.name)


def test_both_leave_the_same_behind(pair: Pair) -> None:
    assert_same_traces(pair.place / "ours" / pair.layout.folder, pair.place / "theirs" / pair.layout.folder)


def test_a_second_run_of_either_does_nothing_also_after_the_other(pair: Pair, sides: Sides, tmp_path: Path) -> None:
    theirs, ours = pair.copy(tmp_path)
    before = records(ours), workspace(ours)
    for root in (theirs, ours):
        assert_read_alike(root, sides)
    sides.retrain.run(theirs, "repro")
    sides.dvc.run(ours, "repro", "--quiet", "--all-pipelines")
    assert (records(ours), workspace(ours)) == (records(theirs), workspace(theirs)) == before


def test_changes_are_told_and_run_alike(pair: Pair, sides: Sides, tmp_path: Path) -> None:
    theirs, ours = pair.copy(tmp_path)
    for root in (theirs, ours):
        commit(root)
        pair.layout.edit(root)
    assert_read_alike(theirs, sides)
    assert_verbs_alike(theirs, sides)
    sides.dvc.run(theirs, "repro", "--quiet", "--all-pipelines")
    sides.retrain.run(ours, "repro")
    assert_same_traces(ours, theirs)
    assert_verbs_alike(theirs, sides)


def assert_verbs_alike(root: Path, sides: Sides) -> None:
    """Compare the JSON of the verbs that scripts know from DVC."""
    for verb in ("status", "diff", "metrics show", "metrics diff", "params diff"):
        theirs, ours = (side.ask(root, *verb.split(), "--json") for side in (sides.dvc, sides.retrain))
        if "failed to load" not in theirs.err:  # then DVC leaves out files that we show
            assert ours.json == theirs.json, verb


def test_a_clone_is_planned_without_data_and_pulled(pair: Pair, sides: Sides, tmp_path: Path) -> None:
    theirs, ours = pair.copy(tmp_path)
    use_remote(theirs, tmp_path / "remote-theirs")
    use_remote(ours, tmp_path / "remote-ours")
    sides.dvc.run(theirs, "push")
    sides.retrain.run(ours, "push")
    # ours holds the objects of uncached outs too, which the run cache names (T37)
    assert remote_objects(tmp_path / "remote-theirs").items() <= remote_objects(tmp_path / "remote-ours").items()
    clone = cloned(tmp_path / "ours", tmp_path) / pair.layout.folder
    assert stale(sides.retrain.plan(clone)) == stale(sides.retrain.plan(ours))
    sides.retrain.run(clone, "pull")
    assert contents(clone) == contents(ours)
    assert_read_alike(clone, sides)
    assert sides.dvc.status(clone).keys() <= stale(sides.retrain.plan(clone))


def stale(plan: dict[str, dict[str, Any]]) -> set[str]:
    """Give the stages that are not fresh."""
    return {stage for stage, row in plan.items() if row["decision"] != "fresh"}


@pytest.mark.parametrize("layout", READ, ids=lambda layout: layout.name)
def test_a_large_one_is_read_alike(layout: Layout, sides: Sides, tmp_path: Path) -> None:
    assert_read_alike(layout.write(tmp_path, "root", sides.dvc), sides)


def test_what_dvc_3_has_no_more_is_refused_by_both(sides: Sides, tmp_path: Path) -> None:
    root = layouts_data.CHECKPOINTS.write(tmp_path, "root", sides.dvc)
    assert sides.dvc.resolved(root)["error"]
    assert "dvc.yaml:8:5: unknown key 'live'" in resolving.resolved(root)["error"]


def test_stage_files_of_dvc_0_run_among_ourselves_and_are_up_to_date_for_dvc_3_once_migrated(
    sides: Sides, tmp_path: Path
) -> None:
    root = layouts_data.STAGE_FILES.write(tmp_path, "root", sides.dvc)
    assert "extra keys not allowed" in sides.dvc.ask(root, "status").err
    sides.retrain.run(root, "repro")
    assert not stale(sides.retrain.plan(root))
    sides.retrain.run(root, "migrate")
    assert sides.dvc.status(root) == {}
    assert_read_alike(root, sides)
    layouts_data.STAGE_FILES.edit(root)
    ours = shutil.copytree(root, tmp_path / "ours", symlinks=True)
    assert_read_alike(root, sides)
    sides.dvc.run(root, "repro", "--quiet", "--all-pipelines")
    sides.retrain.run(ours, "repro")
    assert_same_traces(ours, root)
