"""Threads for what blocks: commands, transfers, hashing. What they do changes nothing that two of them share."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from math import inf
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

_WAKE: Final = 0.2
"""Seconds after which a wait is taken up anew: Python hears of a signal that came right before a wait only after it."""


@dataclass(frozen=True, slots=True)
class Done:
    """Work that has ended: whose it was, and what it gave or raised."""

    key: str
    answer: Any = None
    error: BaseException | None = None


class Workers:
    """Threads, as many as there is work at once; they end with the process at the latest."""

    def __init__(self) -> None:
        """Hire nobody yet."""
        self._asked: SimpleQueue[tuple[str, Callable[[], object]] | None] = SimpleQueue()
        self._done: SimpleQueue[Done] = SimpleQueue()
        self._hired = 0
        self.at_work: set[str] = set()
        """Whose work was started and not handed back yet."""

    def start(self, key: str, work: Callable[[], object]) -> None:
        """Do `work` on a thread of its own; a key has one work at a time."""
        self.at_work.add(key)
        if len(self.at_work) > self._hired:
            self._hired += 1
            threading.Thread(target=self._shift, daemon=True).start()
        self._asked.put((key, work))

    def next(self, seconds: float | None = None) -> Done | None:
        """Wait until something has ended; `None` where nothing has in so many seconds."""
        deadline = inf if seconds is None else time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            with suppress(Empty):
                done = self._done.get(timeout=min(left, _WAKE))
                self.at_work.discard(done.key)
                return done
        return None

    def close(self) -> None:
        """Let everybody go, once what they are at has ended."""
        for _ in range(self._hired):
            self._asked.put(None)

    def _shift(self) -> None:
        while (asked := self._asked.get()) is not None:
            key, work = asked
            try:
                done = Done(key, work())
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                done = Done(key, error=error)
            self._done.put(done)
