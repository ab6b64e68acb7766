"""The objects of a cache as they are read: hashed every time, and moved out of the way when they are broken.

A cache may have been restored from anywhere. An object that turns out broken is moved to `quarantine/` and from then
on counts as missing; it is never deleted by reading it.
"""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH105, PTH116, PTH120, PTH208

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from runner.errors import Corrupt, ObjectMissing
from runner.hashes import LEGACY, MD5, Hash, Names, Tree
from runner.regexes import regex
from runner.store import disk
from runner.store.digest import MD5_LENGTH, beside, digest_for, fits, other_than, passed, taken
from runner.store.meter import unheard
from runner.store.state import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from runner.store.disk import Digest
    from runner.store.meter import Meter, Report
    from runner.store.state import State

_QUARANTINED: Final = regex(r"([0-9a-f]{32}(?:\.dir)?)-[0-9a-f]{8}\Z")
_FOLDER = 2
"""Digits of a name that are its folder's."""

_NONE: Final = Names({})
_LISTING_PAYS = 8
"""From so many names in one folder on, reading the folder costs less than asking for each."""


class VerifiedObjects:
    """A directory of objects in DVC's layout."""

    def __init__(self, root: Path, state: State, meter: Meter) -> None:
        """Read the objects below `root` (absolute), which need not exist.

        Args:
            root: of the cache.
            state: knows what was hashed already.
            meter: shows how far what takes long is.

        """
        self.meter = meter
        self.root = root
        self._root = os.fspath(root)
        self._state = state
        self._trees: dict[Hash, Tree] = {}
        self.folder_mode: int | None = None
        """The mode of folders that are made here; `None`: what the umask says."""
        self.only_looks = False
        """Whether a broken object is left where it is: for who has promised to change nothing."""

    def path(self, name: Hash) -> Path:
        """Give where the object is or would be."""
        return self.root / name.key

    def has(self, name: Hash) -> bool:
        """Whether there is an object of that name. Its bytes are not looked at."""
        with disk.Refusals(f"look into {self.root}"):
            return self.path(name).is_file()

    def missing(self, names: Iterable[Hash]) -> Names:
        """Give those of `names` that are not there, reading a folder once where many are asked of it."""
        with disk.Refusals(f"look into {self.root}"):
            return Names.united([_absent(self._root, asked) for asked in Names.of(names).folders()])

    def size(self, names: Iterable[Hash]) -> int:
        """Give the bytes of all of `names` that are there."""
        return sum(disk.size(self.place(name)) for name in names)

    def verify(self, name: Hash, *, anew: bool = False, report: Report = unheard) -> Path:
        """Hash the object and give its path.

        Args:
            name: the object's.
            anew: read its bytes even if it was hashed before and nothing says that it changed since: disks forget.
            report: is told of the bytes that are read.

        Raises:
            ObjectMissing: there is none.
            Corrupt: its bytes do not hash to its name; it is in quarantine now, and missing.

        """
        self._prove(name, self.place(name), anew=anew, report=report)
        return self.path(name)

    def prove(self, name: Hash, place: str = "") -> str:
        """Do as `verify`, and give the path as a string, for loops over many small files, which may know it already."""
        place = place or self.place(name)
        self._prove(name, place)
        return place

    def small(self, name: Hash, place: str = "") -> bytes | None:
        """Give the object's bytes, verified, if they are as few as are hashed anew each time; `None` if there are more.

        Raises:
            ObjectMissing, Corrupt: as `verify`.

        """
        return self._small(name, place or self.place(name))

    def is_known(self, name: Hash, place: str) -> bool:
        """Whether the object at `place` was hashed before, and nothing says that it changed since; reads no byte."""
        return self._state.known(place, name.name) == name.value[:MD5_LENGTH]

    def wrote(self, name: Hash) -> None:
        """Take note that the object was hashed while it was written, see `State`."""
        self._state.wrote(self.place(name), name.name, name.value[:MD5_LENGTH])

    def has_written(self, name: Hash, place: str) -> bool:
        """Whether the object at `place` is the one that was hashed while this process wrote it."""
        return self._state.has_written(place, name.name)

    @contextmanager
    def hashing(self, name: Hash, place: str) -> Iterator[Digest]:
        """Give a digest for a large object, all of whose bytes are read in the block and given to it.

        Raises:
            Corrupt: they do not hash to its name; it is in quarantine now, and missing.

        """
        looked, before = self._state.clock(), os.stat(place)
        digest = digest_for(name)
        with beside(digest) as aside:
            yield aside
        if not fits(digest, name):
            raise self.quarantine(name, digest.hexdigest())
        self._state.took(place, name.name, before, looked, name.value[:MD5_LENGTH])

    def _small(self, name: Hash, place: str) -> bytes | None:
        with disk.Refusals(f"read {place}"):
            try:
                content = disk.small(place, SMALL)
            except FileNotFoundError:
                raise self.gone(name) from None
            if content is not None and (found := other_than(name, content)):
                raise self.quarantine(name, found)
        return content

    def _prove(self, name: Hash, place: str, *, anew: bool = False, report: Report = unheard) -> None:
        content = self._small(name, place)
        if content is not None:
            report(len(content))
            return
        with disk.Refusals(f"read {place}"):
            try:
                found = "" if anew else self._state.hash_file(place, name.name)
                if found == name.value[:MD5_LENGTH]:
                    return
                digest = taken(digest_for(name), place, report)
            except FileNotFoundError:
                raise self.gone(name) from None
            if not fits(digest, name):
                raise self.quarantine(name, digest.hexdigest())

    def everything(self) -> Iterator[Hash]:
        """Give the name of every object there is, of both layouts; what is in quarantine is none."""
        with disk.Refusals(f"look into {self.root}"):
            for kind, top in ((MD5, f"{self._root}/files/md5"), (LEGACY, self._root)):
                for folder in sorted(_listed(top)):
                    if len(folder) == _FOLDER:
                        names = (Hash(folder + filename, kind) for filename in sorted(_listed(f"{top}/{folder}")))
                        yield from (name for name in names if name.is_valid)

    def quarantined(self) -> Iterator[tuple[str, str]]:
        """Give the path of every object that was put away because it held other bytes, and the value of its name."""
        folder = f"{self._root}/quarantine"
        for filename in sorted(_listed(folder)):
            if found := _QUARANTINED.match(filename):
                yield f"{folder}/{filename}", found[1]

    def folders(self) -> Iterator[str]:
        """Give every folder that objects lie in, of both layouts, and the one that objects without a name come to."""
        yield self._root
        for top in (f"{self._root}/files/md5", self._root):
            yield from (f"{top}/{folder}" for folder in sorted(_listed(top)) if len(folder) == _FOLDER)

    def name_at(self, link: str) -> Hash | None:
        """Give the name of the object that a symbolic link leads to; `None` where it leads elsewhere."""
        return Hash.of_key(os.path.relpath(os.path.realpath(link), os.path.realpath(self._root)))

    def read(self, name: Hash) -> bytes:
        """Give the object's bytes, verified.

        Raises:
            ObjectMissing, Corrupt: as `verify`.

        """
        with disk.Refusals(f"read {self.place(name)}"):
            try:
                content = disk.read(self.place(name))
            except FileNotFoundError:
                raise self.gone(name) from None
            if found := other_than(name, content):
                raise self.quarantine(name, found)
        return content

    def tree(self, name: Hash) -> Tree:
        """Give the listing of a directory, verified; parsed once a process.

        Raises:
            ObjectMissing, Corrupt: as `verify`, or its bytes are no listing.

        """
        if name not in self._trees:
            tree = self._streamed(name)
            if tree is None:
                tree = Tree.parse(self.read(name), f"the listing {name}", name.name)
            self._trees[name] = tree
        return self._trees[name]

    def _streamed(self, name: Hash) -> Tree | None:
        """Read a listing in constant memory; `None` where it is not as DVC writes it, or not there, or broken."""
        digest = digest_for(name)
        with disk.Refusals(f"read {self.place(name)}"), suppress(FileNotFoundError):
            tree = Tree.read(passed(digest, self.place(name)), name.name)
            return tree if tree is not None and fits(digest, name) else None
        return None

    def place(self, name: Hash) -> str:
        """Give `path` as a string, for loops over many small files."""
        return self.spot(name.key)

    def spot(self, key: str) -> str:
        """Give where the object of a key is or would be, for the same loops."""
        return f"{self._root}/{key}"

    def make_folder_of(self, path: str, *, durable: bool = False) -> None:
        """Make the folder that a file of the cache is to lie in."""
        disk.make_folder(os.path.dirname(path), durable=durable, mode=self.folder_mode)

    def gone(self, name: Hash) -> ObjectMissing:
        """Give the error for an object that is not there."""
        return ObjectMissing(f"{name} is not in the cache", "fetch it, or run the stage that makes it")

    def quarantine(self, name: Hash, found: str) -> Corrupt:
        """Move an object that hashes to `found` out of the way; give the error to raise."""
        message = f"the object {name} in the cache holds other bytes, of md5 {found}"
        if self.only_looks:
            return Corrupt(message, "`retrain verify --repair` fetches a good one")
        aside = f"{self._root}/quarantine/{name}-{os.urandom(4).hex()}"
        self.make_folder_of(aside)
        with suppress(FileNotFoundError):
            os.replace(self.place(name), aside)
        return Corrupt(message, f"it was moved to {aside}; run again to fetch a good one, or to make it anew")


def _absent(root: str, asked: Names) -> Names:
    """Give what a folder does not hold of `asked`, all of which belong there."""
    keys = list(asked.object_keys())
    if len(keys) < _LISTING_PAYS:
        absent = {key for key in keys if not _is_there(f"{root}/{key}")}
    else:
        folder = keys[0].rpartition("/")[0]
        there = _listed(f"{root}/{folder}")
        absent = {key for key in keys if key[len(folder) + 1 :] not in there}
    return Names.of(name for name, key in zip(asked, keys, strict=True) if key in absent) if absent else _NONE


def _is_there(place: str) -> bool:
    try:
        os.stat(place)
    except FileNotFoundError:
        return False
    return True


def _listed(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
