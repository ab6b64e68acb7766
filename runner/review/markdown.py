"""The report as GitHub Markdown within a budget: shortened by rule, never cut inside a table or a fence. Pure."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from runner.review import charts, escape, view, words
from runner.review.templates import template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.review.model import Report, StageRow

BUDGET = 65_536
"""GitHub's limit for a comment, in characters."""

Row = TypeVar("Row")
_ALL = sys.maxsize
_MARKS = {
    "passed": "\N{WHITE HEAVY CHECK MARK}",
    "accepted": "\N{RAISED HAND}",
    "warned": "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}",
    "failed": "\N{CROSS MARK}",
    "unmeasured": "\N{WHITE QUESTION MARK ORNAMENT}",
    "ungated": "\N{HEAVY MINUS SIGN}",
    "error": "\N{CROSS MARK}",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of a report is shown: the number of rows of each kind.

    Attributes:
        rows: metrics that are gated or changed, and params.
        unchanged: metrics that did not change.
        stages: rows of the stages' table.
        fresh: whether stages with nothing to do are among them.
        causes: reasons a stage.
        tail: log lines of a failed stage.
        failed: failed stages whose log is shown.
        notes: notes.
        graph: whether the pipeline is drawn.

    """

    rows: int
    unchanged: int
    stages: int
    fresh: bool
    causes: int
    tail: int
    failed: int
    notes: int
    graph: bool


_FULL = Detail(_ALL, _ALL, _ALL, fresh=True, causes=_ALL, tail=40, failed=_ALL, notes=_ALL, graph=True)
_BUSY = replace(_FULL, unchanged=0, fresh=False)
# What is dropped first is what a reviewer misses least; what is not fine comes first in every table.
LEVELS = (
    _FULL,
    _BUSY,
    replace(_BUSY, rows=300, stages=100, causes=8, failed=5, notes=20),
    replace(_BUSY, rows=120, stages=40, causes=4, failed=3, notes=10, graph=False),
    Detail(40, 0, 15, fresh=False, causes=2, tail=20, failed=1, notes=5, graph=False),
    Detail(12, 0, 5, fresh=False, causes=1, tail=8, failed=1, notes=2, graph=False),
    Detail(3, 0, 0, fresh=False, causes=0, tail=0, failed=0, notes=0, graph=False),
)


@dataclass(frozen=True, slots=True)
class Shown(Generic[Row]):
    """The rows that fit, and how many do not."""

    rows: Sequence[Row]
    hidden: int = 0

    @classmethod
    def of(cls, rows: Sequence[Row], most: int) -> Shown[Row]:
        """Keep the first `most` rows."""
        return cls(rows[:most], max(0, len(rows) - most))


@dataclass(frozen=True, slots=True)
class StageLine:
    """A row of the stages' table."""

    stage: str
    decision: str
    why: str
    causes: Shown[view.Cause]
    time: str


@dataclass(frozen=True, slots=True)
class Tail:
    """The last lines of a failed stage."""

    stage: str
    lines: tuple[str, ...]


def to_markdown(report: Report, budget: int = BUDGET) -> str:
    """Give the report as Markdown of at most `budget` bytes of UTF-8, which is never fewer than its characters.

    Rows are dropped in steps until it fits, and their number is said. A budget too small for any table gets the
    verdict alone; the first line is the verdict in any case.
    """
    template_ = template("report.md.jinja")
    facts = _facts(report)
    for level in LEVELS:
        text = template_.render(facts | _rows(report, facts, level))
        if len(text.encode()) <= budget:
            return text
    return _shortest(report, budget)


def _shortest(report: Report, budget: int) -> str:
    told = view.headline(report)
    for longest in (escape.LONGEST_PROSE, 200, 60):
        text = f"**{told.word}:** {escape.prose(told.sentence, longest)}\n"
        if len(text.encode()) <= budget:
            return text
    return told.word[: max(0, budget)]


def _facts(report: Report) -> dict[str, Any]:
    """Give what is the same at every level of detail."""
    error = report.error
    return {
        "report": report,
        "headline": view.headline(report),
        "mark": _MARKS["error" if any(row.decision == "failed" for row in report.stages) else report.verdict],
        "marks": _MARKS,
        "all_metrics": view.metric_rows(report),
        "all_params": view.param_rows(report),
        "tally": view.tally(report.stages),
        "moved": view.moved(report),
        "graph": charts.graph_of({row.stage: row.decision for row in report.stages}, report.edges),
        "time": words.seconds(report.seconds),
        "error": [str(part) for part in (error.where, error.message, error.hint) if part] if error else [],
    }


def _rows(report: Report, facts: dict[str, Any], detail: Detail) -> dict[str, Any]:
    """Give what `detail` lets through."""
    telling = [row for row in facts["all_metrics"] if row.status or row.changed]
    quiet = [row for row in facts["all_metrics"] if not (row.status or row.changed)]
    listed = [row for row in report.stages if detail.fresh or row.decision not in {"fresh", "frozen"}]
    stages = Shown.of(sorted(listed, key=lambda row: row.decision != "failed"), detail.stages)
    failed = [row for row in report.stages if row.decision == "failed" and row.tail]
    graph = facts["graph"] if detail.graph else None
    return {
        "metrics": Shown.of(telling, detail.rows),
        "unchanged": Shown.of(quiet, detail.unchanged),
        "params": Shown.of(facts["all_params"], detail.rows),
        "stages": Shown([_stage_line(row, detail) for row in stages.rows], stages.hidden),
        "tails": [Tail(row.stage, row.tail[-detail.tail :]) for row in failed[: detail.failed] if detail.tail],
        "notes": Shown.of(report.notes, detail.notes),
        "diagram": charts.mermaid(graph) if graph else "",
        "hidden_stages": graph.hidden if graph else 0,
    }


def _stage_line(row: StageRow, detail: Detail) -> StageLine:
    time = "" if row.seconds is None else words.seconds(row.seconds)
    return StageLine(row.stage, row.decision, row.why, Shown.of(view.causes(row), detail.causes), time)
