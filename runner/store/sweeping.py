"""What killed runs left half written: temporary files whose owner is gone. Nothing with a final name is touched."""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH208

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Final

from runner.store import disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OLD_ENOUGH: Final = 3600.0
"""Seconds. An owner may live on another machine that shares the folder, so that its process is not seen here."""

_OURS: Final = re.compile(r"\.(\d+)-[0-9a-f]{16}-[0-9a-f]+\.tmp\Z")


def left_over(folders: Iterable[str], now: float | None = None, age: float = OLD_ENOUGH) -> Iterator[str]:
    """Give the temporary files and directories, as `disk.temporary` names them, that nobody will finish.

    Args:
        folders: where to look; not below them. One that is not there holds none.
        now: seconds since 1970, to tell their age by.
        age: seconds that they must have; less where a lock keeps every other owner away.

    """
    before = (time.time() if now is None else now) - age
    for folder in folders:
        for name in _names(folder):
            found = _OURS.match(name)
            path = f"{folder}/{name}"
            if found and not _lives(int(found[1])) and _is_older(path, before):
                yield path


def sweep(folders: Iterable[str], age: float = OLD_ENOUGH) -> int:
    """Remove what is left over in `folders`; give how much that was. What cannot be removed stays."""
    swept = 0
    for path in list(left_over(folders, age=age)):
        try:
            disk.remove(path)
        except OSError:
            continue
        swept += 1
    return swept


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _is_older(path: str, before: float) -> bool:
    try:
        return os.lstat(path).st_mtime < before
    except OSError:
        return False
