"""Moving objects between a remote and the cache: what is missing, in what order, verified, and proved.

Presence is asked of the side itself, never of an index. Objects arrive verified, and are hashed again before they
leave. Files go before the listings that name them, so that a listing that is there stands for a whole directory.
"""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from runner.errors import Corrupt, ObjectMissing, RemoteError, Unavailable
from runner.hashes import Names
from runner.store import presence
from runner.store.crew import each
from runner.store.meter import once, unheard
from runner.store.moved import Failure, Moved
from runner.store.protocols import Together, creating

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from runner.hashes import Hash
    from runner.store.cache import Cache
    from runner.store.meter import Report
    from runner.store.protocols import Put
    from runner.store.remote import Remote
    from runner.store.worker import Worker

_TRIES = 2
"""A remote may send wrong bytes once; twice means that it holds them."""


def fetch(  # noqa: PLR0913 - the last two have defaults
    remote: Remote,
    cache: Cache,
    names: Iterable[Hash],
    jobs: int,
    clock: Callable[[], float] = time.monotonic,
    *,
    size: int = 0,
) -> Moved:
    """Bring into the cache what it lacks of `names`: listings first, then the files of all of them.

    A cached listing is read, so a broken one is fetched anew; cached files are trusted until they are used.

    Args:
        remote: where from.
        cache: where to.
        names: files, and listings, which stand for their directory's files too.
        jobs: requests at once.
        clock: seconds, for the duration.
        size: bytes of all of `names` and their files, for how far it is; 0: not known.

    """
    start = clock()
    wanted = dict.fromkeys(names)

    go = partial(bring, remote, cache)
    listings = [name for name in wanted if name.is_dir]
    first = each(go, [name for name in listings if not _readable(cache, name)], jobs, cache.meter, "fetch")
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
    everything = Names.united(files)
    missing = cache.missing(everything)
    total = once(lambda: max(size - cache.size(everything - missing), 0) if size else 0)
    second = each(go, missing, jobs, cache.meter, "fetch", total=total, start=partial(_worker, "fetch", remote, cache))
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
    listings = each(partial(bring, remote, cache), absent, jobs)
    lost = {failure.name for failure in listings.failed}
    everything = expand(cache, [name for name in wanted if name.key not in lost])
    lacking = _lacking(remote, cache, everything)

    with _together(remote) as put:
        go, files = partial(send, put, cache), Names.of(name for name in lacking if not name.is_dir)
        total, start_worker = once(partial(cache.size, files)), partial(_worker, "push", remote, cache)
        sent = each(go, files, jobs, cache.meter, "push", total=total, start=start_worker)
    failed = {failure.name for failure in sent.failed}
    whole, halves = complete(cache, (name for name in lacking if name.is_dir), failed)
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


def bring(remote: Remote, cache: Cache, name: Hash, report: Report = unheard) -> int:
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


def _worker(doing: Literal["fetch", "push"], remote: Remote, cache: Cache) -> Worker | None:
    from runner.store import worker  # noqa: PLC0415 - only masses of objects are worth another process

    return worker.start(doing, remote, cache)


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
    return presence.lacking(remote, names, partial(_fits, cache))


def _fits(cache: Cache, key: str, size: int) -> bool:
    try:
        return size == os.stat(cache.spot(key)).st_size  # noqa: PTH116 - a Path costs more
    except FileNotFoundError:
        return True


def complete(cache: Cache, listings: Iterable[Hash], failed: set[str]) -> tuple[list[Hash], dict[str, RemoteError]]:
    """Part the listings whose files are all there from those that would promise too much; `failed`: keys of files."""
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
