"""The words of a shell command, as far as they can be told without running it. Never expands anything."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import field
from typing import TYPE_CHECKING, Final

from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ASSIGNMENT: Final = regex(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_PUNCTUATION: Final = frozenset("();<>|&")
_LATER: Final = regex(r"[$`*?]")


@dataclass(frozen=True, slots=True)
class Simple:
    """One simple command: what stands between two `;`, `&&`, `|` or line ends.

    Attributes:
        words: without assignments in front and without redirections.
        folder: where it runs, relative to the stage's wdir; `None` where that cannot be told.
        settings: variables set for it, in front of it or earlier by `export`.

    """

    words: tuple[str, ...]
    folder: str | None = "."
    settings: Mapping[str, str] = field(default_factory=dict)


def lines_of(cmd: str | Sequence[str] | None) -> tuple[str, ...]:
    """Give the texts that have a shell each: the lines of a string, the items of a list (DVC's rule)."""
    return tuple(cmd.splitlines()) if isinstance(cmd, str) else tuple(map(str, cmd or ()))


def commands(cmd: str | Sequence[str] | None) -> Iterator[Simple]:
    """Yield the simple commands; nothing of a text whose quotes do not match."""
    for line in lines_of(cmd):
        folder: str | None = "."
        exported: dict[str, str] = {}
        for words in _split(line):
            settings, rest = _settings(words)
            if rest[:1] == ["cd"]:
                folder = _moved(folder, rest[1:])
            elif rest[:1] == ["export"] or not rest:
                exported |= settings | _settings(rest[1:])[0]
            else:
                yield Simple(tuple(rest), folder, exported | settings)


def is_fixed(word: str) -> bool:
    """Whether a word is what it says: the shell has nothing to put in its place."""
    return bool(word) and not _LATER.search(word) and not word.startswith("~")


def _split(line: str) -> Iterator[list[str]]:
    """Cut one shell text at its separators; redirections and comments are left out."""
    words: list[str] = []
    tokens = iter(_tokens(line))
    for token in tokens:
        if token.startswith("#"):
            break
        if not _PUNCTUATION.issuperset(token):
            words.append(token)
        elif "<" in token or ">" in token:
            next(tokens, None)
        else:
            yield from [words] if words else []
            words = []
    yield from [words] if words else []


def _tokens(line: str) -> list[str]:
    lexer = shlex.shlex(line.replace("\\\n", " ").replace("\n", ";"), posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return []


def _settings(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    for number, word in enumerate(words):
        assignment = _ASSIGNMENT.fullmatch(word)
        if assignment is None:
            return found, list(words[number:])
        found[assignment[1]] = assignment[2]
    return found, []


def _moved(folder: str | None, words: Sequence[str]) -> str | None:
    """Give the folder after a `cd`."""
    target = words[0] if words else ""
    if folder is None or not is_fixed(target) or target == "-":
        return None
    return posixpath.normpath(posixpath.join(folder, target))
