"""The plots of a project, base against head: definitions, data and images of both sides into the report's rows.

A plot that cannot be drawn says why; it never costs the report, and never the verdict.
"""

from __future__ import annotations

import base64
import json
import posixpath
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError, RunnerError
from runner.pipeline import documents
from runner.pipeline.declared import Plot
from runner.review import points
from runner.review.changed import Picture, PlotRow
from runner.review.metrics import Unreadable
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dvc_render.vega_templates import Template

    from runner.pipeline.pipeline import Pipeline
    from runner.review.changed import Side as Name
    from runner.review.points import Point, Points
    from runner.review.sides import Side

MOST_PLOTS: Final = 100
MOST_ROWS: Final = 10_000
MOST_IMAGE: Final = 2 << 20
MOST_DATA: Final = 16 << 20
MEDIA: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
_TEMPLATES: Final = ".dvc/plots"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plot to draw.

    Attributes:
        id: what it is called.
        plot: its definition, of files only.
        header: whether the first row of its tables names the columns.

    """

    id: str
    plot: Plot
    header: bool = True


def gathered(head: Side, base: Side | None) -> tuple[PlotRow, ...]:
    """Give every plot that the head declares, and those that only the base does; what changed comes first."""
    sides: dict[Name, Side] = {"base": base, "head": head} if base else {"head": head}
    wanted = {one.id: one for side in sides.values() for one in definitions(side)}
    rows = [_row(one, sides) for one in list(wanted.values())[:MOST_PLOTS]]
    return tuple(sorted(_within(rows), key=lambda row: not row.changed))


def definitions(side: Side) -> list[Wanted]:
    """Give the plots that a side declares: at the top of dvc.yaml files, and as outs of stages (DVC's rules).

    A directory stands for one plot a file. An id that stands in several files is told apart by them.
    """
    if side.pipeline is None:
        return []
    found = [*_declared(side), *_outs(side, side.pipeline)]
    times = Counter(one.id for one in found)
    names = (f"{one.plot.file}::{one.id}" if times[one.id] > 1 and one.plot.file else one.id for one in found)
    return [replace(one, id=name) for one, name in zip(found, names, strict=True)]


def _declared(side: Side) -> Iterator[Wanted]:
    for plot in side.pipeline.declared.plots if side.pipeline else ():
        named = posixpath.normpath(posixpath.join(posixpath.dirname(plot.file), plot.id))
        if list(plot.y) == [named]:
            yield from _opened_up(side, plot, named)
        else:
            yield Wanted(plot.id, plot)


def _outs(side: Side, pipeline: Pipeline) -> Iterator[Wanted]:
    for stage in pipeline.stages:
        for out in stage.outs:
            if out.plot:
                style = dict(out.style)
                header = style.pop("header", "True") != "False"
                y = style.pop("y", "")
                plot = Plot("", out.path, {out.path: (y,) if y else ()}, **style)
                yield from (replace(one, header=header) for one in _opened_up(side, plot, out.path))


def _opened_up(side: Side, plot: Plot, path: str) -> Iterator[Wanted]:
    """Yield a plot for the file at `path`, or for each in the directory there."""
    for file in side.opened_up([path]):
        yield Wanted(file, replace(plot, id=file, y={file: plot.y[path]}))


def _row(wanted: Wanted, sides: Mapping[Name, Side]) -> PlotRow:
    plot = wanted.plot
    row = PlotRow(id=wanted.id, title=plot.title or wanted.id)
    try:
        if all(documents.suffix(path) in MEDIA for path in plot.y):
            pictures = tuple(_pictures(plot, sides))
            return replace(row, pictures=pictures, changed=_differ(pictures, len(sides)))
        return _drawn(row, wanted, sides)
    except RunnerError as error:
        named = error.where is None or error.where.file in error.message
        return replace(row, why=error.message if named else f"{error.where}: {error.message}")


def _pictures(plot: Plot, sides: Mapping[Name, Side]) -> Iterator[Picture]:
    for path in plot.y:
        media = MEDIA[documents.suffix(path)]
        for name, side in sides.items():
            content = side.content(path)
            if isinstance(content, Unreadable):
                yield Picture(name, media, "", f"{path} {content.why}")
            elif content is not None and len(content) > MOST_IMAGE:
                yield Picture(name, media, "", f"{path} has more than {MOST_IMAGE >> 20} MiB")
            elif content is not None:
                yield Picture(name, media, base64.b64encode(content).decode())


def _differ(pictures: Sequence[Picture], sides: int) -> bool:
    return sides == 1 or len(pictures) % sides != 0 or len({one.content or one.why for one in pictures}) > 1


def _drawn(row: PlotRow, wanted: Wanted, sides: Mapping[Name, Side]) -> PlotRow:
    """Draw the points of both sides by the head's template."""
    from runner.review import vega  # noqa: PLC0415 - most runs have no plots, and its library takes time to load

    found = {name: points.points(wanted.plot, _documents(wanted, side)) for name, side in sides.items()}
    found = {name: one for name, one in found.items() if one.rows}
    if not found:
        return replace(row, why="there is no data to draw")
    chosen = wanted.plot.template or vega.DEFAULT
    template = _template(sides["head"], chosen)
    last = found.get("head") or found["base"]
    whole = [{**point, "rev": name} for name, one in found.items() for point in one.rows]
    rows, why = _thinned(whole)
    content = vega.filled(template, rows, _style(row.title, last), list(found))
    kept = rows if chosen not in vega.BUILT_IN else [_only(point, last) for point in rows]
    return replace(
        row,
        template=chosen,
        x=last.x,
        y=last.y,
        spec=content,
        points=json.dumps(kept, ensure_ascii=False, separators=(",", ":")),
        changed=len(found) < len(sides) or len({json.dumps(one.rows) for one in found.values()}) > 1,
        why=why,
    )


def _style(title: str, drawn: Points) -> dict[str, Any]:
    labels = {"title": title, "x": drawn.x, "y": drawn.y, "x_label": drawn.x_label, "y_label": drawn.y_label}
    return {**labels, "anchors_y_definitions": [dict(one) for one in drawn.series]}


def _only(point: Point, drawn: Points) -> Point:
    """Leave out the columns that DVC's own templates do not draw."""
    names = (drawn.x, drawn.y, "rev", "filename", "field", "filename::field")
    return {name: point[name] for name in names if name in point}


def _thinned(rows: list[Point]) -> tuple[list[Point], str]:
    """Take every n-th row of very many."""
    step = -(-len(rows) // MOST_ROWS)
    if step <= 1:
        return rows, ""
    kept = rows[::step]
    return kept, f"{len(kept):,} of {len(rows):,} rows are drawn, one of {step}"


def _documents(wanted: Wanted, side: Side) -> dict[str, object]:
    paths = dict.fromkeys([*wanted.plot.y, *(wanted.plot.x if not isinstance(wanted.plot.x, str) else ())])
    found = {}
    for path in paths:
        content = side.content(path)
        if isinstance(content, Unreadable):
            message = f"{path} {content.why}"
            raise ConfigError(message)
        if content is not None:
            found[path] = points.parse(path, content, header=wanted.header)
    return found


def _template(side: Side, name: str) -> Template:
    """Give a template of the project, else one of DVC's, by DVC's order of looking.

    Raises:
        ConfigError: there is none of that name, or it is no template.

    """
    from runner.review import vega  # noqa: PLC0415 - see above

    for path in (f"{_TEMPLATES}/{name}", f"{_TEMPLATES}/{posixpath.splitext(name)[0]}.json", name):
        content = side.content(path)
        if isinstance(content, bytes):
            return vega.parse_template(name, path, content.decode("utf-8-sig", "replace"))
    if name not in vega.BUILT_IN:
        message = f"there is no plot template {name!r}"
        raise ConfigError(message, f"DVC has {', '.join(vega.BUILT_IN)}; the project's own stand in {_TEMPLATES}")
    return vega.BUILT_IN[name]()


def _within(rows: Iterable[PlotRow]) -> Iterator[PlotRow]:
    """Leave out the data of what comes after the first `MOST_DATA` bytes, and say so."""
    room = MOST_DATA
    for row in rows:
        size = len(row.points) + len(row.spec) + sum(len(one.content) for one in row.pictures)
        if size > room:
            why = f"there is more to draw than {MOST_DATA >> 20} MiB"
            yield replace(row, spec="", points="[]", pictures=(), why=why)
        else:
            room -= size
            yield row
