"""The report as one self-contained page: it asks for nothing and runs nothing but its own two scripts. Pure.

Light and dark, phone and desktop; without scripts everything but the drawn plots is there.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from runner.review import assets, charts, curves, escape, figures, templates, view, words
from runner.review.headline import headline
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.review.changed import PathRow, PlotRow
    from runner.review.model import Report, StageRow
    from runner.review.templates import Own

_LABEL: Final = 24
_TREND: Final = (120, 28)


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot as the page shows it.

    Attributes:
        id: of its element.
        row: the plot.
        content: what its script element holds, JSON that no HTML can be mistaken in; empty where nothing is drawn.
        summaries: its series in words.

    """

    id: str
    row: PlotRow
    content: Markup
    summaries: Sequence[curves.Summary]


@dataclass(frozen=True, slots=True)
class Node:
    """A box of the drawn pipeline: where, what, and the element that says more."""

    box: charts.Box
    kind: str
    look: str
    label: str
    word: str
    title: str
    target: str


def to_html(report: Report, own: Own | None = None) -> str:
    """Give the whole report as an HTML page. Only single values of thousands of characters are cut.

    Args:
        report: the report.
        own: templates of the project, by file name. One that cannot be rendered is told of, and not used.

    """
    try:
        return templates.rendered("report.html.jinja", _facts(report), own)
    except templates.BrokenTemplateError as error:
        return to_html(replace(report, notes=(*report.notes, str(error))))


def _facts(report: Report) -> dict[str, Any]:
    metrics = view.metric_rows(report)
    anchors = {row.stage: f"stage-{number}" for number, row in enumerate(report.stages)}
    plots = list(_plots(report.plots))
    scripts = [assets.script("vega.js")] if any(plot.content for plot in plots) else []
    graph = charts.graph_of_rows(report.stages, report.edges, charts.MOST_ON_PAGE)
    return {
        "report": report,
        "headline": headline(report),
        "outcome": "failed" if any(row.decision == "failed" for row in report.stages) else report.verdict,
        "metrics": [row for row in metrics if row.status or row.changed],
        "unchanged": [row for row in metrics if not (row.status or row.changed)],
        "has_trend": any(row.trend for row in metrics),
        "history": report.history,
        "params": view.param_rows(report),
        "data": view.data_rows(report),
        "lineage": view.lineage_rows(report),
        "plots": [plot for plot in plots if plot.row.changed or plot.row.why],
        "same_plots": [plot for plot in plots if not (plot.row.changed or plot.row.why)],
        "stages": [(row, charts.kind(row.decision), view.causes(row), view.times(row)) for row in report.stages],
        "has_base_time": any(row.base_seconds is not None for row in report.stages),
        "anchors": anchors,
        "tails": [(row.stage, _lines(row.tail)) for row in report.stages if row.tail],
        "tally": view.tally(report.stages),
        "figures": _figures(report),
        "moved": view.moved(report),
        "absent": figures.ABSENT,
        "scripts": [Markup(one.text) for one in (*scripts, assets.script("page.js"))],  # noqa: S704  # our own
        "policy": Markup(" ".join(one.source for one in (*scripts, assets.script("page.js")))),  # noqa: S704  # hashes
        "trend": _trend,
        "drawing": charts.layout(graph) if graph else None,
        "nodes": list(_nodes(graph, anchors, report.stages)) if graph else [],
        "kinds": sorted({graph.kind(name) for name in graph.outcomes}) if graph else [],
        "hidden": graph.hidden if graph else 0,
    }


def _figures(report: Report) -> list[tuple[str, str]]:
    """Give the few numbers that a reviewer wants at a glance."""
    found = []
    if report.stages:
        found.append(("Stages", view.tally(report.stages)))
    if view.spent(report):
        found.append(("Commands took", words.seconds(view.spent(report))))
    if view.saved(report):
        found.append(("Saved", words.seconds(view.saved(report))))
    found.append(("Fetched", words.size(report.pulled.bytes)))
    if report.left.bytes:
        found.append(("Not fetched", words.size(report.left.bytes)))
    found.append(("Pushed", words.size(report.pushed.bytes)))
    return found


def _lines(tail: Sequence[str]) -> list[str]:
    return [escape.clean(line.replace("\t", "    "), escape.LONGEST_LINE) for line in tail]


def _plots(rows: Sequence[PlotRow]) -> Iterator[Plot]:
    for number, row in enumerate(rows):
        content = _json(f'{{"spec":{row.spec},"points":{row.points}}}') if _is_json(row) else Markup()
        yield Plot(f"plot-{number}", row, content, curves.summaries(row))


def _is_json(row: PlotRow) -> bool:
    """Whether a plot can be drawn: a report that was read again may say anything."""
    try:
        return isinstance(json.loads(row.spec), dict) and isinstance(json.loads(row.points), list)
    except (ValueError, RecursionError):
        return False


def _json(text: str) -> Markup:
    """Give JSON for a script element, which ends at the first `</script`, whatever it stands in."""
    safe = escape.whole(text).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(safe.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704  # just escaped


def _trend(values: view.Values) -> Mapping[str, Any]:
    """Give a small curve of a metric over time: its lines, its last point, and what it says in words."""
    lines = curves.polyline(values, *_TREND)
    known = [value for value in values if value is not None]
    last = lines[-1].rpartition(" ")[2].split(",") if lines else ["0", "0"]
    told = (
        f"{len(known)} values, from {figures.number(known[0])} to {figures.number(known[-1])}" if known else "no values"
    )
    return {"lines": lines, "last": last, "told": told, "width": _TREND[0], "height": _TREND[1]}


def _nodes(graph: charts.Graph, anchors: Mapping[str, str], rows: Sequence[StageRow]) -> Iterator[Node]:
    """Give the boxes, with labels that fit; a path leads to the stage that writes it, else to one that reads it."""
    writers = {out.path: row.stage for row in rows for out in row.outs}
    readers = {dep.path: row.stage for row in reversed(rows) for dep in row.deps}
    for box in charts.layout(graph).boxes:
        kind, name = graph.kind(box.stage), graph.label(box.stage)
        stage = writers.get(name, readers.get(name, "")) if kind != "stage" else name
        word = words.outcome(box.decision) if kind == "stage" else kind
        title = _told(graph.paths[box.stage]) if kind != "stage" else f"{name}: {word}"
        yield Node(box, kind, charts.kind(box.decision) or kind, _label(name), word, title, anchors.get(stage, ""))


def _told(path: PathRow) -> str:
    parts = [path.path, path.kind, view.short(path.hash), "" if path.bytes is None else words.size(path.bytes)]
    return ", ".join(part for part in parts if part)


def _label(stage: str) -> str:
    """Keep the end of a long address: it tells stages of one file apart."""
    name = escape.clean(stage)
    return name if len(name) <= _LABEL else f"...{name[3 - _LABEL :]}"
