"""Plots in Markdown: sparklines, Mermaid charts that any values give, tables of confusion."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.review import curves, pictures
from runner.review.changed import Picture, PlotRow
from runner.review.report import to_html, to_markdown
from tests.golden import samples
from tests.unit.review.reports import PLOT

LINE = re.compile(r"  (line|bar) \[-?[\d.]+(, -?[\d.]+)*\]")
AXIS = re.compile(r'  [xy]-axis ("[\w .-]+" )?(-?[\d.]+ --> -?[\d.]+|\["[\w .-]*"(, "[\w .-]*")*\])')


def row(template: str, points: list[dict[str, Any]], **more: Any) -> PlotRow:
    return PlotRow(id="p", title="p", template=template, x="x", y="y", spec="{}", points=json.dumps(points), **more)


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ((), ""),
        ((1,), "▅"),
        ((2, 2, 2), "▅▅▅"),
        ((0, 1, 2, 3), "▁▃▆█"),
        ((0, None, 8), "▁·█"),
        ((-1e308, 1e308), "▅▅"),
        (tuple(range(64)), "▁▁▂▂▃▃▄▄▅▅▆▆▇▇██"),
    ],
)
def test_a_sparkline_has_a_bar_a_value_and_a_dot_for_none(values: tuple[float | None, ...], drawn: str) -> None:
    assert curves.sparkline(values) == drawn


def drawn(chart: str) -> list[list[tuple[float, float]]]:
    """Give each line's points as Mermaid draws them: its values spread evenly from one end of the axis to the other."""
    first, last = map(float, re.findall(r'x-axis "[^"]*" (.*) --> (.*)', chart)[0])
    rows = [list(map(float, row.split(", "))) for row in re.findall(r"line \[(.*)\]", chart)]
    return [[(first + (last - first) * n / (len(ys) - 1), y) for n, y in enumerate(ys)] for ys in rows]


def line(rev: str, points: dict[float, float]) -> list[dict[str, Any]]:
    return [{"rev": rev, "x": x, "y": y} for x, y in points.items()]


def test_a_chart_draws_base_and_head_over_the_same_places() -> None:
    points = [*line("base", {0: 0, 1: 1, 2: 2}), *line("head", {0: 5, 1: 5, 2: 4})]
    assert curves.xychart(row("linear", points)).split("\n")[1:] == [
        "xychart-beta",
        '  x-axis "x" 0 --> 2',
        '  y-axis "y" -0.25 --> 5.25',
        "  line [0, 1, 2]",
        "  line [5, 5, 4]",
    ]


def test_a_curve_that_ends_early_is_not_stretched_to_the_end_of_the_axis() -> None:
    plot = row("linear", [*line("base", {n: n for n in range(5)}), *line("head", {n: 2 * n for n in range(9)})])
    base, head = drawn(curves.xychart(plot))
    assert base == [*((n, n) for n in range(5)), *((n, 4) for n in range(5, 9))]
    assert head == [(n, 2 * n) for n in range(9)]
    assert curves.ends(plot) == ["The base ends at x 4 and is drawn on as it was there."]


def test_points_at_uneven_places_are_drawn_where_they_lie() -> None:
    roc = {0: 0, 0.01: 0.6, 0.02: 0.8, 0.5: 0.9, 1: 1}
    plot = row("linear", [*line("base", {0: 0, 1: 1}), *line("head", roc)])
    base, head = drawn(curves.xychart(plot))
    assert all(y == pytest.approx(x, abs=1e-5) for x, y in base)
    assert dict(head)[0] == 0
    assert all(0.8 <= y <= 0.9 for x, y in head if 0.02 < x < 0.5)
    assert all(0.9 <= y <= 1 for x, y in head if x > 0.5)
    assert curves.ends(plot) == []


def test_bars_of_the_base_stand_behind_a_line_of_the_head() -> None:
    points = [{"rev": side, "x": 2, "y": "f[1]"} for side in ("base", "head")]
    assert curves.xychart(row("bar_horizontal", points)).split("\n")[2:] == [
        '  x-axis "y" ["f 1"]',
        '  y-axis "x" -0.1 --> 2.1',
        "  bar [2]",
        "  line [2]",
    ]


