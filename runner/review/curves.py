"""Plots as text and as Mermaid, for Markdown: sparklines, charts of base and head, tables of confusion. Pure."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, TypeGuard

from runner.regexes import regex
from runner.review import figures, words
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.review.changed import PlotRow, Side

BARS: Final = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
GAP: Final = "\u00b7"
MOST_POINTS: Final = 40
_WIDE: Final = 16
_MOST_CLASSES: Final = 12
_COLOURS: Final[Mapping[Side, str]] = {"base": "#945dd6", "head": "#13adc7"}
"""As DVC's templates colour the first two revisions."""
_UNSAFE: Final = regex(r"[^\w .-]")
Number = float | int


@dataclass(frozen=True, slots=True)
class Curve:
    """The values of one field of one file on one side, by x.

    Attributes:
        name: file and field, as far as a plot has several.
        side: `base` or `head`.
        points: (x, y), in the order of the file.

    """

    name: str
    side: Side
    points: tuple[tuple[Any, Number], ...]

    @property
    def ys(self) -> tuple[Number, ...]:
        """The values alone."""
        return tuple(y for _, y in self.points)


Shape = Literal["line", "bar", "table", ""]


def shape(plot: PlotRow) -> Shape:
    """Give how a plot is drawn in Markdown; empty: not at all."""
    if plot.template.startswith("confusion"):
        return "table"
    if plot.template.startswith("bar"):
        return "bar"
    return "line" if plot.template in {"linear", "simple", "smooth"} else ""


def curves(plot: PlotRow) -> list[Curve]:
    """Give a plot's curves: of each series the base's, then the head's. Values that are no numbers are left out."""
    axes = (plot.y, plot.x) if shape(plot) == "bar" else (plot.x, plot.y)
    found: dict[tuple[str, Side], list[tuple[Any, Number]]] = {}
    for point in _points(plot):
        name = point.get("filename::field") or point.get("field") or point.get("filename") or ""
        x, y = point.get(axes[0]), point.get(axes[1])
        if isinstance(y, (int, float)) and not isinstance(y, bool) and _is_place(x):
            found.setdefault((str(name), point["rev"]), []).append((x, _bounded(y)))
    names = dict.fromkeys(name for name, _ in found)
    keys: list[tuple[str, Side]] = [(name, side) for name in names for side in _COLOURS if (name, side) in found]
    return [Curve(name if len(names) > 1 else plot.y, side, tuple(found[name, side])) for name, side in keys]


def _points(plot: PlotRow) -> list[dict[str, Any]]:
    """Give a plot's rows; none where the text is none, as of a report that was made elsewhere or had to be masked."""
    try:
        found = json.loads(plot.points)
    except (ValueError, RecursionError):
        return []
    rows = found if isinstance(found, list) else []
    return [row for row in rows if isinstance(row, dict) and str(row.get("rev")) in _COLOURS]


