"""The digest that names an object's bytes: plain md5, or the one DVC used before 3.0.

`md5-dos2unix` replaces CRLF by LF in what looks like text before it hashes; the object itself holds the bytes as they
were. Text is decided afresh for each block of 1 MiB, as DVC 3 does it when it reads such objects.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from runner.errors import ConfigError
from runner.hashes import LEGACY, MD5, Hash
from runner.store import disk

if TYPE_CHECKING:
    from runner.store.disk import Digest

MD5_LENGTH = 32
"""How much of a name is the digest; a listing's has `.dir` behind it."""

_BLOCK = 1 << 20
_LOOKED_AT = 512
_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"
_MOST_FOREIGN = 0.30


def digest_for(name: Hash) -> Digest:
    """Give a fresh digest of the kind that `name` was made with; see `digest_of`."""
    return digest_of(name.name)


def digest_of(kind: str) -> Digest:
    """Give a fresh digest of a kind.

    Raises:
        ConfigError: no object is stored under names of that kind.

    """
    if kind == MD5:
        return hashlib.md5(usedforsecurity=False)
    if kind == LEGACY:
        return Dos2Unix()
    message = f"{kind!r} names no objects; they are named by {MD5!r} or {LEGACY!r}"
    raise ConfigError(message, "correct the `hash:` of the entry that says so")


def hash_as(kind: str, path: str) -> str:
    """Hash the file at `path`, of any size, with the digest of a kind."""
    digest = digest_of(kind)
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for chunk in disk.chunks(fd):
            digest.update(chunk)
    finally:
        os.close(fd)
    return digest.hexdigest()


class Dos2Unix:
    """DVC's hash before 3.0: md5 with CRLF read as LF in blocks that look like text."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._rest = b""

    def update(self, chunk: bytes, /) -> None:
        """Take the next bytes, cut anywhere."""
        pending = self._rest + chunk
        whole = len(pending) - len(pending) % _BLOCK
        for start in range(0, whole, _BLOCK):
            self._md5.update(_unix(pending[start : start + _BLOCK]))
        self._rest = pending[whole:]

    def hexdigest(self) -> str:
        """Give the digest of everything taken so far."""
        total = self._md5.copy()
        total.update(_unix(self._rest))
        return total.hexdigest()


def _unix(block: bytes) -> bytes:
    return block.replace(b"\r\n", b"\n") if _is_text(block[:_LOOKED_AT]) else block


def _is_text(head: bytes) -> bool:
    if not head or b"\0" in head:
        return not head
    return len(head.translate(None, _TEXT)) / len(head) <= _MOST_FOREIGN
