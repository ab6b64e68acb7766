"""Past runs by what went into them: DVC's run cache, read and written so that DVC and we restore each other's.

What `records` calls a run leaves out every mapping key named `size` or `nfiles`, as DVC does; an entry is used only if
it matches in full all the same, because DVC's rule also skips params of these names.
"""

from __future__ import annotations

import io
import logging
from itertools import islice
from typing import TYPE_CHECKING, Any

from runner import durable
from runner.engine.recorded import recorded_as
from runner.engine.records import key, name_of, name_of_run, parsed, value
from runner.errors import Corrupt, ObjectMissing, RemoteError, Unlistable
from runner.hashes import Names
from runner.pipeline import lock, params, yaml12
from runner.pipeline.model import LockedPath, LockEntry
from runner.regexes import regex
from runner.store import disk, presence
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from runner.engine.decision import Now
    from runner.hashes import Hash
    from runner.pipeline.model import Stage
    from runner.store.cache import Cache
    from runner.store.remote import Remote

logger = logging.getLogger("retrain")
_VALUE = regex(r"[0-9a-f]{64}\Z")
_LARGEST_RECORD = 16 << 20
_MOST_ASKED = 200
FIRST = "first"
"""Where a remote that cannot list names the first record of a run that was pushed; DVC uses no runs of such remotes."""


def inputs_of(stage: Stage, now: Now) -> LockEntry | None:
    """Give the entry that a run of `stage` would begin with, outs unhashed; `None` where an input is not known."""
    contents = [(dep.spelled, now.deps.get(dep.spelled)) for dep in stage.deps]
    if not all(content for _, content in contents):
        return None
    if any(values is None or len(values) < len(param.keys) for param, values in _params(stage, now)):
        return None
    deps = tuple(recorded_as(spelled, content) for spelled, content in contents if content)
    outs = tuple(LockedPath(out.spelled, None) for out in stage.outs)
    return LockEntry(
        stage.cmd, deps, {param.spelled: dict(values or {}) for param, values in _params(stage, now)}, outs
    )


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier run: its record, below its key, and what it says; `remote` where only the remote has it."""

    record: str
    entry: LockEntry
    remote: bool = False


class RunCache:
    """The run cache of a cache directory and of the remote behind it."""

    def __init__(
        self,
        cache: Cache,
        remote: Callable[[], Remote | None],
        notes: Path | None = None,
        *,
        remembers: bool = True,
    ) -> None:
        """Look in `cache` first, then in the remote, if there is one; it is opened when it is first needed.

        Args:
            cache: the local object cache.
            remote: gives the remote.
            notes: a file in which records are noted that are still to be pushed, so that the run after one that was
                killed pushes them; none: they are pushed by who remembers them, or not at all.
            remembers: whether runs of now are written down. What a stranger's code made is not: a record says that
                certain inputs give certain outs, and nobody who reads it can see whether that is so.

        """
        self.remembers = remembers
        self._cache = cache
        self._notes = notes
        self._open = remote
        self._given_up = False
        self._is_blind = False

    @property
    def _remote(self) -> Remote | None:
        return None if self._given_up else self._open()

    def lookup(self, stage: Stage, now: Now) -> LockEntry | None:
        """Find a past run with the same inputs, all of whose objects can be had.

        Of several the one in the cache comes before one of the remote, then the one with the smallest value.
        """
        wanted = inputs_of(stage, now)
        if wanted is None:
            return None
        run_key = key(lock.entry_data(wanted))
        for entry in self._records(run_key):
            if _matches(entry, wanted, stage) and self._can_be_had(entry, stage):
                return entry
        return None

    def every(self, stage: Stage) -> Iterator[Past]:
        """Give the runs that wrote what `stage` writes, whatever they read: to say which came nearest.

        Of a remote that holds more than a few hundred records none is read: no run is worth listing all of them.
        """
        for content, record, remote in self._everything(stage):
            for entry in parsed(content, record):
                if all(entry.out(out.spelled) for out in stage.outs):
                    yield Past(record, entry, remote=remote)

    def _everything(self, stage: Stage) -> Iterator[tuple[bytes, str, bool]]:
        """Give records of which a stage's may be, each with its name and whether only the remote has it."""
        spelled = [out.spelled.encode() for out in stage.outs]
        local = sorted(path for path in (self._cache.root / "runs").glob("*/*/*") if _VALUE.match(path.name))
        for path in local:
            with disk.Refusals(f"read {path}"):
                content = path.read_bytes()
            if all(name in content for name in spelled):  # most are others', and need no parser
                yield content, path.name, False
        known = {path.name for path in local}
        names = [name for name in self._listed("runs/", _MOST_ASKED + 1) if name.rpartition("/")[2] not in known]
        for name in names if len(names) <= _MOST_ASKED else ():
            yield self._download(name), name.rpartition("/")[2], True

    def remember(self, entry: LockEntry) -> str:
        """Write a record of a finished run into the cache; give its name, for pushing."""
        written = lock.entry_data(entry)
        name = name_of(key(written), value(written))
        place = self._cache.root / name
        if not place.exists():
            with disk.Refusals(f"write {place}"):
                self._note(name)
            self._cache.keep(name, yaml12.render(written).encode())
        return name

    def _note(self, name: str) -> None:
        if self._notes:
            durable.append(self._notes, f"{name}\n".encode())

    def unpushed(self) -> set[str]:
        """Give the names of records that were written here and that no run has pushed since."""
        try:
            return set(self._notes.read_text(encoding="ascii").split()) if self._notes else set()
        except (FileNotFoundError, UnicodeDecodeError):
            return set()

    def pushed(self, names: Collection[str]) -> None:
        """Note no longer that records are to be pushed."""
        unpushed = self.unpushed()
        left = sorted(unpushed.difference(names))
        if self._notes and len(left) < len(unpushed):
            durable.write(self._notes, "".join(f"{name}\n" for name in left).encode(), sync=False)

    def record_of(self, entry: LockEntry) -> str:
        """Give the name of the record of the run that wrote `entry`; empty where this cache has none."""
        name = name_of_run(entry)
        return name if name and (self._cache.root / name).exists() else ""

    def holds(self, entry: LockEntry, *, near: bool = True) -> bool:
        """Whether a run that ended well left exactly `entry`: the remote has its record or, if `near`, the cache."""
        if near and self.record_of(entry):
            return True
        name, remote = name_of_run(entry), self._remote
        if not name or remote is None:
            return False
        try:
            return name in remote.exists([name])
        except RemoteError as error:
            self._give_up(error)
            return False

    def _records(self, run_key: str) -> Iterator[LockEntry]:
        folder = self._cache.root / name_of(run_key)
        try:
            local = sorted(path for path in folder.iterdir() if _VALUE.match(path.name) and path.is_file())
        except (FileNotFoundError, NotADirectoryError):
            local = []
        for path in local:
            with disk.Refusals(f"read {path}"):
                content = path.read_bytes()
            yield from parsed(content, path.name)
        known = {path.name for path in local}
        for record in sorted(self._remote_records(run_key) - known):
            yield from parsed(self._download(name_of(run_key, record)), record)

    def _remote_records(self, run_key: str) -> set[str]:
        """Name the remote's records of a run; a remote that cannot be asked is said once and not asked again."""
        listed = [] if self._is_blind else self._listed(name_of(run_key))
        if self._is_blind:
            first = self._first(name_of(run_key, FIRST)).decode("ascii", "replace").strip()
            return {first} if _VALUE.match(first) else set()
        return {name.rpartition("/")[2] for name in listed}

    def _listed(self, prefix: str, most: int | None = None) -> list[str]:
        """Give the names of the remote's records below `prefix`, no more than `most`."""
        remote = self._remote
        if remote is None:
            return []
        try:
            return [name for name in islice(remote.names(prefix), most) if _VALUE.match(name.rpartition("/")[2])]
        except Unlistable:
            self._is_blind = True
            return []
        except RemoteError as error:
            self._give_up(error)
            return []

    def _first(self, name: str) -> bytes:
        """Read which record a remote without listings has of a run; most runs nobody has seen."""
        sink = _Buffer()
        try:
            if remote := self._remote:
                remote.get(name, sink)
        except ObjectMissing:
            return b""
        except RemoteError as error:
            self._give_up(error)
            return b""
        return sink.getvalue()

    def _download(self, name: str) -> bytes:
        sink = _Buffer()
        try:
            if remote := self._remote:
                remote.get(name, sink)
        except RemoteError as error:
            self._give_up(error)
            return b""
        return sink.getvalue()

    def _give_up(self, error: RemoteError) -> None:
        logger.warning("the remote's run cache is not used: %s", error)
        if not isinstance(error, ObjectMissing):
            self._given_up = True

    def _can_be_had(self, entry: LockEntry, stage: Stage) -> bool:
        """Whether every out of `entry` is in the cache or, as the remote says, there."""
        names = {recorded.hash for out in stage.outs if (recorded := entry.out(out.spelled)) and recorded.hash}
        absent = self._cache.missing(names)
        for name in names - absent:
            if name.is_dir:
                absent |= self._lacking(name)
        remote = self._remote
        if not absent or remote is None:
            return not absent
        try:
            return sum(1 for _ in presence.held(remote, absent)) == len(absent)
        except RemoteError as error:
            self._give_up(error)
            return False

    def _lacking(self, listing: Hash) -> Names:
        """Give what the cache does not hold of a directory; a listing that turns out broken is lacking itself."""
        try:
            return self._cache.missing(self._cache.tree(listing).names)
        except Corrupt as error:
            logger.warning("%s", error.message)
            return Names.of((listing,))


