"""Moving objects between a remote and the cache: what is missing, in what order, verified, and proved.

Presence is asked of the side itself, never of an index. Objects arrive verified, and are hashed again before they
leave. Files go before the listings that name them, so that a listing that is there stands for a whole directory.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import Corrupt, ObjectMissing, RemoteError, Unavailable
from runner.hashes import Names
from runner.store import presence
from runner.store.meter import Meter, Tally, Work, unheard
from runner.store.protocols import Together, creating
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from contextlib import AbstractContextManager

    from runner.hashes import Hash
    from runner.store.cache import Cache
    from runner.store.meter import Report
    from runner.store.protocols import Put
    from runner.store.remote import Remote

_HOPELESS = 3
"""So many refusals with no success between them, and the rest is not tried: each has used up its retries already.
Objects that are missing or broken do not count: they say nothing about the next one."""

_TRIES = 2
"""A remote may send wrong bytes once; twice means that it holds them."""

_PATIENCE = 5.0
"""Seconds that an interrupted transfer waits for requests under way."""

_WORTH = 0.002
"""Seconds an object must take for more threads to be worth their cost."""

_SMALL = 64 * 1024
"""Bytes. What an object below costs is Python's, so that threads which use a whole core wait for its lock; hashing
larger ones gives the lock away, and each core is of use."""

_ALONE = 2
"""Fewer objects than this need no thread."""


@dataclass(frozen=True)
class Failure:
    """An object that could not be moved: its name below the remote's root, and why."""

    name: str
    error: RemoteError


@dataclass(frozen=True)
class Moved:
    """What a transfer did: objects and bytes that went over, seconds it took, and what failed."""

    objects: int
    bytes: int
    seconds: float
    failed: tuple[Failure, ...]

    def __add__(self, other: Moved) -> Moved:
        """Give the sum of two transfers, one after the other."""
        return Moved(
            self.objects + other.objects,
            self.bytes + other.bytes,
            self.seconds + other.seconds,
            self.failed + other.failed,
        )


def fetch(
    remote: Remote, cache: Cache, names: Iterable[Hash], jobs: int, clock: Callable[[], float] = time.monotonic
) -> Moved:
    """Bring into the cache what it lacks of `names`: listings first, then the files of all of them.

    A cached listing is read, so a broken one is fetched anew; cached files are trusted until they are used.

    Args:
        remote: where from.
        cache: where to.
        names: files, and listings, which stand for their directory's files too.
        jobs: requests at once.
        clock: seconds, for the duration.

    """
    start = clock()
    wanted = dict.fromkeys(names)

    def bring(name: Hash, report: Report) -> int:
        return _bring(remote, cache, name, report)

    listings = [name for name in wanted if name.is_dir]
    first = each(bring, [name for name in listings if not _readable(cache, name)], jobs, cache.meter, "fetch")
    files = [Names.of(name for name in wanted if not name.is_dir)]
    lost = {failure.name for failure in first.failed}
    unreadable = []
    for listing in listings:
        if listing.key in lost:
            continue
        try:
            files.append(cache.tree(listing).names)
        except (Corrupt, ObjectMissing) as error:
            unreadable.append(Failure(listing.key, error))
    second = each(bring, cache.missing(Names.united(files)), jobs, cache.meter, "fetch")
    return first + second + Moved(0, 0, clock() - start, tuple(unreadable))


