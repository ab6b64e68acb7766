"""The files of a directory that DVC sees, as they are met; kept as text, a million paths and sizes take 30 MB."""

from __future__ import annotations

import os
from array import array
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from runner.digests import sha256
from runner.engine import dvcignore
from runner.errors import ConfigError
from runner.store.state import mark, newest

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from runner.engine.dvcignore import Ignore, Rules

_TOGETHER: Final = 1024
_SPECIAL: Final = frozenset({".git", dvcignore.NAME})
_AFTER_PATHS: Final = b"\0\0"
"""Stands nowhere in paths that a NUL parts: none is empty."""


class Walked(Collection[tuple[str, int]]):
    """Absolute paths, and sizes in bytes, of the files below a folder.

    Attributes:
        top: the folder.
        looked: when the first of them was looked at, in nanoseconds since 1970.
        newest: the latest time that any of them has, likewise.

    """

    def __init__(self, top: str, looked: int) -> None:
        """Begin with none, below the folder `top`."""
        self.top = top
        self.looked = looked
        self.newest = 0
        self._sizes = array("Q")
        self._full: list[bytes] = []
        self._last: list[str] = []
        self._marks = bytearray()
        self._digest = sha256()

    def add(self, path: str, found: os.stat_result) -> None:
        """Take a file by its path below the top, as the system describes it."""
        self._sizes.append(found.st_size)
        self._last.append(path)
        self._marks += mark(found)
        when = newest(found)
        if when > self.newest:  # noqa: PLR1730 - done a million times, `max` takes as long as all of the rest
            self.newest = when
        if len(self._last) == _TOGETHER:
            self._full.append(_joined(self._last))
            self._digest.update(self._full[-1] + _AFTER_PATHS + self._marks)
            self._last.clear()
            self._marks.clear()

    @property
    def mark(self) -> bytes:
        """Differs where the path, the inode, the size or a time of any file does."""
        whole = self._digest.copy()
        whole.update(_joined(self._last) + _AFTER_PATHS + self._marks)
        return whole.digest()

    @property
    def bytes(self) -> int:
        """All their bytes."""
        return sum(self._sizes)

    def paths(self) -> Iterator[str]:
        """Give the paths below the top."""
        for several in self._full:
            yield from several.decode("utf-8", "surrogateescape").split("\0")
        yield from self._last

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Give each file's path and size."""
        return ((f"{self.top}/{path}", size) for path, size in zip(self.paths(), self._sizes, strict=True))

    def __len__(self) -> int:
        """Count them."""
        return len(self._sizes)

    def __contains__(self, file: object) -> bool:
        """Whether this is one of them."""
        return any(file == found for found in self)


def _joined(paths: list[str]) -> bytes:
    return "\0".join(paths).encode("utf-8", "surrogateescape")


def walk(place: str, top: str, ignore: Ignore, lent: Container[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Give every file below a directory that DVC sees, with its path inside; links to directories are skipped.

    Args:
        place: the directory, absolute.
        top: its path in the project, with a slash; empty for the project's own folder.
        ignore: what DVC does not see.
        lent: paths of directories that are taken for absent.

    Raises:
        ConfigError: a .dvcignore lies in it, or one above cannot be read.

    """
    folders = [("", place)]
    while folders:
        prefix, folder = folders.pop()
        rules = ignore.inside(f"{top}{prefix}".removesuffix("/"))
        with os.scandir(folder) as entries:
            for entry in entries:
                inner = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if top + inner not in lent and _enters(top + inner, entry, rules):
                        folders.append((f"{inner}/", entry.path))
                elif (rules.patterns or entry.name in _SPECIAL) and _is_hidden(top + inner, entry, rules):
                    continue
                elif not (entry.is_symlink() and os.path.isdir(entry.path)):  # noqa: PTH112 - as in `_enters`
                    yield inner, entry


def _enters(relative: str, entry: os.DirEntry[str], rules: Rules) -> bool:
    if entry.name in dvcignore.UNSEEN or (rules.patterns and rules.hides(relative, is_folder=True)):
        return False
    return not os.path.exists(f"{entry.path}/.dvc")  # noqa: PTH110 - asked of every folder; a Path costs more than it


def _is_hidden(relative: str, entry: os.DirEntry[str], rules: Rules) -> bool:
    if entry.name == ".git" or (rules.patterns and rules.hides(relative)):
        return True
    if entry.name == dvcignore.NAME:
        message = f"{relative} lies in a directory that is tracked as a whole: DVC hashes no such directory"
        raise ConfigError(message, "move its lines to a .dvcignore above that directory")
    return False
