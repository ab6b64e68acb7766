"""How long the runs took that lock entries record: one small file a run beside the run cache, in cache and remote.

A lock has no place for it: what DVC does not know there, or in a record of the run cache, it refuses or hashes. So it
is kept below a name of our own, under the name that the run cache has for the same run; whoever has the entry, of this
commit or of another, can ask how long it took to make. What nobody wrote down is `None`, never 0.
"""

from __future__ import annotations

import io
import json
import logging
import math
from typing import TYPE_CHECKING, Final

from runner.engine import records
from runner.errors import ObjectMissing, RemoteError
from runner.pipeline import lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.pipeline.model import LockEntry
    from runner.store.cache import Cache
    from runner.store.remote import Remote

logger = logging.getLogger("retrain")
FOLDER: Final = "retrain/times"
_LARGEST: Final = 4_096


class Times:
    """The times of a cache directory and of the remote behind it."""

    def __init__(self, cache: Cache, remote: Callable[[], Remote | None]) -> None:
        """Look in `cache` first, then in the remote, if there is one; it is opened when it is first needed."""
        self._cache = cache
        self._root = cache.root
        self._open = remote
        self._given_up = False

    def name_of(self, entry: LockEntry) -> str:
        """Give the place of a run's time below the cache's or the remote's root; empty where the run has no name."""
        try:
            value = records.value(lock.entry_data(entry))
        except (TypeError, ValueError):  # a lock made by hand holds what JSON does not
            return ""
        return f"{FOLDER}/{value[:2]}/{value[2:]}.json"

    def remember(self, entry: LockEntry, seconds: float) -> None:
        """Write down how long the command took that made what `entry` records; the last run counts."""
        name = self.name_of(entry)
        if name:
            self._cache.keep(name, json.dumps({"seconds": round(seconds, 3)}).encode())

    def lookup(self, entry: LockEntry, *, near: bool = False) -> float | None:
        """Give the seconds that the command took; `None` where nobody wrote them down.

        Args:
            entry: what the run left in the lock.
            near: ask this machine alone.

        """
        name = self.name_of(entry)
        if not name:
            return None
        try:
            content = (self._root / name).read_bytes()
        except OSError:
            content = b"" if near else self._download(name)
        return _parsed(content)

    def _download(self, name: str) -> bytes:
        """Ask the remote; one that cannot be asked is said once and not asked again."""
        sink = _Few()
        try:
            remote = None if self._given_up else self._open()
            if remote:
                remote.get(name, sink)
        except ObjectMissing:
            return b""
        except RemoteError as error:
            self._given_up = True
            logger.warning("how long earlier runs took cannot be read: %s", error)
            return b""
        return sink.getvalue()


class _Few(io.BytesIO):
    """A time in memory; what is larger than any can be is not taken in."""

    def restart(self) -> None:
        self.seek(0)
        self.truncate()

    def write(self, chunk: bytes, /) -> int:  # type: ignore[override]  # bytes are all that a remote gives
        if self.tell() + len(chunk) > _LARGEST:
            message = "a time is larger than 4 KiB"
            raise ObjectMissing(message)
        return super().write(chunk)


def _parsed(content: bytes) -> float | None:
    """Read what `remember` wrote; anything else is nothing."""
    try:
        found = json.loads(content)["seconds"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    usable = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found) and found >= 0
    return float(found) if usable else None
