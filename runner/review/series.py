"""Metrics that come row by row: CSV, TSV and JSON lines, each a list of rows. DVC itself reads these files as YAML."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Final

from runner.errors import ConfigError, Location
from runner.pipeline import documents
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Cell = float | int | str | None

DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}
LINES: Final = frozenset({".jsonl", ".ndjson"})
_WHOLE: Final = regex(r"[+-]?[0-9]{1,4000}\Z")  # Python reads 4,300 digits; longer ones are infinite all the same
_NUMBER: Final = regex(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?\Z|[+-]?(?:nan|inf|infinity)\Z", re.IGNORECASE
)


class Series(list[object]):
    """The rows of such a file, in its order; the last one is what a report shows."""


def table(text: str, path: str, delimiter: str) -> Series:
    """Give the rows of a CSV or TSV text as mappings by the names in its first row.

    A cell that reads as a number is one (NaN and infinity too), an empty one is `None`, all others are text. Blanks
    around a name or a number, and blank lines, count for nothing.

    Raises:
        ConfigError: a name that stands there twice, a row of another length, a quote that is not closed; with the line.

    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = Series()
    names: list[str] = []
    for line, cells in _cells(reader, path):
        if not names:
            names = _names([cell.strip() for cell in cells], Location(path, line))
        elif len(cells) != len(names):
            message = f"this row has {len(cells)} cells, the first one has {len(names)} names"
            raise ConfigError(message, "quote a cell that holds the delimiter", Location(path, line))
        else:
            rows.append(dict(zip(names, map(cell, cells), strict=True)))
    return rows


def _cells(reader: Iterator[list[str]], path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not blank, with the line on which it ends."""
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells  # type: ignore[attr-defined]  # the class of readers has no name
    except csv.Error as error:
        message = f"not CSV: {error}"
        raise ConfigError(message, "", Location(path, reader.line_num)) from error  # type: ignore[attr-defined]  # as above


def _names(cells: list[str], where: Location) -> list[str]:
    for number, name in enumerate(cells):
        if name in cells[:number]:
            message = f"the column {name!r} stands there twice"
            raise ConfigError(message, "the first row names the columns", where)
    return cells


def cell(text: str) -> Cell:
    """Give what a cell's text stands for."""
    plain = text.strip()
    if _WHOLE.match(plain):
        return int(plain)
    return float(plain) if _NUMBER.match(plain) else text or None


def lines(text: str, path: str, load: Callable[[str], object]) -> Series:
    """Give the documents of a text that has one on each line; blank lines count for nothing.

    Args:
        text: the lines.
        path: the file, for messages.
        load: reads one line; raises `ValueError` where it is no document.

    Raises:
        ConfigError: a line that is none, with its number.

    """
    rows = Series()
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            if line.strip():
                rows.append(load(line))
        except ValueError as error:
            raise ConfigError(documents.told(error), "", Location(path, number)) from error
    return rows
