"""Whose output is shown while several stages run: the one that began first, live; the others when their turn comes.

So no stage's output is ever mixed with another's, and each is one group. What has to wait lies in a temporary file.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from tempfile import SpooledTemporaryFile

_IN_MEMORY: Final = 1 << 18
_CHUNK: Final = 1 << 16


class Part:
    """The output of one stage: shown, or kept until it may be."""

    def __init__(self, title: str, turns: Turns) -> None:
        """Begin with nothing; see `Turns.take`."""
        self.title = title
        self._turns = turns
        self._kept: SpooledTemporaryFile[str] | None = None
        self.has_ended = False

    def write(self, text: str) -> None:
        """Show text, or keep it. May be called on any thread."""
        self._turns.write(self, text)

    def close(self) -> None:
        """Say that nothing follows."""
        self._turns.close(self)

    def keep(self, text: str) -> None:
        """Keep text until it is shown."""
        if self._kept is None:
            from tempfile import SpooledTemporaryFile  # noqa: PLC0415 - a tenth of what `--version` costs

            self._kept = SpooledTemporaryFile(  # noqa: SIM115 - closed where it is shown
                _IN_MEMORY, "w+", encoding="utf-8", errors="surrogatepass", newline=""
            )
        self._kept.write(text)

    def show(self, write: Callable[[str], None]) -> None:
        """Write what was kept."""
        if self._kept is None:
            return
        with self._kept as kept:
            kept.seek(0)
            while text := kept.read(_CHUNK):
                write(text)
        self._kept = None


class Turns:
    """The outputs of the stages that run, in the order in which they began."""

    def __init__(self, begin: Callable[[str], None], write: Callable[[str], None], end: Callable[[str], None]) -> None:
        """Take what begins and ends the part with a title, and what writes text in between."""
        self._begin, self._write, self._end = begin, write, end
        self._parts: deque[Part] = deque()
        self._guard = threading.RLock()

    def take(self, title: str) -> Part:
        """Give a place for the output of one more stage."""
        part = Part(title, self)
        with self._guard:
            self._parts.append(part)
            if self._parts[0] is part:
                self._begin(title)
        return part

    def write(self, part: Part, text: str) -> None:
        """Show text of a part whose turn it is; keep that of another."""
        with self._guard:
            if self._parts[0] is part:
                self._write(text)
            else:
                part.keep(text)

    def close(self, part: Part) -> None:
        """Let the next have its turn, if this was its."""
        with self._guard:
            part.has_ended = True
            while self._parts and self._parts[0].has_ended:
                self._end(self._parts.popleft().title)
                if self._parts:
                    self._begin(self._parts[0].title)
                    self._parts[0].show(self._write)
