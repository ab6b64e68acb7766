"""The text of a dvc.lock, entry by entry, written byte for byte as DVC does.

An entry that is replaced is written anew; every other entry keeps its exact text, because DVC's re-dump of
the whole file may change floats and double blanks in entries that nobody touched.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigError, Location
from runner.pipeline import yaml12
from runner.pipeline.lock import SCHEMA, entry_data

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from runner.pipeline.model import LockEntry

    _Cut = tuple[str, dict[str, tuple[str, str]], str]

_INDENT = "  "
_OPENING = "stages:\n"


class LockFile:
    """The text of a dvc.lock, entry by entry: replacing one costs that one, not all of them."""

    def __init__(self, text: str | None, file: str) -> None:
        """Cut the text into entries.

        Args:
            text: the present text; `None` or empty for a lock that does not exist yet.
            file: its path, for messages.

        Raises:
            ConfigError: it is not YAML, or not a lock.

        """
        self._head, self._entries, self._tail = _cut(text, file) if text else _dumped({})

    def __contains__(self, name: str) -> bool:
        """Whether the stage has an entry."""
        return name in self._entries

    def set(self, name: str, entry: LockEntry, later: Collection[str] = ()) -> None:
        """Replace the stage's entry in place; put a new one before the first of `later`, or at the end."""
        block = _block(name, entry_data(entry))
        if name in self or not later:
            self._entries[name] = (block, self._entries.get(name, ("", ""))[1])
            return
        following = {other: self._entries.pop(other) for other in _from_first(list(self._entries), later)}
        self._entries |= {name: (block, ""), **following}

    @property
    def text(self) -> str:
        """The whole file as it is to be written."""
        if not self._entries:
            return f"{self._head.removesuffix(_OPENING)}stages: {{}}\n{self._tail}"
        return "".join((self._head, *chain.from_iterable(self._entries.values()), self._tail))


def _from_first(names: Sequence[str], wanted: Collection[str]) -> Sequence[str]:
    """Give `names` from the first of `wanted` on."""
    return names[next((at for at, name in enumerate(names) if name in wanted), len(names)) :]


def _cut(text: str, file: str) -> _Cut:
    """Give the text before the entries, each entry's text and what lies between it and the next, and the rest.

    A text in which the entries do not stand apart (flow style, anchors from one to another, another
    indentation) is dumped anew first, as DVC does with every text.
    """
    document, spans = yaml12.parse_spans(text, file, "stages")
    if not isinstance(document, dict) or not isinstance(document.get("stages", {}), dict):
        message = "this is not a lock of DVC 2.0 or later"
        raise ConfigError(message, "restore it from git, or delete it", Location(file, 1))
    plain = text.removeprefix("\N{BYTE ORDER MARK}").replace("\r\n", "\n").replace("\r", "\n")
    lines = (plain if plain.endswith("\n") else f"{plain}\n").splitlines(keepends=True)
    if not _stand_apart(document.get("stages", {}), spans, lines):
        return _dumped(document)
    starts = [start for start, _ in spans.values()]
    ends = [end for _, end in spans.values()]
    entries = {
        name: ("".join(lines[start:end]), "".join(lines[end:following]))
        for name, start, end, following in zip(spans, starts, ends, [*starts[1:], ends[-1]], strict=True)
    }
    return "".join(lines[: starts[0]]), entries, "".join(lines[ends[-1] :])


def _stand_apart(stages: Mapping[str, Any], spans: Mapping[str, tuple[int, int]], lines: Sequence[str]) -> bool:
    """Whether each entry is a run of whole lines, indented as we indent."""
    if not stages or list(spans) != list(stages):
        return False
    firsts = [lines[start] for start, _ in spans.values()]
    return all(first.startswith(_INDENT) and not first.startswith(f"{_INDENT} ") for first in firsts)


def _dumped(document: Mapping[str, Any]) -> _Cut:
    """Dump everything anew, each entry by itself, so that no anchor joins two of them."""
    others = {"schema": SCHEMA} | {key: section for key, section in document.items() if key != "stages"}
    entries = {name: (_block(name, entry), "") for name, entry in document.get("stages", {}).items()}
    return yaml12.render(others) + _OPENING, entries, ""


def _block(name: str, entry: Mapping[str, Any]) -> str:
    """Give the lines of one entry below `stages:`, each indented by two; lines wrap as they do in the whole file."""
    return yaml12.render({"stages": {name: entry}}).removeprefix(_OPENING)
