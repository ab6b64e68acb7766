"""Doing the same for very many objects: by a few threads, more while they wait, and by processes while they do not."""

from __future__ import annotations

import logging
import os
import threading
import time
from itertools import islice
from typing import TYPE_CHECKING, Final

from runner.errors import Corrupt, ObjectMissing, RemoteError, Unavailable
from runner.store.meter import Meter, Tally, Work, nobody_knows
from runner.store.moved import Failure, Moved
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from runner.hashes import Hash
    from runner.store.meter import Report
    from runner.store.worker import Worker

logger = logging.getLogger("retrain")

_HOPELESS = 3
"""So many refusals with no success between them, and the rest is not tried: each has used up its retries already.
Objects that are missing or broken do not count: they say nothing about the next one."""

_PATIENCE = 5.0
"""Seconds that an interrupted transfer waits for requests under way."""

_WORTH = 0.002
"""Seconds an object must take for more threads to be worth their cost."""

_SMALL = 64 * 1024
"""Bytes. What an object below costs is Python's, so that threads which use a whole core wait for its lock; hashing
larger ones gives the lock away, and each core is of use."""

_ALONE = 2
"""Fewer objects than this need no thread."""

MANY = 2000
"""So many objects are worth the start of a process, a tenth of a second on a core of its own."""

_BATCH = 64
"""Objects that a process is given at a time."""

_LONGEST: Final = 0.1
"""Seconds between two looks at a crew that needs nobody else."""


def each(  # noqa: PLR0913 - the last four have defaults
    work: Callable[[Hash, Report], int],
    names: Collection[Hash],
    jobs: int,
    meter: Meter | None = None,
    doing: str = "",
    *,
    total: Callable[[], int] = nobody_knows,
    start: Callable[[], Worker | None] | None = None,
) -> Moved:
    """Do `work` for each name, at most `jobs` at once; what it refuses is collected.

    The crew is doubled as long as its threads mostly wait, each for longer than `_WORTH` an object: small files on a
    fast disk are moved fastest by one thread, requests over a network by many. Where the threads of many small objects
    do not wait, it is Python that takes the time, and processes join.

    Args:
        work: moves one object and gives its bytes; it may tell of them earlier, as they go over.
        names: the objects.
        jobs: how many at once.
        meter: shows how far it is.
        doing: what it is then called.
        total: gives the bytes of all of it, if they are known; see `Work`.
        start: starts a process that does the same work, if there is room for one.

    Raises:
        BaseException: whatever is not a `RemoteError` about one object; the rest is not done then.

    """
    crew = _Crew(work, names, min(jobs, len(names)))
    with (meter or Meter()).watch(Work(doing, crew.counts, len(names), total)):
        _finish(crew, start)
    return crew.result()


