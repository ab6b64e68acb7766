"""What was found at paths, remembered until something there may have changed.

Forgetting costs what is forgotten, not what is remembered: a run forgets several paths a stage, and knows all of them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.engine.decision import Content
    from runner.hashes import Tree

    Look = tuple[Content, Tree | None] | None
    """What is at a path, with the listing of a directory that was hashed; `None` where there is nothing."""


class Seen:
    """Looks at the paths of one project (repository-relative), by the kind of hash that was looked by."""

    def __init__(self) -> None:
        """Know nothing."""
        self._looks: dict[str, dict[str, Look]] = {}
        self._inside: defaultdict[str, set[str]] = defaultdict(set)

    def __contains__(self, seen: tuple[str, str]) -> bool:
        """Whether a path was looked at by a kind of hash."""
        path, kind = seen
        return kind in self._looks.get(path, ())

    def content(self, path: str, kind: str) -> Content | None:
        """Give what was found there; `None`: nothing was."""
        look = self._looks[path][kind]
        return look[0] if look else None

    def tree(self, path: str, kind: str) -> Tree | None:
        """Give the listing of a directory that was found there; `None` where its hash was known without."""
        look = self._looks[path][kind]
        if look is None:
            raise KeyError(path)
        return look[1]

    def keep(self, path: str, kind: str, look: Look) -> None:
        """Remember what was found."""
        if path not in self._looks:
            self._looks[path] = {}
            for folder in _above(path):
                self._inside[folder].add(path)
        self._looks[path][kind] = look

    def forget(self, path: str) -> None:
        """Forget a path, what lies in it and what holds it; `.` is everything."""
        if path == ".":
            self._looks.clear()
            self._inside.clear()
            return
        for one in (path, *self._inside.pop(path, ()), *_above(path), "."):
            self._looks.pop(one, None)


def _above(path: str) -> Iterator[str]:
    """Give the folders that hold a path, but for the project's own, from the nearest up."""
    while path := path.rpartition("/")[0]:
        yield path
