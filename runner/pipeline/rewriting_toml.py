"""One value in a TOML text replaced where it stands."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLE: Final = regex(r"[ \t]*\[([^\[\]].*?|)\][ \t]*(?:#.*)?\r?\n?\Z")
_NAME: Final = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')"""
_ASSIGNED: Final = regex(rf"[ \t]*({_NAME}(?:[ \t]*\.[ \t]*{_NAME})*)[ \t]*=[ \t]*")


def rewritten(text: str, keys: tuple[Any, ...], wanted: Any) -> str:  # noqa: ANN401 - a document is of any shape
    """Give the text with the value at `keys` as in the document `wanted`: that of the assignment which holds it.

    Raises:
        LookupError: no assignment of a plain table holds it.

    """
    lines = text.splitlines(keepends=True)
    path, at, start = _assignment(lines, keys)
    value = wanted
    for key in path:
        value = value[key]
    before = "".join(lines[:at]) + lines[at][:start]
    rest = lines[at][start:] + "".join(lines[at + 1 :])
    return before + _written(value) + rest[_length(rest) :]


def line(text: str, keys: tuple[Any, ...]) -> int:
    """Give the line, from 1, of the assignment that holds the value at `keys`; raises as `rewritten`."""
    return _assignment(text.splitlines(keepends=True), keys)[1] + 1


def _assignment(lines: list[str], keys: tuple[Any, ...]) -> tuple[tuple[str, ...], int, int]:
    found = [one for one in _assignments(lines) if keys[: len(one[0])] == one[0]]
    if not found:
        raise LookupError(keys)
    return max(found, key=lambda one: len(one[0]))


def _assignments(lines: list[str]) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Give each assignment of a plain table: the keys that lead to it, its line, the column of its value."""
    table: tuple[str, ...] | None = ()
    at = 0
    while at < len(lines):
        line = lines[at]
        named, assigned = _TABLE.match(line), _ASSIGNED.match(line)
        if named:
            table = _keys(named.group(1))
        elif line.lstrip().startswith("[["):
            table = None
        elif assigned:
            if table is not None:
                yield (*table, *_keys(assigned.group(1))), at, assigned.end()
            rest = line[assigned.end() :] + "".join(lines[at + 1 :])
            at += rest[: _length(rest)].count("\n")
        at += 1


def _keys(dotted: str) -> tuple[str, ...]:
    """Read a dotted key by TOML's own rules."""
    import tomllib  # noqa: PLC0415 - few projects have TOML

    node: Any = tomllib.loads(f"{dotted} = 0")
    found = []
    while isinstance(node, dict):
        ((key, node),) = node.items()
        found.append(key)
    return tuple(found)


def _length(rest: str) -> int:
    """Give how many characters at the start of `rest` are one value."""
    import tomllib  # noqa: PLC0415 - as above

    for end in _ends(rest):
        try:
            tomllib.loads(f"x = {rest[:end]}")
        except tomllib.TOMLDecodeError:
            continue
        return len(rest[:end].rstrip())
    raise LookupError(rest[:1])


def _ends(rest: str) -> Iterator[int]:
    """Give where a value may end: at a comment or at the end of a line."""
    for match in re.finditer(r"#|\r?\n|\Z", rest):
        yield match.start()


def _written(value: Any) -> str:  # noqa: ANN401 - of any shape
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (int, str)):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    raise TypeError(value)  # TOML has no null
