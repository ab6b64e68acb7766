"""Params files: their values by dotted key, looked up and compared as DVC does."""

from __future__ import annotations

import datetime as dt
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError, Location
from runner.pipeline import documents
from runner.pipeline.shape import naming

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.pipeline.model import Param

_BOOLEANS: Final = frozenset({"True", "False"})
_DIGITS: Final = 9  # of an index; Python takes no number of any length
_MOST_BITS: Final = 14_284  # 4,300 decimal digits: Python writes no longer number as text
MISSING: Final = object()
"""What `lookup` gives where there is no such key; `None` is a value."""


@lru_cache(maxsize=64)
def parse(path: str, text: str) -> Any:  # noqa: ANN401 - a document is of any shape
    """Read a params file by its suffix; an empty or falsy document is `{}`, which is DVC's rule.

    The same text is read once, as templates and stages ask for the same files: change nothing in what is given.

    Raises:
        ConfigError: it cannot be read, with line and column.

    """
    return documents.parse(path, text) or {}


def read(param: Param, document: Any) -> dict[str, Any]:  # noqa: ANN401 - a document is of any shape
    """Give the values a stage depends on, by dotted key; for a whole file all its top-level keys.

    A key that is not there is left out: see `missing`.

    Raises:
        ConfigError: a key matches several values, or a value cannot be recorded in a lock (a date).

    """
    if param.keys:
        found = {key: _lookup(document, key, param.path) for key in param.keys}
        values = {key: value for key, value in found.items() if value is not MISSING}
    elif isinstance(document, dict):
        values = dict(document)
    else:
        message = f"a params file that is tracked whole must be a mapping, this is {naming(document)}"
        raise ConfigError(message, "name the keys the stage depends on", Location(param.path, 1, 1))
    _check(values, param.path)
    return values


def missing(param: Param, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the keys that the stage names and the file does not have, in the order written."""
    return tuple(key for key in param.keys if key not in values)


def lookup(document: Any, key: str) -> Any:  # noqa: ANN401 - a document is of any shape
    """Give the value at a dotted key, or `MISSING`.

    A segment is a key of a mapping or an index of a list, from the end where negative; digits match both
    text and integer keys. `*`, `?` and `[...]` are globs, `**` any number of segments; a glob must match
    exactly one value. A key that itself holds a dot cannot be reached.

    Raises:
        ConfigError: more than one value matches.

    """
    return _lookup(document, key, "")


def _lookup(document: Any, key: str, file: str) -> Any:  # noqa: ANN401 - a document is of any shape
    segments = key.lstrip(".").split(".")
    found = [value for value in _matches(document, segments) if value is not document]
    twice = segments.count("**") > 1
    if len(found) > 1 or twice:
        message = f"the params key {key!r} {'holds ** twice' if twice else f'matches {len(found)} values'}"
        raise ConfigError(message, "a key must match exactly one", Location(file) if file else None)
    return found[0] if found else MISSING


def _matches(node: Any, segments: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - a document is of any shape
    """Yield every value whose path from `node` matches all segments."""
    if not segments:
        yield node
        return
    first, *rest = segments
    if first == "**":
        yield from _deep(node, rest)
        return
    if isinstance(node, dict) and first.isidentifier() and first not in _BOOLEANS:
        # A plain word can only be a text key: no glob, no index, no number or boolean spelt out.
        if first in node:
            yield from _matches(node[first], rest)
        return
    from_end = len(node) if isinstance(node, (list, tuple)) else 0
    if from_end and first.isdecimal() and len(first) <= _DIGITS:
        # A number is one place in a list: a thousand stages may ask a list of a thousand.
        if int(first) < from_end:
            yield from _matches(node[int(first)], rest)
        return
    for key, child in _children(node):
        if _is_at(key, from_end, first):
            yield from _matches(child, rest)


def _deep(node: Any, rest: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - a document is of any shape
    """Yield what matches `rest` at this depth or any below."""
    yield from _matches(node, rest)
    for _, child in _children(node):
        yield from _deep(child, rest)


def _children(node: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - a document is of any shape
    if isinstance(node, dict):
        yield from node.items()
    elif isinstance(node, (list, tuple)):
        yield from enumerate(node)


def _is_at(key: object, from_end: int, segment: str) -> bool:
    """Whether a key or an index is what the segment says; `from_end` is the length of a list, or 0."""
    if isinstance(key, str):
        return fnmatchcase(key, segment)
    if not isinstance(key, int):
        return False
    try:
        return int(segment) in {key, key - from_end}
    except ValueError:
        return fnmatchcase(str(key), segment)


def _check(value: object, path: str, key: str = "") -> None:
    """Refuse what DVC cannot record: what is not plain, text that is no Unicode, mappings whose keys do not sort."""
    if isinstance(value, dict):
        _check_keys(value, path, key)
        for name, inner in value.items():
            _check(inner, path, f"{key}.{name}" if key else str(name))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check(inner, path, key)
    elif why := _unrecordable(value):
        message = f"the value of {key!r} is {why}, which DVC cannot track"
        raise ConfigError(message, "put it in quotes" if isinstance(value, dt.date) else "", Location(path))


def _check_keys(mapping: Mapping[Any, Any], path: str, key: str) -> None:
    for name in mapping:
        if not key and not isinstance(name, str):
            message = f"the top-level key {name!r} is not a string, which DVC cannot track"
            raise ConfigError(message, "put it in quotes", Location(path))
        if why := _unrecordable(name):
            message = f"the key {name!r} in {key or path!r} is {why}, which DVC cannot track"
            raise ConfigError(message, "use a plain string", Location(path))
    try:
        sorted(mapping)
    except TypeError as error:
        message = f"the keys of {key!r} are of several kinds, which DVC cannot track"
        raise ConfigError(message, "put them all in quotes", Location(path)) from error


def _unrecordable(value: object) -> str:
    """Say what a scalar is that neither DVC's lock nor its run cache can hold; empty where it is a plain one."""
    if isinstance(value, dt.date):
        return "a date"
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return "a number of more than 4,300 digits"
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        return "not Unicode text (half of a surrogate pair)"
    return "" if value is None or isinstance(value, (str, int, float)) else f"of the type {type(value).__name__}"


def equal(left: Any, right: Any) -> bool:  # noqa: ANN401 - a value is of any shape
    """Compare what was recorded of a key with what is read as DVC does: see `same`, and a tuple equals its list.

    That holds for the value itself, not inside another: DVC takes `{"k": (1, 2)}` of a Python file for modified
    after every run, because the lock records a list.
    """
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return same(list(left), list(right))
    return same(left, right)


def same(left: Any, right: Any) -> bool:  # noqa: ANN401 - a value is of any shape
    """Compare by Python's equality: 1, 1.0 and true are equal, "1" is another, a tuple is no list.

    NaN differs from itself, inside lists too, where Python would compare by identity first.
    """
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and type(left) is type(right):
        return len(left) == len(right) and all(same(*pair) for pair in zip(left, right, strict=True))
    return bool(left == right)


def as_recorded(value: Any) -> Any:  # noqa: ANN401 - a value is of any shape
    """Give the value as a lock gives it back: tuples are lists, at any depth."""
    if isinstance(value, dict):
        return {key: as_recorded(inner) for key, inner in value.items()}
    return [as_recorded(inner) for inner in value] if isinstance(value, (list, tuple)) else value