def push(
    remote: Remote, cache: Cache, names: Iterable[Hash], jobs: int, clock: Callable[[], float] = time.monotonic
) -> Moved:
    """Send to the remote what it lacks of `names`, files before listings, then prove that all of it is there.

    The remote is asked about each file of a directory, also where it has the listing. An object of another size than
    ours counts as lacking. An object that only the remote has is fine. A listing that the cache lacks is fetched.

    Raises:
        Denied, Unavailable: the remote could not be asked what it holds.

    """
    start = clock()
    wanted = dict.fromkeys(names)
    absent = [name for name in wanted if name.is_dir and not _readable(cache, name)]
    listings = each(lambda name, report: _bring(remote, cache, name, report), absent, jobs)
    lost = {failure.name for failure in listings.failed}
    everything = expand(cache, [name for name in wanted if name.key not in lost])
    lacking = _lacking(remote, cache, everything)

    with _together(remote) as put:
        go = partial(send, put, cache)
        sent = each(go, Names.of(name for name in lacking if not name.is_dir), jobs, cache.meter, "push")
    failed = {failure.name for failure in sent.failed}
    whole, halves = _whole(cache, (name for name in lacking if name.is_dir), failed)
    sent += each(partial(send, creating(remote), cache), whole, jobs)
    failed |= {failure.name for failure in sent.failed}
    failed |= halves.keys()
    unproved = _unproved(remote, cache, Names.of(name for name in lacking if name.key not in failed))
    failures = listings.failed + tuple(Failure(key, error) for key, error in {**halves, **unproved}.items())
    return sent + Moved(0, 0, clock() - start, failures)


def expand(cache: Cache, names: Iterable[Hash]) -> Names:
    """Give each object that `names` stand for: the files, those of listings included, and the listings.

    Raises:
        ObjectMissing, Corrupt: a listing is not in the cache.

    """
    heads = Names.of(names)
    return Names.united([heads, *(cache.tree(name).names for name in heads.others if name.is_dir)])


def _bring(remote: Remote, cache: Cache, name: Hash, report: Report) -> int:
    """Fetch one object, once more if other bytes arrive; give its size."""
    for left in reversed(range(_TRIES)):
        try:
            with cache.write(name, report) as incoming:
                remote.get(name.key, incoming)
        except Corrupt:
            if not left:
                raise
        else:
            return incoming.size
    raise AssertionError


def send(put: Put, cache: Cache, name: Hash, report: Report = unheard) -> int:
    """Send one object by `put`, hashed just before; give its size. A small one is read once for both."""
    content = cache.small(name)
    if content is not None:
        put(name.key, content, report)
        return len(content)
    place = cache.prove(name)
    put(name.key, Path(place), report)
    return os.stat(place).st_size  # noqa: PTH116 - a Path costs more


def _together(remote: Remote) -> AbstractContextManager[Put]:
    return remote.together() if isinstance(remote, Together) else nullcontext(creating(remote))


def _readable(cache: Cache, listing: Hash) -> bool:
    try:
        cache.tree(listing)
    except (Corrupt, ObjectMissing):
        return False
    return True


def _lacking(remote: Remote, cache: Cache, names: Names) -> Names:
    """Give those of `names` that the remote does not have, or not in the size they have in the cache."""
    there = presence.held(remote, names)
    return names - Names.of(name for name, size in there if _fits(cache, name, size))


def _fits(cache: Cache, name: Hash, size: int) -> bool:
    try:
        return size == os.stat(cache.place(name)).st_size  # noqa: PTH116 - a Path costs more
    except FileNotFoundError:
        return True


def _whole(cache: Cache, listings: Iterable[Hash], failed: set[str]) -> tuple[list[Hash], dict[str, RemoteError]]:
    """Part the listings whose files are all there from those that would promise too much."""
    whole: list[Hash] = []
    halves: dict[str, RemoteError] = {}
    for listing in listings:
        short = sum(member.key in failed for _, member in cache.tree(listing).members()) if failed else 0
        if short:
            message = f"{listing} was not sent: {short} files of that directory are not in the remote"
            halves[listing.key] = RemoteError(message, "mend what is said about those files and push again")
        else:
            whole.append(listing)
    return whole, halves


def _unproved(remote: Remote, cache: Cache, sent: Names) -> dict[str, RemoteError]:
    """Ask for everything that was sent."""
    if not sent:
        return {}
    hint = "the remote may show new objects late; push again, and look at its logs if this comes back"
    return {
        name.key: Unavailable(f"{name.key} was sent to {remote.url} and is not there", hint)
        for name in _lacking(remote, cache, sent)
    }