class _Buffer(io.BytesIO):
    """A record in memory; one larger than any record can be is not taken in."""

    def restart(self) -> None:
        self.seek(0)
        self.truncate()

    def write(self, chunk: Any, /) -> int:  # noqa: ANN401 - io.BytesIO's own signature
        if self.tell() + len(chunk) > _LARGEST_RECORD:
            message = "a record of the run cache is larger than 16 MiB"
            raise ObjectMissing(message)
        return super().write(chunk)


def _matches(entry: LockEntry, wanted: LockEntry, stage: Stage) -> bool:
    """Compare everything, params named `size` too; every out must be recorded with a hash."""
    if entry.cmd != wanted.cmd or {dep.spelled for dep in entry.deps} != {dep.spelled for dep in wanted.deps}:
        return False
    same_deps = all((mine := entry.dep(dep.spelled)) and mine.hash == dep.hash for dep in wanted.deps)
    same_params = all(
        params.same(dict(entry.params.get(param.spelled, {})), params.as_recorded(wanted.params.get(param.spelled, {})))
        for param in stage.params
    )
    recorded = all((out := entry.out(mine.spelled)) and out.hash and out.hash.is_valid for mine in stage.outs)
    return same_deps and same_params and recorded


def _params(stage: Stage, now: Now) -> list[tuple[Any, Mapping[str, Any] | None]]:
    return [(param, now.params.get(param.spelled)) for param in stage.params]
