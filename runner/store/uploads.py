"""Large objects into remotes that take parts: side by side, a broken part alone again, a broken upload in the next run.

What storage or line breaks off, and what a signal or a kill ends, stays where it is, noted (`unfinished`) for the next
run; what cannot come right is aborted. What nobody goes on with the remotes forget, or the next push removes.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from runner.errors import Corrupt, Denied, RemoteError, Unavailable
from runner.store.lanes import in_order
from runner.store.meter import Tally
from runner.store.unfinished import Note

if TYPE_CHECKING:
    from pathlib import Path

    from runner.store.meter import Report
    from runner.store.patience import Patience
    from runner.store.protocols import Upload

logger = logging.getLogger("retrain")


def send(upload: Upload, source: Path, patience: Patience, report: Report) -> None:
    """Store what `upload` prepares; each request has a budget of `patience` of its own, and each part is told once.

    An upload that an earlier run left is gone on with; if the remote refuses it in the end, all of it is sent anew.

    Args:
        upload: of `source`.
        source: the file that it reads; one that changes meanwhile is never made an object of.
        patience: tries again.
        report: hears of the bytes of each part.

    Raises:
        Denied, Unavailable: the object was not stored; the next run goes on if it can.
        Corrupt, RemoteError: the same, and nothing of it stays.

    """
    with Note(source, upload.place) as note:
        begun = patience.call(lambda: upload.begin(note.earlier))
        note.write(begun)
        if begun and begun == note.earlier:
            tally = Tally()
            try:
                _attempt(upload, source, patience, _both(tally, report), note)
            except (Corrupt, Denied, Unavailable):
                raise
            except RemoteError as error:
                logger.info("sending anew what an earlier run began: %s", error.message)
                report(-tally.bytes)
            else:
                return
            note.write(patience.call(lambda: upload.begin("")))
        _attempt(upload, source, patience, report, note)


def _both(tally: Tally, report: Report) -> Report:
    def hear(more: int) -> None:
        tally.report(more)
        report(more)

    return hear


def _attempt(upload: Upload, source: Path, patience: Patience, report: Report, note: Note) -> None:
    """Send it all; leave behind what the next run can go on with, or nothing."""
    try:
        _send(upload, source, patience, report)
    except Exception as error:
        if not note.is_kept or not isinstance(error, (Denied, Unavailable)):
            note.forget()
            _abort(upload)
        raise
    note.forget()


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