def each(
    work: Callable[[Hash, Report], int], names: Collection[Hash], jobs: int, meter: Meter | None = None, doing: str = ""
) -> Moved:
    """Do `work` for each name, at most `jobs` at once; what it refuses is collected.

    The crew is doubled as long as its threads mostly wait, each for longer than `_WORTH` an object: small files on a
    fast disk are moved fastest by one thread, requests over a network by many.

    Args:
        work: moves one object and gives its bytes; it may tell of them earlier, as they go over.
        names: the objects.
        jobs: how many at once.
        meter: shows how far it is.
        doing: what it is then called.

    Raises:
        BaseException: whatever is not a `RemoteError` about one object; the rest is not done then.

    """
    crew = _Crew(work, names)
    with (meter or Meter()).watch(Work(doing, crew.counts, len(names))):
        _finish(crew, min(jobs, len(names)))
    return crew.result()


def _finish(crew: _Crew, most: int) -> None:
    """Let a crew of at most so many threads do all of its work."""
    if most < _ALONE:
        crew.run()
        return
    try:
        crew.hire(1)
        while crew.size < most and not crew.idle.wait(_WORTH * crew.size):
            if crew.is_waiting():
                crew.hire(min(crew.size, most - crew.size))
        crew.idle.wait()
    except BaseException:
        crew.stop()
        crew.idle.wait(_PATIENCE)
        raise


class _Crew:
    """Threads that take names from one pile: no queue and no task a name, which small files would not be worth."""

    def __init__(self, work: Callable[[Hash, Report], int], names: Collection[Hash]) -> None:
        self.size = 0
        self.idle = threading.Event()
        self._work = work
        self._pile: Iterator[Hash] = iter(names)
        self._lock = threading.Lock()
        self._at_work = 0
        self._objects = 0
        self._before = (0, 0, time.perf_counter(), time.process_time())
        self._bytes = 0
        self._under_way: list[Tally] = []
        self._failed: list[Failure] = []
        self._refusals = 0
        self._fatal: BaseException | None = None

    def hire(self, more: int) -> None:
        """Let so many more threads work; they end with the process at the latest."""
        with self._lock:
            self.size += more
            self._at_work += more
        for _ in range(more):
            threading.Thread(target=self._shift, daemon=True).start()

    def is_waiting(self) -> bool:
        """Whether the threads have mostly waited since this was asked last, and not for each other.

        That is: each longer than `_WORTH` an object, all together with less of the CPU than they could have used.
        """
        now = (*self.counts(), time.perf_counter(), time.process_time())
        objects, moved, elapsed, used = (one - other for one, other in zip(now, self._before, strict=True))
        self._before = now
        cores = 1 if moved < objects * _SMALL else os.cpu_count() or 1
        return objects * _WORTH < self.size * elapsed and used < cores * elapsed

    def run(self) -> None:
        """Work until the pile is gone."""
        tally = Tally()
        self._under_way.append(tally)
        while (name := self._next()) is not None:
            try:
                moved = self._work(name, tally.report)
            except RemoteError as error:
                self._refused(name, error, tally)
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                self._fatal = error
                self.stop()
            else:
                self._done(moved, tally)

    def _shift(self) -> None:
        self.run()
        with self._lock:
            self._at_work -= 1
            if not self._at_work:
                self.idle.set()

    def stop(self) -> None:
        """Let nobody start on another name."""
        with self._lock:
            self._pile = iter(())

    def result(self) -> Moved:
        """Give what was done; the duration is the caller's to add."""
        if self._fatal:
            raise self._fatal
        return Moved(self._objects, self._bytes, 0.0, tuple(self._failed))

    def counts(self) -> tuple[int, int]:
        """Give the objects that are done, and the bytes that went over, those of objects under way too."""
        with self._lock:
            return self._objects, self._bytes + sum(tally.bytes for tally in self._under_way)

    def _next(self) -> Hash | None:
        with self._lock:
            return next(self._pile, None)

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
            self._failed.append(Failure(name.key, error))
            self._refusals += not isinstance(error, (ObjectMissing, Corrupt))
            if self._refusals >= _HOPELESS:
                kind = type(error)
                message = f"not tried after {self._refusals} failures in a row; the last: {error.message}"
                self._failed += [Failure(left.key, kind(message, error.hint)) for left in self._pile]
