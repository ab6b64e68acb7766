"""hashlib's digests: a start that hashes nothing does not wait 3 ms for OpenSSL, which hashlib loads."""

# ruff: noqa: PLC0415 - as said above

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash as Hasher


def md5(content: bytes = b"") -> Hasher:
    """Give an md5 that has taken `content`."""
    import hashlib

    return hashlib.md5(content, usedforsecurity=False)


def sha1(content: bytes = b"") -> Hasher:
    """Give a SHA-1 that has taken `content`: git's name for bytes, not a safeguard."""
    import hashlib

    return hashlib.sha1(content, usedforsecurity=False)


def sha256(content: bytes = b"") -> Hasher:
    """Give a SHA-256 that has taken `content`."""
    import hashlib

    return hashlib.sha256(content)