def _finish(crew: _Crew, start: Callable[[], Worker | None] | None) -> None:
    """Let a crew of threads, and of the processes that `start` starts, do all of its work."""
    if crew.most < _ALONE:
        crew.run()
        return
    try:
        crew.hire(1)
        pause = _WORTH
        while not crew.idle.wait(pause):
            seen = crew.look()
            if seen.is_waiting and crew.size < crew.most:
                crew.hire(crew.size)
                pause = _WORTH * crew.size
                continue
            if seen.is_small and not seen.is_waiting and start:
                crew.share(start)
                start = None
            pause = min(2 * pause, _LONGEST)
    except BaseException:
        crew.stop()
        crew.idle.wait(_PATIENCE)
        raise


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a crew of so many threads has done in a while: objects and bytes, seconds on the clock and of the CPU."""

    size: int
    objects: int
    bytes: int
    elapsed: float
    used: float

    @property
    def is_waiting(self) -> bool:
        """Whether each thread has mostly waited, longer than `_WORTH` an object, and not for another one.

        That is: all together used less of the CPU than they could have.
        """
        cores = 1 if self.is_small else os.cpu_count() or 1
        return self.objects * _WORTH < self.size * self.elapsed and self.used < cores * self.elapsed

    @property
    def is_small(self) -> bool:
        """Whether there were objects, and small ones."""
        return self.bytes < self.objects * _SMALL


class _Crew:
    """Threads that take names from one pile: no queue and no task a name, which small files would not be worth.

    A process takes several at a time, through a thread of its own here.

    Attributes:
        size: how many threads and processes are at it.
        most: how many may be.
        idle: set when nobody is any more.

    """

    def __init__(self, work: Callable[[Hash, Report], int], names: Collection[Hash], most: int) -> None:
        self.size = 0
        self.most = most
        self.idle = threading.Event()
        self._work = work
        self._pile: Iterator[Hash] = iter(names)
        self._worth = len(names) // MANY
        self._back: list[Hash] = []
        self._lock = threading.Lock()
        self._at_work = 0
        self._stopped = False
        self._workers: list[Worker] = []
        self._objects = 0
        self._before = (0, 0, time.perf_counter(), time.process_time())
        self._bytes = 0
        self._under_way: list[Tally] = []
        self._failed: list[Failure] = []
        self._refusals = 0
        self._fatal: BaseException | None = None

    def hire(self, more: int) -> None:
        """Let so many more threads work, if they may; they end with the process at the latest."""
        for _ in range(more):
            if self._enter():
                threading.Thread(target=self._shift, args=(self.run,), daemon=True).start()

    def share(self, start: Callable[[], Worker | None]) -> None:
        """Let processes work too, as many as are worth it and `start` starts; nobody waits until they begin."""
        while len(self._workers) < self._worth and self._enter():
            worker = start()
            if worker is None:
                self._leave()
                break
            self._workers.append(worker)
        for worker in self._workers:
            threading.Thread(target=self._oversee, args=(worker,), daemon=True).start()

    def look(self) -> _Seen:
        """Give what was done since this was asked last."""
        now, before = (*self.counts(), time.perf_counter(), time.process_time()), self._before
        self._before = now
        return _Seen(self.size, now[0] - before[0], now[1] - before[1], now[2] - before[2], now[3] - before[3])

    def run(self) -> None:
        """Work until the pile is gone."""
        tally = Tally()
        self._under_way.append(tally)
        while several := self._next(1):
            try:
                moved = self._work(several[0], tally.report)
            except RemoteError as error:
                self._refused(several[0], error, tally)
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                self._end(error)
            else:
                self._done(moved, tally)

    def _enter(self) -> bool:
        """Count one more, if there may be one."""
        with self._lock:
            if self.size == self.most:
                return False
            self.size += 1
            return True

    def _leave(self) -> None:
        """Count one less."""
        with self._lock:
            self.size -= 1

    def _shift(self, work: Callable[[], None]) -> None:
        """Work as one of those who are waited for. Who comes when the pile is gone finds nothing to do."""
        with self._lock:
            self._at_work += 1
        work()
        with self._lock:
            self._at_work -= 1
            if not self._at_work:
                self.idle.set()

    def _oversee(self, worker: Worker) -> None:
        """Let a process work until the pile is gone. Where it does not come to begin, this process does all of it."""
        with worker:
            try:
                worker.begin()
            except Unavailable as error:
                self._leave()
                if not self._stopped:
                    logger.warning("%s; going on without it", error.message)
            else:
                self._shift(lambda: self._give(worker))

    def _give(self, worker: Worker) -> None:
        """Give a process names until the pile is gone."""
        try:
            while several := self._next(_BATCH):
                self._answered(several, worker.move([name.key for name in several]))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            if not self._stopped:
                self._end(error)

    def _answered(self, several: Sequence[Hash], outcomes: Sequence[int | RemoteError]) -> None:
        """Note what became of the first of several objects; the others go back."""
        tally = Tally()
        with self._lock:
            self._back += several[len(outcomes) :]
        for name, outcome in zip(several, outcomes, strict=False):
            if isinstance(outcome, RemoteError):
                self._refused(name, outcome, tally)
            else:
                self._done(outcome, tally)

    def _end(self, error: BaseException) -> None:
        """Give all of it up for this reason."""
        self._fatal = error
        self.stop()

    def stop(self) -> None:
        """Let nobody start on another name."""
        with self._lock:
            self._stopped = True
            self._pile, self._back = iter(()), []
        for worker in self._workers:
            worker.stop()

    def result(self) -> Moved:
        """Give what was done; the duration is the caller's to add."""
        if self._fatal:
            raise self._fatal
        return Moved(self._objects, self._bytes, 0.0, tuple(self._failed))

    def counts(self) -> tuple[int, int]:
        """Give the objects that are done, and the bytes that went over, those of objects under way too."""
        with self._lock:
            return self._objects, self._bytes + sum(tally.bytes for tally in self._under_way)

    def _next(self, most: int) -> Sequence[Hash]:
        """Take up to so many names from the pile."""
        with self._lock:
            if self._stopped:
                return ()
            if self._back:
                taken, self._back = self._back[:most], self._back[most:]
                return taken
            return tuple(islice(self._pile, most))

    def _done(self, moved: int, tally: Tally) -> None:
        with self._lock:
            tally.bytes = 0
            self._objects += 1
            self._bytes += moved
            self._refusals = 0

    def _refused(self, name: Hash, error: RemoteError, tally: Tally) -> None:
        """Note a failure; where one after the other is refused, give up the rest with the same reason."""
        with self._lock:
            tally.bytes = 0
            error.__traceback__ = error.__context__ = error.__cause__ = None  # 5 KB, and it may be one of very many
            self._failed.append(Failure(name.key, error))
            self._refusals += not isinstance(error, (ObjectMissing, Corrupt))
            if self._refusals >= _HOPELESS:
                kind = type(error)
                message = f"not tried after {self._refusals} failures in a row; the last: {error.message}"
                left = [*self._back, *self._pile]
                self._failed += [Failure(name.key, kind(message, error.hint)) for name in left]
                self._back = []
