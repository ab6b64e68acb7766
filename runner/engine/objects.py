"""The objects that outs name: what is in the cache, what has to come from a remote, what has to go there."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.engine.homes import by_home, home_of, is_origin, origin_of
from runner.engine.versions import Versions
from runner.errors import ConfigError, Corrupt, ObjectMissing, RemoteError
from runner.hashes import Hash, Names, Sizes, Tree
from runner.store.moved import NOTHING, Failure, Moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from runner.engine.homes import Wanted
    from runner.pipeline.model import Out
    from runner.store.cache import Cache
    from runner.store.protocols import Erasable
    from runner.store.remote import Remote

logger = logging.getLogger("retrain")


class Objects:
    """The cache and, behind it, the remote that each out is kept in."""

    def __init__(
        self,
        cache: Cache,
        remote: Callable[[str], Remote | None],
        jobs: int,
        homes: Mapping[Hash, str] | None = None,
        versions: Versions | None = None,
    ) -> None:
        """Put `cache` in front of the remotes.

        Args:
            cache: the local object cache.
            remote: gives the remote of a name (empty: the default one), or `None` where none is configured.
            jobs: how many requests at once.
            homes: the remotes of listings that are not kept in the default one.
            versions: what the DVC files say of remotes that keep versions of files.

        """
        self.versions = versions or Versions()
        self.cache = cache
        self._homes = homes or {}
        self.origin: Callable[[str], object] | None = None
        """Brings the data of an import into the cache from its source; takes the address of its `.dvc` file."""
        self.recorded: Callable[[Hash], int] = lambda _: 0
        """Gives the bytes of an object as DVC files say, of a listing those of all its files; 0: not known."""
        self._remote = remote
        self.jobs = jobs
        self.fetched = NOTHING
        """All that was fetched through here, listings too."""
        self._counting = threading.Lock()

    def listing(self, name: Hash, home: str = "") -> Tree | None:
        """Give a directory's listing, fetched into the cache if need be; `None` where nobody has it.

        Args:
            name: the listing's.
            home: where it is kept, as `home_of` gives it, if that is known better than from the present DVC files.

        """
        found, home = self._cached_listing(name), home or self._homes.get(name, "")
        if found is None and is_origin(home):
            self._import(home, [name])
            return self._cached_listing(name)
        remote = self._remote(home) if found is None else None
        if remote is None:
            return found
        try:
            if self.cache.only_looks:
                from runner.store import looking  # noqa: PLC0415 - few plans have a listing to ask for

                return looking.listing(remote, name)
            with self.cache.write(name) as sink:
                remote.get(name.key, sink)
        except ObjectMissing:
            return None
        self._count(Moved(1, self.cache.path(name).stat().st_size, 0.0, ()))
        return self.cache.tree(name)

    def at_hand(self, name: Hash) -> bool:
        """Whether the cache holds the object and, of a directory, the listing and every member."""
        if not name.is_dir:
            return self.cache.has(name)
        tree = self._cached_listing(name)
        return tree is not None and not self.cache.missing(tree.names)

    def _cached_listing(self, name: Hash) -> Tree | None:
        """Read a listing from the cache; a broken one is said, put away by the cache, and no listing."""
        try:
            return self.cache.tree(name)
        except ObjectMissing:
            return self._composed_listing(name)
        except Corrupt as error:
            logger.warning("%s", error.message)
            return self._composed_listing(name)

    def _composed_listing(self, name: Hash) -> Tree | None:
        """Write a listing into the cache whose files the DVC files name one by one; no remote has it."""
        tree = self.versions.listing(name)
        if tree is not None and not self.cache.only_looks:
            with self.cache.write(name) as sink:
                for chunk in tree.rendered():
                    sink.write(chunk)
        return tree

    def absent(self, wanted: Iterable[Wanted]) -> Mapping[str, Names]:
        """Give what is not in the cache, members of directories included, by the name of the remote to ask.

        What several outs hold that are kept apart is named for each of their remotes: any of them may have it.
        """
        found = (
            (remote, Names.united(self._lacking(remote, name) for name in names))
            for remote, names in by_home(wanted).items()
        )
        return {remote: lacking for remote, lacking in found if lacking}

    def _lacking(self, home: str, name: Hash) -> Names:
        look = self._cached_listing if is_origin(home) else self.listing
        tree = look(name) if name.is_dir else None
        return self.cache.missing(Names.of((name,)) | (tree.names if tree else Names.of(())))

    def sizes(self, absent: Mapping[str, Names], recorded: Callable[[Hash], int] = lambda _: 0) -> Sizes:
        """Ask the remotes for the sizes in bytes of objects; those that are nowhere are left out.

        Args:
            absent: objects, by the name of the remote to ask; the first that has one is enough.
            recorded: gives the size of what comes from an import's source, which would have to be read to be asked.

        """
        if len(absent) > 1:
            return Sizes(self._first_known(absent, recorded))
        return Sizes(found for home, names in absent.items() for found in self._sizes(home, names, recorded))

    def _first_known(self, absent: Mapping[str, Names], recorded: Callable[[Hash], int]) -> Iterator[tuple[Hash, int]]:
        """Ask home after home for what none before has."""
        known = Names.of(())
        for home, names in absent.items():
            sizes = Sizes(self._sizes(home, names - known, recorded))
            yield from sizes.pairs()
            known |= sizes.names

    def _sizes(self, home: str, names: Names, recorded: Callable[[Hash], int]) -> Iterable[tuple[Hash, int]]:
        if is_origin(home):
            return ((name, recorded(name)) for name in names)
        from runner.store import presence  # noqa: PLC0415 - a plan with nothing to fetch asks no remote

        remote = self._remote(home)
        return presence.held(remote, names) if remote else ()

    def fetch(self, wanted: Iterable[Wanted]) -> Moved:
        """Bring objects into the cache, verified. What could not be had is in `failed`.

        Raises:
            RemoteError: there is no room for them; nothing was fetched.

        """
        from runner.store import transfer  # noqa: PLC0415 - as `_sizes` says

        moved = NOTHING
        homes = by_home(wanted)
        lacking = {home: [name for name in names if not self.at_hand(name)] for home, names in homes.items()}
        self._check_room(lacking)
        for name, absent in lacking.items():
            if not absent:
                continue
            if is_origin(name):
                moved += self._import(name, absent)
                continue
            remote = self._remote(name)
            if remote is None:
                moved += Moved(0, 0, 0.0, tuple(_nowhere(digest) for digest in absent))
            else:
                moved += transfer.fetch(remote, self.cache, absent, self.jobs, size=self._recorded(absent))
        if len(lacking) > 1:
            moved = replace(moved, failed=tuple(filter(self._is_lost, moved.failed)))
        self._count(moved)
        return moved

    def _is_lost(self, failure: Failure) -> bool:
        """Whether an object that a remote failed to give has come from no other either."""
        name = Hash.of_key(failure.name)
        return name is None or not self.cache.has(name)

    def _recorded(self, names: Sequence[Hash]) -> int:
        """Give the bytes of objects and, of listings, of their files; 0 where DVC files do not say it of all."""
        sizes = [self.recorded(name) for name in names]
        return sum(sizes) if all(sizes) else 0

    def _check_room(self, lacking: Mapping[str, Sequence[Hash]]) -> None:
        """Refuse what cannot fit. DVC files say how much is absent at most; where that matters remotes are asked."""
        most = sum(self.recorded(name) for names in lacking.values() for name in names)
        if not most or most <= (room := self.cache.room()):
            return
        absent = {home: self._opened(names, home) for home, names in lacking.items()}
        sizes = self.sizes(absent, self.recorded)
        needed = sizes.total(sizes.names) - self.cache.begun(sizes)
        if needed > room:
            message = f"{needed:,} bytes are to be fetched, and {self.cache.root} has room for {room:,}"
            raise RemoteError(message, "nothing was fetched: make room on that disk, move `cache.dir`, or name targets")

    def _opened(self, names: Sequence[Hash], home: str) -> Names:
        """Give what the cache lacks of `names`, of a directory its files too."""
        trees = [tree for name in names if name.is_dir and (tree := self.listing(name, home))]
        return self.cache.missing(Names.united([Names.of(names), *(tree.names for tree in trees)]))

    def _count(self, moved: Moved) -> None:
        with self._counting:
            self.fetched += moved

    def _import(self, home: str, names: Sequence[Hash]) -> Moved:
        """Bring the data of an import from its source; what it does not hold any more is in `failed`."""
        before = time.monotonic()
        error: RemoteError | None = None
        try:
            if self.origin:
                self.origin(origin_of(home))
        except ObjectMissing as gone:
            error = gone
        failed = [name for name in names if not self.at_hand(name)]
        here = [self.cache.path(name) for name in names if name not in failed]
        size = sum(path.stat().st_size for path in here)
        failures = (Failure(name.key, error or _changed(home)) for name in failed)
        return Moved(len(here), size, time.monotonic() - before, tuple(failures))

    def push(self, wanted: Iterable[Wanted]) -> Moved:
        """Send objects to their remotes and prove them present there. What could not be is in `failed`."""
        from runner.store import transfer  # noqa: PLC0415 - as `_sizes` says

        moved = NOTHING
        for name, hashes in by_home(wanted).items():
            moved += transfer.push(self.remote(name), self.cache, hashes, self.jobs)
        return moved

    def remote(self, name: str) -> Remote:
        """Give the remote of that name (empty: the default one).

        Raises:
            RemoteError: none is configured.

        """
        found = self._remote(name)
        if found is None:
            message = "no remote is configured"
            raise RemoteError(message, "add one: `dvc remote add -d storage URL`, or name one with --remote NAME")
        return found

    def erasable(self, name: str) -> Erasable:
        """Give the remote of that name as one that forgets.

        Raises:
            ConfigError: it does not.

        """
        from runner.store.protocols import Erasable  # noqa: PLC0415 - as `_sizes` says

        remote = self.remote(name)
        if not isinstance(remote, Erasable):
            message = f"{remote.url}: objects cannot be removed from this kind of remote"
            raise ConfigError(message, "remove them where they are kept, or leave --cloud out")
        return remote

    def require(self, homes: Iterable[str]) -> None:
        """Make sure that the remotes among `homes`, as `absent` names them, are configured.

        Raises:
            RemoteError: one is not configured.

        """
        for name in dict.fromkeys(homes):
            if not is_origin(name):
                self.remote(name)

    def near(self) -> Objects:
        """Give the cache alone, for what is not worth a request."""
        return Objects(self.cache, lambda _: None, self.jobs, versions=self.versions)

    def size(self, out: Out, name: Hash) -> int | None:
        """Give one object's bytes, from the cache or as its remote says; `None` where nobody can."""
        if self.cache.has(name):
            return self.cache.path(name).stat().st_size
        home = home_of(out)
        try:
            return None if is_origin(home) else self.sizes({home: Names.of((name,))}).get(name)
        except RemoteError as error:
            logger.warning("the size of %s cannot be had: %s", out.path, error)
            return None

    def read(self, out: Out, name: Hash) -> bytes | None:
        """Give one file's bytes from the cache or its remote; `None` where nobody has it.

        An object that turns out broken in the cache is fetched anew, once.

        Raises:
            RemoteError: the remote could not say, or holds other bytes.

        """
        if not self._brought(out, name):
            return None
        try:
            return self.cache.read(name)
        except Corrupt as error:
            logger.warning("%s; it is fetched anew", error.message)
            return self.cache.read(name) if self._brought(out, name) else None

    def _brought(self, out: Out, name: Hash) -> bool:
        for failure in self.fetch([(out, name)]).failed:
            if not isinstance(failure.error, ObjectMissing):
                raise failure.error
            return False
        return True


def lost_of(members: Names, lost: Iterable[str]) -> int:
    """Count the objects among `members` that a transfer named among those it could not move."""
    return sum(name in members for name in map(Hash.of_key, lost) if name)


def _changed(home: str) -> ObjectMissing:
    message = f"the source of {origin_of(home)} does not hold what is recorded of it any more"
    return ObjectMissing(message, "take in what it holds now: retrain update")


def _nowhere(name: Hash) -> Failure:
    error = ObjectMissing(
        f"{name} is not in the cache and there is no remote",
        "add the remote that holds it: `dvc remote add -d storage URL`",
    )
    return Failure(name.key, error)
