"""What verbs print: one line a stage or a sum, JSON that any parser takes."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from runner import ci, columns, log, printing, tables
from runner.engine.decision import Change, Reason
from runner.errors import Location, RemoteError
from runner.pipeline.declared import Artifact, Dataset, Declared, Plot
from runner.review.commit import Commit
from runner.review.measured import Verdict
from runner.review.model import Problem, ReasonRow, Report, StageRow, Traffic
from runner.store.moved import Failure, Moved
from tests.support.actions import read
from tests.support.pipelines import Workshop, finished

if TYPE_CHECKING:
    from collections.abc import Iterator

PIPELINE = """\
stages:
  prepare:
    cmd: cat seed > prepared
    deps: [seed]
    outs: [prepared]
  fit:
    cmd: [cat prepared > model, 'true']
    deps: [prepared]
    params: [depth]
    outs: [model]
"""
BLANK = Report(version="1", verdict="ungated", exit_code=0, command="retrain run", head=Commit(sha="1" * 40))


@pytest.fixture(autouse=True)
def _in_a_github_job() -> Iterator[None]:
    log.setup(io.StringIO(), actions=True, verbosity=0, secrets=["hunter22", "31337"])
    yield
    log.setup(io.StringIO(), actions=False, verbosity=0, secrets=[])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    files = {"seed": "1\n", "params.yaml": "depth: 3\n"}
    return finished(tmp_path_factory.mktemp("printing"), PIPELINE, files)


def test_a_plan_gives_a_line_a_stale_stage_with_its_reasons(made: Workshop) -> None:
    made.put({"params.yaml": f"depth: {'9' * 60}x\n", "seed": "2\n"})
    with made.opened("plan") as opened:
        plan = ci.plan(opened.project, [])
        lines = printing.plan_lines(opened.asked, plan)
    assert lines[0].startswith("compared with ")
    assert lines[1:] == [
        "run      prepare",
        "         dep modified seed: b026324c6904b2a9cb4b88d6d61c81d1 -> 26ab0db90d72e28ad0ba1e22ee510510",
        "run      fit",
        f"         param modified params.yaml:depth: 3 -> {'9' * 40}...",
        "2 of 2 stages stale; nothing to pull",
    ]
    assert printing.plan_outputs(plan) == {"stale-stages": "prepare\nfit", "changed": "true"}
    made.put({"params.yaml": "depth: 3\n", "seed": "1\n"})


@pytest.mark.parametrize(
    ("was", "now", "line"),
    [
        ("python train.py", "python fit.py", "cmd: python train.py -> python fit.py"),
        (
            f"python train.py {'--quiet ' * 9}--epochs 10",
            f"python train.py {'--quiet ' * 9}--epochs 20",
            "cmd: ... --epochs 10 -> ... --epochs 20",
        ),
        (f"{'a' * 50}b", "a" * 50, f"cmd: ...{'a' * 10}b -> ...{'a' * 10}"),
        (None, "x" * 50, f"cmd: nothing -> {'x' * 40}..."),
        ("one\ntwo", "one\x1b[2J", r'cmd: "one\ntwo" -> "one\u001b[2J"'),
    ],
)
def test_of_two_long_texts_what_differs_is_shown_and_of_any_a_line(was: str | None, now: str, line: str) -> None:
    assert printing.reason_line(Reason(Change.CMD, "", was, now)) == line


DECLARED = Declared(
    params=("conf.toml",),
    metrics=("eval",),
    plots=(
        Plot("dvc.yaml", "roc.csv", {"roc.csv": ()}),
        Plot("dvc.yaml", "loss", {"a.csv": ("train", "val"), "b.csv": ("val",)}, {"a.csv": "step"}, title="Loss"),
    ),
    artifacts=(Artifact("sub/dvc.yaml", "model", "sub/net.pkl", "model", labels=("nlp",), meta={"due": math.inf}),),
    datasets={"d": Dataset("dvc.yaml", "d", {"name": "d", "url": "s3://b/p", "type": "url"}, {"meta": {"size": 1}})},
)


def test_what_stands_beside_stages_is_listed_line_by_line() -> None:
    assert printing.sections_lines(DECLARED) == [
        "params   conf.toml",
        "metrics  eval",
        "plot     roc.csv: roc.csv",
        "plot     loss: train, val of a.csv; val of b.csv over step of a.csv",
        "artifact model: sub/net.pkl (model)",
        "dataset  d: s3://b/p (url)",
    ]


def test_what_stands_beside_stages_is_json_with_every_field() -> None:
    told = json.loads(printing.json_line(printing.sections_data(DECLARED)))
    assert (told["params"], told["metrics"]) == (["conf.toml"], ["eval"])
    assert told["plots"][1] == {
        "file": "dvc.yaml",
        "id": "loss",
        "y": {"a.csv": ["train", "val"], "b.csv": ["val"]},
        "x": {"a.csv": "step"},
        "x_label": "",
        "y_label": "",
        "title": "Loss",
        "template": "",
    }
    assert told["artifacts"] == [
        {
            "file": "sub/dvc.yaml",
            "name": "model",
            "path": "sub/net.pkl",
            "type": "model",
            "desc": "",
            "labels": ["nlp"],
            "meta": {"due": "inf"},
        }
    ]
    assert told["datasets"] == [
        {
            "file": "dvc.yaml",
            "name": "d",
            "spec": {"name": "d", "url": "s3://b/p", "type": "url"},
            "record": {"meta": {"size": 1}},
        }
    ]


def test_stages_are_listed_with_what_they_read_and_write(made: Workshop) -> None:
    with made.opened() as opened:
        lines = printing.stages_lines(opened.project.pipeline.stages)
    assert lines == [
        "prepare: cat seed > prepared",
        "  reads  seed",
        "  writes prepared",
        "fit: cat prepared > model && true",
        "  reads  prepared params.yaml:depth",
        "  writes model",
    ]


def test_a_transfer_says_what_failed() -> None:
    moved = Moved(2, 2048, 1.0, (Failure("ab/cd", RemoteError("gone")),))
    (line,) = printing.moved_lines("pull", moved)
    assert line.startswith("pull: 2 objects, ")
    assert line.endswith("; 1 failed")
    assert printing.moved_data(moved)["failed"] == [{"name": "ab/cd", "why": "gone"}]


def test_what_was_refused_for_one_reason_is_one_line() -> None:
    late, denied = RemoteError("not tried", "look at the logs"), RemoteError("denied")
    moved = Moved(0, 0, 1.0, (Failure("a", denied), Failure("b", late), Failure("c", late)))
    assert list(printing.failure_lines(moved)) == ["denied", "2 objects: not tried\n  look at the logs"]


def test_the_end_of_a_report_says_the_error_with_its_place_and_all_others() -> None:
    error = Problem("is not a map", "mend it", Location("dvc.yaml", 3, 5))
    report = replace(BLANK, verdict="error", error=error, notes=("dvc.yaml:7: two",), push="not pushed: no")
    assert printing.report_lines(report) == [
        "not pushed: no",
        "error: dvc.yaml:3:5: is not a map",
        "note: dvc.yaml:7: two",
        "verdict: error",
    ]


def test_what_was_pushed_is_counted() -> None:
    report = replace(BLANK, push="pushed", pushed=Traffic(3, 0))
    assert printing.report_lines(report)[0].startswith("pushed: 3 objects (")


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"a": "x\n::error::y"}, '{"a": "x\\n::error::y"}'),
        (["##[error]x"], '["##\\u005b' + 'error]x"]'),
        ({"hunter22": ("hunter22", 31337, 1.5)}, '{"***": ["***", 31337, 1.5]}'),
        ([None, True, "\u2028"], '[null, true, "\\u2028"]'),
    ],
)
def test_json_is_one_line_without_commands_and_secrets(value: object, line: str) -> None:
    assert printing.json_line(value) == line
    assert "".join(printing.json_pieces(value)) == line
    assert "".join(printing.json_pieces({"a": [], "b": value, "é": {}})) == f'{{"a": [], "b": {line}, "\\u00e9": {{}}}}'
    assert isinstance(json.loads(line), type(value))


def test_no_number_that_json_lacks_is_printed() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        printing.json_line(math.nan)


def test_a_table_keeps_names_on_their_line_and_commands_harmless() -> None:
    reasons = (ReasonRow("dep modified", "b\n::warning::x"),)
    rows = (
        StageRow(stage="::error::a", decision="ran", seconds=1.0, reasons=reasons),
        StageRow(stage="b hunter22", decision="failed", why="##[error]no"),
    )
    console = Console(file=io.StringIO(), highlight=False, width=160)
    drawn = log.block(tables.drawn(replace(BLANK, stages=rows), console))
    assert len(drawn.splitlines()) == 3
    assert read(drawn).commands == []
    assert "##[" not in drawn
    assert "b ***" in drawn
    assert "dep modified b\\n::warning::x" in drawn


def test_where_there_is_no_terminal_each_row_is_one_line_in_columns() -> None:
    why = "because " * 50 + "of b\n::warning::x"
    rows = (
        StageRow(stage="::error::a", decision="ran", seconds=1.0, reasons=(ReasonRow("dep modified", "b"),)),
        StageRow(stage="\u6728 hunter22", decision="failed", why=why),
    )
    drawn = [log.block(line) for line in columns.lines(replace(BLANK, stages=rows))]
    shown = "because " * 50 + "of b\\n::warning::x"
    assert [re.split(" {2,}", line) for line in drawn] == [
        ["stage", "outcome", "time", "why"],
        ["\\::error::a", "ran", "1.0 s", "dep modified b"],
        ["\u6728 ***", "failed", shown],
    ]
    assert drawn[0].index("why") == drawn[1].index("dep")


def test_a_report_of_nothing_draws_nothing() -> None:
    assert [*columns.lines(BLANK)] == []
    assert tables.drawn(BLANK, Console(file=io.StringIO())) == ""


def test_of_very_many_judged_values_the_worst_are_listed_and_the_others_counted() -> None:
    held = Verdict(gate="g", metric="m.json", path="a", status="passed", why="", limit="", where=Location("r", 1))
    rows = (*[held] * columns.MOST_GATES, replace(held, path="last", status="failed"))
    drawn = tables.drawn(replace(BLANK, gates=rows), Console(file=io.StringIO(), width=200)).splitlines()
    assert [line.split() for line in columns.lines(replace(BLANK, gates=rows))] == [line.split() for line in drawn]
    assert len(drawn) == columns.MOST_GATES + 2
    assert "last" in drawn[1]
    assert drawn[-1].startswith("and 1 more judged value, none of them worse")
