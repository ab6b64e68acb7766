"""The bytes of an answer as they arrive: whoever takes them sees how fast they come, and may stop at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from runner.errors import Unavailable
from runner.hashes import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


def _nothing() -> None:
    pass


class _Raw(Protocol):
    """What urllib3's responses do."""

    length_remaining: int | None

    def read1(self, amt: int, decode_content: bool, /) -> bytes: ...  # noqa: FBT001 - urllib3's own


def from_urllib3(raw: _Raw, *, decode: bool = False) -> Callable[[], bytes]:
    """Give what waits for the next bytes of a response of urllib3: for some, where its `stream` wants a whole chunk."""

    def take() -> bytes:
        chunk = raw.read1(CHUNK, decode)
        if not chunk and raw.length_remaining:
            message = f"the connection broke off {raw.length_remaining} bytes before the end"
            raise Unavailable(message, "check the network")
        return chunk

    return take


class Arriving:
    """An iterator that closes its answer at the end, or when it is told to; a generator would not before its start."""

    def __init__(
        self,
        read: Callable[[], bytes],
        errors: Callable[[], AbstractContextManager[None]],
        close: Callable[[], None] = _nothing,
    ) -> None:
        """Take bytes.

        Args:
            read: waits for some and gives them; empty at the end.
            errors: translates what `read` raises; not what is done with the bytes.
            close: lets go of the answer.

        """
        self._read = read
        self._errors = errors
        self.close = close

    def __iter__(self) -> Self:
        """Give itself."""
        return self

    def __next__(self) -> bytes:
        """Wait for bytes."""
        try:
            with self._errors():
                chunk = self._read()
        except BaseException:
            self.close()
            raise
        if not chunk:
            self.close()
            raise StopIteration
        return chunk
