"""Pieces of a file: read while they are sent, or through a digest, never held in memory whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from runner.hashes import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.store.disk import Digest


class Limited:
    """The next bytes of a file, as a request's body: read while they are sent."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        """Give `size` bytes of `file`, from where it stands."""
        self._file = file
        self._left = size

    def __len__(self) -> int:
        """Give how many bytes are left."""
        return self._left

    def read(self, size: int = -1) -> bytes:
        """Give the next bytes, at most as many as are left."""
        chunk = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(chunk)
        return chunk


def chunks(source: Path, start: int, stop: int) -> Iterator[bytes]:
    """Give the bytes of a file from `start` up to `stop`, in chunks."""
    with source.open("rb", buffering=0) as file:
        file.seek(start)
        piece = Limited(file, stop - start)
        while chunk := piece.read(CHUNK):
            yield chunk


def digested(source: Path, part: tuple[int, int], digest: Digest) -> Digest:
    """Give `digest` with the bytes of that part of a file."""
    for chunk in chunks(source, *part):
        digest.update(chunk)
    return digest
