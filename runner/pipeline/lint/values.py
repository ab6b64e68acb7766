"""What an expression of a Python source may be, as far as params go: text, an open file, a part of a params file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Text:
    """Text that names a file; empty where it is not known."""

    text: str


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file, or what was read of it."""

    file: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a params file.

    Attributes:
        file: as the source names it; empty where it comes from outside, as an option does.
        keys: from the top of the file.
        dotted: its keys are attributes too.

    """

    file: str
    keys: tuple[str, ...] = ()
    dotted: bool = False


Value = Text | Opened | Part


@dataclass(frozen=True, slots=True)
class Use:
    """A place where a part of a params file is used.

    Attributes:
        file, keys: as of `Part`.
        line: counted from 1.
        unpacked: all of what is below is handed on by `**`.

    """

    file: str
    keys: tuple[str, ...]
    line: int
    unpacked: bool = False


def parts(values: Iterable[Value]) -> list[Part]:
    """Give those that are parts of a params file."""
    return [value for value in values if isinstance(value, Part)]


def words(values: Iterable[Value]) -> list[str]:
    """Give the texts among them."""
    return [value.text for value in values if isinstance(value, Text) and value.text]


def below(above: Iterable[Part], *keys: str) -> frozenset[Value]:
    """Give what is below the parts at each of the keys."""
    return frozenset(Part(part.file, (*part.keys, key), part.dotted) for part in above for key in keys)


def opened(values: frozenset[Value]) -> frozenset[Value]:
    """Give what opening a path gives; a path that is not known is one from outside."""
    files = {value.file for value in values if isinstance(value, Opened)} | set(words(values))
    return frozenset(Opened(file) for file in files or {""})


def loaded(values: frozenset[Value], *, dotted: bool) -> frozenset[Value]:
    """Give what a loader makes of a path or an open file."""
    files = {value.file for value in opened(values) if isinstance(value, Opened)}
    return frozenset(Part(file, dotted=dotted) for file in files)
