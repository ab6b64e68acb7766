"""The walk: the report holds everything that happened, however it ended."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runner import ci, composing
from runner.engine import exchange
from runner.engine.project import Place
from runner.errors import ConfigError, ConfigErrors, Location, RemoteError
from runner.review import report as rendering
from tests.support.pipelines import Workshop, decisions, finished, row, workshop

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE = """\
stages:
  prepare:
    cmd: cat seed > prepared
    deps: [seed]
    outs: [prepared]
  fit:
    cmd: cat prepared > model; sed 's/.*/{"score":0.&}/' rate > m.json
    deps: [prepared, rate]
    params: [depth]
    outs: [model]
    metrics: [{m.json: {cache: false}}]
"""
GATES = "gates:\n- metric: m.json:$.score\n  better: higher\n  at-least: 0.5\n  allow-drop: 0.1\n"
FILES = {"seed": "1\n", "rate": "9\n", "params.yaml": "depth: 3\n"}


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    """Give the project, trained on main, with a branch checked out."""
    made = finished(tmp_path, PIPELINE, FILES)
    made.put({"retrain.yaml": GATES})
    made.commit()
    made.git("checkout", "-q", "-b", "feature")
    return made


@pytest.mark.parametrize(
    ("rate", "verdict", "code", "push"),
    [
        ("9", "passed", 0, "pushed, and found in the remote by name and size"),
        ("85", "passed", 0, "pushed, and found in the remote by name and size"),
        ("6", "failed", 1, "not pushed: the gates say failed"),
        ("4", "failed", 1, "not pushed: the gates say failed"),
    ],
)
def test_a_run_is_judged_against_the_base_and_pushed_if_it_holds(
    rate: str, verdict: str, code: int, push: str, made: Workshop
) -> None:
    made.put({"rate": f"{rate}\n"})
    report = made.run()
    assert (report.verdict, report.exit_code, report.push) == (verdict, code, push)
    assert report.base
    assert report.base.how == "merge base with main"
    assert report.gates[0].base == pytest.approx(0.9)
    assert rendering.from_json(rendering.to_json(report), "report.json") == report


def test_the_report_says_what_ran_and_why(made: Workshop) -> None:
    made.put({"params.yaml": "depth: 4\n"})
    report = made.run()
    assert decisions(report) == {"prepare": "fresh", "fit": "ran"}
    reason = row(report, "fit").reasons[0]
    assert (reason.change, reason.path, reason.was, reason.now) == ("param modified", "params.yaml:depth", 3, 4)
    assert [(change.path, change.key, change.base, change.head) for change in report.params] == [
        ("params.yaml", "depth", 3, 4)
    ]
    assert report.edges == (("prepare", "fit"),)
    assert row(report, "fit").seconds is not None
    assert row(report, "prepare").seconds is None


def test_a_repro_judges_and_pushes_nothing(made: Workshop) -> None:
    made.put({"rate": "4\n"})
    before = sorted(made.remote.rglob("*"))
    report = made.repro()
    assert (report.verdict, report.exit_code, report.gates, report.push) == ("ungated", 0, (), "")
    assert sorted(made.remote.rglob("*")) == before


def test_a_failed_stage_ends_the_walk_before_the_gates(made: Workshop) -> None:
    made.put({"dvc.yaml": PIPELINE.replace("cat prepared", "echo words; false; exit 4; cat prepared")})
    report = made.run()
    assert (report.verdict, report.exit_code, report.gates) == ("error", 3, ())
    assert row(report, "fit").exit_code == 4
    assert row(report, "fit").tail[-1] == "words"
    assert report.push == "not pushed: a stage failed"


def test_push_always_keeps_what_finished_before_a_stage_failed(made: Workshop) -> None:
    made.put({"seed": "2\n", "dvc.yaml": PIPELINE.replace("cat prepared >", "false; exit 4; cat prepared >")})
    report = made.run(push="always")
    assert (report.verdict, report.exit_code) == ("error", 3)
    assert decisions(report) == {"prepare": "ran", "fit": "failed"}
    assert (made.remote / made.recorded("prepared").key).exists()


def test_push_always_without_a_remote_is_an_error(made: Workshop) -> None:
    made.put({".dvc/config": ""})
    report = made.run(push="always")
    assert (report.verdict, report.exit_code) == ("error", 4)
    assert report.error
    assert "no remote is configured" in report.error.message


def test_a_metric_of_a_stale_stage_that_was_no_part_of_the_run_does_not_pass(made: Workshop) -> None:
    made.put({"rate": "1\n"})
    report = made.run(targets="prepare")
    assert report.exit_code == 1
    assert "its stage fit is stale and was no part of this run" in report.gates[0].why
    made.put({"rate": "9\n"})
    assert made.run(targets="prepare").exit_code == 0


def test_an_edited_metric_of_a_frozen_stage_does_not_pass(made: Workshop) -> None:
    made.put({"dvc.yaml": PIPELINE.replace("  fit:\n", "  fit:\n    frozen: true\n"), "m.json": '{"score": 0.99}\n'})
    report = made.run()
    assert report.exit_code == 1
    assert "its stage fit is frozen, and this is not what it wrote" in report.gates[0].why


def test_gates_and_stages_that_went_are_named(made: Workshop) -> None:
    made.git("checkout", "-q", "main")
    made.git("checkout", "-q", "-b", "less")
    made.put({"dvc.yaml": PIPELINE[: PIPELINE.index("  fit:")], "retrain.yaml": "gates: []\n"})
    report = made.run()
    assert report.verdict == "ungated"
    assert report.notes == (
        "the gate m.json:$.score of the base is gone",
        "the stage fit of the base is gone",
    )


def test_a_gate_that_the_candidate_loosened_is_told_with_what_it_was(made: Workshop) -> None:
    loose = GATES.replace("at-least: 0.5", "at-least: 0.1").replace("  allow-drop: 0.1\n", "  severity: warn\n")
    made.put({"retrain.yaml": f"{loose}- size: model\n  at-most: 1 MB\n"})
    (told,) = made.run().notes
    assert told == (
        "the gate m.json:$.score is not that of the base: "
        'at-least was 0.5 and is 0.1, allow-drop was 0.1 and is none, severity was none and is "warn"'
    )
    made.put({"retrain.yaml": f"# moved\n{GATES}"})
    assert made.run().notes == ()


@pytest.mark.parametrize("declared", ["metrics: [m.json]\n", ""])
def test_a_gate_on_a_metric_that_no_stage_writes_any_more_is_named(declared: str, made: Workshop) -> None:
    made.git("checkout", "-q", "main")
    made.git("checkout", "-q", "-b", "claim")
    made.put({"dvc.yaml": declared + PIPELINE.replace("m.json", "n.json"), "m.json": '{"score": 0.99}\n'})
    assert made.run().notes == (
        "no stage writes m.json any more, which fit of the base wrote: its values are only claimed",
    )


def test_an_error_in_the_middle_keeps_what_was_done_before(made: Workshop) -> None:
    other = PIPELINE.replace("params: [depth]", "params: [{deep.yaml: [depth]}]")
    made.put({"seed": "2\n", "dvc.yaml": other, "deep.yaml": "depth: [\n"})
    report = made.run()
    assert report.exit_code == 2
    assert decisions(report) == {"prepare": "ran"}
    assert report.error
    assert report.error.where
    assert report.error.where.file == "deep.yaml"
    made.put({"deep.yaml": "depth: 3\n"})
    assert decisions(made.run()) == {"prepare": "fresh", "fit": "ran"}


def test_a_gate_is_judged_in_any_repository_without_dvc(tmp_path: Path) -> None:
    made = workshop(tmp_path, "", {"retrain.yaml": GATES, "m.json": '{"score": 0.9}'})
    made.git("rm", "-q", "-r", ".dvc")
    made.commit()
    made.git("checkout", "-q", "-b", "feature")
    made.put({"m.json": '{"score": 0.7}'})
    with made.opened("gate") as opened:
        report = ci.judge(Place(opened.git, opened.root, opened.prefix), opened.found, opened.asked)
    assert (report.verdict, report.exit_code) == ("failed", 1)
    assert str(report.gates[0].delta) == "-0.2"


def test_what_a_run_writes_is_judged_and_not_what_lay_there(made: Workshop) -> None:
    made.put({"m.json": '{"score": 1}'})
    report = made.run()
    assert decisions(report)["fit"] == "restored"
    assert str(report.gates[0].head) == "0.9"


def test_what_is_left_is_no_reason_to_lose_the_report(made: Workshop) -> None:
    folder = (made.root / ".dvc" / "cache" / made.recorded("model").key).parent
    shutil.rmtree(folder)
    folder.symlink_to(folder.name)
    with made.opened() as opened, pytest.raises(RemoteError):
        exchange.left(opened.project)
    report = made.repro("prepare")
    assert (report.verdict, report.exit_code, report.left.objects) == ("ungated", 0, 0)
    assert decisions(report) == {"prepare": "fresh"}


def test_a_bug_on_the_way_is_in_the_report_with_what_was_done_before(made: Workshop) -> None:
    made.put({"seed": "2\n"})
    with made.opened("run") as opened:
        broken = replace(opened.asked, event=None)  # type: ignore[arg-type]
        with pytest.raises(ci.BrokeError) as caught:
            ci.run(opened.project, broken)
    report = caught.value.report
    assert isinstance(caught.value.__cause__, AttributeError)
    assert (report.verdict, report.exit_code) == ("error", 70)
    assert report.error
    assert report.error.message.startswith("this is a bug in the runner: AttributeError: ")


def test_a_push_that_fails_keeps_what_the_gates_said(made: Workshop) -> None:
    made.put({"rate": "85\n"})
    shutil.rmtree(made.remote)
    made.remote.write_text("no folder")
    report = made.run()
    assert (report.verdict, report.exit_code) == ("error", 4)
    assert [verdict.status for verdict in report.gates] == ["passed"]


def test_every_mistake_that_ends_a_walk_is_in_its_report(made: Workshop) -> None:
    with made.opened() as opened:
        blank = ci.repro(opened.project, opened.asked)
    first = ConfigError("one", "do", Location("dvc.yaml", 3))
    report = composing.ended(
        blank, ConfigErrors([first, ConfigError("two", "", Location("dvc.yaml", 5)), ConfigError("3")])
    )
    assert report.error
    assert (report.error.message, report.error.where) == ("one", Location("dvc.yaml", 3))
    assert report.notes == ("dvc.yaml:5: two", "3")
    assert report.exit_code == 2
