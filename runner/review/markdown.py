"""The report as GitHub Markdown within a budget: shortened by rule, never cut inside a table or a fence. Pure."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from runner.review import charts, curves, escape, templates, view, words
from runner.review.headline import headline
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.review.model import Report, StageRow
    from runner.review.templates import Own

BUDGET = 65_536
"""GitHub's limit for a comment, in characters."""

Row = TypeVar("Row")
_ALL = sys.maxsize
_LEAST = 14
"""Bytes of the shortest row: `| `a` | `1` |`."""
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
        data: data that changed, and where outs come from.
        plots: rows of the plots' table.
        charts: plots and trends that are drawn.

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
    data: int
    plots: int
    charts: int


# A comment with more than a dozen of Mermaid's charts takes seconds to show.
_FULL = Detail(
    _ALL,
    _ALL,
    _ALL,
    fresh=True,
    causes=_ALL,
    tail=40,
    failed=_ALL,
    notes=_ALL,
    graph=True,
    data=_ALL,
    plots=_ALL,
    charts=12,
)
_BUSY = replace(_FULL, unchanged=0, fresh=False, charts=6)
_SOME = replace(_BUSY, rows=300, stages=100, causes=8, failed=5, notes=20, data=40, plots=30, charts=3)
_FEW = replace(_SOME, rows=120, stages=40, causes=4, failed=3, notes=10, graph=False, data=15, plots=12, charts=1)
_BARE = replace(_FEW, rows=40, stages=15, causes=2, tail=20, failed=1, notes=5, data=5, plots=4, charts=0)
# What is dropped first is what a reviewer misses least; what is not fine comes first in every table.
LEVELS = (
    _FULL,
    _BUSY,
    _SOME,
    _FEW,
    _BARE,
    replace(_BARE, rows=12, stages=5, causes=1, tail=8, notes=2, data=0, plots=0),
    replace(_BARE, rows=3, stages=0, causes=0, tail=0, failed=0, notes=0, data=0, plots=0),
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
    time: view.TimeRow


@dataclass(frozen=True, slots=True)
class Tail:
    """The last lines of a failed stage."""

    stage: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, and what it shows."""

    title: str
    code: str
    sides: bool = False
    table: curves.Confusion | None = None
    x: str = ""
    y: str = ""
    ends: Sequence[str] = ()


def to_markdown(report: Report, budget: int = BUDGET, own: Own | None = None) -> str:
    """Give the report as Markdown of at most `budget` bytes of UTF-8, which is never fewer than its characters.

    Rows are dropped in steps until it fits, and their number is said. A budget too small for any table gets the
    verdict alone; the first line is the verdict in any case.

    Args:
        report: the report.
        budget: bytes.
        own: templates of the project, by file name. One that cannot be rendered is told of, and not used.

    """
    facts = _facts(report)
    for level in LEVELS[_start(report, budget) :]:
        try:
            text = templates.rendered("report.md.jinja", facts | _rows(report, facts, level), own)
        except templates.BrokenTemplateError as error:
            return to_markdown(replace(report, notes=(*report.notes, str(error))), budget)
        if len(text.encode()) <= budget:
            return text
    return _shortest(report, budget)


def _start(report: Report, budget: int) -> int:
    """Give the level to begin with: rows of tables take at least so many bytes, and there is no need to draw them."""
    least = _LEAST * (len(report.metrics) + len(report.stages))
    return 0 if least <= budget else 1 if _LEAST * sum(row.changed for row in report.metrics) <= budget else 2


def _shortest(report: Report, budget: int) -> str:
    told = headline(report)
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
        "headline": headline(report),
        "mark": _MARKS["error" if any(row.decision == "failed" for row in report.stages) else report.verdict],
        "marks": _MARKS,
        "all_metrics": view.metric_rows(report),
        "all_params": view.param_rows(report),
        "tally": view.tally(report.stages),
        "moved": view.moved(report),
        "graph": charts.graph_of_rows(report.stages, report.edges, charts.MOST_BOXES),
        "all_data": [row for row in view.data_rows(report) if row.kind not in {"metric", "plot"}],
        "all_lineage": view.lineage_rows(report),
        "all_plots": [one for plot in report.plots if plot.changed or plot.why for one in curves.summaries(plot)],
        "same_plots": sum(not (plot.changed or plot.why) for plot in report.plots),
        "saved": view.saved(report),
        "spent": view.spent(report),
        "has_trend": bool(report.history and report.history.trends),
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
        "claims": Shown.of(report.claims, detail.notes),
        "input_changes": Shown.of(report.history.marks[::-1] if report.history else (), detail.notes),
        "data": Shown.of(facts["all_data"], detail.data),
        "lineage": Shown.of(facts["all_lineage"], detail.data),
        "plots": Shown.of(facts["all_plots"], detail.plots),
        "charts": list(islice(_charts(report, facts["all_metrics"]), detail.charts)),
        "diagram": charts.mermaid(graph) if graph else "",
        "hidden_stages": graph.hidden if graph else 0,
    }


def _charts(report: Report, metrics: Sequence[view.ValueRow]) -> Iterator[Chart]:
    """Draw what changed: plots, then the trends of gated metrics."""
    for plot in report.plots:
        if not plot.changed or not plot.spec:
            continue
        kind = curves.shape(plot)
        table = curves.confusion(plot) if kind == "table" else None
        code = curves.xychart(plot) if kind in {"line", "bar"} else ""
        if table or code:
            yield Chart(plot.title, code, sides=True, table=table, x=plot.x, y=plot.y, ends=curves.ends(plot))
    names = [view.commit(one) for one in report.history.commits] if report.history else []
    for row in metrics:
        if row.trend and row.status and len(row.trend) == len(names) + 1:
            code = curves.trend_chart(row.trend[:-1], names, row.trend[-1], row.name)
            if code:
                yield Chart(f"{row.name} over the last {words.count(len(names), 'commit')} of the base branch", code)


def _stage_line(row: StageRow, detail: Detail) -> StageLine:
    causes = Shown.of(view.causes(row), detail.causes)
    return StageLine(row.stage, row.decision, row.why, causes, view.times(row))