@given(PLOT)
def test_any_plot_gives_a_chart_of_which_mermaid_can_read_every_line(plot: PlotRow) -> None:
    chart = curves.xychart(plot) if curves.shape(plot) in {"line", "bar"} else ""
    for line in chart.split("\n")[2:]:
        assert LINE.fullmatch(line) or AXIS.fullmatch(line), line
    assert all(isinstance(one, curves.Summary) for one in curves.summaries(plot))


@given(st.lists(st.none() | st.floats(allow_nan=False) | st.integers(), max_size=30), st.none() | st.floats())
def test_any_trend_is_drawn_or_left_out(values: list[float | None], head: float | None) -> None:
    chart = curves.trend_chart(values, [str(number) for number in range(len(values))], head, "a `metric` [x]")
    assert all(LINE.fullmatch(line) or AXIS.fullmatch(line) for line in chart.split("\n")[1:])
    assert all(re.fullmatch(r"[\d., -]*", line) for line in curves.polyline(values, 100, 20))


def test_a_confusion_matrix_counts_both_sides_and_shows_one_number_where_they_agree() -> None:
    points = [
        {"rev": "base", "x": "a", "y": "b"},
        {"rev": "head", "x": "a", "y": "b"},
        {"rev": "head", "x": "b", "y": "b"},
    ]
    assert curves.confusion(row("confusion", points)) == curves.Confusion(
        ("a", "b"), (("a", ("0", "1")), ("b", ("0", "0 → 1")))
    )
    many = [{"rev": "head", "x": number, "y": number} for number in range(13)]
    assert curves.confusion(row("confusion", many)) is None
    assert curves.confusion(row("confusion", [])) is None


def test_each_series_of_a_plot_is_told_in_words() -> None:
    lines = [{"rev": side, "x": 0, "y": y} for side, y in (("base", 1), ("head", 0.25))]
    assert curves.summaries(row("simple", lines)) == [curves.Summary("p", "y", "▅ 1", "▅ 0.25")]
    assert curves.summaries(row("scatter", lines)) == [curves.Summary("p", "scatter", "1 row", "1 row")]
    image = PlotRow(id="i", title="i", pictures=(Picture("head", "image/png", "QUJDRA=="),))
    assert curves.summaries(image) == [curves.Summary("i", "image", "", "6 B")]
    assert curves.summaries(PlotRow(id="n", title="n", why="no data")) == [curves.Summary("n", "no data", "", "")]


@pytest.mark.parametrize("text", ["", "{", "1", "{}", "[1, null]", '[{"x": 1}]', '[{"rev": []}]', "[" * 100_000])
@pytest.mark.parametrize("template", ["linear", "confusion", "bar_horizontal", "own"])
def test_a_report_from_elsewhere_may_hold_anything_for_points(template: str, text: str) -> None:
    plot = PlotRow(id="p", title="p", template=template, x="x", y="y", spec="{}", points=text)
    report = replace(samples.small(), plots=(plot,))
    assert "### Plots" in to_markdown(report) or template in {"linear", "simple"}
    assert "</html>" in to_html(report)
    assert list(pictures.files(report)) == []


@pytest.mark.parametrize("template", ["linear", "bar_horizontal", "scatter", "confusion"])
@pytest.mark.parametrize("huge", [10**400, -(10**400), float("nan"), float("inf")])
def test_numbers_that_no_chart_can_draw_cost_neither_the_chart_nor_the_report(template: str, huge: float) -> None:
    points = [{"rev": "base", "x": 1, "y": huge}, {"rev": "head", "x": huge, "y": 1}, {"rev": "head", "x": 1, "y": 2}]
    plot = row(template, points)
    report = replace(samples.usual(), plots=(plot,))
    assert to_markdown(report)
    assert to_html(report)
    assert curves.sparkline([huge, 1, None])
    assert curves.polyline([huge, 1, None], 100, 20)
    assert curves.trend_chart([huge, 1], ["a", "b"], huge, "m") == ""
