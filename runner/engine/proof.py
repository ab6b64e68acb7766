"""Proof: what outs name is in the remotes that they are kept in, in the size it must have. Nothing but listings moves.

Names are of bytes, so a size can only refute: that the bytes are right is for `verify --cloud` to say.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import field
from typing import TYPE_CHECKING

from runner.engine import tracked
from runner.engine.tracked import Tracked
from runner.errors import Corrupt, ObjectMissing
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from runner.engine.objects import Objects
    from runner.engine.project import Project
    from runner.engine.targets import Named
    from runner.hashes import Hash
    from runner.pipeline.model import LockedPath, Out

logger = logging.getLogger("retrain")


@dataclass(slots=True)
class Kept:
    """What one remote has to hold.

    Attributes:
        outs: objects, and an out that each is part of.
        sizes: bytes of objects, as far as DVC files say; of a listing those of all its files.

    """

    outs: dict[Hash, Out] = field(default_factory=dict)
    sizes: dict[Hash, int] = field(default_factory=dict)


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
    for one in found:
        if one.out.push and not one.out.origin:
            kept = homes.setdefault(one.out.remote, Kept())
            kept.outs.setdefault(one.name, one.out)
            if one.size is not None:
                kept.sizes[one.name] = one.size
    return homes


def lacking(project: Project, homes: Mapping[str, Kept]) -> Iterator[Lack]:
    """Ask the remotes for everything that they have to hold.

    Raises:
        RemoteError: a remote is not configured, or could not say what it holds.

    """
    for home, kept in homes.items():
        yield from _lacking(project, home, kept)


def absent(project: Project, home: str, kept: Kept) -> tuple[dict[Hash, int], list[Lack]]:
    """Ask one remote; give the sizes of what is there, and what is not.

    Raises:
        RemoteError: the remote is not configured, or could not say what it holds.

    """
    remote = project.objects.remote(home)
    names = [name for name in kept.outs if not (name.is_dir and project.read_only(home))]  # DVC files are its listings
    found = remote.exists([name.key for name in names])
    there = {name: found[name.key] for name in names if name.key in found}
    gone = (name for name in names if name not in there)
    return there, [Lack(name, kept.outs[name], _nowhere(name, remote.url)) for name in gone]


def _lacking(project: Project, home: str, kept: Kept) -> Iterator[Lack]:
    there, gone = absent(project, home, kept)
    yield from gone
    url = project.objects.remote(home).url
    must = ((name, _expected(project, kept, name, there[name])) for name in there)
    for name, expected in [(name, size) for name, size in must if size not in {None, there[name]}]:
        message = f"{name.key} in {url} has {there.pop(name)} bytes, and must have {expected}"
        yield Lack(name, kept.outs[name], _corrupt(message))
    for listing in filter(lambda name: name.is_dir, there):
        if why := _refuted(project, home, listing, kept.sizes.get(listing), there):
            yield Lack(listing, kept.outs[listing], why)


def _refuted(
    project: Project, home: str, listing: Hash, expected: int | None, there: Mapping[Hash, int]
) -> Corrupt | None:
    """Say what is wrong with a directory all of whose files are there, as far as their own sizes are known."""
    try:
        tree = project.objects.listing(listing, home)
    except Corrupt as error:
        return error
    sizes = [there.get(member) for member in tree.objects()] if tree else [None]
    if expected is None or None in sizes:
        return None
    total = sum(size for size in sizes if size)
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


def _nowhere(name: Hash, url: str) -> ObjectMissing:
    return ObjectMissing(f"{name.key} is not in {url}", "push it from where it was made: `retrain push`")


def _corrupt(message: str) -> Corrupt:
    return Corrupt(message, "`retrain verify --cloud --repair` sends it anew from a good copy")
