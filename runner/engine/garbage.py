"""Objects that nothing names any more, in the cache and in remotes: found first, and removed only then.

Records of past runs stay, as with DVC; one whose objects are gone is a run that was never seen.
"""

# Bare system calls, once a file of every out:
# ruff: noqa: PTH112, PTH114

from __future__ import annotations

import logging
import math
import os
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from runner.engine.dvclock import DvcLock
from runner.engine.homes import is_origin
from runner.engine.project import hold
from runner.engine.used import joined, used_by
from runner.errors import ConfigError, Corrupt
from runner.hashes import LEGACY, MD5, Hash, Names
from runner.store import presence, sweeping
from runner.store.meter import Tally, Work
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from runner.engine.project import Project
    from runner.engine.span import Span
    from runner.store.protocols import Erasable
    from runner.store.remote import Remote

logger = logging.getLogger("retrain")
_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be kept, and where to look for what is not.

    Attributes:
        span: commits whose data is kept, beside that of the working tree.
        not_in_remote: keep in the cache only what its remote does not hold.
        remotes: look into the remotes too.
        skip_failed: let go of what commits and listings name that cannot be read.
        before: of remotes, keep what came at that moment or later (seconds since 1970): a push may be under way.

    """

    span: Span
    not_in_remote: bool = False
    remotes: bool = False
    skip_failed: bool = False
    before: float = math.inf


@dataclass(frozen=True, slots=True)
class Heap:
    """The garbage of one place.

    Attributes:
        place: the cache's folder, or a remote's url.
        names: objects.
        bytes: their size.
        kept: how many objects stay.
        late: how many of them for no other reason than that they came lately.

    """

    place: str
    names: Names
    bytes: int
    kept: int
    late: int = 0


@dataclass(frozen=True, slots=True)
class Garbage:
    """Everything that can go.

    Attributes:
        cache: objects of the cache.
        remotes: objects of remotes, by the remote's name (empty: the default one).
        quarantined: broken objects that were put away, and that nothing needs or a good one is there of.
        leftovers: what killed runs left half written in the cache.

    """

    cache: Heap
    remotes: Mapping[str, Heap]
    quarantined: tuple[str, ...]
    leftovers: tuple[str, ...]

    @property
    def heaps(self) -> tuple[Heap, ...]:
        """The cache's heap, then those of the remotes."""
        return (self.cache, *self.remotes.values())

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to remove."""
        return not (any(heap.names for heap in self.heaps) or self.quarantined or self.leftovers)


@contextmanager
def alone(project: Project, others: Sequence[Project]) -> Iterator[None]:
    """Keep runs, ours and DVC's, out of the projects and of the cache until the block ends.

    Raises:
        ConfigError: one is at work.

    """
    with ExitStack() as held:
        for one in (project, *others):
            held.enter_context(hold(one.root))
            dvc = DvcLock(one.root)
            dvc.take()
            held.callback(dvc.let_go)
            held.enter_context(dvc.reserved((), (".",)))
        if project.cache.root.is_dir():
            held.enter_context(project.cache.holding.alone())
        yield


def find(project: Project, others: Sequence[Project], wish: Wish) -> Garbage:
    """Tell what can go.

    Args:
        project: whose cache and remotes are looked into.
        others: projects that share them; what they name is kept too, of the same commits.
        wish: what is to be kept.

    Raises:
        ConfigError: a commit's DVC files cannot be read, or the default remote does not remove.
        ObjectMissing: the listing of a directory that is to be kept is nowhere.
        RemoteError: a remote did not say what it holds.

    """
    used = joined(used_by(one, wish.span, skip_failed=wish.skip_failed) for one in (project, *others))
    named = Names.united(used.values())
    remotes = _remotes(project, used) if wish.remotes or wish.not_in_remote else {}
    places = {id(remote): name for name, remote in reversed(remotes.items())}  # the default one has a name, too
    far = [name for name in reversed(places.values()) if _is_erasable(project, name)] if wish.remotes else []
    needed = _lacking(project, used, remotes) if wish.not_in_remote else named
    heaps = {name: _far_heap(project, name, named, wish.before) for name in far}
    heap = _heap(project, needed | _linked(project))
    return Garbage(heap, heaps, tuple(_quarantined(project, named)), tuple(_leftovers(project)))


def remove(project: Project, garbage: Garbage) -> None:
    """Remove what was found; of every place listings before files, so that what is cut short promises nothing.

    Raises:
        RemoteError: something could not be removed; what comes later is still there.

    """
    project.cache.remove(garbage.cache.names)
    for path in (*garbage.quarantined, *garbage.leftovers):
        project.cache.discard(path)
    for name, heap in garbage.remotes.items():
        _remove(project, name, heap)


def _remove(project: Project, name: str, heap: Heap) -> None:
    remote, tally = project.objects.erasable(name), Tally()
    with project.cache.meter.watch(Work("remove", tally.counts, len(heap.names))):
        going = heap.names.listings_first()
        while batch := [name.key for name in islice(going, _BATCH)]:
            remote.remove(batch)
            tally.objects += len(batch)


def _linked(project: Project) -> set[Hash]:
    """Give the objects that links in the workspace lead to, named or not: without them the links lead nowhere."""
    found: set[Hash] = set()
    for stage in project.pipeline.stages:
        for out in stage.outs:
            found.update(filter(None, map(project.cache.name_at, _links(os.fspath(project.workspace.path(out.path))))))
    return found


def _links(place: str) -> Iterator[str]:
    """Give the symbolic links at a path and below it."""
    if os.path.islink(place):
        yield place
    elif os.path.isdir(place):
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_symlink() or entry.is_dir():
                    yield from _links(entry.path)


def _remotes(project: Project, homes: Iterable[str]) -> dict[str, Remote]:
    """Give the remotes that outs are kept in, and the default one."""
    homes = {"", *(home for home in homes if not is_origin(home))}
    return {home: project.objects.remote(home) for home in sorted(homes)}


def _check_erasable(project: Project, name: str) -> None:
    """Refuse a remote that nothing can be removed from."""
    if why := project.read_only(name):
        raise ConfigError(why, "leave --cloud out; old versions are removed where they are kept")
    project.objects.erasable(name).remove([])


def _is_erasable(project: Project, name: str) -> bool:
    """Whether a remote removes. One that does not is left as it is where only outs name it.

    Raises:
        ConfigError: it is the default one, or the one asked for in its place.

    """
    try:
        _check_erasable(project, name)
    except ConfigError as error:
        if not name:
            raise
        logger.warning("remote %r is left as it is: %s", name, error.message)
        return False
    return True


def _lacking(project: Project, used: Mapping[str, Names], remotes: Mapping[str, Remote]) -> Names:
    """Give what no remote holds of `used`, or in another size than the cache does."""
    lacking = Names.united(used.values())
    for home, remote in remotes.items():
        asked = Names.of(name for name in lacking & used.get(home, Names.of(())) if project.cache.has(name))
        there = presence.held(remote, asked)
        lacking -= Names.of(name for name, size in there if size == project.cache.path(name).stat().st_size)
    return lacking


def _heap(project: Project, kept: AbstractSet[Hash]) -> Heap:
    here = Names.of(project.cache.everything())
    going = here - kept
    size = sum(project.cache.path(name).stat().st_size for name in going)
    return Heap(os.fspath(project.cache.root), going, size, len(here) - len(going))


def _far_heap(project: Project, home: str, kept: Names, before: float) -> Heap:
    """Give a remote's heap. What any out names is kept in all remotes: which of them it is in may have changed."""
    remote = project.objects.remote(home)
    here = Names.of(name for key in remote.names("") if (name := Hash.of_key(key)))
    unnamed = here - kept
    going = unnamed - _coming(project, home, unnamed, before) if unnamed and before < math.inf else unnamed
    size = sum(size for _, size in presence.held(remote, going))
    return Heap(remote.url, going, size, len(here) - len(going), len(unnamed) - len(going))


