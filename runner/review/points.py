"""The points of plots from data files, by DVC's rules: which lists count, which fields are x and y. Pure."""

from __future__ import annotations

import csv
import io
import math
import posixpath
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError, Location
from runner.pipeline import documents
from runner.review.series import DELIMITERS, cell
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.pipeline.declared import Plot

Point = dict[str, Any]
STEP: Final = "step"
_SUFFIXES: Final = frozenset({".json", ".yaml", ".yml", *DELIMITERS})
_X, _Y = "dvc_inferred_x_value", "dvc_inferred_y_value"


@dataclass(frozen=True, slots=True)
class Points:
    """The points of one side.

    Attributes:
        rows: the rows of the files, each with its `filename` and `field`, and the values drawn.
        x, y: the fields drawn.
        x_label, y_label: what the axes are called.
        series: file and field of each line.

    """

    rows: list[Point]
    x: str
    y: str
    x_label: str
    y_label: str
    series: tuple[Mapping[str, str], ...]


def parse(path: str, content: bytes, *, header: bool = True) -> object:
    """Read a data file: CSV and TSV row by row, JSON and YAML as they are.

    Raises:
        ConfigError: it cannot be read, or holds too many values; with the file.

    """
    suffix = documents.suffix(path)
    if suffix not in _SUFFIXES:
        message = f"{path}: plots are CSV, TSV, JSON, YAML or images"
        raise ConfigError(message, "", Location(path))
    try:
        text = content.decode("utf-8-sig")
        if suffix in DELIMITERS:
            return _table(text, path, header=header)
        return documents.parse(path, text)
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{path} cannot be read: {error}"
        raise ConfigError(message, "", Location(path)) from error


def _table(text: str, path: str, *, header: bool) -> list[Point]:
    delimiter = DELIMITERS[documents.suffix(path)]
    documents.bounded(text, path, f"{delimiter}\n")
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    names = rows.pop(0) if header and rows else [str(number) for number in range(len(rows[0]) if rows else 0)]
    return [dict(zip(names, map(cell, row), strict=False)) for row in rows]


def _lists(document: object) -> Iterator[list[Any]]:
    if isinstance(document, list):
        yield document
    elif isinstance(document, dict):
        for value in document.values():
            if isinstance(value, (dict, list)):
                yield from _lists(value)


def _rows(document: object) -> list[Point]:
    """Give the rows of a document: all its lists of like mappings, laid beside each other (DVC's rule)."""
    found: list[Point] = []
    for rows in _lists(document):
        if not rows or not all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows):
            continue
        found += [{} for _ in range(len(rows) - len(found))]
        for known, row in zip(found, rows, strict=False):
            known.update({str(key): _plain(value) for key, value in row.items()})
    return found


def _plain(value: object) -> object:
    """Give a value that JSON can carry."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def points(plot: Plot, found: Mapping[str, object]) -> Points:
    """Join the fields that a definition names, of one side.

    Args:
        plot: the definition; its `y` names files only.
        found: documents by path; what does not exist is left out.

    Raises:
        ConfigError: a field that no row has, or files that cannot be joined.

    """
    rows = {path: _rows(document) for path, document in found.items()}
    ys = [(file, field) for file, fields in plot.y.items() for field in fields or _last(found.get(file))]
    ys = [(file, field) for file, field in ys if _has(rows, file, field)]
    xs = [(file, field) for file, field in _xs(plot, ys) if _has(rows, file, field)]
    if len(xs) > 1 and len(xs) != len(ys):
        message = f"{plot.id}: {len(xs)} fields for x and {len(ys)} for y"
        raise ConfigError(message, "name one x for all, or one for each y", Location(plot.file))
    x = _one({field for _, field in xs}, _X, STEP)
    y = _one({field for _, field in ys}, _Y, "")
    shared = len(posixpath.commonpath({file for file, _ in ys})) if len({file for file, _ in ys}) > 1 else 0
    joined = [
        row
        for number, (file, field) in enumerate(ys)
        for row in _joined(plot, rows, (file, field), xs[number if len(xs) > 1 else 0] if xs else None, (x, y, shared))
    ]
    series = tuple({"filename": file[shared:].strip("/"), "field": field} for file, field in ys)
    return Points(joined, x, y, _x_label(plot, xs), _y_label(plot, ys), series)


def _joined(
    plot: Plot,
    rows: Mapping[str, list[Point]],
    y_of: tuple[str, str],
    x_of: tuple[str, str] | None,
    names: tuple[str, str, int],
) -> Iterator[Point]:
    """Give the rows of one y with the x that belongs to each."""
    (file, field), (x, y, shared) = y_of, names
    beside = rows[x_of[0]] if x_of else rows[file]
    if len(beside) != len(rows[file]):
        message = f"{plot.id}: {x_of[0] if x_of else file} and {file} differ in length"
        raise ConfigError(message, "x and y are joined row by row", Location(plot.file))
    for number, (row, other) in enumerate(zip(rows[file], beside, strict=True)):
        drawn = {x: other.get(x_of[1]) if x_of else number, y: row.get(field)}
        yield {**row, **drawn, "filename": file[shared:].strip("/"), "field": field}


def _last(document: object) -> tuple[str, ...]:
    """Give the last column of the first list of mappings, which DVC draws where no y is named."""
    for rows in _lists(document):
        if rows and all(isinstance(row, dict) for row in rows) and rows[0]:
            return (str(list(rows[0])[-1]),)
    return ()


def _xs(plot: Plot, ys: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    if isinstance(plot.x, str):
        return [(file, plot.x) for file, _ in ys] if plot.x else []
    return list(plot.x.items())


def _has(rows: Mapping[str, list[Point]], file: str, field: str) -> bool:
    """Whether a file has that field; one that does not exist on this side has none.

    Raises:
        ConfigError: the file has rows without it.

    """
    if not rows.get(file):
        return False
    if field not in rows[file][0]:
        message = f"{file} has no field {field!r}, only {', '.join(list(rows[file][0])[:10])}"
        raise ConfigError(message, "name one of them as x or y", Location(file))
    return True


def _one(names: set[str], several: str, none: str) -> str:
    return several if len(names) > 1 else next(iter(names), none)


def _x_label(plot: Plot, xs: Sequence[tuple[str, str]]) -> str:
    return plot.x_label or _one({field for _, field in xs}, "x", STEP)


def _y_label(plot: Plot, ys: Sequence[tuple[str, str]]) -> str:
    return plot.y_label or _one({field for _, field in ys}, "y", "")
