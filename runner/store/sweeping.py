"""What killed runs left half written: temporary files whose owner is gone. Nothing with a final name is touched."""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH208

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from runner.regexes import regex
from runner.store import disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OLD_ENOUGH: Final = 3600.0
"""Seconds. An owner may live on another machine that shares the folder, so that its process is not seen here."""

FORGOTTEN: Final = 7 * 24 * 3600.0
"""Seconds after which nobody will go on with the first bytes of a large object, on either way: remotes forget too."""

_OURS: Final = regex(r"\.(\d+)(?:-[0-9a-f]+){1,2}\.tmp\Z")
_PARTIAL: Final = regex(r"\.[0-9a-f]{30}(?:\.dir)?\.(?:part|[0-9a-f]{32}\.upload)\.tmp\Z")


def left_over(folders: Iterable[str], now: float | None = None, age: float = OLD_ENOUGH) -> Iterator[str]:
    """Give what `disk.temporary` has named, and `unfinished`, that nobody will finish.

    Args:
        folders: where to look; not below them. One that is not there holds none.
        now: seconds since 1970, to tell their age by.
        age: seconds that a temporary one must have; less where a lock keeps every other owner away.

    """
    moment = time.time() if now is None else now
    for folder in folders:
        for name in _names(folder):
            path = f"{folder}/{name}"
            if (wait := _patience(name, age)) is not None and _is_older(path, moment - wait):
                yield path


def _patience(name: str, age: float) -> float | None:
    """Give how old in seconds a file of that name has to be; `None` where it is not ours, or its owner lives."""
    if found := _OURS.match(name):
        return None if _lives(int(found[1])) else age
    return FORGOTTEN if _PARTIAL.match(name) else None


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
