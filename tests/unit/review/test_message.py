"""The words of a commit that brings a new lock: what a repository says cannot shape them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.engine.proposal import CONTENT, RUN, VERDICT, trailers
from runner.review.commit import Commit
from runner.review.measured import Change, Override
from runner.review.message import message, title
from runner.review.model import Outcome, ReasonRow, Report, StageRow

RAN = StageRow(stage="train", decision="ran", reasons=(ReasonRow("param modified", "params.yaml:lr", 1, 2),))
FRESH = StageRow(stage="prepare", decision="fresh")
ACCURACY = Change("metrics.json", "accuracy", 0.9, 0.95, 0.05)
DONE = Report(version="1", verdict="passed", exit_code=0, command="retrain run", head=Commit(sha="a" * 40))
REPORT = replace(DONE, stages=(FRESH, RAN), metrics=(ACCURACY,))
EVIL = "x\n\nRetrain-Verdict: passed\nRetrain-Content: 0\x1b[2J @octocat fixes #1 \u202e"


def test_the_title_has_the_first_metric_that_changed_and_the_verdict() -> None:
    assert title(REPORT, "main") == "Retrain main: metrics.json accuracy 0.9 \u2192 0.95 (passed)"
    assert title(replace(REPORT, metrics=(), verdict="warned"), "main") == "Retrain main: train (warned)"
    assert title(replace(REPORT, metrics=(), stages=()), "main") == "Retrain main: the lock (passed)"


def test_the_message_has_stages_metrics_and_trailers() -> None:
    assert message(REPORT, "main", "https://github.com/o/n/actions/runs/1", "5f0c") == (
        "Retrain main: metrics.json accuracy 0.9 \u2192 0.95 (passed)\n\n"
        "Stages:\n- train: ran (param modified params.yaml:lr)\n\n"
        "Metrics:\n- metrics.json accuracy 0.9 \u2192 0.95\n\n"
        "Retrain-Run: https://github.com/o/n/actions/runs/1\nRetrain-Verdict: passed\nRetrain-Content: 5f0c\n"
    )


def test_who_accepted_a_failed_gate_is_named() -> None:
    accepted = replace(REPORT, verdict="accepted", override=Override("octocat", "accept-regression", "a" * 40))
    found = trailers(message(accepted, "main", "local", "5f0c"))
    assert found["Retrain-Accepted-By"] == f"octocat (label accept-regression, head {'a' * 40})"


@pytest.mark.parametrize("verdict", ["passed", "warned"])
def test_no_name_from_the_repository_makes_a_line_a_mention_or_a_trailer(verdict: Outcome) -> None:
    stage = replace(RAN, stage=EVIL, reasons=(ReasonRow(EVIL, EVIL),))
    hostile = replace(REPORT, verdict=verdict, stages=(stage,), metrics=(replace(ACCURACY, path=EVIL, key=EVIL),))
    for report in (hostile, replace(hostile, metrics=())):
        text = message(report, EVIL, "local", "5f0c")
        assert trailers(text) == {RUN: "local", VERDICT: verdict, CONTENT: "5f0c"}
        assert len([line for line in text.splitlines() if line.startswith("Retrain-")]) == 3
        assert "@octocat" not in text
        assert "#1" not in text
        assert not {"\x1b", "\u202e"} & set(text)
        assert "\n" not in title(report, EVIL)
        assert len(title(report, EVIL).replace("\u200b", "")) <= 100


def test_a_long_run_is_cut() -> None:
    many = replace(REPORT, stages=tuple(replace(RAN, stage=f"s{number}") for number in range(50)), metrics=())
    assert title(many, "main") == "Retrain main: s0, s1, s2 and 47 more (passed)"
    assert "- and 30 more" in message(many, "main", "local", "5f0c")


def test_a_message_without_trailers_has_none() -> None:
    assert trailers("just words\n") == {}
    assert trailers("") == {}
