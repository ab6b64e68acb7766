"""`[file:]key=value` as DVC's `--set-param` takes it: the grammar of Hydra's overrides, for one value of one key.

What Hydra adds to that is refused by name: several values (sweeps), functions, interpolations, `+key` and `~key`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY: Final = regex(r"(?:[A-Za-z_$][\w$-]*|0|[1-9]\d*)(?:\.(?:[A-Za-z_$][\w$-]*|0|[1-9]\d*))*\Z", re.ASCII)
_INT: Final = r"(?:0|[1-9](?:_?\d)*)"
_POINT: Final = rf"(?:{_INT}?\.\d(?:_?\d)*|{_INT}\.)"
_WS: Final = r"[ \t]*"
# In the order of Hydra's lexer: of two that match equally far the first counts.
_TOKENS: Final[Mapping[str, re.Pattern[str]]] = {
    name: regex(pattern, re.DOTALL | re.ASCII)
    for name, pattern in {
        "(": rf"{_WS}\({_WS}",
        ",": rf"{_WS},{_WS}",
        ")": rf"{_WS}\)",
        "[": rf"\[{_WS}",
        "]": rf"{_WS}\]",
        "{": rf"\{{{_WS}",
        "}": rf"{_WS}\}}",
        ":": rf"{_WS}:{_WS}",
        "=": rf"{_WS}={_WS}",
        "float": rf"[+-]?(?:(?:{_POINT}|{_INT})[eE][+-]?\d(?:_?\d)*|{_POINT}|[Ii][Nn][Ff]|[Nn][Aa][Nn])",
        "int": rf"[+-]?{_INT}",
        "bool": r"[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]",
        "null": r"[Nn][Uu][Ll][Ll]",
        "character": r"[/\-\\+.$%*@?|]",
        "word": r"[A-Za-z_][A-Za-z0-9_-]*",
        "escape": r"(?:\\[\\()\[\]{}:=, \t])+",
        "blank": r"[ \t]+",
        "quoted": r""""(?:(?:\\\\)*|.*?[^\\](?:\\\\)*)"|'(?:(?:\\\\)*|.*?[^\\](?:\\\\)*)'""",
        "interpolation": r"\$\{[^}]+\}",
    }.items()
}
_PRIMITIVE: Final = frozenset({"float", "int", "bool", "null", "character", "word", "escape", "blank", ":"})
_HINT: Final = "write [file:]key=value; quote text that holds brackets, commas or colons: key='[a, b]'"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value for one key: the params file as written, empty for params.yaml; the dotted key; the value."""

    file: str
    key: str
    value: Any


def parse(text: str) -> Assignment:
    """Read one assignment.

    Raises:
        ConfigError: it is none, or says more than one value.

    """
    name, equal, written = text.partition("=")
    file, _, key = name.rpartition(":") if ":" in name else ("", "", name)
    if not equal or not _KEY.match(key):
        raise _refused(text, "it does not say which key gets which value")
    reader = _Reader(text, list(_tokens(text, written.lstrip(" \t"))))
    return Assignment(file, key, reader.value())


def _tokens(text: str, written: str) -> list[tuple[str, str]]:
    at, found = 0, []
    while at < len(written):
        matches = ((kind, match.group()) for kind, pattern in _TOKENS.items() if (match := pattern.match(written, at)))
        kind, token = max(matches, key=lambda one: len(one[1]), default=("", ""))
        if not token:
            raise _refused(text, f"{written[at]!r} has to be quoted")
        found.append((kind, token))
        at += len(token)
    return found


class _Reader:
    """Reads the tokens of one value."""

    def __init__(self, text: str, tokens: list[tuple[str, str]]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0

    def value(self) -> Any:  # noqa: ANN401 - of any shape
        if not self._tokens:
            return ""
        found = self._element()
        if self._kind == ",":
            raise _refused(self._text, "it says several values; call once for each, or quote it")
        if self._kind:
            raise _refused(self._text, f"{self._take()!r} has to be quoted")
        return found

    @property
    def _kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _element(self) -> Any:  # noqa: ANN401 - of any shape
        if self._kind == "[":
            return self._list()
        if self._kind == "{":
            return self._mapping()
        if self._kind == "quoted":
            return _unquoted(self._take())
        return self._primitive(_PRIMITIVE)

    def _list(self) -> list[Any]:
        self._take()
        found: list[Any] = []
        while self._kind != "]" or (found and self._tokens[self._at - 1][0] == ","):
            found.append(self._element())
            self._separated("]")
        self._take()
        return found

    def _mapping(self) -> dict[Any, Any]:
        self._take()
        found: dict[Any, Any] = {}
        while self._kind != "}" or (found and self._tokens[self._at - 1][0] == ","):
            key = self._primitive(_PRIMITIVE - {":"})
            if self._kind != ":":
                raise _refused(self._text, f"{key!r} has no value")
            self._take()
            found[key] = self._element()
            self._separated("}")
        self._take()
        return found

    def _separated(self, end: str) -> None:
        if self._kind == ",":
            self._take()
        elif self._kind != end:
            raise _refused(self._text, f"a {end!r} or a comma is missing")

    def _primitive(self, kinds: frozenset[str]) -> Any:  # noqa: ANN401 - a scalar
        start = self._at
        while self._kind in kinds and self._kind:
            self._at += 1
        parts = self._tokens[start : self._at]
        if self._kind in {"interpolation", "("}:
            raise _refused(self._text, "interpolations and functions are not understood")
        if parts and parts[0][0] == "blank":
            parts = parts[1:]
        if parts and parts[-1][0] == "blank":
            parts = parts[:-1]
        if not parts:
            raise _refused(self._text, "a value is missing")
        return _scalar(*parts[0]) if len(parts) == 1 else "".join(map(_spelled, parts))


def _scalar(kind: str, token: str) -> Any:  # noqa: ANN401 - a scalar
    if kind == "int":
        return int(token)
    if kind == "float":
        return float(token)
    if kind == "bool":
        return token.lower() == "true"
    return None if kind == "null" else _spelled((kind, token))


def _spelled(part: tuple[str, str]) -> str:
    kind, token = part
    return token[1::2] if kind == "escape" else token


def _unquoted(token: str) -> str:
    """Take the quotes off, and the backslashes before quotes."""
    quote = token[0]
    return re.sub(rf"(\\+)(?={quote}|\Z)", lambda match: _halved(match.group()), token[1:-1])


def _halved(backslashes: str) -> str:
    return backslashes[1::2] if len(backslashes) % 2 == 0 else backslashes[: len(backslashes) // 2]


def _refused(text: str, why: str) -> ConfigError:
    return ConfigError(f"--set-param {text!r}: {why}", _HINT)
