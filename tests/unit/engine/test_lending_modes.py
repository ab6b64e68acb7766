"""Lent files under the modes of a run: what is not here makes no difference to what is decided, written or judged."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from runner.errors import Exit
from tests.support.lending import FILES, PIPELINE, drawn, edited, end, journals
from tests.support.pipelines import Workshop, decisions, finished

if TYPE_CHECKING:
    from pathlib import Path

    from runner.review.model import Report

pytestmark = pytest.mark.slow

INPUTS = {**FILES, "params.yaml": "k: 1\n", "holds": "yes", "score.json": '{"y": 0.5}'}
MODES = (
    ("allow_missing", 0.25),
    ("locked", 0.15),
    ("keep_going", 0.4),
    ("force", 0.15),
    ("single_item", 0.1),
    ("downstream", 0.1),
)
"""Modes, and how often each is drawn."""


def with_params_and_failures(text: str, draw: random.Random) -> str:
    """Have some of the stages read a param, and some fail while `holds` says so, which is no dep of theirs."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("  s"):
            outs = "params: [k], outs: [" if draw.random() < 0.4 else "outs: ["
            command = "cmd: grep -q yes holds && find" if draw.random() < 0.15 else "cmd: find"
            lines[number] = line.replace("outs: [", outs).replace("cmd: find", command)
    return "".join(lines)


def flags_of(draw: random.Random) -> dict[str, str]:
    flags = {"jobs": draw.choice(["1", "4"]), **{mode: "true" for mode, often in MODES if draw.random() < often}}
    return flags | ({"set_param": f"k={draw.randint(1, 3)}"} if draw.random() < 0.3 else {})


@pytest.mark.parametrize("seed", range(8))
def test_in_every_mode_a_run_ends_as_one_with_everything_in_place(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    origin = finished(tmp_path, with_params_and_failures(drawn(draw), draw), INPUTS)
    lent, whole = origin.clone("lent"), origin.clone("whole")
    whole.pull()
    for _ in range(3):
        edited(draw, [lent, whole])
        holds, flags = draw.choice(["yes", "yes", "no"]), flags_of(draw)
        targets = ["s0"] if {"single_item", "downstream"} & flags.keys() else draw.choice([[], [], ["s1"]])
        ends = []
        for made in (lent, whole):
            made.put({"holds": holds})
            report = made.repro(*targets, **flags)
            ends.append((decisions(report), *end(made, report)))
        (*ours, our_outs), (*theirs, their_outs) = ends
        assert ours == theirs, (flags, targets)
        assert our_outs.items() <= their_outs.items()  # those that nobody needed stay in the remote
        assert journals(lent) == []
        for folder in ("raw", "made"):
            assert lent.names(folder) in (set(), whole.names(folder))


@pytest.fixture
def clone(tmp_path: Path) -> Workshop:
    """Give a fresh clone in which the two stages that read parts of a directory are stale."""
    made = finished(tmp_path, PIPELINE.replace("echo y > made/y", "cp score.json made/y.json"), INPUTS).clone("clone")
    made.put({"tail": "changed\n"})
    return made


def nothing_was_brought(made: Workshop) -> bool:
    brought = [path for path in (made.root / ".dvc/cache").rglob("*") if path.is_file() and path.suffix != ".dir"]
    return not brought and not made.names("raw") and not journals(made)


def test_a_locked_run_that_is_stale_is_lent_nothing(clone: Workshop) -> None:
    assert clone.repro(locked="true").exit_code == Exit.STALE
    assert nothing_was_brought(clone)


def test_a_plan_is_lent_nothing_and_counts_what_a_run_is(clone: Workshop) -> None:
    counted = clone.planned_pull()
    assert nothing_was_brought(clone)
    pulled = clone.repro().pulled
    assert counted == (pulled.objects, pulled.bytes) == (3, 6)


def test_a_stage_that_fails_takes_no_loan_from_the_others(clone: Workshop) -> None:
    clone.put({"dvc.yaml": clone.read("dvc.yaml").replace("cat raw/a", "false && cat raw/a")})
    report = clone.repro(jobs="4", keep_going="true")
    assert report.exit_code == Exit.STAGE
    assert (decisions(report)["one"], decisions(report)["inner"]) == ("failed", "ran")
    assert clone.read("inner.o") == "c\nd\nchanged\n"
    assert not clone.names("raw")
    assert journals(clone) == []


def gated(made: Workshop, at_least: str) -> Report:
    """Judge a metric that lies in a directory which is not here, after a run in which files of it were lent."""
    text = made.read("dvc.yaml") + "metrics: [made/y.json]\n"
    gates = f"gates:\n- metric: made/y.json:$.y\n  better: higher\n  at-least: {at_least}\n"
    made.put({"dvc.yaml": text.replace("deps: [raw/a, tail]", "deps: [raw/a, made/x, tail]"), "retrain.yaml": gates})
    return made.run()


@pytest.mark.parametrize(("at_least", "code"), [("0.4", Exit.HELD), ("0.6", Exit.GATE)])
def test_a_metric_in_a_directory_that_is_lent_is_judged(clone: Workshop, at_least: str, code: Exit) -> None:
    report = gated(clone, at_least)
    assert decisions(report)["one"] == "ran"
    assert decisions(report)["make"] == "fresh"
    assert [verdict.head for verdict in report.gates] == [pytest.approx(0.5)]
    assert report.exit_code == code
    assert not clone.names("made")
    assert journals(clone) == []
