"""Pieces of work side by side, their results in order, never more of them in memory than lanes.

Daemon threads, not an executor's: Python waits for those when it ends, and an interrupted transfer must not wait for
a server that has fallen silent.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")


def in_order(work: Callable[[T], R], pieces: Sequence[T], lanes: int) -> Iterator[R]:
    """Give what `work` gives for each of `pieces`, in their order.

    At most `lanes` results are being made or wait to be taken. Whoever stops taking them (`close`, or an error) stops
    the work: what is under way is left to end by itself.

    Raises:
        BaseException: what `work` raised, in its turn.

    """
    crew = _Lanes(work, pieces, lanes)
    try:
        for number in range(len(pieces)):
            yield crew.take(number)
    finally:
        crew.stop()


class _Lanes(Generic[T, R]):
    def __init__(self, work: Callable[[T], R], pieces: Sequence[T], lanes: int) -> None:
        self._work = work
        self._pieces = pieces
        self._results: dict[int, Future[R]] = {number: Future() for number in range(min(lanes, len(pieces)))}
        self._room = threading.Semaphore(lanes)
        self._lock = threading.Lock()
        self._next = 0
        self._stopped = False
        for _ in self._results:
            threading.Thread(target=self._drive, daemon=True).start()

    def take(self, number: int) -> R:
        """Wait for the result of that number, and make room for another one."""
        with self._lock:
            future = self._results.setdefault(number, Future())
        result = future.result()
        with self._lock:
            del self._results[number]
        self._room.release()
        return result

    def stop(self) -> None:
        """Begin no further piece, and let go of what was done."""
        with self._lock:
            self._stopped = True
            self._results.clear()
        self._room.release()  # each that leaves lets the next one in, to leave too

    def _drive(self) -> None:
        while (number := self._enter()) is not None:
            with self._lock:
                future = self._results.setdefault(number, Future())
            try:
                future.set_result(self._work(self._pieces[number]))
            except BaseException as error:  # noqa: BLE001 - handed to whoever takes the result
                future.set_exception(error)
                return

    def _enter(self) -> int | None:
        """Wait until there is room; give the number of the next piece, `None` at the end."""
        self._room.acquire()
        with self._lock:
            if self._stopped or self._next == len(self._pieces):
                self._room.release()
                return None
            self._next += 1
            return self._next - 1
