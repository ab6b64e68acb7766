"""The modes of a run on real projects: which stages are taken, what runs, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner import ci
from runner.engine.modes import Modes
from runner.errors import ConfigError
from tests.support.pipelines import Workshop, decisions, finished, row, workshop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

#   data -> clean -> train -> score      other stands alone, held is frozen and reads what clean writes
PIPELINE = """\
stages:
  clean:
    cmd: echo clean >> ../journal; cat data > clean.o
    deps: [data]
    outs: [clean.o]
  train:
    cmd: echo train >> ../journal; cat clean.o > train.o
    deps: [clean.o]
    params: [rate]
    outs: [train.o]
  score:
    cmd: echo score >> ../journal; cat train.o > score.o
    deps: [train.o]
    outs: [score.o]
  other:
    cmd: echo other >> ../journal; cat more > other.o
    deps: [more]
    metrics: [{other.o: {cache: false}}]
  held:
    cmd: echo held >> ../journal; cat clean.o > held.o
    frozen: true
    deps: [clean.o]
    outs: [held.o]
"""
FILES = {"data": "1\n", "more": "2\n", "params.yaml": "rate: 1\n"}


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    made = finished(tmp_path, PIPELINE.replace("    frozen: true\n", ""), FILES)
    made.put({"dvc.yaml": PIPELINE})
    made.commit()
    assert sorted(made.journal) == ["clean", "held", "other", "score", "train"]
    return made


# Which stages


@pytest.mark.parametrize(
    ("targets", "flags", "chosen"),
    [
        (["train"], {}, ["clean", "train"]),
        (["train"], {"single_item": "true"}, ["train"]),
        (["score", "clean"], {"single_item": "true"}, ["score", "clean"]),
        (["train"], {"downstream": "true"}, ["train", "score"]),
        (["clean"], {"downstream": "true"}, ["clean", "train", "score"]),
        (["other", "train"], {"downstream": "true"}, ["train", "score", "other"]),
    ],
)
def test_a_mode_chooses_stages(targets: list[str], flags: dict[str, str], chosen: list[str], made: Workshop) -> None:
    report = made.repro(*targets, **flags)
    assert [stage.stage for stage in report.stages] == chosen


def test_a_single_stage_takes_its_deps_as_they_are(made: Workshop) -> None:
    made.put({"data": "9\n", "params.yaml": "rate: 2\n"})
    assert decisions(made.repro("train", single_item="true")) == {"train": "ran"}
    assert made.read("train.o") == "1\n"


def test_a_single_stage_makes_no_other_even_if_its_dep_is_lost(made: Workshop) -> None:
    clone = made.clone("clone")
    made.lose("clean.o")
    clone.put({"params.yaml": "rate: 2\n"})
    report = clone.repro("train", single_item="true")
    assert report.exit_code == 4
    assert report.error
    assert "clean.o (clean), which stage train needs, is in no remote" in report.error.message
    assert clone.journal == []


# What runs


def test_forced_stages_run_and_frozen_ones_are_left_alone(made: Workshop) -> None:
    with made.opened("plan") as opened:
        steps = ci.plan(opened.project, [], Modes(force=True)).steps
    words = {"clean": "run", "train": "run", "score": "run", "other": "run", "held": "frozen"}
    assert {step.stage.address: step.decision.word for step in steps} == words
    lock = made.read("dvc.lock")
    report = made.repro(force="true")
    assert decisions(report) == {name: word.replace("run", "ran") for name, word in words.items()}
    assert [reason.change for reason in row(report, "train").reasons] == ["forced"]
    assert made.read("dvc.lock") == lock
    assert made.journal == ["clean", "train", "score", "other"]


def test_without_the_run_cache_a_past_run_is_run_again(made: Workshop) -> None:
    made.put({"params.yaml": "rate: 2\n"})
    made.repro()
    made.put({"params.yaml": "rate: 1\n"})
    assert made.journal == ["train"]
    assert decisions(made.repro(run_cache="false"))["train"] == "ran"
    made.put({"params.yaml": "rate: 2\n"})
    assert decisions(made.repro())["train"] == "restored"


def test_what_is_missing_is_no_reason_to_run_where_that_is_allowed(made: Workshop) -> None:
    clone = made.clone("clone")
    clone.put({"more": None, "other.o": None})
    assert clone.plan("other") == {"other": "run"}
    assert decisions(clone.repro("other", allow_missing="true")) == {"other": "fresh"}
    clone.put({"more": "3\n"})
    assert decisions(clone.repro("other", allow_missing="true")) == {"other": "ran"}


# How it ends


def test_after_a_failure_only_what_depends_on_it_is_skipped_if_it_keeps_going(made: Workshop) -> None:
    broken = PIPELINE.replace("cat clean.o > train.o", "exit 7").replace("cat more", "cat more more")
    made.put({"dvc.yaml": broken})
    assert decisions(made.repro()) == {
        "clean": "fresh", "train": "failed", "score": "skipped", "other": "skipped", "held": "skipped"
    }  # fmt: skip
    report = made.repro(keep_going="true")
    assert decisions(report) == {
        "clean": "fresh", "train": "failed", "score": "skipped", "other": "ran", "held": "frozen"
    }  # fmt: skip
    assert report.exit_code == 3
    assert made.read("other.o") == "2\n2\n"
    assert made.plan()["other"] == "fresh"


def test_an_object_that_nobody_has_fails_its_stage_alone_if_it_keeps_going(made: Workshop) -> None:
    clone = made.clone("clone")
    made.lose("clean.o")
    clone.put({"params.yaml": "rate: 2\n", "more": "3\n"})
    flags = {"single_item": "true"}
    assert clone.repro("train", "other", **flags).exit_code == 4
    assert clone.journal == []
    report = clone.repro("train", "other", keep_going="true", **flags)
    assert decisions(report) == {"train": "failed", "other": "ran"}
    assert report.exit_code == 4
    assert "retrain repro clean" in row(report, "train").why


def test_locked_runs_nothing_and_says_why(made: Workshop) -> None:
    made.put({"params.yaml": "rate: 2\n"})
    report = made.run(locked="true", push="never")
    assert (report.exit_code, report.verdict, report.stages) == (10, "error", ())
    assert report.error
    assert report.error.message == (
        "locked, and 2 of 5 stages are stale: train (param modified params.yaml:rate); score (waits for train)"
    )
    assert made.journal == []


def test_locked_names_ten_stages_and_counts_the_others(tmp_path: Path) -> None:
    many = "".join(f"  s{at:02}:\n    cmd: echo {at} > o{at}\n    outs: [o{at}]\n" for at in range(12))
    made = workshop(tmp_path, f"stages:\n{many}", {})
    error = made.repro(locked="true").error
    assert error
    assert error.message.startswith("locked, and 12 of 12 stages are stale: s00 (")
    assert error.message.endswith("; and 2 more")
    assert error.message.count(";") == 10
    assert "`retrain plan` names every stage" in error.hint


def test_locked_says_of_what_always_runs_that_no_lock_holds_for_it(tmp_path: Path) -> None:
    made = workshop(tmp_path, "stages:\n  now:\n    cmd: date > out\n    outs: [out]\n    always_changed: true\n", {})
    assert made.repro().exit_code == 0
    report = made.repro(locked="true")
    assert report.exit_code == 10
    assert report.error
    assert report.error.hint.startswith("these run every time, so that no lock holds for them: now;")


def test_locked_puts_in_place_what_the_lock_names(made: Workshop) -> None:
    clone = made.clone("clone")
    assert clone.repro(locked="true").exit_code == 0
    report = made.run(locked="true", push="never")
    assert report.exit_code == 0
    assert made.journal == []


@pytest.mark.parametrize("flags", [{"force": "true", "locked": "true"}, {"single_item": "true", "downstream": "true"}])
def test_modes_that_contradict_each_other_are_refused(flags: dict[str, str], made: Workshop) -> None:
    with pytest.raises(ConfigError, match="contradict each other"):
        made.repro(**flags)


def test_a_target_that_is_none_is_told_in_every_mode(made: Workshop) -> None:
    for mode in ({}, {"single_item": "true"}, {"downstream": "true"}):
        report = made.repro("trian", **mode)
        assert report.exit_code == 2


def test_a_dry_run_says_what_a_plan_says_and_does_nothing(made: Workshop, retrain: Program) -> None:
    made.put({"params.yaml": "rate: 2\n"})
    before = {path: made.read(path) for path in made.names()}
    planned = retrain("plan", "--json", cwd=made.root).stdout
    for verb in ("repro", "run"):
        assert retrain(verb, "--dry-run", "--json", cwd=made.root).stdout == planned
        assert retrain(verb, "--dry", "--locked", "--json", cwd=made.root, exits=10).stdout == planned
    assert {path: made.read(path) for path in made.names()} == before
    assert made.journal == []


def test_the_command_line_has_dvcs_short_names(made: Workshop, retrain: Program) -> None:
    made = made.clone("clone")
    retrain("repro", "-f", "-s", "train", cwd=made.root)
    assert made.journal == ["train"]
    made.put({"dvc.yaml": PIPELINE.replace("cat clean.o > train.o", "exit 7"), "more": "3\n"})
    retrain("repro", "-k", "-j", "1", "--no-run-cache", cwd=made.root, exits=3)
    assert made.journal == ["train", "other"]
    retrain("repro", "--locked", cwd=made.root, exits=10)


def test_a_gate_file_may_say_to_keep_going_but_not_to_force(made: Workshop, retrain: Program) -> None:
    made = made.clone("clone")
    made.put({"retrain.yaml": "keep-going: true\n", "more": "3\n"})
    made.put({"dvc.yaml": PIPELINE.replace("cat clean.o > train.o", "exit 7")})
    retrain("repro", "--jobs", "1", cwd=made.root, exits=3)
    assert made.journal == ["train", "other"]
    made.put({"retrain.yaml": "force: true\n"})
    assert "cannot be set in the gate file" in retrain("plan", cwd=made.root, exits=2).stderr
