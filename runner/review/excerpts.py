"""What DVC 0.x took of a metrics file: read by the `type` of its stage file, and of that what its `xpath` picks.

Gates look into the whole document; the report shows the excerpt. The rules are those of `dvc metrics show` until 0.82:
JSONPath in JSON; `row,column` in tables, counted from 0, the column by name where the first row names them.
"""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from runner.pipeline import documents
from runner.review import jsonpaths, metrics, series
from runner.review.jsonpaths import JsonPathError
from runner.review.metrics import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.pipeline.model import Excerpt

_DELIMITERS: Final = {"csv": ",", "hcsv": ",", "tsv": "\t", "htsv": "\t"}
_NAMED: Final = frozenset({"hcsv", "htsv"})


def read(excerpt: Excerpt, path: str, content: bytes) -> object:
    """Read a metrics file by its type; give the document, or `Unreadable`."""
    return metrics.parse_metrics(path, content, partial(_parse, _type(excerpt, path)))


def _type(excerpt: Excerpt, path: str) -> str:
    return excerpt.type or documents.suffix(path).removeprefix(".")


def _parse(kind: str, path: str, text: str) -> object:
    if kind in _NAMED:
        return series.table(text, path, _DELIMITERS[kind])
    if kind in _DELIMITERS:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=_DELIMITERS[kind])
        return [[series.cell(one) for one in row] for row in rows if row]
    return metrics.parse_json(text) if kind == "json" else series.cell(text.strip())


def shown(excerpt: Excerpt, path: str, document: object) -> object:
    """Give what a report shows of a document: values by their place in it, dotted; or `Unreadable`."""
    is_table = isinstance(document, list) and _type(excerpt, path) in _DELIMITERS
    xpath = excerpt.xpath or ("-1," if is_table and document else "")
    if not xpath or not isinstance(document, (dict, list)):
        return document
    try:
        found = dict((_cells if is_table else _matches)(document, xpath))
    except (JsonPathError, LookupError, ValueError, TypeError) as error:
        return Unreadable(f"the xpath {excerpt.xpath!r} of its stage file finds nothing: {error}")
    return found or Unreadable(f"the xpath {excerpt.xpath!r} of its stage file finds nothing")


def _matches(document: object, xpath: str) -> Iterator[tuple[str, object]]:
    for steps, value in jsonpaths.find(document, xpath).items():
        leaves = metrics.flatten({jsonpaths.dotted(steps): value} if steps else value, metrics.as_json)
        yield from leaves.items()


def _cells(table: Any, xpath: str) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - a list of mappings or of lists
    """Yield the cells of a table that `row,column` picks, an empty part standing for all."""
    row, _, column = (part.strip() for part in xpath.partition(","))
    for number in [int(row)] if row else range(len(table)):
        cells = table[number]
        for name in _names(cells, column):
            yield f"{number}.{name}", cells[name]


def _names(cells: dict[str, object] | list[object], column: str) -> Iterable[str | int]:
    if isinstance(cells, dict):
        return [column] if column else list(cells)
    return [int(column)] if column else range(len(cells))
