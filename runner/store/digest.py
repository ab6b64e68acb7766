"""The digest that names an object's bytes: plain md5, or the one DVC used before 3.0.

`md5-dos2unix` replaces CRLF by LF in what looks like text before it hashes; the object itself holds the bytes as they
were. New hashes are made as DVC 3 makes them when it reads such objects.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING

from runner import digests
from runner.errors import ConfigError
from runner.hashes import LEGACY, MD5, Hash, hash_bytes
from runner.store import disk
from runner.store.meter import unheard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future, ThreadPoolExecutor

    from runner.store.disk import Digest
    from runner.store.meter import Report

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
        return digests.md5()
    if kind == LEGACY:
        return Dos2Unix()
    message = f"{kind!r} names no objects; they are named by {MD5!r} or {LEGACY!r}"
    raise ConfigError(message, "correct the `hash:` of the entry that says so")


def hash_as(kind: str, path: str, report: Report = unheard) -> str:
    """Hash the file at `path`, of any size, with the digest of a kind."""
    return taken(digest_of(kind), path, report).hexdigest()


def taken(digest: Digest, path: str, report: Report = unheard) -> Digest:
    """Give `digest` after it has taken the file at `path`."""
    for chunk in passed(digest, path):
        report(len(chunk))
    return digest


def passed(digest: Digest, path: str) -> Iterator[bytes]:
    """Give the bytes of the file at `path`, after `digest` has taken them."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for chunk in disk.chunks(fd):
            digest.update(chunk)
            yield chunk
    finally:
        os.close(fd)


def fits(digest: Digest, name: Hash) -> bool:
    """Whether `name` names the bytes that `digest` has taken, by DVC 3's rule or by that of the DVC which made it."""
    found = digest.hexdigests() if isinstance(digest, Dos2Unix) else (digest.hexdigest(),)
    return name.value[:MD5_LENGTH] in found


def other_than(name: Hash, content: bytes) -> str:
    """Give the digest of bytes that `name` does not name; empty if it names them."""
    if name.name == MD5:  # as `fits`, for very many small ones
        found = hash_bytes(content)
        return "" if name.value[:MD5_LENGTH] == found else found
    digest = digest_for(name)
    digest.update(content)
    return "" if fits(digest, name) else digest.hexdigest()


class _Beside:
    """A digest that takes each chunk while its caller goes on to write that and to read the next one."""

    def __init__(self, digest: Digest, thread: ThreadPoolExecutor) -> None:
        self._digest = digest
        self._thread = thread
        self._taking: Future[None] | None = None

    def update(self, chunk: bytes, /) -> None:
        self._settle()
        self._taking = self._thread.submit(self._digest.update, chunk)

    def hexdigest(self) -> str:
        self._settle()
        return self._digest.hexdigest()

    def _settle(self) -> None:
        if self._taking:
            self._taking.result()


@contextmanager
def beside(digest: Digest) -> Iterator[Digest]:
    """Let `digest` take the bytes of something large on a thread of its own inside the block: md5 lets go of Python."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most runs hash nothing large

    with ThreadPoolExecutor(1) as thread:
        aside = _Beside(digest, thread)
        yield aside
        aside.hexdigest()


class Dos2Unix:
    """DVC's hash before 3.0: md5 with CRLF read as LF in blocks that look like text.

    DVC 3 looks at each block; DVC 2, which named the objects, took all of a file for what its first block looks like.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._md5s = [digests.md5()]  # a second one, DVC 2's, from where the blocks differ
        self._first_is_text: bool | None = None
        self._rest = b""

    def update(self, chunk: bytes, /) -> None:
        """Take the next bytes, cut anywhere."""
        pending = self._rest + chunk
        whole = len(pending) - len(pending) % _BLOCK
        for start in range(0, whole, _BLOCK):
            self._take(pending[start : start + _BLOCK])
        self._rest = pending[whole:]

    def _take(self, block: bytes) -> None:
        is_text = _is_text(block[:_LOOKED_AT])
        first_is_text = is_text if self._first_is_text is None else self._first_is_text
        if is_text != first_is_text and len(self._md5s) == 1:
            self._md5s.append(self._md5s[0].copy())
        for md5, as_text in zip(self._md5s, (is_text, first_is_text), strict=False):
            md5.update(_unix(block) if as_text else block)
        self._first_is_text = first_is_text

    def hexdigest(self) -> str:
        """Give the digest of everything taken so far, by DVC 3's rule."""
        return self.hexdigests()[0]

    def hexdigests(self) -> tuple[str, str]:
        """Give the digests by DVC 3's rule and by DVC 2's."""
        whole = copy(self)
        whole._md5s = [md5.copy() for md5 in self._md5s]  # noqa: SLF001 - a copy of its own, to take the last block
        if self._rest:
            whole._take(self._rest)  # noqa: SLF001 - as above
        found = [md5.hexdigest() for md5 in whole._md5s]  # noqa: SLF001 - as above
        return found[0], found[-1]


def _unix(block: bytes) -> bytes:
    return block.replace(b"\r\n", b"\n")


def _is_text(head: bytes) -> bool:
    if not head or b"\0" in head:
        return not head
    return len(head.translate(None, _TEXT)) / len(head) <= _MOST_FOREIGN
