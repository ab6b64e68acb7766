"""Why a stage is decided on as it is: the commit each reason came with, and the earlier run that came nearest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner import ci
from runner.engine import why as explaining
from runner.engine.history import MOST, History
from runner.errors import Exit
from tests.support.pipelines import Workshop, finished, workshop

if TYPE_CHECKING:
    from pathlib import Path

    from runner.engine.why import Why
    from tests.support.environment import Program

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  clean:
    cmd: cat raw > clean.o
    deps: [raw]
    outs: [clean.o]
  train:
    cmd: cat clean.o parts/* > train.o
    deps: [clean.o, parts]
    params: [rate, model.depth]
    outs: [train.o]
"""
FILES = {"raw": "1\n", "parts/a": "a\n", "parts/b": "b\n", "params.yaml": "rate: 1\nmodel: {depth: 2, width: 3}\n"}


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    return finished(tmp_path, PIPELINE, FILES)


def explained(made: Workshop, stage: str = "train", **flags: str) -> Why:
    with made.opened("plan", **flags) as opened:
        plan = ci.plan(opened.project, (), ci.modes_of(opened.asked.settings))
        return explaining.explain(opened.project, plan.steps, stage)


def since(why: Why) -> dict[str, Any]:
    """Give each reason's commit; "" where it is in the working tree alone."""
    return {reason.path or reason.change.value: found and found.commit for reason, found in why.reasons}


def changed(made: Workshop, **files: str) -> str:
    made.put({name.replace("_", "/"): text for name, text in files.items()})
    return made.commit(f"Change {', '.join(files)}")


def test_each_reason_has_the_commit_that_it_came_with(made: Workshop) -> None:
    rate = changed(made, **{"params.yaml": "rate: 5\nmodel: {depth: 2, width: 3}\n"})
    changed(made, other="1\n")
    part = changed(made, parts_b="changed\n")
    changed(made, **{"params.yaml": "rate: 6\nmodel: {depth: 2, width: 4}\n"})
    cmd = changed(made, **{"dvc.yaml": PIPELINE.replace("cat clean.o", "cat  clean.o")})
    made.put({"params.yaml": "rate: 6\nmodel: {depth: 7}\n"})
    found = explained(made)
    assert since(found) == {"cmd": cmd, "parts": part, "params.yaml:rate": rate, "params.yaml:model.depth": ""}


def test_a_value_that_went_back_and_forth_counts_from_the_last_time(made: Workshop) -> None:
    changed(made, **{"params.yaml": "rate: 5\nmodel: {depth: 2}\n"})
    changed(made, **{"params.yaml": "rate: 1\nmodel: {depth: 2}\n"})
    last = changed(made, **{"params.yaml": "rate: 6\nmodel: {depth: 2}\n"})
    changed(made, **{"params.yaml": "rate: 7\nmodel: {depth: 2}\n"})
    assert since(explained(made)) == {"params.yaml:rate": last}


def test_a_lock_that_was_put_back_is_the_commit_it_was_put_back_with(made: Workshop) -> None:
    lock = made.read("dvc.lock")
    made.put({"raw": "2\n"})
    made.repro()
    made.commit("Run again")
    back = changed(made, **{"dvc.lock": lock})
    assert since(explained(made, "clean", run_cache="false")) == {"raw": back, "clean.o": ""}


def test_what_a_merge_brought_is_the_commit_on_its_branch(made: Workshop) -> None:
    made.git("checkout", "-q", "-b", "branch")
    wanted = changed(made, raw="2\n")
    made.git("checkout", "-q", "main")
    changed(made, other="1\n")
    made.git("merge", "-q", "--no-edit", "branch")
    assert since(explained(made, "clean")) == {"raw": wanted}


def test_a_stage_that_never_ran_counts_from_the_commit_that_made_it(made: Workshop) -> None:
    new = changed(
        made, **{"dvc.yaml": f"{PIPELINE}  new:\n    cmd: cat raw > new.o\n    deps: [raw]\n    outs: [new.o]\n"}
    )
    changed(made, raw="3\n")
    found = explained(made, "new")
    assert since(found) == {"not in lock": new}
    assert found.recorded is None


def test_a_template_that_changed_the_command_is_found_by_its_file(tmp_path: Path) -> None:
    pipeline = "stages:\n  one:\n    cmd: echo ${word} > one.o; cat raw\n    deps: [raw]\n    outs: [one.o]\n"
    made = finished(tmp_path, pipeline, {"raw": "1\n", "params.yaml": "word: a\n"})
    wanted = changed(made, **{"params.yaml": "word: b\n"})
    changed(made, other="1\n")
    assert since(explained(made, "one")) == {"cmd": wanted}


def test_data_that_dvc_tracks_counts_from_the_commit_of_its_hash(tmp_path: Path, dvc: Program) -> None:
    made = workshop(tmp_path, PIPELINE, {**FILES, "raw": ""})
    made.git("rm", "-q", "--cached", "raw")
    made.put({"raw": "1\n"})
    dvc("add", "raw", cwd=made.root)
    made.repro()
    made.commit("Run")
    made.put({"raw": "2\n"})
    dvc("add", "raw", cwd=made.root)
    wanted = made.commit("New data")
    changed(made, other="1\n")
    made.git("gc", "-q")
    clone = made.clone("clone")
    assert since(explained(clone, "clean")) == {"raw": wanted}
    assert explained(clone, "raw.dvc").recorded is None, "it has no run"


