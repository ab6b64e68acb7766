"""Large objects into remotes that take parts: side by side, a broken part alone again, and nothing left behind.

What failed is aborted. What a signal interrupts is aborted when Python ends, within a second at best: what stays then,
the remote's own rule for abandoned uploads or the next push removes.
"""

from __future__ import annotations

import atexit
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from runner.errors import Corrupt, RemoteError
from runner.store.lanes import in_order

if TYPE_CHECKING:
    from pathlib import Path

    from runner.store.meter import Report
    from runner.store.patience import Patience
    from runner.store.protocols import Upload

_LAST_SECOND: Final = 1.0
"""Seconds that the end of the program may be held up by removing what it leaves behind."""


def send(upload: Upload, source: Path, patience: Patience, report: Report) -> None:
    """Send all parts of `upload`; each request has a budget of `patience` of its own, and each part is told once.

    Args:
        upload: has been begun.
        source: the file that it reads; one that changes meanwhile is never made an object of.
        patience: tries again.
        report: hears of the bytes of each part.

    Raises:
        Denied, Unavailable: the object was not stored, and nothing of it stays.
        Corrupt: the same; the file changed.

    """
    _OPEN.add(upload)
    try:
        _send(upload, source, patience, report)
    except BaseException:
        _abort(upload)
        raise
    finally:
        _OPEN.discard(upload)


def _send(upload: Upload, source: Path, patience: Patience, report: Report) -> None:
    before = _state(source)

    def check() -> None:
        if _state(source) != before:
            message = f"{source} changed while it was sent"
            raise Corrupt(message, "find out what writes to it; nothing of it was stored")

    def go(number: int) -> int:
        if number == len(upload.parts) - 1:
            check()  # some remotes make the object when they have the last part
        patience.call(lambda: upload.send(number))
        start, stop = upload.parts[number]
        return stop - start

    for sent in in_order(go, range(len(upload.parts)), upload.at_once):
        report(sent)
    check()
    patience.call(upload.finish)


def _state(source: Path) -> tuple[int, int, int]:
    found = source.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _abort(upload: Upload) -> None:
    """Give up; what goes wrong then is worth less than the error that led here."""
    with suppress(RemoteError, OSError):
        upload.abort()


class _Open:
    """Uploads that are under way in this process."""

    def __init__(self) -> None:
        self._uploads: list[Upload] = []
        self._lock = threading.Lock()
        self._registered = False

    def add(self, upload: Upload) -> None:
        with self._lock:
            if not self._registered:
                atexit.register(self.leave)
                self._registered = True
            self._uploads.append(upload)

    def discard(self, upload: Upload) -> None:
        with self._lock, suppress(ValueError):
            self._uploads.remove(upload)

    def leave(self) -> None:
        """Abort them all at once, and wait for it no longer than the last second."""
        threads = [threading.Thread(target=_abort, args=(upload,), daemon=True) for upload in self._uploads]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_LAST_SECOND / len(threads))


_OPEN: Final = _Open()
