"""Who uses a cache right now: runs share it, garbage collection has it for itself. The lock ends with its process.

It is on the cache's folder itself: no file that DVC or a backup could stumble over, and readers may take it too.
"""

from __future__ import annotations

import errno
import fcntl
import os
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from runner.errors import ConfigError
from runner.store import disk

if TYPE_CHECKING:
    from collections.abc import Iterator

_CANNOT: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF})
"""A file system without such locks (NFS has none on folders): there, nobody may use a cache that is collected."""

_HELD: Final = frozenset({errno.EAGAIN, errno.EACCES})


class Holding:
    """One process's hold on one cache; it is let go when nothing of the process uses that cache any more.

    Attributes:
        is_held: whether it has been taken.

    """

    def __init__(self, root: str) -> None:
        """Hold nothing yet of the cache at `root`."""
        self._root = root
        self.is_held = False
        self._fd = -1

    def share(self) -> None:
        """Keep garbage collection away until this process ends. A cache that is not there yet is held later.

        Raises:
            ConfigError: it is at work.

        """
        if self.is_held:
            return
        try:
            fd = self._open()
        except OSError:  # what is wrong with the folder is said by whoever needs it
            return
        if not _locked(fd, fcntl.LOCK_SH):
            message = f"`retrain gc` is at work in the cache {self._root}"
            raise ConfigError(message, "run again when it has ended; its lock ends with its process")
        self.is_held = True

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the cache for this process alone.

        Raises:
            ConfigError: another process uses it.
            RemoteError: there is no such folder, or it cannot be read.

        """
        with disk.Refusals(f"read {self._root}"):
            fd = self._open()
        if not _locked(fd, fcntl.LOCK_EX):
            message = f"another retrain uses the cache {self._root}, and may need what nothing names yet"
            raise ConfigError(message, "run again when it has ended; its lock ends with its process")
        self.is_held = True
        try:
            yield
        finally:
            _locked(fd, fcntl.LOCK_SH)

    def _open(self) -> int:
        if self._fd < 0:
            self._fd = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            weakref.finalize(self, os.close, self._fd)
        return self._fd


_known: weakref.WeakValueDictionary[str, Holding] = weakref.WeakValueDictionary()


def holding(root: str) -> Holding:
    """Give this process's one hold on the cache at `root`: its parts must not lock each other out."""
    return _known.setdefault(root, Holding(root))


def _locked(fd: int, how: int) -> bool:
    """Whether the lock was to be had at once; a file system that knows no locks says yes."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return False
        if error.errno not in _CANNOT:
            raise
    return True
