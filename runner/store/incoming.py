"""Bytes on their way into the cache: hashed as they come, under a temporary name until they prove right."""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH105, PTH108, PTH120

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from runner.errors import Corrupt
from runner.hashes import Hash
from runner.store import disk, unfinished
from runner.store.digest import digest_for, fits
from runner.store.meter import unheard
from runner.store.state import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future, ThreadPoolExecutor
    from types import TracebackType

    from runner.store.meter import Report


class Incoming:
    """A sink that hashes what it takes. Nobody sees its bytes until somebody gives them their name.

    There is no file before there are bytes. Of a large object the bytes that arrived stay behind when the rest does not
    come, for `resume` to find.
    """

    def __init__(self, place: str, name: Hash, report: Report = unheard) -> None:
        """Take bytes for the object `name` into a temporary neighbour of `place`; each is told to `report`."""
        self.size = 0
        self._report = report
        self._name = name
        self._place = place
        self._path = ""
        self._fd = -1
        self._digest = digest_for(name)
        self._is_kept = False
        self._writer: ThreadPoolExecutor | None = None

    def write(self, chunk: bytes, /) -> None:
        """Take the next bytes; those of a large object are written while they are hashed."""
        if self._writer is None:
            self._digest.update(chunk)
            disk.write_all(self._file(), chunk)
        else:
            written = self._writer.submit(disk.write_all, self._file(), chunk)
            self._digest.update(chunk)
            self._written(written)
        self.size += len(chunk)
        self._report(len(chunk))

    def _file(self) -> int:
        """Give the descriptor of the temporary file, made if there is none yet."""
        if self._fd < 0:
            self._path = disk.temporary(self._place)
            self._fd = disk.create(self._path, disk.READ_ONLY)
        return self._fd

    def _written(self, written: Future[None]) -> None:
        try:
            written.result()
        except OSError:
            self._is_kept = False  # what fills the disk is not to fill it any longer
            raise

    def resume(self) -> int:
        """See `Resumable`. Where another process is bringing the same object, there is nothing to take up."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - a plan writes no large object

        self._writer = self._writer or ThreadPoolExecutor(1)
        place = unfinished.partial(self._place)
        disk.make_folder(os.path.dirname(place))
        found = unfinished.take_over(place)
        if found is None:
            return 0
        if self._fd >= 0:
            os.close(self._fd)
            os.unlink(self._path)
        self._fd, self._path, self._is_kept = found, place, True
        for chunk in disk.chunks(self._fd):
            self._digest.update(chunk)
            self.size += len(chunk)
            self._report(len(chunk))
        return self.size

    def restart(self) -> None:
        """Forget everything written so far."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
        self._digest = digest_for(self._name)
        self._report(-self.size)
        self.size = 0

    def verified(self) -> str:
        """Give the path of the temporary file if it holds the object's bytes, with the object's mode.

        Raises:
            Corrupt: it does not.

        """
        if not fits(self._digest, self._name):
            self._is_kept = False
            found = self._digest.hexdigest()
            message = f"{self._name.key}: {self.size} bytes of md5 {found} arrived under this name"
            raise Corrupt(
                message, "the object in the remote is broken; push it again from a good copy, or make it anew"
            )
        os.fchmod(self._file(), disk.READ_ONLY)
        return self._path

    def settle(self) -> None:
        """Give the object its final name.

        Raises:
            Corrupt: its bytes are others.

        """
        os.replace(self.verified(), self._place)
        self._path = ""

    def named(self) -> tuple[str, Hash]:
        """Give the path of the temporary file and the name of its bytes, whatever they turned out to be."""
        os.fchmod(self._file(), disk.READ_ONLY)
        return self._path, Hash(self._digest.hexdigest(), self._name.name)

    def close(self) -> None:
        """Remove the temporary file, if it still has its temporary name and there is nothing in it to go on from."""
        if self._writer:
            self._writer.shutdown()
        if self._path and not (self._is_kept and self.size):
            with suppress(FileNotFoundError):
                os.unlink(self._path)
        if self._fd >= 0:
            os.close(self._fd)


class Arrival:
    """The block in which an object's bytes come into the cache; at its end they get their name if they hash to it.

    Not a generator: that would cost a small object as much as its file.
    """

    __slots__ = ("_incoming", "_place", "_settled")

    def __init__(self, place: str, name: Hash, report: Report, settled: Callable[[], None]) -> None:
        """Take bytes for the object `name`, whose place is `place`.

        Each byte is told to `report`; that a large object has its name, to `settled`.
        """
        self._place = place
        self._settled = settled
        self._incoming = Incoming(place, name, report)

    def __enter__(self) -> Incoming:
        """Give the sink."""
        return self._incoming

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Settle, or leave nothing of it.

        Raises:
            Corrupt: other bytes arrived.
            RemoteError: the disk refused.

        """
        with disk.Refusals(f"write {self._place}"):
            try:
                if error is None:
                    self._incoming.settle()
                    if self._incoming.size >= SMALL:
                        self._settled()
            finally:
                self._incoming.close()
            if isinstance(error, OSError):
                raise error
