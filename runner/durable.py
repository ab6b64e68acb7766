"""Writing a file so that a reader, or a machine that loses power, finds the old bytes or the new ones, never a part."""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_OWN: Final = os.urandom(8).hex()  # process ids come again, and are the same in every container
_NUMBERS: Final = itertools.count()
_PAGE: Final = 4096
"""Bytes that the system writes all or none of where it is not stopped by a loss of power."""


def temporary_name() -> str:
    """Name a temporary file of this process: hidden, and ending in `.tmp` as DVC's own do.

    The process id in it tells a sweeper whose it was (`store.sweeping`).
    """
    return f".{os.getpid()}-{_OWN}-{next(_NUMBERS):x}.tmp"


class Names:
    """Files whose bytes are on the disk and whose names are on their way there: several names share one wait.

    Until `sync` a loss of power may leave the old file, whole, in the place of the new one.
    """

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._folders: set[Path] = set()

    def write(self, place: Path, content: bytes) -> None:
        """Do as `durable.write`, but leave the folder for `sync`."""
        _put(place, content, sync=True)
        self._folders.add(place.parent)

    def sync(self) -> None:
        """Make every name that was written survive a loss of power."""
        while self._folders:
            sync_folder(self._folders.pop())


def write(place: Path, content: bytes, *, sync: bool = True, mode: int | None = None) -> None:
    """Put `content` at `place`: temporary file in the same folder, fsync, rename, fsync of the folder.

    Folders that do not exist are made. Without `sync` a loss of power may leave an empty file: only for what is
    checked when it is read, and can be had again. The file has `mode`, or what the umask leaves of 0666.
    """
    _put(place, content, sync=sync, mode=mode)
    if sync:
        sync_folder(place.parent)


def overwrite(place: Path, content: bytes) -> None:
    """Put text, after which blanks mean nothing, in the place of what is there, by one write if it fits into a page.

    For what is rewritten again and again: a rename over a file that was never synced has some systems write it out
    first. Who is killed leaves the old or the new text. A loss of power may leave neither.
    """
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # it is not there, or is a link
        write(place, content, sync=False)
        return
    try:
        padded = content.ljust(os.fstat(descriptor).st_size)
        if fits := len(padded) <= _PAGE:
            os.pwrite(descriptor, padded, 0)
    except OSError as error:
        _name(error, place)
        raise
    finally:
        os.close(descriptor)
    if not fits:
        write(place, content, sync=False)


def append(place: Path, content: bytes) -> None:
    """Add `content` at the end of a file in one piece; it and its folders are made where they are lacking."""
    descriptor = _opened(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def _put(place: Path, content: bytes, *, sync: bool, mode: int | None = None) -> None:
    temporary = os.path.join(os.path.dirname(place), temporary_name())  # noqa: PTH118, PTH120 - a Path costs more
    try:
        descriptor = _opened(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            if mode is not None:
                os.fchmod(descriptor, mode)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, place)  # noqa: PTH105 - as above
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108 - as above
        _name(error, place)
        raise


def _name(error: BaseException, place: Path) -> None:
    """Say where it was, as the system names no file where it refuses to write."""
    if isinstance(error, OSError) and error.filename is None:
        error.filename = str(place)


def _opened(place: Path | str, flags: int) -> int:
    """Open a file that may have to be made; its folder is made only where that is lacking, which is seldom."""
    try:
        return os.open(place, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120 - as above
        return os.open(place, flags, 0o666)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
