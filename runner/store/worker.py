"""Processes that move small objects beside this one: Python's lock lets the threads of one have one core.

A worker is told over a pipe what to do, opens remote and cache by itself, and is then given names, a few at a time. It
answers what became of the first ones of them; decisions, progress and what is known of files stay here. It ends when
its pipe does, so that it does not outlive a killed run by more than what it is at. `runner.store.errand` is its side.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, Self, cast

from runner.errors import Unavailable
from runner.store.remote import Opened, Retrying
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.errors import RemoteError
    from runner.store.cache import Cache
    from runner.store.remote import Remote

_MOST: Final = 3
"""Workers of this process at once, where there are cores for them: as a usual machine of CI has."""

_PROGRAM: Final = "import sys; sys.path[:] = sys.argv[1:]; from runner.store.errand import main; main()"
"""Isolated, for a user's folder may hold a package `runner`; what this process imports from, the worker does too."""

_room = threading.Semaphore(min(_MOST, (os.cpu_count() or 1) - 1))


@dataclass(frozen=True)
class Errand:
    """What a worker does: brings objects into the cache at a folder or sends them, and how both are opened."""

    doing: Literal["fetch", "push"]
    opened: Opened
    cache: str
    shared: bool


class Worker:
    """A process at work, for which there was room. One thread at a time gives it names; any may stop it."""

    def __init__(self, errand: Errand) -> None:
        """Start it; see `begin`."""
        self._errand = errand
        self._make_room = _room.release
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM, *sys.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._given = cast("BinaryIO", self._process.stdin)
        self._answers = cast("BinaryIO", self._process.stdout)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let it go, and wait until it has."""
        with suppress(OSError):
            self._given.close()
        self._process.wait()
        self._answers.close()
        self._make_room()

    def begin(self) -> None:
        """Have it open remote and cache, and wait until it has.

        Raises:
            Unavailable: the process has ended.

        """
        self._tell(self._errand)
        self._heard()

    def move(self, keys: Sequence[str]) -> list[int | RemoteError]:
        """Give what became of the first ones of some objects, one at least: their bytes, or why they were not moved.

        Raises:
            Unavailable: the process has ended. What it had moved is there, and nothing under a final name is half.

        """
        self._tell(keys)
        return self._heard()

    def stop(self) -> None:
        """End it at once."""
        self._process.kill()

    def _tell(self, what: object) -> None:
        try:
            pickle.dump(what, self._given)
            self._given.flush()
        except OSError:
            raise self._ended() from None

    def _heard(self) -> list[int | RemoteError]:
        try:
            answer: list[int | RemoteError] = pickle.load(self._answers)  # noqa: S301 - from our own process
        except (EOFError, OSError, pickle.UnpicklingError):
            raise self._ended() from None
        return answer

    def _ended(self) -> Unavailable:
        code = self._process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        message = f"a process that was to {self._errand.doing} objects ended with {how}"
        return Unavailable(message, "run again: what is done is kept. Memory may have run out: see the system's log")


def start(doing: Literal["fetch", "push"], remote: Remote, cache: Cache) -> Worker | None:
    """Start a worker; `None` where there are enough, or nothing another process could open.

    A directory needs none: the disk is what is waited for, and what is stored there is written through together.
    """
    if not isinstance(remote, Retrying) or remote.opened is None:
        return None
    scheme, separator, _ = remote.opened.url.partition("://")
    if not separator or scheme == "file" or not _room.acquire(blocking=False):
        return None
    try:
        return Worker(Errand(doing, remote.opened, os.fspath(cache.root), cache.shared))
    except OSError:  # no more processes, or no memory for one: this one does it alone
        _room.release()
        return None
