"""A directory as a remote: what DVC calls a local remote, a disk, a mounted share, a folder beside the project."""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH105, PTH108, PTH116, PTH120

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from runner.durable import sync_folder
from runner.errors import ConfigError, ObjectMissing
from runner.store import disk, ranges, sweeping
from runner.store.batch import Batch
from runner.store.meter import unheard
from runner.store.remote import checked, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.store.meter import Report
    from runner.store.protocols import Put, Sink, Source

_BATCH = 10_000
_BATCH_BYTES = 64 << 20
"""Objects, and bytes of them, that wait for the disk together: so many are sent anew after a crash, and no more."""

_KNOWN = frozenset({"shared", "type", "slow_link_warning", "protected"})
"""DVC's options; all but the first are of how it links out of such a remote. Here objects are copied: always right."""


class Directory:
    """Objects as read-only files below one folder."""

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        """Use the folder at `path` (absolute); the first `put` makes it.

        Args:
            path: of the folder.
            shared: whether folders are made for the group, whatever the umask says: DVC's `shared = group`.

        """
        self.url = os.fspath(path)
        self._folder_mode = disk.GROUP_FOLDER if shared else None

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], _environ: Mapping[str, str], /) -> Self:
        """Open the remote at the path or `file://` url.

        Raises:
            ConfigError: the path is relative, or an option is not supported.

        """
        refuse_unknown(url, options, _KNOWN)
        path = Path(url.removeprefix("file://"))
        if not path.is_absolute():
            message = f"remote {url!r} is a relative path"
            raise ConfigError(message, "write an absolute one, or one relative to the file of the configuration")
        return cls(path, shared=bool(options.get("shared")))

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        """See `Remote`."""
        there: dict[str, int] = {}
        with disk.Refusals(f"look into {self.url}"):
            for name in names:
                try:
                    there[name] = os.stat(self._place(name)).st_size
                except (FileNotFoundError, NotADirectoryError):
                    continue
        return there

    def get(self, name: str, sink: Sink) -> None:
        """See `Remote`. Of a large object only what an earlier run has not left is read: the folder may be far away."""
        for chunk in self._read(name, sink):
            sink.write(chunk)

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        """See `Remote`. The object is on the disk, not only on its way there, when this returns."""
        place = self._place(name)
        ready = disk.temporary(place)
        with disk.Refusals(f"write {place}"):
            try:
                disk.make_folder(os.path.dirname(place), durable=True, mode=self._folder_mode)
                _write(source, ready, report, durable=True)
                os.replace(ready, place)
                sync_folder(Path(os.path.dirname(place)))
            except BaseException:
                disk.remove(ready)
                raise

    @contextmanager
    def together(self) -> Iterator[Put]:
        """See `Together`."""
        batch = _Together(self.url, self._folder_mode)
        try:
            yield lambda name, source, report: batch.put(self._place(name), source, report)
            batch.settle()
            sweeping.sweep(batch.folders)  # of what killed pushes left
        finally:
            batch.drop()

    def names(self, prefix: str) -> Iterator[str]:
        """See `Remote`."""
        folder = prefix.rpartition("/")[0]
        if folder:
            checked(folder)
        start = f"{self.url}/{folder}" if folder else self.url
        for path in _files(start):
            name = path[len(self.url) + 1 :]
            if name.startswith(prefix):
                yield name

    def remove(self, names: Sequence[str]) -> None:
        """See `Erasable`."""
        with disk.Refusals(f"remove from {self.url}"):
            for name in names:
                with suppress(FileNotFoundError, NotADirectoryError):
                    os.unlink(self._place(name))

    def stored(self, names: Sequence[str]) -> Mapping[str, float]:
        """See `Erasable`. Times of files can be carried over by who copies them; when their entry changed cannot."""
        came: dict[str, float] = {}
        with disk.Refusals(f"look into {self.url}"):
            for name in names:
                with suppress(FileNotFoundError, NotADirectoryError):
                    came[name] = os.stat(self._place(name)).st_ctime
        return came

    def _place(self, name: str) -> str:
        return f"{self.url}/{checked(name)}"

    def _read(self, name: str, sink: Sink) -> Iterator[bytes]:
        """Give the bytes that `sink` lacks; only the reading is translated, not what the sink does with them."""
        place = self._place(name)
        with disk.Refusals(f"read {place}"):
            try:
                fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
            except (FileNotFoundError, NotADirectoryError):
                message = f"{name} is not in {self.url}"
                raise ObjectMissing(message, "push it from where it was made, or make it anew") from None
            try:
                if (size := os.fstat(fd).st_size) >= ranges.LARGE:
                    os.lseek(fd, ranges.resumed(name, sink, size), os.SEEK_SET)
                yield from disk.chunks(fd)
            finally:
                os.close(fd)


class _Together:
    """Objects under temporary names, given their own when enough of them share the wait for the disk."""

    def __init__(self, root: str, folder_mode: int | None) -> None:
        self._root = root
        self._folder_mode = folder_mode
        self._lock = threading.Lock()
        self.folders: set[str] = set()
        self._ready = Batch(root)
        self._bytes = 0

    def put(self, place: str, source: Source, report: Report) -> None:
        ready = disk.temporary(place)
        with disk.Refusals(f"write {place}"):
            try:
                if not self.folders:
                    disk.make_folder(self._root, durable=True, mode=self._folder_mode)
                if self._folder_mode is not None:
                    disk.make_folder(os.path.dirname(place), mode=self._folder_mode)
                size = _write(source, ready, report)
            except BaseException:
                disk.remove(ready)
                raise
        with self._lock:  # held while the batch is kept, so that nobody writes much of the next one meanwhile
            self._bytes += size
            self.folders.add(os.path.dirname(place))
            with disk.Refusals(f"write to {self._root}"):
                self._ready.add(ready, place)
            if self._bytes >= _BATCH_BYTES or len(self._ready) >= _BATCH:
                self.settle()

    def settle(self) -> None:
        """Give every object its name; those that cannot have it are removed."""
        whole, self._ready, self._bytes = self._ready, Batch(self._root), 0
        try:
            with disk.Refusals(f"write {len(whole)} objects"):
                whole.keep()
        except BaseException:
            whole.drop()
            raise

    def drop(self) -> None:
        """Remove what has got no name."""
        self._ready.drop()


def _write(source: Source, ready: str, report: Report, *, durable: bool = False) -> int:
    """Copy `source` to the new file `ready`, with `durable` wait until it is on the disk; give its size."""
    writer = disk.create(ready, disk.READ_ONLY, durable=durable)
    try:
        if isinstance(source, bytes):
            size = len(source)
            disk.write_all(writer, source)
            report(size)
        else:
            size = _copy(source, writer, report)
        os.fchmod(writer, disk.READ_ONLY)
        if durable:
            os.fsync(writer)
    finally:
        os.close(writer)
    return size


def _copy(source: Path, writer: int, report: Report) -> int:
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return disk.copy(reader, writer, report=report)
    finally:
        os.close(reader)


def _files(folder: str) -> Iterator[str]:
    """Give the path of each object at or below `folder`; one that is not there holds none."""

    def fail(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    with disk.Refusals(f"list {folder}"):
        for parent, _, filenames in os.walk(folder, onerror=fail):
            yield from (f"{parent}/{name}" for name in filenames if not disk.is_temporary(name))
