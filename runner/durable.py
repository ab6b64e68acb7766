"""Writing a file so that a reader, or a machine that loses power, finds the old bytes or the new ones, never a part."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_OWN: Final = os.urandom(8).hex()  # process ids come again, and are the same in every container
_NUMBERS: Final = itertools.count()


def temporary_name() -> str:
    """Name a temporary file of this process: hidden, and ending in `.tmp` as DVC's own do.

    The process id in it tells a sweeper whose it was (`store.sweeping`).
    """
    return f".{os.getpid()}-{_OWN}-{next(_NUMBERS):x}.tmp"


def write(place: Path, content: bytes, *, sync: bool = True) -> None:
    """Put `content` at `place`: temporary file in the same folder, fsync, rename, fsync of the folder.

    Folders that do not exist are made. Without `sync` a loss of power may leave an empty file: only for what is
    checked when it is read, and can be had again.
    """
    temporary = place.with_name(temporary_name())
    try:
        descriptor = _created(temporary)
        with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123 - opens a descriptor, not a path
            view = memoryview(content)
            while view:
                view = view[file.write(view) :]
            if sync:
                os.fsync(descriptor)
        temporary.replace(place)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(place)  # of a write the system names no file
        raise
    if sync:
        sync_folder(place.parent)


def _created(place: Path) -> int:
    """Open a file that is not there; its folder is made only where that is lacking, which is seldom."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(place, flags, 0o666)
    except FileNotFoundError:
        place.parent.mkdir(parents=True, exist_ok=True)
        return os.open(place, flags, 0o666)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
