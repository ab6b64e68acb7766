"""How far what takes long is: a line that lives on a terminal, a plain line every half minute elsewhere.

One thread looks now and then at what others count anyway; nothing that is moved waits for it. Rich is loaded only when
there is something to draw. Standard output is never written to.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from runner import log
from runner.review import words
from runner.store.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from rich.progress import Progress as Bar

    from runner.store.meter import Work

logger = logging.getLogger("retrain")

EVERY: Final = 30.0
"""Seconds between two lines of a log: fewer and a CI service may take the job for dead."""

OFTEN: Final = 0.25
"""Seconds between two looks where a terminal shows them."""


WORTH_TELLING: Final = 1.0
"""Seconds from which on an operation is summed up when it has ended."""


class Progress(Meter):
    """Shows the operation that began first of those under way; the thread that looks ends with the process."""

    def __init__(
        self, terminal: TextIO | None, every: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Show operations.

        Args:
            terminal: where a live line is drawn; `None`: plain lines go to the log.
            every: seconds between two looks; 0: as fits the place.
            clock: seconds.

        """
        self._terminal = terminal
        self._every = every or (OFTEN if terminal else EVERY)
        self._clock = clock
        self._under_way: list[tuple[Work, float]] = []
        self._lock = threading.Lock()
        self._looking: threading.Thread | None = None
        self._bar: Bar | None = None

    @contextmanager
    def watch(self, work: Work, /) -> Iterator[None]:
        """See `Meter`."""
        if not work.objects:
            yield
            return
        begun = (work, self._clock())
        self._under_way.append(begun)
        if self._looking is None:
            self._looking = threading.Thread(target=self._look_for_ever, daemon=True)
            self._looking.start()
        try:
            yield
        finally:
            with self._lock:  # who is about to draw a first line is waited for: nobody would take it away
                self._under_way.remove(begun)
                self._clear()
            if not self._under_way and (took := self._clock() - begun[1]) >= WORTH_TELLING:
                logger.info("%s", summary(work, took))

    def _look_for_ever(self) -> None:
        while True:
            time.sleep(self._every)
            self._look()

    def _look(self) -> None:
        if self._terminal and self._under_way:
            import rich.progress  # noqa: F401, PLC0415 - takes a while, for which nobody is to wait who has the lock
        with self._lock:
            now = self._clock()
            under_way = self._under_way[:1]
            for work, since in under_way:
                if now - since >= self._every:
                    self._show(work, now - since)

    def _show(self, work: Work, seconds: float) -> None:
        text, part = line(work, seconds)
        if self._terminal is None:
            logger.info("%s", text)
            return
        if self._bar is None:
            self._bar = _bar(self._terminal)
            self._bar.add_task("", total=1.0)
            self._bar.start()
            log.redirect(self._bar.console)
        self._bar.update(self._bar.task_ids[0], description=text, completed=part, refresh=True)

    def _clear(self) -> None:
        """Take the live line away: what is written next has the terminal for itself."""
        if self._bar is not None:
            log.redirect(None)
            self._bar.stop()
            self._bar = None


def line(work: Work, seconds: float) -> tuple[str, float]:
    """Give what is said of an operation after so many seconds, and which part of it is done, from 0 to 1.

    The time left is that of the bytes where it is known how many there are and some were moved (links move none), else
    that of the objects.
    """
    objects, size = work.done()
    total = work.bytes()
    shown = f"{words.size(size)} of {words.size(total)}" if total else words.size(size)
    part = min(size / total if total and size else objects / work.objects, 1.0)
    rate = f"{words.size(round(size / seconds))}/s" if size else f"{objects / seconds:.0f}/s"
    left = f", {words.seconds(seconds / part - seconds)} left" if part else ""
    return f"{work.doing}: {objects:,} of {words.count(work.objects, 'object')}, {shown}, {rate}{left}", part


def summary(work: Work, seconds: float) -> str:
    """Say what an operation did in so many seconds."""
    objects, size = work.done()
    rate = f"{words.size(round(size / seconds))}/s" if size else f"{objects / seconds:.0f}/s"
    return f"{work.doing}: {words.count(objects, 'object')}, {words.size(size)} in {words.seconds(seconds)}, {rate}"


def _bar(terminal: TextIO) -> Bar:
    from rich.console import Console  # noqa: PLC0415 - most calls draw nothing
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 - as above

    console = Console(file=terminal, force_terminal=True)
    text = TextColumn("{task.description}", markup=False)
    return Progress(BarColumn(bar_width=20), text, console=console, auto_refresh=False, transient=True)
