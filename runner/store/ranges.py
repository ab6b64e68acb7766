"""Objects out of remotes that can read parts: large ones by ranges side by side, broken ones from where they broke off.

Memory is bounded by the parts under way, whatever the object's size. Bytes reach the sink in order, each once, and all
of one version of the object.
"""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING, Final, cast

from runner.errors import Unavailable
from runner.store.arriving import Whole
from runner.store.lanes import in_order
from runner.store.protocols import Changed, Resumable, Unranged

if TYPE_CHECKING:
    from runner.store.arriving import Coming
    from runner.store.patience import Patience
    from runner.store.protocols import Ranged, Sink, Version

logger = logging.getLogger("retrain")

PART: Final = 4 << 20
"""Bytes that one request brings of a large object."""

LANES: Final = 4
"""Parts under way, or waiting for those before them: 16 MiB an object."""

LARGE: Final = 3 * PART
"""Bytes from which on an object is worth more than one request."""

_CHANGES: Final = 3
"""An object that changes each time it is read is given up after so many tries."""


def download(remote: Ranged, name: str, sink: Sink, patience: Patience) -> None:
    """Write the object into `sink`; each request of it has a budget of `patience` of its own.

    Raises:
        ObjectMissing, Denied, Unavailable: as `Remote.get`.
        Changed: it is overwritten again and again.

    """
    begun = patience.call(lambda: remote.begin(name))
    if isinstance(begun[1], Whole):  # most are small; nothing else is done for them
        sink.write(begun[1].content)
        return
    reading = _Reading(remote, name, sink, patience)
    for left in reversed(range(_CHANGES)):
        try:
            reading.run(*begun)
        except Unranged:
            reading.in_parts = False
        except Changed:
            if not left:
                raise
        else:
            return
        sink.restart()
        begun = patience.call(lambda: remote.begin(name))


def resumed(name: str, sink: Sink, size: int) -> int:
    """Have `sink` take up what an earlier run left of an object of `size` bytes; give how many bytes those are."""
    start = sink.resume() if isinstance(sink, Resumable) else 0
    if start > size:
        sink.restart()
        return 0
    if start:
        logger.info("%s: going on after %d of %d bytes, which an earlier run left", name, start, size)
    return start


class _Reading:
    """One object on its way.

    Attributes:
        in_parts: whether the server has been seen to send whole objects only: not then.

    """

    def __init__(self, remote: Ranged, name: str, sink: Sink, patience: Patience) -> None:
        self.in_parts = True
        self._remote = remote
        self._name = name
        self._sink = sink
        self._patience = patience
        self._buffers: list[bytearray] = []

    def run(self, version: Version, chunks: Coming) -> None:
        """Take what `begin` gave, all of it."""
        if version.size is not None and version.size >= LARGE and version.pin and self.in_parts:
            self._side_by_side(version, version.size, chunks)
        else:
            self._one_by_one(version, chunks)

    def _one_by_one(self, version: Version, chunks: Coming) -> None:
        """Take the whole object in one go; what breaks off goes on where it was if the version is known, else anew."""
        source: Coming | None = chunks
        done = 0

        def attempt() -> None:
            nonlocal source, done, version
            if source is None and self.in_parts and version.pin and version.size:
                if done == version.size:
                    return
                source = self._remote.read(self._name, version, done, version.size)
            elif source is None:
                self._sink.restart()
                done = 0
                version, source = self._remote.begin(self._name)
            taking, source = source, None
            with closing(taking):
                for chunk in self._patience.pace.kept(taking):
                    self._sink.write(chunk)
                    done += len(chunk)

        self._patience.call(attempt)

    def _side_by_side(self, version: Version, size: int, chunks: Coming) -> None:
        """Take the parts that an earlier run has not left; the answer that told the version is the first of them."""
        start = resumed(self._name, self._sink, size)
        if start:
            chunks.close()

        def fetch(at: int) -> tuple[bytearray, int]:
            return self._fetch(version, (at, min(at + PART, size)), None if at else chunks)

        for buffer, length in in_order(fetch, range(start, size, PART), LANES):
            self._sink.write(cast("bytes", memoryview(buffer)[:length]))  # hashed and written, as any buffer can be
            self._buffers.append(buffer)

    def _fetch(self, version: Version, part: tuple[int, int], opening: Coming | None) -> tuple[bytearray, int]:
        """Give the bytes of one part in a buffer, and how many; what breaks off goes on where it was."""
        start, stop = part
        length = stop - start
        content = self._buffer()
        done = 0
        source = opening

        def attempt() -> None:
            nonlocal source, done
            taking, source = source, None
            if taking is None:
                taking = self._remote.read(self._name, version, start + done, stop)
            with closing(taking):
                for chunk in self._patience.pace.kept(taking):
                    new = min(len(chunk), length - done)
                    content[done : done + new] = chunk[:new] if new < len(chunk) else chunk
                    done += new
                    if done == length:
                        return
            message = f"{self._name}: only {start + done} bytes of {stop} arrived"
            raise Unavailable(message, "the connection broke off")

        self._patience.call(attempt)
        return content, length

    def _buffer(self) -> bytearray:
        """Give a buffer that is done with: the system clears each new one, which costs as much as filling it."""
        try:
            return self._buffers.pop()
        except IndexError:
            return bytearray(PART)
