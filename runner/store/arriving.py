"""The bytes of an answer as they arrive: whoever takes them sees how fast they come, and may stop at any time."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol, Self

from runner.errors import Unavailable
from runner.hashes import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from obstore import GetResult


def _nothing() -> None:
    pass


class Whole:
    """All bytes of an answer, for which nobody has to wait any more."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        """Give `content`."""
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        """Give it in one piece."""
        return iter((self.content,))

    def close(self) -> None:
        """Let go of nothing."""


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


def from_obstore(
    answer: GetResult, errors: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Callable[[], bytes]:
    """Give what waits for the next bytes of an answer of obstore's; none at its end.

    What comes slowly has to be seen to come slowly, so nothing waits for more than one byte; a fast line fills larger
    pieces by itself.

    Args:
        answer: obstore's.
        errors: translates what is raised while bytes are waited for.

    """
    start, stop = answer.range
    left = stop - start
    chunks = iter(answer.stream(min_chunk_size=1))

    def take() -> bytes:
        nonlocal left
        if not left:  # to be told so costs as much as a chunk
            return b""
        with errors():
            chunk = next(chunks, b"")
        left -= len(chunk)
        return chunk

    return take


def at_once(size: int, take: Callable[[], bytes]) -> Whole | Callable[[], bytes]:
    """Give all bytes of an answer if they come in one piece, as those of a small object do; else what waits for them.

    Args:
        size: of the answer, in bytes.
        take: waits for the next bytes; what it raises comes from here then.

    """
    if size > CHUNK:
        return take
    first = take()
    if len(first) == size:
        return Whole(first)
    taken = [first]
    return lambda: taken.pop() if taken else take()


def coming(begun: Whole | Callable[[], bytes], errors: Callable[[], AbstractContextManager[None]]) -> Coming:
    """Give what `at_once` gave as something to go through."""
    return begun if isinstance(begun, Whole) else Arriving(begun, errors)


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


Coming = Whole | Arriving
"""The bytes of an answer, all of them at once or as they come."""
