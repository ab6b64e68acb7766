"""The local object cache: bytes under their hash, in DVC's layout, with DVC's modes.

Nothing gets a final name before its bytes have been hashed, and nothing is read without being hashed.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from runner import durable
from runner.hashes import MD5, Hash
from runner.store import adding, batch, disk, links, placing, unfinished
from runner.store.holding import holding
from runner.store.incoming import Arrival, Incoming
from runner.store.meter import Meter, Tally, Work, unheard
from runner.store.state import State
from runner.store.verified import VerifiedObjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from runner.hashes import Names, Tree
    from runner.store.meter import Report


class Cache(VerifiedObjects):
    """A directory of objects. Several processes, DVC's too, may use it at once: names stand for content."""

    def __init__(
        self,
        root: Path,
        link_types: Sequence[str] = ("reflink", "copy"),
        state: State | None = None,
        meter: Meter | None = None,
        *,
        shared: bool = False,
    ) -> None:
        """Use the cache at `root` (absolute; made on the first write).

        Args:
            root: DVC's `cache.dir`.
            link_types: DVC's `cache.type`, in order of preference; a copy is always the last resort.
            state: what was hashed already.
            meter: shows how far what takes long is.
            shared: whether it is its group's, whatever the umask says: DVC's `cache.shared = group`.

        Raises:
            ConfigError: a link type that does not exist.

        """
        super().__init__(root, state or State(), meter or Meter())
        self.holding = holding(self._root)
        self._types = tuple(link_types)
        self.shared = shared
        self.folder_mode = disk.GROUP_FOLDER if shared else None
        links.Linker(self._types)

    def write(self, name: Hash, report: Report = unheard) -> Arrival:
        """Take an object's bytes from elsewhere; they get their name at the end of the block if they hash to it.

        Not written through to the disk: it can be had again, and it is hashed when it is used.

        Raises:
            Corrupt: other bytes arrived. Nothing of them stays.
            RemoteError: the disk refused.

        """
        self._hold()
        place = self.place(name)
        if self.folder_mode is not None:
            with disk.Refusals(f"write {place}"):
                self.make_folder_of(place)
        return Arrival(place, name, report, partial(self.wrote, name))

    def take(self, fill: Callable[[Incoming], None]) -> tuple[Hash, int]:
        """Take bytes whose name nobody knows before; give the name and the size. A power cut does not lose them.

        Args:
            fill: writes the bytes; if it raises, nothing of them stays.

        Raises:
            RemoteError: the disk refused.

        """
        with disk.Refusals(f"write to {self.root}"):
            self._hold()
            incoming = Incoming(f"{self.root}/arriving", Hash("", MD5))
            try:
                fill(incoming)
                ready, name = incoming.named()
                self.make_folder_of(self.place(name), durable=True)
                batch.keep([(ready, self.place(name))])
            finally:
                incoming.close()
        return name, incoming.size

    def keep(self, name: str, content: bytes) -> None:
        """Keep a small file that is no object, such as the record of a run, under `name` below the cache's root.

        A loss of power may leave an empty one.

        Raises:
            RemoteError: the disk refused.

        """
        place = self.root / name
        with disk.Refusals(f"write {place}"):
            self.make_folder_of(os.fspath(place))
            durable.write(place, content, sync=False, mode=disk.GROUP_FILE if self.shared else None)

    def take_listing(self, tree: Tree) -> Hash:
        """Take the listing of a directory whose files are there; give its name."""
        with self.write(tree.hash) as incoming:
            for chunk in tree.rendered():
                incoming.write(chunk)
        return tree.hash

    def add(self, source: Path, name: Hash, tree: Tree | None = None) -> None:
        """Bring a workspace file, or with `tree` a directory, into the cache such that a power cut does not lose it.

        Objects that are there and good are not written again. A directory's listing comes after its files. With link
        types that share the file (hardlink, symlink) the workspace's becomes a link to the object, except executable
        ones: their mode is not the object's.

        Raises:
            Corrupt: a file is not what its name says: it changed since it was hashed.
            RemoteError: the disk refused.

        """
        with disk.Refusals(f"add {source} to the cache"):
            self._hold()
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
        self.holding.share()
        with disk.Refusals(f"put {target} in place"):
            return placing.put_in_place(self, name, os.fspath(target), self._types, isexec=isexec)

    def place_files(self, files: Sequence[tuple[str, Hash]]) -> None:
        """Put single files in place, by absolute path, each whole or not at all. What is there already is left alone.

        Raises:
            ObjectMissing, Corrupt, RemoteError: as `checkout`; what was put in place before stays.

        """
        self.holding.share()
        with disk.Refusals("put files in place"):
            placing.put_beside(self, files, self._types)

    def room(self) -> int:
        """Give the bytes that may still be written to the cache."""
        with disk.Refusals(f"look into {self.root}"):
            return disk.room(self._root)

    def begun(self, names: Iterable[Hash]) -> int:
        """Give the bytes of `names` that earlier runs left here, to be gone on with."""
        sizes = (disk.size(unfinished.partial(self.place(name))) for name in names)
        return sum(sizes)

    def remove(self, names: Names) -> int:
        """Remove objects for good, listings before files; give their bytes. One that is not there is fine.

        Raises:
            RemoteError: the disk refused; what comes later is still there.

        """
        tally = Tally()
        with self.meter.watch(Work("remove", tally.counts, len(names))), disk.Refusals(f"remove from {self.root}"):
            for name in names.listings_first():
                tally.report(_removed(self.place(name)))
                tally.objects += 1
        return tally.bytes

    def _hold(self) -> None:
        """Keep garbage collection away; what is to be kept away from has to be there."""
        if not self.holding.is_held:
            with disk.Refusals(f"write to {self.root}"):
                disk.make_folder(self._root, durable=True, mode=self.folder_mode)
            self.holding.share()

    def discard(self, path: str) -> None:
        """Remove what lies in the cache's folder and is no object: quarantined, or half written by a killed run.

        Raises:
            RemoteError: the disk refused.

        """
        with disk.Refusals(f"remove {path}"):
            disk.remove(path)


def _removed(place: str) -> int:
    try:
        size = os.lstat(place).st_size
        os.unlink(place)  # noqa: PTH108 - as above
    except FileNotFoundError:
        return 0
    return size
