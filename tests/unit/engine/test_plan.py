"""The plan: what a run will do and pull, from hashes alone; it runs nothing and changes nothing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.pipelines import Workshop, decisions, finished

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PIPELINE = """\
stages:
  split:
    cmd: mkdir parts; cp seed parts/x; echo same > parts/y
    deps: [seed]
    outs: [parts]
  twin:
    cmd: echo same > twin; cat seed > /dev/null
    deps: [seed]
    outs: [twin]
  fit:
    cmd: cat parts/x twin tail > fit.o
    deps: [parts, twin, tail]
    outs: [fit.o]
  show:
    cmd: cat fit.o fit.o > show.o
    deps: [fit.o]
    outs: [show.o]
"""
FILES = {"seed": "seed\n", "tail": "tail\n"}
FRESH = dict.fromkeys(["split", "twin", "fit", "show"], "fresh")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("plan"), PIPELINE, FILES).root.parent


@pytest.fixture
def made(kept: Path, tmp_path: Path) -> Workshop:
    return Workshop(shutil.copytree(kept, tmp_path / "place", symlinks=True) / "root")


# What a clone without data is changed in, what is planned, and what then becomes of the stages.
PLANS: dict[str, tuple[Mapping[str, str | None], dict[str, str], dict[str, str]]] = {
    "nothing": ({}, FRESH, FRESH),
    "the end": (
        {"dvc.yaml": PIPELINE.replace("cat fit.o fit.o", "cat fit.o")},
        {**FRESH, "show": "run"},
        {**FRESH, "show": "ran"},
    ),
    "the middle": (
        {"tail": "changed\n"},
        {**FRESH, "fit": "run", "show": "wait"},
        {**FRESH, "fit": "ran", "show": "ran"},
    ),
    "the beginning": (
        {"seed": "changed\n"},
        {"split": "run", "twin": "run", "fit": "wait", "show": "wait"},
        {"split": "ran", "twin": "ran", "fit": "ran", "show": "ran"},
    ),
    "the beginning and the end": (
        {"seed": "changed\n", "dvc.yaml": PIPELINE.replace("cat fit.o fit.o", "cat fit.o")},
        {"split": "run", "twin": "run", "fit": "wait", "show": "run"},
        {"split": "ran", "twin": "ran", "fit": "ran", "show": "ran"},
    ),
    "a lock that is gone": (
        {"dvc.lock": None},
        {"split": "restore", "twin": "restore", "fit": "restore", "show": "restore"},
        {"split": "restored", "twin": "restored", "fit": "restored", "show": "restored"},
    ),
    "a dep that is gone": ({"tail": None}, {**FRESH, "fit": "run", "show": "wait"}, {}),
}


@pytest.mark.parametrize("name", PLANS)
def test_what_is_planned_is_what_is_done_and_pulled(name: str, made: Workshop) -> None:
    files, planned, done = PLANS[name]
    clone = made.clone("clone")
    clone.put(files)
    before = clone.names()
    assert clone.plan() == planned
    assert clone.names() == before
    planned_pull = clone.planned_pull()
    report = clone.repro()
    if done:
        assert decisions(report) == done
        assert (report.pulled.objects, report.pulled.bytes) == planned_pull


def test_an_object_that_two_stages_want_is_counted_once(made: Workshop) -> None:
    clone = made.clone("clone")
    clone.put({"tail": "changed\n"})
    steps = clone.steps()
    assert steps.pull.objects == sum(step.pull.objects for step in steps.steps) == 2, "x, and y that is twin too"


def test_a_plan_of_targets_looks_at_what_they_need_alone(made: Workshop) -> None:
    made.put({"seed": "changed\n"})
    assert made.plan("twin") == {"twin": "run"}
    assert made.plan("fit") == {"split": "run", "twin": "run", "fit": "wait"}


def test_what_is_stale_is_told_from_what_is_only_absent(made: Workshop) -> None:
    made.put({"twin": None})
    assert [(step.stage.address, step.is_stale) for step in made.steps().steps if step.decision.word != "fresh"] == [
        ("twin", False)
    ]
    made.put({"twin": "changed"})
    assert [(step.stage.address, step.is_stale) for step in made.steps().steps if step.decision.word != "fresh"] == [
        ("twin", True)
    ]


def test_sizes_are_the_locks_where_the_remote_cannot_be_asked(made: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    clone = made.clone("clone")
    clone.put({"dvc.yaml": PIPELINE.replace("cat fit.o fit.o", "cat fit.o")})
    shutil.rmtree(made.remote)
    made.remote.write_text("no folder any more")
    assert clone.planned_pull() == (1, len("seed\nsame\ntail\n")) or "could not be asked" not in caplog.text
    assert clone.plan()["show"] == "run"


def test_a_lost_object_that_nothing_needs_is_no_reason(made: Workshop) -> None:
    made.lose("parts", "twin", "fit.o", "show.o")
    assert made.clone("clone").plan() == FRESH


def test_lost_objects_are_followed_upstream(made: Workshop) -> None:
    made.lose("twin", "fit.o")
    clone = made.clone("clone")
    clone.put({"dvc.yaml": PIPELINE.replace("cat fit.o fit.o", "cat fit.o")})
    assert clone.plan() == {"split": "run", "twin": "run", "fit": "run", "show": "run"}, "parts/y is twin's object"
    assert clone.reasons("fit")[0][:2] == ("missing object", "fit.o")
    assert clone.reasons("twin")[0][:2] == ("missing object", "twin")
