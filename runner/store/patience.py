"""When something that storage did not do is worth another try, and when it is dead. Knows no storage."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from runner.errors import Unavailable
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import tenacity
    from tenacity.wait import WaitBaseT

    class Restartable(Protocol):
        """What `fill` fills."""

        def restart(self) -> None:
            """Forget everything written so far."""


T = TypeVar("T")
S = TypeVar("S", bound="Restartable")
logger = logging.getLogger("retrain")

BUDGET: Final = 60.0
"""Seconds in which one request may be tried again."""

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 20.0
"""Seconds; each wait is drawn evenly from nothing to a bound that doubles from the first to the longest."""


@dataclass(frozen=True)
class Pace:
    """How slowly bytes may come before the connection counts as dead: one byte a second keeps any timeout quiet.

    Attributes:
        window: seconds over which it is judged.
        slowest: bytes a second.

    """

    window: float = 60.0
    slowest: float = 1000.0

    def kept(self, chunks: Iterable[bytes], clock: Callable[[], float] = time.monotonic) -> Iterator[bytes]:
        """Pass `chunks` on as they come.

        Raises:
            Unavailable: they come too slowly.

        """
        since, arrived = clock(), 0
        for chunk in chunks:
            arrived += len(chunk)
            seconds = clock() - since
            if seconds >= self.window:
                if arrived < self.slowest * seconds:
                    message = f"only {arrived} bytes arrived in {seconds:.0f} s"
                    raise Unavailable(message, "the storage or the way to it is too slow to be of use; try again later")
                since, arrived = clock(), 0
            yield chunk


class Patience:
    """Tries again, with full jitter, what was `Unavailable`. Nothing else is worth a second try.

    A storage that says when to come back (`Retry-After`) is not asked before, and given up at once where that is later
    than the budget allows.

    Attributes:
        retries: how many further tries there have been so far.
        pace: how slowly bytes may come.

    """

    def __init__(
        self, budget: float = BUDGET, sleep: Callable[[float], None] = time.sleep, pace: Pace | None = None
    ) -> None:
        """Be patient.

        Args:
            budget: seconds a call may take before a further try; a try that has begun is not cut off.
            sleep: waits so many seconds.
            pace: how slowly bytes may come.

        """
        self.retries = 0
        self.pace = pace or Pace()
        self._sleep = sleep
        self._budget = budget
        self._lock = threading.Lock()
        self._down = False

    def call(self, attempt: Callable[[], T]) -> T:
        """Give what `attempt` gives, in the end.

        A storage that used up a whole budget gets one try a call from then on, until one succeeds: what is down for one
        object is down for all, and a thousand budgets would be hours.
        """
        began = time.monotonic()
        try:
            given = attempt()  # bare: tenacity costs half as much as a small request, and hardly any needs it
        except Unavailable as error:
            given = self._again(attempt, error, self._budget - (time.monotonic() - began))
        self._down = False
        return given

    def _again(self, attempt: Callable[[], T], first: Unavailable, left: float) -> T:
        """Go on after the `first` refusal for as many seconds as are `left`."""
        import tenacity  # noqa: PLC0415 - as long to load as everything else here, and hardly any run retries

        refused = [first]

        def further() -> T:
            if refused:
                raise refused.pop()
            return attempt()

        patient = tenacity.stop_before_delay(left)
        try:
            return tenacity.Retrying(
                retry=tenacity.retry_if_exception_type(Unavailable),
                wait=_asked_for(tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)),
                stop=tenacity.stop_after_attempt(1) if self._down else patient,
                before_sleep=self._count,
                sleep=self._sleep,
                reraise=True,
            )(further)
        except Unavailable:
            self._down = True
            raise

    def fill(self, get: Callable[[S], None], sink: S) -> None:
        """Let `get` write into `sink`, which starts anew with each try."""

        def attempt() -> None:
            if started:
                sink.restart()
            started.append(True)
            get(sink)

        started: list[bool] = []
        self.call(attempt)

    def _count(self, state: tenacity.RetryCallState) -> None:
        with self._lock:
            self.retries += 1
        error = state.outcome and state.outcome.exception()
        logger.info("trying again in %.1f s: %s", state.upcoming_sleep, getattr(error, "message", error))


def _asked_for(wait: WaitBaseT) -> Callable[[tenacity.RetryCallState], float]:
    """Wait as long as the storage asked for, or as long as `wait` says if that is longer."""

    def seconds(state: tenacity.RetryCallState) -> float:
        error = state.outcome and state.outcome.exception()
        asked = error.after if isinstance(error, Unavailable) else 0.0
        return max(asked, wait(state))

    return seconds
