"""New files that get their names together: all of their bytes are on the disk before any of them is known by its name.

Paths are `str`, and system calls bare, as in `disk`.
"""
# ruff: noqa: PTH105, PTH120

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from runner.store import disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future, ThreadPoolExecutor

FEW: Final = 8
"""So many files or folders are written through one by one; for more it is their whole file system."""

_STEP: Final = 1000
"""Files after which what was written begins to go to the disk, while more is written: at the end little is left."""


class Batch:
    """Complete temporary files and their final names, all on one file system.

    First the bytes reach the disk, then the names change, then the names reach the disk. Many files share the two
    waits: 10,000 single waits for a disk take longer than everything else that is done to the files.
    """

    def __init__(self, above: str = "") -> None:
        """Begin with none.

        Args:
            above: folders below this one may be new, so that their names have to reach the disk too; empty: none is.

        """
        self._above = above
        self._pairs: list[tuple[str, str]] = []
        self._disk: _Filesystem | None = None

    def __len__(self) -> int:
        """Count them."""
        return len(self._pairs)

    def add(self, ready: str, final: str) -> None:
        """Take the temporary and the final path of a file whose bytes are written.

        Raises:
            OSError: what was written of those before could not be written through.

        """
        self._pairs.append((ready, final))
        if len(self._pairs) % _STEP == 0:
            self._disk = self._disk or _Filesystem(ready)
            self._disk.begin()

    def keep(self) -> None:
        """Give each its final name such that none is lost in a power cut; where that fails, see `drop`.

        Raises:
            OSError: the disk refused.

        """
        folders = {final.rpartition("/")[0] for _, final in self._pairs}
        folders |= {parent for folder in folders for parent in _up_to(self._above, folder)}
        self._sync([ready for ready, _ in self._pairs])
        for ready, final in self._pairs:
            os.replace(ready, final)
        self._sync(sorted(folders))
        self._close()

    def drop(self) -> None:
        """Remove those that have not got their names."""
        self._close()
        for ready, _ in self._pairs:
            disk.remove(ready)

    def _sync(self, paths: list[str]) -> None:
        """Write files or folders through to the disk: one by one if they are few, else their whole file system."""
        if len(paths) > FEW:
            self._disk = self._disk or _Filesystem(paths[0])
            self._disk.sync()
            return
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _close(self) -> None:
        if self._disk:
            self._disk.close()
            self._disk = None


def keep(pairs: Iterable[tuple[str, str]]) -> None:
    """Give temporary files, of which there are few, their final names, as `Batch` does."""
    batch = Batch()
    for ready, final in pairs:
        batch.add(ready, final)
    batch.keep()


class _Filesystem:
    """The file system of a path, written through by Linux' syncfs, which Python does not offer; by sync() elsewhere.

    It stays open in between: what goes wrong as bytes are written is told, once, to each who had it open.
    """

    def __init__(self, path: str) -> None:
        import ctypes  # noqa: PLC0415 - only who writes many files comes here

        self._call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        self._errno = ctypes.get_errno
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._thread: ThreadPoolExecutor | None = None
        self._going: Future[None] | None = None

    def begin(self) -> None:
        """Write what is there, on the side, unless that is still being done."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above

        if self._going is None or self._going.done():
            self._wait()
            self._thread = self._thread or ThreadPoolExecutor(1)
            self._going = self._thread.submit(self._write)

    def sync(self) -> None:
        """Write everything that is there, and wait for it."""
        self._wait()
        self._write()

    def close(self) -> None:
        """Let go of it."""
        if self._thread:
            self._thread.shutdown()
        os.close(self._descriptor)

    def _wait(self) -> None:
        going, self._going = self._going, None
        if going:
            going.result()

    def _write(self) -> None:
        if self._call is None:
            os.sync()
        elif self._call(self._descriptor):
            code = self._errno()
            raise OSError(code, os.strerror(code), self._path)


def _up_to(above: str, folder: str) -> Iterator[str]:
    """Give the folders that hold `folder`, the last of them `above`."""
    while above and folder.startswith(f"{above}/"):
        folder = os.path.dirname(folder)
        yield folder
