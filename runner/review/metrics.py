"""Metrics files into numbers, and the difference of two revisions. Pure: bytes in, values out, never an error.

What counts as a metric follows `dvc metrics`: numbers, booleans and strings at the leaves, keys joined with dots.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from runner.errors import ConfigError
from runner.pipeline import documents
from runner.review import series
from runner.review.measured import Change, Scalar
from runner.review.series import Series
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    Others = Callable[[object], Scalar | None]
    Parse = Callable[[str, str], object]

Documents = Mapping[str, object]
"""Metrics file (repository-relative) to its document, or `Unreadable`. A file that does not exist is not in it."""

# Enough digits for the exact difference of any two doubles, and of integers of a double's range.
EXACT = Context(prec=1_600)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands in the place of a document that could not be read.

    Attributes:
        why: one sentence for the reader of the report.
        unrecorded: whether it is something that nobody wrote down, which says nothing of it either way.

    """

    why: str
    unrecorded: bool = False


def parse_metrics(path: str, content: bytes, parse: Parse | None = None) -> object:
    """Read a metrics file by its suffix as DVC does: JSON, TOML, Python, and everything else as YAML 1.2.

    Beyond DVC: CSV, TSV and JSON lines, each a `Series` of rows. Keys become strings, tuples of Python lists. Numbers
    beyond a double become infinite, so that no limit can be met by them.

    Args:
        path: the file.
        content: its bytes.
        parse: reads its path and text in another way than by its suffix.

    Returns:
        The document, or `Unreadable`; nothing that a file may hold raises.

    """
    try:
        return _with_text_keys((parse or _parse)(path, content.decode("utf-8-sig")))
    except UnicodeDecodeError:
        return Unreadable("not UTF-8 text")
    except RecursionError:
        return Unreadable("nested too deeply")
    except ConfigError as error:
        return Unreadable(str(error.problems[0]).replace("\n  ", "; "))
    except ValueError as error:  # JSON's syntax, duplicate keys, integers of more digits than Python reads
        return Unreadable(documents.told(error))


def _parse(path: str, text: str) -> object:
    suffix = documents.suffix(path)
    if suffix in series.DELIMITERS:
        delimiter = series.DELIMITERS[suffix]
        return series.table(documents.bounded(text, path, f"{delimiter}\n"), path, delimiter)
    if suffix in series.LINES:
        return series.lines(documents.bounded(text, path, f"{documents.JSON_MARKS}\n"), path, parse_json)
    if suffix == ".json":
        return parse_json(documents.bounded(text, path, documents.JSON_MARKS))
    return documents.parse(path, text)


def parse_json(text: str) -> object:
    """Give a JSON document; one that names a key twice is none."""
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a JSON object that names a key twice: which of the two was meant, nobody knows."""
    document: dict[str, object] = {}
    for key, value in pairs:
        if key in document:
            message = f"the key {key!r} stands there twice"
            raise ValueError(message)
        document[key] = value
    return document


def _with_text_keys(node: object) -> object:
    if isinstance(node, dict):
        return {str(key): _with_text_keys(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        inside = (_with_text_keys(value) for value in node)
        return Series(inside) if isinstance(node, Series) else list(inside)
    return node


def flatten(document: object, others: Others | None = None) -> dict[str, Scalar | None]:
    """Give the leaves of `document` by dotted key, as `dvc metrics diff` shows them.

    Args:
        document: what `parse_metrics` gave.
        others: gives what stands for a leaf that is no number, boolean or string (a list, null); without it such
            leaves are left out.

    Returns:
        Values by key; a single value under the key `""`. `Unreadable` has no leaves. Of a `Series` the last row,
        below the key `-1`, as a gate's `$[-1]` names it.

    """
    if isinstance(document, Series):
        document = {"-1": document[-1]} if document else None
    return dict(_leaves(document, others))


def as_json(value: object) -> str:
    """Give a list or null as the report shows it: `[1, "x"]`, `null`."""
    return json.dumps(value, ensure_ascii=False, default=str)


def as_python(value: object) -> str | None:
    """Give a list or a date as `dvc params diff` shows it: `[1, 'x']`; null stays null."""
    return None if value is None else str(value)


def _leaves(document: object, others: Others | None) -> Iterator[tuple[str, Scalar | None]]:
    """Walk without recursion, so that no document is too deep."""
    pending: list[tuple[str | None, object]] = [(None, document)]
    while pending:
        name, node = pending.pop()
        if isinstance(node, (float, int, str)):  # first: of a large document nearly everything
            yield name or "", node
        elif isinstance(node, Mapping):
            above = "" if name is None else f"{name}."
            pending.extend([(f"{above}{key}", value) for key, value in reversed(list(node.items()))])
        elif others and name is not None:
            yield name, others(node)


def compare(
    base: Documents | None, head: Documents, others: Others | None = None, claimed: Collection[str] = ()
) -> tuple[Change, ...]:
    """Give every value of the two revisions, changed or not, sorted by file and key.

    Args:
        base: the baseline's documents; `None` where there is no baseline.
        head: the candidate's documents.
        others: as for `flatten`; for params files.
        claimed: files whose values are only what the commit claims.

    """
    before = base or {}
    return tuple(
        change
        for path in sorted(set(before) | set(head))
        for change in _compare_file(
            path, flatten(before.get(path), others), flatten(head.get(path), others), claimed=path in claimed
        )
    )


def _compare_file(
    path: str, base: Mapping[str, Scalar | None], head: Mapping[str, Scalar | None], *, claimed: bool
) -> Iterator[Change]:
    for key in sorted(set(base) | set(head)):
        old, new = base.get(key), head.get(key)
        if type(old) is float and type(new) is float and math.isfinite(old) and math.isfinite(new):
            delta = 0.0 if old == new else float(EXACT.subtract(Decimal(repr(new)), Decimal(repr(old))))
            yield Change(
                path, key, old, new, delta if math.isfinite(delta) else None, "", claimed
            )  # most of a large file
            continue
        hidden = [f"{side} is {odd}" for side, odd in (("base", oddity(old)), ("head", oddity(new))) if odd]
        yield Change(path, key, presentable(old), presentable(new), difference(old, new), ", ".join(hidden), claimed)


def oddity(value: object) -> str:
    """Name what keeps a numeric value from being compared; empty for finite numbers and for no numbers at all."""
    if isinstance(value, bool) or not isinstance(value, float | int):
        return ""
    if isinstance(value, int):
        return "" if _fits(value) else "an integer out of range"
    if math.isnan(value):
        return "NaN"
    return "" if math.isfinite(value) else f"{'-' if value < 0 else ''}Infinity"


def _fits(value: int) -> bool:
    try:
        float(value)
    except OverflowError:
        return False
    return True


def decimal(value: object) -> Decimal | None:
    """Give a finite number exactly as its shortest decimal form reads; `None` for everything else.

    Booleans are no numbers here: `true` meets no limit.
    """
    if isinstance(value, bool) or not isinstance(value, float | int) or oddity(value):
        return None
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


def difference(base: object, head: object) -> float | int | None:
    """Give head minus base, exact in decimals and then rounded once; `None` where that is no finite number."""
    old, new = decimal(base), decimal(head)
    if old is None or new is None:
        return None
    if isinstance(base, int) and isinstance(head, int):
        return head - base
    delta = float(EXACT.subtract(new, old))
    return delta if math.isfinite(delta) else None


def presentable(value: object) -> Scalar | None:
    """Give a value that JSON can carry: finite numbers, booleans and strings; `None` for everything else."""
    if isinstance(value, bool | str):
        return value
    return value if isinstance(value, float | int) and not oddity(value) else None
