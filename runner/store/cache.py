"""The local object cache: bytes under their hash, in DVC's layout, with DVC's modes.

Nothing gets a final name before its bytes have been hashed, and nothing is read without being hashed: a cache may have
been restored from anywhere. An object that turns out broken is moved to `quarantine/` and from then on counts as
missing; it is never deleted by reading it.
"""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH105, PTH113, PTH120, PTH208

from __future__ import annotations

import os
import secrets
from collections import defaultdict
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from runner.errors import Corrupt, ObjectMissing
from runner.hashes import MD5, Hash, Tree
from runner.store import adding, disk, links, placing
from runner.store.digest import MD5_LENGTH, digest_for, hash_as
from runner.store.incoming import Incoming
from runner.store.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_LISTING_PAYS = 8


class Cache:
    """A directory of objects. Several processes, DVC's too, may use it at once: names stand for content."""

    def __init__(self, root: Path, link_types: Sequence[str] = ("reflink", "copy"), state: State | None = None) -> None:
        """Use the cache at `root` (absolute; made on the first write).

        Args:
            root: DVC's `cache.dir`.
            link_types: DVC's `cache.type`, in order of preference; a copy is always the last resort.
            state: what was hashed already.

        Raises:
            ConfigError: a link type that does not exist.

        """
        self.root = root
        self._root = os.fspath(root)
        self._types = tuple(link_types)
        self._state = state or State()
        self._trees: dict[Hash, Tree] = {}
        links.Linker(self._types)

    def path(self, name: Hash) -> Path:
        """Give where the object is or would be."""
        return self.root / name.key

    def has(self, name: Hash) -> bool:
        """Whether there is an object of that name. Its bytes are not looked at."""
        return self.path(name).is_file()

    def missing(self, names: Iterable[Hash]) -> set[Hash]:
        """Give those of `names` that are not there, reading a folder once where many are asked of it."""
        folders: defaultdict[str, list[tuple[str, Hash]]] = defaultdict(list)
        for name in set(names):
            folder, _, filename = name.key.rpartition("/")
            folders[f"{self._root}/{folder}"].append((filename, name))
        return {name for folder, asked in folders.items() for name in _absent(folder, asked)}

    def verify(self, name: Hash) -> Path:
        """Hash the object and give its path.

        Raises:
            ObjectMissing: there is none.
            Corrupt: its bytes do not hash to its name; it is in quarantine now, and missing.

        """
        place = self.path(name)
        with disk.refusals(f"read {place}"):
            try:
                found = self._state.hash_file(place) if name.name == MD5 else hash_as(name, self.place(name))
            except FileNotFoundError:
                raise self.gone(name) from None
            if found != name.value[:MD5_LENGTH]:
                raise self.quarantine(name, found)
        return place

    def read(self, name: Hash) -> bytes:
        """Give the object's bytes, verified.

        Raises:
            ObjectMissing, Corrupt: as `verify`.

        """
        with disk.refusals(f"read {self.place(name)}"):
            try:
                content = disk.read(self.place(name))
            except FileNotFoundError:
                raise self.gone(name) from None
            digest = digest_for(name)
            digest.update(content)
            if digest.hexdigest() != name.value[:MD5_LENGTH]:
                raise self.quarantine(name, digest.hexdigest())
        return content

    def tree(self, name: Hash) -> Tree:
        """Give the listing of a directory, verified; parsed once a process.

        Raises:
            ObjectMissing, Corrupt: as `verify`, or its bytes are no listing.

        """
        if name not in self._trees:
            self._trees[name] = Tree.parse(self.read(name), f"the listing {name}")
        return self._trees[name]

    def members(self, name: Hash) -> list[tuple[str, Hash]]:
        """Give the relative path and the name of each file of a directory, named as the directory is (md5, legacy)."""
        return [(relpath, Hash(md5, name.name)) for relpath, md5 in self.tree(name).files]

    @contextmanager
    def write(self, name: Hash) -> Iterator[Incoming]:
        """Take an object's bytes from elsewhere; they get their name at the end of the block if they hash to it.

        Not written through to the disk: it can be had again, and it is hashed when it is used.

        Raises:
            Corrupt: other bytes arrived. Nothing of them stays.
            RemoteError: the disk refused.

        """
        with disk.refusals(f"write {self.place(name)}"):
            incoming = Incoming(self.place(name), name)
            try:
                yield incoming
                os.replace(incoming.verified(), self.place(name))
            finally:
                incoming.close()

    def add(self, source: Path, name: Hash, tree: Tree | None = None) -> None:
        """Bring a workspace file, or with `tree` a directory, into the cache such that a power cut does not lose it.

        Objects that are there and good are not written again. A directory's listing comes after its files. With link
        types that share the file (hardlink, symlink) the workspace's becomes a link to the object, except executable
        ones: their mode is not the object's.

        Raises:
            Corrupt: a file is not what its name says: it changed since it was hashed.
            RemoteError: the disk refused.

        """
        with disk.refusals(f"add {source} to the cache"):
            adding.add(self, source, name, tree, self._types)

    def checkout(self, name: Hash, target: Path, *, isexec: bool = False) -> int:
        """Put a file or a directory in place at `target`; give the number of files.

        What is there is replaced only once the new one is complete; a directory is replaced as a whole, with whatever
        else was in it. Copies have mode 0666 and the umask, links the object's 0444. An executable file is always a
        copy: its mode on a link would be the mode of the object.

        Raises:
            ObjectMissing: an object is not there.
            Corrupt: objects are broken; all of them are in quarantine now, so that one fetch brings them all.
            RemoteError: the disk refused.

        """
        with disk.refusals(f"put {target} in place"):
            return placing.put_in_place(self, name, os.fspath(target), self._types, isexec=isexec)

    def place(self, name: Hash) -> str:
        """Give `path` as a string, for loops over many small files."""
        return f"{self._root}/{name.key}"

    def gone(self, name: Hash) -> ObjectMissing:
        """Give the error for an object that is not there."""
        return ObjectMissing(f"{name} is not in the cache", "fetch it, or run the stage that makes it")

    def quarantine(self, name: Hash, found: str) -> Corrupt:
        """Move an object that hashes to `found` out of the way; give the error to raise."""
        aside = f"{self._root}/quarantine/{name}-{secrets.token_hex(4)}"
        disk.make_folder(os.path.dirname(aside))
        with suppress(FileNotFoundError):
            os.replace(self.place(name), aside)
        message = f"the object {name} in the cache holds other bytes, of md5 {found}"
        return Corrupt(message, f"it was moved to {aside}; run again to fetch a good one, or to make it anew")


def _absent(folder: str, asked: Sequence[tuple[str, Hash]]) -> Iterator[Hash]:
    """Give what `folder` does not hold of `asked`: by one listing if many are asked, else by a stat each."""
    if len(asked) < _LISTING_PAYS:
        yield from (name for filename, name in asked if not os.path.isfile(f"{folder}/{filename}"))
        return
    try:
        there = frozenset(os.listdir(folder))
    except FileNotFoundError:
        there = frozenset()
    yield from (name for filename, name in asked if filename not in there)
