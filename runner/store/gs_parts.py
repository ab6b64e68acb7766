"""Large objects into Google Cloud Storage, by a resumable upload: one part after the other, from where Google has it.

See https://cloud.google.com/storage/docs/performing-resumable-uploads: 308 means that more is to come, and tells how
much has arrived. What came from earlier processes cannot be asked for, so the last part says what the checksum of all
of them is, and Google makes no object of anything else.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

import google_crc32c
from google.api_core.exceptions import from_http_response

from runner.errors import RemoteError, Unavailable
from runner.regexes import regex
from runner.store import pieces
from runner.values import dataclass

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


@dataclass(frozen=True)
class Target:
    """Where an object goes.

    Attributes:
        place: what people call it.
        begin: begins an upload and gives its url; empty where the object is there and not to be replaced.
        session: sends signed requests.
        origin: scheme and host that urls of uploads begin with: no signature is shown to anybody else.
        errors: translates what Google's client raises.

    """

    place: str
    begin: Callable[[], str]
    session: Session
    origin: str
    errors: Callable[[], AbstractContextManager[None]]


class GSUpload:
    """See `Upload`. Google takes the parts in their order."""

    at_once = 1

    def __init__(self, target: Target, source: Path, size: int) -> None:
        """Prepare to send the file `source` of `size` bytes to `target`."""
        self.place = target.place
        self.parts = [(at, min(at + PART, size)) for at in range(0, size, PART)]
        self._target = target
        self._url = ""
        self._source = source
        self._size = size
        self._arrived = 0
        self._is_sure = True
        self._summed = 0
        self._sum: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]  # it has no types

    def begin(self, earlier: str) -> str:
        """See `Upload`: an upload is known by its url. There is nothing to send where the object is there already."""
        if earlier.startswith(f"{self._target.origin}/") and self._is_known(earlier):
            return earlier
        self._arrived, self._is_sure = 0, True
        self._url = self._target.begin()
        if not self._url:
            self.parts = []
        return self._url

    def _is_known(self, earlier: str) -> bool:
        """Ask how much Google has of an upload; what it does not know is not gone on with."""
        self._url = earlier
        try:
            self._ask(f"bytes */{self._size}", b"")
        except Unavailable:
            raise
        except RemoteError:
            return False
        return True

    def send(self, number: int) -> None:
        """See `Upload`. After a try that failed Google is asked first how much it has."""
        stop = self.parts[number][1]
        if not self._is_sure:
            self._ask(f"bytes */{self._size}", b"")
        self._add_up_to(stop)
        while self._arrived < stop:
            before = self._arrived
            with self._source.open("rb") as file:
                file.seek(before)
                self._ask(f"bytes {before}-{stop - 1}/{self._size}", pieces.Limited(file, stop - before))
            if self._arrived <= before:
                message = f"Google took nothing of the bytes from {before} to {stop}"
                raise Unavailable(message, "the storage is overloaded or out of order; try again later")

    def _add_up_to(self, stop: int) -> None:
        """Have the checksum of all bytes before `stop`."""
        if self._summed < stop:
            pieces.digested(self._source, (self._summed, stop), self._sum)
            self._summed = stop

    def finish(self) -> None:
        """See `Upload`. Google makes the object when it has the last part."""

    def abort(self) -> None:
        """See `Upload`."""
        if self._url:
            self._target.session.delete(self._url, timeout=TIMEOUT)

    def _ask(self, which: str, content: bytes | pieces.Limited) -> None:
        """Send bytes, or none, and take note of how much Google has then."""
        self._is_sure = False
        headers = {"Content-Range": which}
        if content and self._summed == self._size:
            headers["X-Goog-Hash"] = f"crc32c={b64encode(self._sum.digest()).decode()}"
        with (
            self._target.errors(),
            self._target.session.put(self._url, data=content, headers=headers, timeout=TIMEOUT) as answer,
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
