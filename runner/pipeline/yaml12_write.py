"""Writing YAML byte for byte as DVC writes it: block style, width 80, ruamel.yaml's choice of quotes and breaks.

Only for new text. A file that stands keeps the text of what did not change (see lock.py), because parsing and
writing again is lossy: text wrapped next to a double blank loses one blank (DVC has the same flaw).
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from runner.pipeline.yaml12_scalars import is_string
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_WIDTH: Final = 80
_BREAKS: Final = "\n\x85\u2028\u2029"
_BLANKS: Final = "\0 \t\r" + _BREAKS
_PRINTABLE: Final = "\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"

# ruamel measures a key together with its tag ("!!str") against 128.
_LONGEST_KEY: Final = 128
_TAGS: Final = {str: "!!str", bool: "!!bool", int: "!!int", float: "!!float", type(None): "!!null"}

_NEEDS_QUOTES: Final = regex(
    rf"""
    \A(?: --- | \.\.\. | [\#,\[\]{{}}&*!|>'"%@`] | [-?:](?:[{_BLANKS}]|\Z) | [ ])
    | :(?:[{_BLANKS}]|\Z)
    | (?<=[{_BLANKS}])\#
    | [ ]\Z
    | [^{_PRINTABLE}]
    """,
    re.VERBOSE,
)
_BREAK: Final = regex(f"[{_BREAKS}]")
_NEEDS_DOUBLE: Final = regex(rf"['\n] | [^{_PRINTABLE}{_BREAKS}] | [ ][{_BREAKS}] | [{_BREAKS}][ ]", re.VERBOSE)
_NEEDS_ESCAPE: Final = regex(rf'["\\] | [^{_PRINTABLE}]', re.VERBOSE)
_ESCAPES: Final = dict(zip('\0\a\b\t\n\v\f\r\x1b"\\\x85\u2028\u2029', '0abtnvfre"\\NLP', strict=True))
# Escape letter and how many hexadecimal digits follow it.
_CODES: Final = (("x", 2), ("u", 4), ("U", 8))


def render(value: Any) -> str:  # noqa: ANN401 (any document)
    """Give the text that DVC writes for `value`, with its final newline.

    Args:
        value: a dict or list of dicts, lists, tuples (written as lists), str, int, float, bool, None, date and
            datetime; keys are scalars. An object that comes twice is written once, as `&id001`, and then as `*id001`.

    Raises:
        TypeError: anything else is in it.

    """
    writer = _Writer(_anchors(value))
    if isinstance(value, dict):
        writer.mapping(value, 0, fresh=True)
    elif isinstance(value, (list, tuple)):
        writer.sequence(value, 0, fresh=True)
    else:
        message = f"a document is a mapping or a list, not {type(value).__name__}"
        raise TypeError(message)
    return "".join(writer.parts) + "\n"


def _anchors(value: object) -> dict[int, str]:
    """Name what comes more than once, by identity; numbered in the order of the second meeting."""
    seen: set[int] = set()
    names: dict[int, str] = {}

    def visit(node: object) -> None:
        if node is None or isinstance(node, (str, int, float)) or node == ():
            return
        if id(node) in seen:
            names.setdefault(id(node), f"id{len(names) + 1:03d}")
            return
        seen.add(id(node))
        for child in _children(node):
            visit(child)

    visit(value)
    return names


def _children(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, (list, tuple)):
        yield from node


class _Writer:
    """The text so far. `fresh` says that the place for a first key or dash is already reached."""

    def __init__(self, anchors: Mapping[int, str]) -> None:
        self.parts: list[str] = []
        self._anchors = anchors
        self._written: set[int] = set()
        self._column = 0

    def mapping(self, entries: Mapping[Any, Any], indent: int, *, fresh: bool) -> None:
        """Write `key: value` lines at `indent`."""
        if not entries:
            self._put("{}")
        for key, value in entries.items():
            if not fresh:
                self._line(indent)
            fresh = False
            if self._key(key, indent):
                self._value(value, indent)
            else:
                self._line(indent)
                self._value_after_complex_key(value, indent)

    def sequence(self, members: Sequence[Any], indent: int, *, fresh: bool) -> None:
        """Write `- member` lines at `indent`."""
        if not members:
            self._put("[]")
        for member in members:
            if not fresh:
                self._line(indent)
            fresh = False
            self._put("- ")
            self._nested(member, indent + 2, indent + 2)

    def _key(self, key: object, indent: int) -> bool:
        """Write a key and its colon; False for the form `? key`, which leaves the colon to be written."""
        text = "null" if key is None else _scalar(key)
        simple = len(text) + len(_TAGS.get(type(key), "!!timestamp")) < _LONGEST_KEY and not _BREAK.search(text)
        if not simple:
            self._put("? ")
        self._scalar(text, indent + 2, quotable=isinstance(key, str), split=not simple)
        if simple:
            self._put(":")
        return simple

    def _value(self, value: object, indent: int) -> None:
        """Write what follows `key:`: a list stands at the key's own indent, a mapping two deeper."""
        if value is None:
            return
        inner = indent if isinstance(value, (list, tuple)) else indent + 2
        if isinstance(value, (dict, list, tuple)) and value and id(value) not in self._anchors:
            self._collection(value, inner, fresh=False)
            return
        self._put(" ")
        self._nested(value, inner, indent + 2)

    def _value_after_complex_key(self, value: object, indent: int) -> None:
        """Write `: value`. There a list is indented, unless an anchor stands before it."""
        self._put(":")
        if value is None:
            return
        self._put(" ")
        anchored_list = isinstance(value, (list, tuple)) and id(value) in self._anchors
        self._nested(value, indent if anchored_list else indent + 2, indent + 2)

    def _nested(self, value: object, indent: int, scalar_indent: int) -> None:
        """Write a value where the line has been begun: after a dash, after a colon and a blank."""
        name = self._anchors.get(id(value))
        if name and id(value) in self._written:
            self._put(f"*{name}")
            return
        if name:
            self._written.add(id(value))
            self._put(f"&{name}")
        if isinstance(value, (dict, list, tuple)):
            self._put(" " if name and not value else "")
            self._collection(value, indent, fresh=not name or not value)
            return
        self._put(" " if name else "")
        self._scalar(_scalar(value), scalar_indent, quotable=isinstance(value, str), split=True)

    def _collection(self, value: Any, indent: int, *, fresh: bool) -> None:  # noqa: ANN401 (dict, list or tuple)
        write = self.mapping if isinstance(value, dict) else self.sequence
        write(value, indent, fresh=fresh)

    def _scalar(self, text: str, indent: int, *, quotable: bool, split: bool) -> None:
        """Write a scalar whose continuation lines start at `indent`."""
        styled = _style(text) if quotable else _plain
        self._put(styled(text, self._column, indent, split=split))

    def _line(self, indent: int) -> None:
        self.parts.append("\n" + " " * indent)
        self._column = indent

    def _put(self, text: str) -> None:
        self.parts.append(text)
        self._column = _column_after(text, self._column)


def _column_after(text: str, column: int) -> int:
    last = text.rfind("\n")
    return column + len(text) if last < 0 else len(text) - last - 1


@lru_cache(maxsize=1024)
def _style(text: str) -> Callable[..., str]:
    """Give what writes a string; keys and paths come again and again."""
    if not _NEEDS_QUOTES.search(text) and is_string(text):
        return _plain
    return _double if _NEEDS_DOUBLE.search(text) else _single


def _scalar(value: object) -> str:
    """Give the text of a scalar before any quoting."""
    match value:
        case None:
            text = ""
        case bool():
            text = "true" if value else "false"
        case str() | int():
            text = str(value)
        case float():
            text = _float(value)
        case datetime():
            text = value.isoformat(" ")
        case date():
            text = value.isoformat()
        case _:
            message = f"{type(value).__name__} cannot be written as YAML"
            raise TypeError(message)
    return text


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return repr(value)


def _plain(text: str, column: int, indent: int, *, split: bool) -> str:
    """Wrap unquoted text: before a word that would cross the width, or at a single blank past it.

    The first rule holds in keys too, and leaves the blank before the word at the end of the line.
    """
    if column + len(text) <= _WIDTH:
        return text
    parts = []
    for run in re.findall(r" +|[^ ]+", text):
        at_blank = split and run == " " and column >= _WIDTH
        if at_blank or (run[0] != " " and column + len(run) > _WIDTH and column > indent):
            parts.append("\n" + " " * indent)
            column = indent
        if not at_blank:
            parts.append(run)
            column += len(run)
    return "".join(parts)


def _single(text: str, column: int, indent: int, *, split: bool) -> str:
    """Quote with `'`; a single blank past the width becomes the line break. Such text holds no `'` itself."""
    parts = ["'"]
    column += 1
    for match in re.finditer(rf" +|[{_BREAKS}]+|[^ {_BREAKS}]+", text):
        run = match[0]
        inside = match.start() > 0 and match.end() < len(text)
        if split and run == " " and column > _WIDTH and inside:
            parts.append("\n" + " " * indent)
            column = indent
        elif run[0] in _BREAKS:
            parts.append(run + " " * indent)
            column = indent
        else:
            parts.append(run)
            column += len(run)
    return "".join((*parts, "'"))


def _double(text: str, column: int, indent: int, *, split: bool) -> str:
    """Quote with `"`: escape, and past the width break at a blank or after an escape."""
    parts = ['"']
    column += 1
    start = end = 0  # text[start:end] is read but not yet written
    while end < len(text):
        escape = _escape(text[end])
        if escape:
            parts.append(text[start:end] + escape)
            column += end - start + len(escape)
            start = end + 1
        may_break = split and 0 < end < len(text) - 1 and (text[end] == " " or start >= end)
        if may_break and column + end - start > _WIDTH:
            folds = _folds(text, start, end)
            mark = "" if folds else "\\"
            parts.append(f"{text[start:end]}{mark}\n{' ' * indent}")
            column = indent
            start = max(start, end)
            if text[start] == " ":
                # Folding gives this blank back; a break with a backslash does not, so it is kept and marked.
                start += folds
                parts.append(mark)
                column += len(mark)
        end += 1
    return "".join((*parts, text[start:end], '"'))


def _escape(character: str) -> str:
    """Give the escape sequence of a character that needs one, else nothing."""
    if not _NEEDS_ESCAPE.match(character):
        return ""
    if character in _ESCAPES:
        return "\\" + _ESCAPES[character]
    code = f"{ord(character):02X}"
    letter, digits = next((letter, digits) for letter, digits in _CODES if len(code) <= digits)
    return f"\\{letter}{code:0>{digits}}"


def _folds(text: str, start: int, end: int) -> bool:
    """Whether a break at `end` is written without a backslash, to be read back as one blank.

    This is the exact rule of ruamel.yaml 0.18 and 0.19. The second case, after an escape, turns up a blank that
    was not there: DVC does not read back all that it writes.
    """
    if start == end:
        return False
    if text[end] == " ":
        return text[end - 1] != " " and text[end + 1] not in " \n"
    stop = text.find(" ", end)
    stretch = text[end:stop]
    return 0 <= stop < len(text) - 1 and text[stop + 1] not in " \n" and not set("\n'\"") & set(stretch)
