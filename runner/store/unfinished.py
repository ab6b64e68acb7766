"""What one run leaves of large objects for the next to go on with: first bytes that came, and notes of uploads.

Both lie beside the object's place in the cache, and are locked as long as their writer lives: what a killed one left
can be had, what somebody else is still at cannot. Neither is believed: bytes are hashed anew, and what a note leads to
is asked of the remote and compared with the object.
"""
# One system call a file, see disk.py:
# ruff: noqa: PTH108, PTH116

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from runner.hashes import hash_bytes

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_LONGEST = 1 << 14
"""Bytes of a note. Google's are urls of several hundred."""


def partial(target: str) -> str:
    """Name the temporary neighbour of `target` that holds its first bytes."""
    folder, _, filename = target.rpartition("/")
    return f"{folder}/.{filename}.part.tmp"


def take_over(path: str) -> int | None:
    """Open the file `path`, made if there is none, for going on with it; `None` where somebody else is at it.

    So it is where another user's run left it, in a cache that several share.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.stat(path).st_ino == os.fstat(fd).st_ino:  # else its owner gave it its name, or removed it, just before
            return fd
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(fd)
    return None


class Note:
    """A note on one object's way to one remote, held for the length of a block.

    Attributes:
        earlier: what an earlier run noted and did not come to the end of; empty: nothing.
        is_kept: whether what is noted now will be found by the next run.

    """

    def __init__(self, source: Path, place: str) -> None:
        """Take the note beside the file `source` about `place`, which names the remote's object in full."""
        self.earlier = ""
        self.is_kept = False
        self._path = f"{source.parent}/.{source.name}.{hash_bytes(os.fsencode(place))}.upload.tmp"
        self._fd: int | None = None

    def __enter__(self) -> Self:
        """Read it. Where the folder takes no note, or another process sends that object there, do without."""
        with suppress(OSError):
            self._fd = take_over(self._path)
        if self._fd is not None:
            self.earlier = os.pread(self._fd, _LONGEST, 0).decode(errors="replace")
        return self

    def write(self, text: str) -> None:
        """Note what the next run needs in order to go on; it survives this process, not necessarily the machine."""
        if self._fd is None or text == self.earlier:
            self.is_kept = self._fd is not None and bool(text)
            return
        with suppress(OSError):
            os.ftruncate(self._fd, 0)
            self.is_kept = os.pwrite(self._fd, text.encode(), 0) == len(text.encode()) > 0

    def forget(self) -> None:
        """Leave nothing to go on with."""
        self.write("")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of it, and remove it where there is nothing to go on with."""
        if self._fd is None:
            return
        if not self.is_kept:
            with suppress(OSError):
                os.unlink(self._path)
        os.close(self._fd)