def _coming(project: Project, home: str, names: Names, before: float) -> Names:
    """Give what came lately, and, of directories, the files: a push sends no file again that was there before."""
    late = Names.of(_late(project.objects.erasable(home), names, before))
    listings = [name for name in late.others if name.is_dir]
    return Names.united([late, *(_members(project, home, listing) & names for listing in listings)])


def _members(project: Project, home: str, listing: Hash) -> Names:
    """Give the files of a directory; of one whose listing is broken none, which is said."""
    try:
        tree = project.objects.listing(listing, home)
    except Corrupt as error:
        logger.warning("%s", error.message)
        return Names.of(())
    return tree.names if tree else Names.of(())


def _late(remote: Erasable, names: Names, before: float) -> Iterator[Hash]:
    """Give what came at a moment or later, and what is not there any more: who took it may bring it again."""
    for part in names.parts(presence.MOST):
        came = remote.stored([name.key for name in part])
        yield from (name for name in part if came.get(name.key, math.inf) >= before)


def _quarantined(project: Project, used: Names) -> Iterator[str]:
    """Give broken objects that may go: nothing names them, or a good one is there. Others may be all that is left."""
    for path, value in project.cache.quarantined():
        needed = [name for kind in (MD5, LEGACY) if (name := Hash(value, kind)) in used]
        if all(map(project.cache.has, needed)):
            yield path


def _leftovers(project: Project) -> Iterator[str]:
    return sweeping.left_over(project.cache.folders())