def test_a_shallow_clone_says_how_far_it_saw(made: Workshop) -> None:
    changed(made, raw="2\n")
    last = changed(made, other="1\n")
    made.git("clone", "-q", "--depth", "1", made.root.as_uri(), str(made.root.parent / "shallow"))
    found = explained(Workshop(made.root.parent / "shallow", made.environ), "clean")
    ((_, seen),) = found.reasons
    assert seen
    assert (seen.commit, seen.known) == (last, False)


def test_history_is_read_no_further_than_it_has_to_be(made: Workshop) -> None:
    for number in range(5):
        changed(made, raw=f"{number + 2}\n")
    with made.opened("plan") as opened:
        stage = opened.project.pipeline.stage("clean")
        reason = explained(made, "clean").reasons[0][0]
        short = History(opened.project, stage, most=3).since(reason)
        whole = History(opened.project, stage, most=MOST).since(reason)
    assert short
    assert whole
    assert (short.known, short.looked) == (False, 3)
    assert (whole.known, whole.looked) == (True, 5)


def test_the_commit_that_recorded_the_last_run_is_named(made: Workshop) -> None:
    run = made.git("rev-parse", "HEAD")
    changed(made, raw="2\n")
    assert explained(made, "clean").recorded == run
    made.repro()
    assert explained(made, "clean").recorded == ""


def test_the_earlier_run_that_came_nearest_is_named_with_what_differs(made: Workshop) -> None:
    made.put({"raw": "2\n", "params.yaml": "rate: 5\nmodel: {depth: 2}\n"})
    made.repro()
    made.put({"raw": "2\n", "params.yaml": "rate: 6\nmodel: {depth: 2}\n", "parts/a": "a\n"})
    found = explained(made).earlier
    assert found
    assert found.where == "run cache"
    assert [(reason.path, reason.was, reason.now) for reason in found.differs] == [("params.yaml:rate", 5, 6)]


@pytest.mark.parametrize("place", ["here", "clone"])
def test_no_run_of_another_stage_is_near(place: str, made: Workshop) -> None:
    made.push()
    made = made if place == "here" else made.clone(place)
    made.put({"dvc.yaml": f"{PIPELINE}  other:\n    cmd: cat raw > a\n    deps: [raw]\n    outs: [a]\n"})
    assert explained(made, "other").earlier is None


def test_the_remotes_runs_are_looked_at_too(made: Workshop) -> None:
    made.put({"raw": "2\n"})
    made.repro()
    made.push()
    made.git("checkout", "-q", "dvc.lock")
    clone = made.clone("clone")
    clone.put({"raw": "2\n", "params.yaml": "rate: 9\nmodel: {depth: 2}\n"})
    found = explained(clone).earlier
    assert found
    assert found.where == "remote"
    assert [reason.path for reason in found.differs] == ["params.yaml:rate"]


def test_an_old_lock_is_an_earlier_run(made: Workshop) -> None:
    first = made.git("rev-parse", "HEAD")
    made.put({"raw": "2\n"})
    made.repro()
    made.commit("Again")
    clone = made.clone("clone")
    clone.put({"raw": "1\n", ".dvc/config": ""})
    found = explained(clone, "clean", run_cache="false").earlier
    assert found
    assert (found.where, found.name, found.differs) == ("dvc.lock", first, ())
    assert found.lacking == ("clean.o",), "and nobody has what it wrote"


def test_a_stage_that_waits_is_explained_by_those_it_waits_for(made: Workshop) -> None:
    wanted = changed(made, raw="2\n")
    found = explained(made)
    assert (found.decision.word, found.reasons) == ("wait", ())
    (upper,) = found.upstream
    assert (upper.stage.address, since(upper)) == ("clean", {"raw": wanted})


def test_a_commit_that_cannot_be_read_is_stepped_over(made: Workshop) -> None:
    changed(made, **{"dvc.yaml": "stages: ["})
    made.put({"dvc.yaml": PIPELINE})
    wanted = changed(made, raw="2\n")
    assert since(explained(made, "clean")) == {"raw": wanted}


@pytest.mark.slow
def test_the_command_line_explains_a_stage_in_words_and_as_json(made: Workshop, retrain: Program) -> None:
    commit = changed(made, raw="2\n")
    words = retrain("plan", "--why", "train", cwd=made.root).stdout
    assert f"since {commit[:12]} (" in words
    assert "Change raw" in words
    data = json.loads(retrain("plan", "--why", "clean", "--json", cwd=made.root).stdout)
    assert data["reasons"][0]["since"]["commit"] == commit
    assert data["earlier"]["differs"][0]["path"] == "raw"
    refused = retrain("plan", "--why", "trian", cwd=made.root, exits=Exit.CONFIG)
    assert "train" in refused.stderr
