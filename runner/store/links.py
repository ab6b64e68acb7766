"""How an object gets into the workspace without copying its bytes, with DVC's fallback from one way to the next.

`reflink` shares the blocks and is as safe as a copy; `hardlink` and `symlink` share the file itself, so what writes
through them damages the cache: objects are read-only, and everything read from the cache is hashed first.
"""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH108

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from runner.errors import ConfigError
from runner.store import disk

if TYPE_CHECKING:
    from collections.abc import Sequence

COPY = "copy"
TYPES = ("reflink", "hardlink", "symlink", COPY)
SHARING = frozenset({"hardlink", "symlink"})

_FICLONE = 0x40049409  # linux/fs.h; Python names it only since 3.13
_CANNOT = frozenset(
    {errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.ENOTTY, errno.ENOSYS, errno.EINVAL, errno.EAGAIN, errno.EMLINK}
)
"""What says "this file system cannot": DVC's list, and a file that has as many hard links as it may have."""


class _Way(Protocol):
    def __call__(self, source: str, target: str, /) -> None: ...


class Cloner:
    """Lets open, empty files share the blocks of others; a file system that cannot is not asked again.

    Attributes:
        may: whether it is worth a try.

    """

    def __init__(self, types: Sequence[str]) -> None:
        """Try if `types` of link say so."""
        self.may = "reflink" in types

    def clone(self, source: int, target: int) -> bool:
        """Let `target` share the blocks of `source`; whether that could be done."""
        if self.may:
            try:
                fcntl.ioctl(target, _FICLONE, source)
            except OSError as error:
                if error.errno not in _CANNOT:
                    raise
                self.may = False
        return self.may


class Linker:
    """Links files by the first of the configured types that works here; one that does not is not tried again."""

    def __init__(self, types: Sequence[str]) -> None:
        """Take the types in order of preference (`cache.type`).

        Raises:
            ConfigError: a type that does not exist.

        """
        if unknown := [kind for kind in types if kind not in TYPES]:
            message = f"cache.type {unknown[0]!r} is not a type of link"
            raise ConfigError(message, f"the types are {', '.join(TYPES)}")
        before_copy = types[: types.index(COPY)] if COPY in types else types
        self._ways = [_WAYS[kind] for kind in before_copy]

    def link(self, source: str, target: str) -> bool:
        """Make the new file `target` a link to `source`; False where only a copy will do."""
        while self._ways:
            try:
                self._ways[0](source, target)
            except OSError as error:
                if error.errno not in _CANNOT:
                    raise
                del self._ways[0]
            else:
                return True
        return False


def _reflink(source: str, target: str) -> None:
    """Make a writable file of its own, as the umask says, that shares the blocks of `source`."""
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writer = disk.create(target)
        try:
            fcntl.ioctl(writer, _FICLONE, reader)
        except OSError:
            with suppress(FileNotFoundError):
                os.unlink(target)
            raise
        finally:
            os.close(writer)
    finally:
        os.close(reader)


_WAYS: dict[str, _Way] = {"reflink": _reflink, "hardlink": os.link, "symlink": os.symlink}
