"""How far a long operation is: counted here, shown by whoever wants to. Counting costs an addition a chunk."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    Report = Callable[[int], object]
    """Takes how many bytes more went over; a negative number takes back what has to go over again."""


def unheard(_more: int, /) -> None:
    """Take a report that nobody wants."""


def nobody_knows() -> int:
    """Give the bytes of work that tells of none before."""
    return 0


def once(count: Callable[[], int]) -> Callable[[], int]:
    """Have bytes added up when they are first asked for, and not again."""
    return cache(count)


class Reported:
    """A file that tells of what is read from it; everything else is the file's own."""

    def __init__(self, file: BinaryIO, report: Report) -> None:
        """Read from `file`."""
        self._file = file
        self._report = report

    def read(self, size: int = -1, /) -> bytes:
        """Give the next bytes."""
        chunk = self._file.read(size)
        self._report(len(chunk))
        return chunk

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the file has
        """Give what else a file has: its position, its descriptor."""
        return getattr(self._file, name)


class Tally:
    """Objects that are finished, and bytes that went over."""

    __slots__ = ("bytes", "objects")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.objects = 0
        self.bytes = 0

    def report(self, more: int, /) -> None:
        """Count bytes."""
        self.bytes += more

    def counts(self) -> tuple[int, int]:
        """Give objects and bytes so far."""
        return self.objects, self.bytes


@dataclass(frozen=True, slots=True)
class Work:
    """An operation that is under way.

    Attributes:
        doing: one word: fetch, push, checkout, hash, verify, remove.
        done: gives the objects and bytes done so far; called from another thread.
        objects: how many there are to do.
        bytes: gives how many bytes that is, 0 where nobody knows before. Only what is shown is asked, again and again
            and from another thread: what has to be added up is kept.

    """

    doing: str
    done: Callable[[], tuple[int, int]]
    objects: int
    bytes: Callable[[], int] = nobody_knows


class Meter:
    """Watches operations and shows nothing of them."""

    def watch(self, _work: Work, /) -> AbstractContextManager[object]:
        """Show `work` until the block ends, if it takes long enough to be worth it."""
        return nullcontext()
