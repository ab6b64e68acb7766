"""Objects read from the first byte to the last, where they are, and compared with their names: nothing is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Corrupt
from runner.hashes import Names
from runner.store.crew import each
from runner.store.digest import digest_for, fits
from runner.store.moved import Failure, Moved
from runner.store.transfer import complete, send

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.hashes import Hash
    from runner.store.cache import Cache
    from runner.store.meter import Meter, Report
    from runner.store.remote import Remote


def inspect(remote: Remote, names: Iterable[Hash], jobs: int, meter: Meter | None = None) -> Moved:
    """Read objects of the remote from their first byte to their last and compare them with their names; keep nothing.

    What is missing, holds other bytes or cannot be read is in `failed`.
    """

    def read(name: Hash, report: Report) -> int:
        reading = _Reading(name, report)
        remote.get(name.key, reading)
        reading.check(remote.url)
        return reading.size

    return each(read, Names.of(names), jobs, meter, "verify")


def inspect_cache(cache: Cache, names: Iterable[Hash], jobs: int) -> Moved:
    """Read objects of the cache anew, whatever is remembered of them; broken ones are put in quarantine."""

    def read(name: Hash, report: Report) -> int:
        return cache.verify(name, anew=True, report=report).stat().st_size

    return each(read, Names.of(names), jobs, cache.meter, "verify")


def replace(remote: Remote, cache: Cache, names: Iterable[Hash], jobs: int, absent: Iterable[str] = ()) -> Moved:
    """Send objects whatever the remote holds under their names, and read them back; files first, then listings.

    A listing is held back whose files are not all there afterwards.

    Args:
        remote: where to.
        cache: holds all of `names`.
        names: files and listings.
        jobs: requests at once.
        absent: keys of files that the remote lacks, or holds other bytes of, and that are not among `names`.

    """
    wanted = list(dict.fromkeys(names))
    files = _replaced(remote, cache, [name for name in wanted if not name.is_dir], jobs)
    lost = {*absent, *(failure.name for failure in files.failed)}
    whole, halves = complete(cache, (name for name in wanted if name.is_dir), lost)
    held_back = (Failure(key, error) for key, error in halves.items())
    return files + _replaced(remote, cache, whole, jobs) + Moved(0, 0, 0.0, tuple(held_back))


def _replaced(remote: Remote, cache: Cache, names: Sequence[Hash], jobs: int) -> Moved:
    def go(name: Hash, report: Report) -> int:
        return send(remote.put, cache, name, report)

    sent = each(go, names, jobs, cache.meter, "push")
    lost = {failure.name for failure in sent.failed}
    proof = inspect(remote, [name for name in names if name.key not in lost], jobs, cache.meter)
    return sent + Moved(0, 0, 0.0, proof.failed)


class _Reading:
    """A sink that hashes what it takes and keeps nothing."""

    def __init__(self, name: Hash, report: Report) -> None:
        self.size = 0
        self._report = report
        self._name = name
        self._digest = digest_for(name)

    def write(self, chunk: bytes, /) -> None:
        """Take the next bytes."""
        self._digest.update(chunk)
        self.size += len(chunk)
        self._report(len(chunk))

    def restart(self) -> None:
        """Forget everything taken so far."""
        self._digest = digest_for(self._name)
        self._report(-self.size)
        self.size = 0

    def check(self, url: str) -> None:
        """Compare what was read with the name.

        Raises:
            Corrupt: they differ.

        """
        if not fits(self._digest, self._name):
            message = f"{self._name.key} in {url} holds {self.size} bytes of md5 {self._digest.hexdigest()}"
            raise Corrupt(message, "`retrain verify --cloud --repair` sends a good copy, where this cache has one")
