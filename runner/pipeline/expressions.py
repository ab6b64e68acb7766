"""The syntax of `${...}`: where expressions stand in a text, and what each of them names. DVC's rules.

An expression is a name with segments: `${a.b[0]}` and `${a.b.0}` are the same. Nothing else is special in it:
`${d['x']}` asks for the key `'x'`, quotes and all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from runner.regexes import regex
from runner.values import dataclass

OPENING: Final = "${"
ESCAPED: Final = "\\${"

_EXPRESSION: Final = regex(r"(?<!\\)\$\{(.*?)\}")
_WORD: Final = r"[^.\[\]]+"
_NAME: Final = regex(rf"{_WORD}(?:\.{_WORD}|\[{_WORD}\][ \t\r]*)*")


class Unresolved(Exception):
    """A value of a template that cannot be had; told by who knows where it stands.

    Args:
        message: one sentence.
        hint: what to do next; may be empty.
        text: the expression at fault as written, to be found in the file; empty: all of the value.

    """

    def __init__(self, message: str, hint: str = "", text: str = "") -> None:
        """Keep the three parts."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.text = text


@dataclass(frozen=True, slots=True)
class Expression:
    """One `${...}`.

    Attributes:
        text: as written, with the braces.
        segments: the keys and indexes it names, from the outermost.

    """

    text: str
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text taken apart.

    Attributes:
        whole: the expression that is the whole text, whose value keeps its type.
        parts: plain text and expressions in turn.

    """

    whole: Expression | None
    parts: tuple[str | Expression, ...]


def is_interpolated(text: str) -> bool:
    """Whether an expression that is not escaped stands in the text."""
    return OPENING in text and _EXPRESSION.search(text) is not None


@lru_cache(maxsize=4096)
def compiled(text: str) -> Text:
    r"""Take a text apart at its expressions; `\${` is none.

    Raises:
        Unresolved: an expression is not well formed.

    """
    parts: list[str | Expression] = []
    end = 0
    for match in _EXPRESSION.finditer(text):
        parts += [text[end : match.start()], _expression(match[0], match[1])]
        end = match.end()
    is_whole = len(parts) == 2 and not parts[0] and end == len(text)  # noqa: PLR2004 - nothing, then the expression
    whole = parts[1] if is_whole else None
    return Text(whole if isinstance(whole, Expression) else None, (*parts, text[end:]))


def _expression(text: str, inner: str) -> Expression:
    if not _NAME.fullmatch(inner):
        message = f"{text} names no variable" if not inner else f"{text} is not a name"
        raise Unresolved(message, "write ${name}, ${name.key} or ${name[0]}", text)
    segments = inner.replace("[", ".").replace("]", "").split(".")
    return Expression(text, tuple(segment.strip() for segment in segments))
