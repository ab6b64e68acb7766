"""Large files to another machine, over SFTP: one part after the other, gone on with where line or process broke off.

SFTP tells no checksum of what is there, so it is read back and compared: what a machine that lost power has left of a
file may be anything. On most lines that is faster than sending it again, and on none slower.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from runner.errors import RemoteError
from runner.store import disk, pieces, ssh_files
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from asyncssh import SFTPClient, SFTPClientFile

    from runner.store.ssh_client import Session

PART: Final = 4 << 20
"""Bytes of a part; whatever is larger than one goes in parts."""


@dataclass(frozen=True)
class Target:
    """Where a file goes.

    Attributes:
        place: what people call it.
        path: the file's, absolute.
        session: to the machine.
        errors: translates what asyncssh raises.

    """

    place: str
    path: str
    session: Session
    errors: Callable[[], AbstractContextManager[None]]


class SSHUpload:
    """See `Upload`. Written beside its name, synced where the server can, and renamed in one step."""

    at_once = 1

    def __init__(self, target: Target, source: Path, size: int) -> None:
        """Prepare to send the file `source` of `size` bytes to `target`."""
        self.place = target.place
        self.parts = [(at, min(at + PART, size)) for at in range(0, size, PART)]
        self._target = target
        self._source = source
        self._size = size
        self._ready = ""
        self._there = 0

    def begin(self, earlier: str) -> str:
        """See `Upload`: what is half written is known by the name of its file."""
        with self._target.errors():
            if not (disk.is_temporary(earlier) and "/" not in earlier and self._is_there(earlier)):
                self._there = 0
                self._ready = disk.temporary(self._target.path)
                self._target.session.run(lambda sftp: ssh_files.make(sftp, self._ready))
        return posixpath.basename(self._ready)

    def _is_there(self, earlier: str) -> bool:
        self._ready = posixpath.join(posixpath.dirname(self._target.path), earlier)
        (size,) = self._target.session.run(lambda sftp: ssh_files.sizes(sftp, [self._ready]))
        self._there = size or 0
        return size is not None

    def send(self, number: int) -> None:
        """See `Upload`."""
        start, stop = self.parts[number]
        with self._target.errors():
            self._target.session.run(lambda sftp: self._fill(sftp, start, stop))

    async def _fill(self, sftp: SFTPClient, start: int, stop: int) -> None:
        async with ssh_files.opened(sftp, self._ready) as file:
            if stop > self._there or not await self._is_same(file, start, stop):
                at = start
                for chunk in pieces.chunks(self._source, start, stop):
                    at += await ssh_files.write(file, at, chunk)

    async def _is_same(self, file: SFTPClientFile, start: int, stop: int) -> bool:
        at = start
        for chunk in pieces.chunks(self._source, start, stop):
            if await ssh_files.further(file, at, len(chunk)) != chunk:
                return False
            at += len(chunk)
        return True

    def finish(self) -> None:
        """See `Upload`. If the whole file is there instead of the half one, a try did it whose answer was lost."""
        with self._target.errors():
            self._target.session.run(self._settle)

    async def _settle(self, sftp: SFTPClient) -> None:
        half, whole = await ssh_files.sizes(sftp, [self._ready, self._target.path])
        if half is None and whole == self._size:
            return
        if half != self._size:
            message = f"{self._ready} has {half} bytes of {self._size}"
            raise RemoteError(message, "find out what writes to it, or push again")
        await ssh_files.settle(sftp, self._ready, self._target.path)

    def abort(self) -> None:
        """See `Upload`."""
        with self._target.errors():
            self._target.session.run(lambda sftp: ssh_files.remove(sftp, [self._ready]))
