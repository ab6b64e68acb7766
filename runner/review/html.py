"""The report as one self-contained page: no script, no network, light and dark, phone and desktop. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.review import charts, escape, view, words
from runner.review.templates import template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.review.model import Report, StageRow

_LABEL = 24


def to_html(report: Report) -> str:
    """Give the whole report as an HTML page. Only single values of thousands of characters are cut."""
    return template("report.html.jinja").render(_facts(report))


def _facts(report: Report) -> dict[str, Any]:
    metrics = view.metric_rows(report)
    return {
        "report": report,
        "headline": view.headline(report),
        "outcome": "failed" if any(row.decision == "failed" for row in report.stages) else report.verdict,
        "metrics": [row for row in metrics if row.status or row.changed],
        "unchanged": [row for row in metrics if not (row.status or row.changed)],
        "params": view.param_rows(report),
        "stages": [(row, charts.kind(row.decision), view.causes(row)) for row in report.stages],
        "tails": [(row.stage, _lines(row.tail)) for row in report.stages if row.tail],
        "tally": view.tally(report.stages),
        "moved": view.moved(report),
        "absent": words.ABSENT,
        **_drawing(report.stages, report.edges),
    }


def _lines(tail: Sequence[str]) -> list[str]:
    return [escape.clean(line.replace("\t", "    "), escape.LONGEST_LINE) for line in tail]


def _drawing(stages: Sequence[StageRow], edges: Sequence[charts.Edge]) -> dict[str, Any]:
    """Give the drawn pipeline, with labels that fit their boxes; nothing where it cannot be drawn legibly."""
    graph = charts.graph_of({row.stage: row.decision for row in stages}, edges)
    if graph is None:
        return {"drawing": None, "boxes": [], "hidden": 0}
    drawing = charts.layout(graph)
    boxes = [(box, charts.kind(box.decision), _label(box.stage)) for box in drawing.boxes]
    return {"drawing": drawing, "boxes": boxes, "hidden": graph.hidden}


def _label(stage: str) -> str:
    """Keep the end of a long address: it tells stages of one file apart."""
    name = escape.clean(stage)
    return name if len(name) <= _LABEL else f"...{name[3 - _LABEL :]}"
