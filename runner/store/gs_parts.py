"""Large objects into Google Cloud Storage, by a resumable upload: one part after the other, from where Google has it.

See https://cloud.google.com/storage/docs/performing-resumable-uploads: 308 means that more is to come, and tells how
much has arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from google.api_core.exceptions import from_http_response

from runner.errors import Unavailable
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from requests import Response, Session

PART: Final = 16 << 20
"""Bytes of a request; Google wants multiples of 256 KiB, and whatever is larger than one part goes in parts."""

TIMEOUT: Final = (10.0, 30.0)
"""Seconds to connect, and between two pieces of an answer."""

_MORE_TO_COME: Final = 308
_ARRIVED: Final = regex(r"bytes=0-(\d+)\Z")


class GSUpload:
    """See `Upload`. Google takes the parts in their order."""

    at_once = 1

    def __init__(
        self, session: Session, url: str, source: Path, size: int, errors: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """Send the file `source` of `size` bytes to the upload that has been begun at `url`.

        Args:
            session: sends signed requests.
            url: of the upload.
            source: the file.
            size: its bytes.
            errors: translates what Google's client raises.

        """
        self.parts = [(at, min(at + PART, size)) for at in range(0, size, PART)]
        self._session = session
        self._url = url
        self._source = source
        self._size = size
        self._errors = errors
        self._arrived = 0
        self._is_sure = True

    def send(self, number: int) -> None:
        """See `Upload`. After a try that failed Google is asked first how much it has."""
        stop = self.parts[number][1]
        if not self._is_sure:
            self._ask(f"bytes */{self._size}", b"")
        while self._arrived < stop:
            before = self._arrived
            with self._source.open("rb") as file:
                file.seek(before)
                self._ask(f"bytes {before}-{stop - 1}/{self._size}", _Limited(file, stop - before))
            if self._arrived <= before:
                message = f"Google took nothing of the bytes from {before} to {stop}"
                raise Unavailable(message, "the storage is overloaded or out of order; try again later")

    def finish(self) -> None:
        """See `Upload`. Google makes the object when it has the last part."""

    def abort(self) -> None:
        """See `Upload`."""
        self._session.delete(self._url, timeout=TIMEOUT)

    def _ask(self, which: str, content: bytes | _Limited) -> None:
        """Send bytes, or none, and take note of how much Google has then."""
        self._is_sure = False
        with (
            self._errors(),
            self._session.put(self._url, data=content, headers={"Content-Range": which}, timeout=TIMEOUT) as answer,
        ):
            self._arrived = self._told(answer)
        self._is_sure = True

    def _told(self, answer: Response) -> int:
        if answer.ok and answer.status_code != _MORE_TO_COME:
            return self._size
        if answer.status_code != _MORE_TO_COME:
            raise from_http_response(answer)  # type: ignore[no-untyped-call]  # api_core has no types here
        found = _ARRIVED.match(answer.headers.get("Range", ""))
        return int(found[1]) + 1 if found else 0


class Settled:
    """An upload that need not be: the object is there."""

    at_once = 1

    def __init__(self) -> None:
        """Have nothing to send."""
        self.parts: list[tuple[int, int]] = []

    def send(self, number: int) -> None:
        """See `Upload`."""

    def finish(self) -> None:
        """See `Upload`."""

    def abort(self) -> None:
        """See `Upload`."""


class _Limited:
    """The next bytes of a file, as a request's body: read while they are sent."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def __len__(self) -> int:
        return self._left

    def read(self, size: int = -1) -> bytes:
        """Give the next bytes, at most as many as are left."""
        chunk = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(chunk)
        return chunk
