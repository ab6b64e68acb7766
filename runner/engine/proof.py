"""Proof: what outs name is in the remotes that they are kept in, in the size it must have. Nothing but listings moves.

Names are of bytes, so a size can only refute: that the bytes are right is for `verify --cloud` to say.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from runner.engine import tracked
from runner.engine.tracked import Tracked
from runner.errors import Corrupt, ObjectMissing
from runner.hashes import Names, Sizes
from runner.store import presence
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from runner.engine.objects import Objects
    from runner.engine.project import Project
    from runner.engine.targets import Named
    from runner.hashes import Hash
    from runner.pipeline.model import LockedPath, Out

logger = logging.getLogger("retrain")


class Kept:
    """What one remote has to hold.

    Attributes:
        sizes: bytes of objects, as far as DVC files say; of a listing those of all its files.

    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.sizes: dict[Hash, int] = {}
        self._outs: list[tuple[Out, Names]] = []

    def take(self, out: Out, parts: Iterable[Tracked]) -> None:
        """Take an out's objects."""
        self._outs.append((out, Names.of(map(self._noted, parts))))

    def _noted(self, part: Tracked) -> Hash:
        if part.size is not None:
            self.sizes[part.name] = part.size
        return part.name

    @cached_property
    def names(self) -> Names:
        """All objects, once nothing more is taken."""
        return Names.united(names for _, names in self._outs)

    def outs_of(self, names: Names) -> Iterator[tuple[Hash, Out]]:
        """Give some of the objects, each with the first out that it is part of."""
        for out, held in self._outs:
            mine = names & held
            yield from ((name, out) for name in mine)
            names -= mine


@dataclass(frozen=True, slots=True)
class Lack:
    """An object that is not in its remote as it has to be.

    Attributes:
        name: the object.
        out: an out that it is part of.
        error: what is wrong.

    """

    name: Hash
    out: Out
    error: ObjectMissing | Corrupt


@dataclass(frozen=True)
class Lacks:
    """What is not in one remote as it has to be; it may be very much, so each is made when it is its turn.

    Attributes:
        kept: what it has to hold.
        gone: what it does not hold.
        wrong: what is not right.
        url: the remote's.

    """

    kept: Kept
    gone: Names
    wrong: tuple[Lack, ...]
    url: str

    def __len__(self) -> int:
        """Count the objects."""
        return len(self.gone) + len(self.wrong)

    def __iter__(self) -> Iterator[Lack]:
        """Give each object."""
        for name, out in self.kept.outs_of(self.gone):
            error = ObjectMissing(f"{name.key} is not in {self.url}", "push it from where it was made: `retrain push`")
            yield Lack(name, out, error)
        yield from self.wrong


def opened(objects: Objects, found: Iterable[tuple[Named, LockedPath]]) -> Iterator[Tracked]:
    """Give every object of outs; a listing that came with other bytes is there by itself, and hides nothing else.

    Raises:
        ObjectMissing: a part of a directory that it does not have, or whose listing nobody has.

    """
    for one, locked in found:
        look = tracked.opened(objects, [(one, locked)])
        try:
            yield from tracked.inside(objects, one, locked) if one.inside else look
        except Corrupt:
            if one.inside and locked.hash:
                yield Tracked(one.out, one.out.path, locked.hash)


def by_home(found: Iterable[Tracked]) -> dict[str, Kept]:
    """Part objects by the remotes they are kept in, an object of many outs in each; what is never pushed is in none."""
    homes: dict[str, Kept] = {}
    for out, parts in by_out(found):
        if out.push and not out.origin:
            homes.setdefault(out.remote, Kept()).take(out, parts)
    return homes


def by_out(found: Iterable[Tracked]) -> Iterator[tuple[Out, Iterable[Tracked]]]:
    """Part objects, as they come, by the outs that they are parts of."""
    return groupby(found, key=attrgetter("out"))


def lacking(project: Project, homes: Mapping[str, Kept]) -> list[Lacks]:
    """Ask the remotes for everything that they have to hold.

    Raises:
        RemoteError: a remote is not configured, or could not say what it holds.

    """
    return [_lacking(project, home, kept) for home, kept in homes.items()]


def absent(project: Project, home: str, kept: Kept) -> tuple[Sizes, Lacks]:
    """Ask one remote; give the sizes of what is there, and what is not.

    Raises:
        RemoteError: the remote is not configured, or could not say what it holds.

    """
    remote = project.objects.remote(home)
    names = kept.names
    if project.read_only(home):  # DVC files are its listings
        names -= Names.of(name for name in names.others if name.is_dir)
    there = Sizes(presence.held(remote, names))
    return there, Lacks(kept, names - there.names, (), remote.url)


def _lacking(project: Project, home: str, kept: Kept) -> Lacks:
    there, lacks = absent(project, home, kept)
    must = {
        name: expected
        for name, size in there.pairs()
        if (expected := _expected(project, kept, name, size)) not in {None, size}
    }
    wrong = {
        name: _corrupt(f"{name.key} in {lacks.url} has {there[name]} bytes, and must have {expected}")
        for name, expected in must.items()
    }
    right = there.without(Names.of(wrong)) if wrong else there
    for listing in right.names.others:
        if why := _refuted(project, kept, home, listing, right):
            wrong[listing] = why
    named = kept.outs_of(Names.of(wrong))
    return replace(lacks, wrong=tuple(Lack(name, out, wrong[name]) for name, out in named))


def _refuted(project: Project, kept: Kept, home: str, listing: Hash, there: Sizes) -> Corrupt | None:
    """Say what is wrong with a directory all of whose files are there, as far as their own sizes are known."""
    try:
        tree = project.objects.listing(listing, home)
    except Corrupt as error:
        return error
    expected = kept.sizes.get(listing)
    if expected is None or tree is None or tree.names - there.names:
        return None
    total = there.total(tree.names) if len(tree) == len(tree.names) else sum(there[name] for _, name in tree.members())
    message = f"the files of {listing.key} in {project.objects.remote(home).url} have {total} bytes, not {expected}"
    return _corrupt(message) if total != expected else None


def _expected(project: Project, kept: Kept, name: Hash, there: int) -> int | None:
    """Give the bytes that an object must have: as the cache holds it, else as it is recorded; `None`: not known.

    Where the remote has others (`there`), the cache's copy is read before it is believed: it may be the broken one.
    """
    with suppress(FileNotFoundError):
        size = os.stat(project.cache.place(name)).st_size  # noqa: PTH116 - a Path costs more
        if size == there or _is_good(project, name):
            return size
    return None if name.is_dir else kept.sizes.get(name)


def _is_good(project: Project, name: Hash) -> bool:
    try:
        project.cache.verify(name)
    except ObjectMissing:
        return False
    except Corrupt as error:
        logger.warning("%s", error)
        return False
    return True


def _corrupt(message: str) -> Corrupt:
    return Corrupt(message, "`retrain verify --cloud --repair` sends it anew from a good copy")