def sparkline(values: Sequence[Number | None], most: int = _WIDE) -> str:
    """Give values as a row of bars; a dot where there is none, one bar for several values of a long row."""
    picked = [values[place * len(values) // most] for place in range(most)] if len(values) > most else values
    kept = [None if one is None else _bounded(one) for one in picked]
    known = [value for value in kept if value is not None]
    least, span = min(known, default=0), _span(known)
    return "".join(GAP if one is None else BARS[_step(one - least, span)] for one in kept)


def _span(values: Sequence[Number]) -> Number:
    return max(values, default=0) - min(values, default=0)


def _step(height: Number, span: Number) -> int:
    """Give the bar of a value; values that are all alike stand in the middle."""
    share = height / span if span and math.isfinite(span) else 0.5
    return min(len(BARS) - 1, int(share * len(BARS)))


def polyline(values: Sequence[Number | None], width: int, height: int, margin: int = 3) -> list[str]:
    """Give the points of an SVG polyline for each stretch of values without a gap."""
    values = [None if one is None else _bounded(one) for one in values]
    known = [value for value in values if value is not None]
    least, span, across = min(known, default=0), _span(known), max(1, len(values) - 1)
    stretches: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            stretches.append([])
            continue
        share = (value - least) / span if span and math.isfinite(span) else 0.5
        x, y = margin + place / across * (width - 2 * margin), height - margin - share * (height - 2 * margin)
        stretches[-1].append(f"{x:.1f},{y:.1f}")
    return [" ".join(stretch) for stretch in stretches if stretch]


def xychart(plot: PlotRow) -> str:
    """Give a Mermaid chart of a plot's curves, base and head in DVC's two colours; empty where nothing can be drawn.

    Each curve is drawn at the same at most 40 places of x.
    """
    drawn = curves(plot)
    ys = [y for curve in drawn for y in curve.ys if math.isfinite(y)]
    if not ys:
        return ""
    kind = shape(plot)
    places = _places(drawn)
    numeric = all(map(_is_number, places)) and kind == "line"
    # Mermaid draws bars over each other: the head's is a line over the base's.
    marks = ["bar" if kind == "bar" and curve.side == drawn[0].side else "line" for curve in drawn]
    rows = [", ".join(_row(curve, places, numeric=numeric)) for curve in drawn]
    lines = [f"  {mark} [{row}]" for mark, row in zip(marks, rows, strict=True)]
    palette = ", ".join(_COLOURS[curve.side] for curve in drawn)
    x_axis = f"{_plain(places[0])} --> {_plain(places[-1])}" if numeric and len(places) > 1 else _names(places)
    low, high = (min(0, *ys, 0), max(0, *ys)) if kind == "bar" else (min(ys), max(ys))
    room = (high - low) * 0.05 or abs(high) * 0.05 or 1
    return "\n".join(
        [
            f"%%{{init: {{'themeVariables': {{'xyChart': {{'plotColorPalette': '{palette}'}}}}}}}}%%",
            "xychart-beta",
            f'  x-axis "{label(plot.y if kind == "bar" else plot.x)}" {x_axis}',
            f'  y-axis "{label(plot.x if kind == "bar" else plot.y)}" {_plain(low - room)} --> {_plain(high + room)}',
            *lines,
        ]
    )


def label(name: str) -> str:
    """Give a name as Mermaid's charts can carry it: what they might act on is left out."""
    known = "y" if name.startswith("dvc_inferred_y") else "x" if name.startswith("dvc_inferred_x") else name
    return _UNSAFE.sub(" ", known.replace("_", " "))[:40].strip() or "x"


def _is_number(value: object) -> TypeGuard[Number]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(_bounded(value))


def _is_place(value: object) -> bool:
    """Whether a point can be drawn there: NaN, and what is beyond a double, is no place on an axis."""
    return not isinstance(value, (int, float)) or isinstance(value, bool) or _is_number(value)


def _bounded(value: Number) -> Number:
    """Give a number that is none beyond a double: JSON's integers know no bound, and no chart draws them."""
    try:
        float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    return value


def _places(drawn: Iterable[Curve]) -> list[Any]:
    """Give the places of x at which curves are drawn.

    Numbers are sorted and evenly spaced, for Mermaid knows a line's values only by their number: it spreads them over
    the axis.
    """
    known = list(dict.fromkeys(x for curve in drawn for x, _ in curve.points if isinstance(x, (int, float, str))))
    numbers = sorted(x for x in known if _is_number(x))
    if numbers and len(numbers) == len(known):
        return numbers if len(known) <= MOST_POINTS and _is_even(numbers) else _spread(numbers[0], numbers[-1])
    if len(known) <= MOST_POINTS:
        return known
    return [known[place * (len(known) - 1) // (MOST_POINTS - 1)] for place in range(MOST_POINTS)]


def _is_even(xs: Sequence[Number]) -> bool:
    gaps = [after - before for before, after in pairwise(xs)]
    return not gaps or max(gaps) - min(gaps) <= (xs[-1] - xs[0]) * 1e-6


def _spread(first: Number, last: Number) -> list[Number]:
    step = last / (MOST_POINTS - 1) - first / (MOST_POINTS - 1)
    return [first, *(first + step * place for place in range(1, MOST_POINTS - 1)), last]


def _row(curve: Curve, places: Sequence[Any], *, numeric: bool) -> list[str]:
    """Give a curve's value at each place: on the line between its points, and beyond its ends what it was there."""
    values = {x: y for x, y in curve.points if isinstance(x, (int, float, str)) and math.isfinite(y)}
    if not numeric:
        return [_plain(values.get(place, 0)) for place in places]
    ordered = sorted((x, y) for x, y in values.items() if _is_number(x))
    return [_plain(_at(ordered, place)) for place in places] if ordered else ["0"]


def _at(ordered: Sequence[tuple[Number, Number]], place: Number) -> Number:
    after = bisect_left(ordered, place, key=lambda pair: pair[0])
    if after == len(ordered) or ordered[after][0] == place or after == 0:
        return ordered[min(after, len(ordered) - 1)][1]
    (x0, y0), (x1, y1) = ordered[after - 1], ordered[after]
    share = (place - x0) / (x1 - x0)
    return y0 * (1 - share) + y1 * share


def ends(plot: PlotRow) -> list[str]:
    """Say which side of a line chart ends before the other, and so is drawn on as it was at its end."""
    lasts: dict[str, Number] = {}
    for curve in curves(plot) if shape(plot) == "line" else ():
        xs = [x for x, _ in curve.points if _is_number(x)]
        lasts[curve.side] = max([*xs, *([lasts[curve.side]] if curve.side in lasts else [])], default=-math.inf)
    last = max(lasts.values(), default=0)
    return [
        f"The {side} ends at {label(plot.x)} {figures.number(x)} and is drawn on as it was there."
        for side, x in lasts.items()
        if math.isfinite(x) and x < last
    ]


def _names(places: Sequence[Any]) -> str:
    return "[" + ", ".join(f'"{label(str(place))}"' for place in places) + "]"


def _plain(value: Number) -> str:
    """Give a number without an exponent, which Mermaid does not read."""
    if not math.isfinite(value):
        return "0"
    text = f"{value:.6g}"
    return text if "e" not in text else f"{value:.12f}".rstrip("0").rstrip(".") or "0"


@dataclass(frozen=True, slots=True)
class Confusion:
    """A table of how often each class was taken for which.

    Attributes:
        classes: the names of columns and rows.
        rows: the class, then the counts by column, `12`, or `10 → 12` where the sides differ.

    """

    classes: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def confusion(plot: PlotRow) -> Confusion | None:
    """Count pairs of x (rows) and y (columns); `None` where there are none, or too many classes for a table."""
    pairs = Counter((point["rev"], str(point.get(plot.x)), str(point.get(plot.y))) for point in _points(plot))
    classes = sorted({name for _, *names in pairs for name in names})
    if not classes or len(classes) > _MOST_CLASSES:
        return None
    sides = [side for side in _COLOURS if any(pair[0] == side for pair in pairs)]
    rows = [
        (row, tuple(_counted([pairs[side, row, column] for side in sides]) for column in classes)) for row in classes
    ]
    return Confusion(tuple(classes), tuple(rows))


def _counted(amounts: Sequence[int]) -> str:
    return " \u2192 ".join(map(str, dict.fromkeys(amounts)))


@dataclass(frozen=True, slots=True)
class Summary:
    """One series of a plot in words: its course and its last value on both sides."""

    plot: str
    series: str
    base: str
    head: str


def summaries(plot: PlotRow) -> list[Summary]:
    """Give a row a series; of what is no curve one row that says what is drawn."""
    if plot.why and not plot.spec:
        return [Summary(plot.id, plot.why, "", "")]
    if plot.pictures:
        sizes = {one.side: words.size(len(one.content) * 3 // 4) if one.content else one.why for one in plot.pictures}
        return [Summary(plot.id, "image", sizes.get("base", ""), sizes.get("head", ""))]
    if shape(plot) != "line":
        counts = Counter(point["rev"] for point in _points(plot))
        told = {side: words.count(counts[side], "row") for side in _COLOURS if counts[side]}
        return [Summary(plot.id, plot.template, told.get("base", ""), told.get("head", ""))]
    texts: dict[str, dict[str, str]] = {}
    for curve in curves(plot):
        texts.setdefault(curve.name, {})[curve.side] = f"{sparkline(curve.ys)} {figures.number(curve.ys[-1])}"
    return [Summary(plot.id, name, text.get("base", ""), text.get("head", "")) for name, text in texts.items()]


def trend_chart(values: Sequence[Number | None], names: Sequence[str], head: Number | None, title: str) -> str:
    """Give a Mermaid chart of one metric over commits, the candidate last; empty where too little is known.

    A commit without a value is left out.
    """
    pairs = [(name, _bounded(value)) for name, value in zip(names, values, strict=True) if value is not None]
    pairs += [("head", _bounded(head))] if head is not None else []
    if len(pairs) < len(("before", "now")) or not all(math.isfinite(value) for _, value in pairs):
        return ""
    numbers = [value for _, value in pairs]
    low, high = min(numbers), max(numbers)
    room = (high - low) * 0.05 or abs(high) * 0.05 or 1
    return "\n".join(
        [
            "xychart-beta",
            f"  x-axis {_names([name for name, _ in pairs])}",
            f'  y-axis "{label(title)}" {_plain(low - room)} --> {_plain(high + room)}',
            f"  line [{', '.join(_plain(value) for value in numbers)}]",
        ]
    )


def steps(values: Sequence[Number | None]) -> int:
    """Count how often a row of values changes."""
    known = [value for value in values if value is not None]
    return sum(one != other for one, other in pairwise(known))
