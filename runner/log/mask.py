"""Replaces secrets in text. A net, not the wall: the wall is that a stage does not have the secret."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BLANK: Final = "***"
_SHORTEST: Final = 4
"""Shorter values would blank out ordinary text and are no secret to begin with."""
_USERINFO: Final = regex(r"(?<=://)[^\s/?#\"']+@")
"""The user and the password, or token, in a url (RFC 3986, section 3.2.1)."""
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


class Mask:
    """Replaces secrets as they are, line by line, quoted for URLs and JSON, in base64 and in hex.

    Beside those it is told of, the user and the password that stand in any url.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare one pattern for all of `secrets`; the longest match wins."""
        spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
        ordered = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
        self._pattern = regex("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """Give `text` without the secrets."""
        if "://" in text:
            text = _USERINFO.sub(f"{_BLANK}@", text)
        return self._pattern.sub(_BLANK, text) if self._pattern else text

    def __repr__(self) -> str:
        """Say nothing of the secrets."""
        return f"{type(self).__name__}(...)"


def _spellings(secret: str) -> Iterator[str]:
    """Give the forms in which `secret` might be printed; logs are masked line by line, so its lines too."""
    for piece in {secret.strip(), *(line.strip() for line in secret.splitlines())}:
        if len(piece) < _SHORTEST:
            continue
        raw = piece.encode()
        yield from (piece, quote(piece, safe=""), quote(piece), quote_plus(piece))
        yield from (json.dumps(piece)[1:-1], json.dumps(piece, ensure_ascii=False)[1:-1])
        yield from (raw.hex(), raw.hex().upper())
        yield from _inside_base64(raw)


def _inside_base64(raw: bytes) -> Iterator[str]:
    """Give the characters that `raw` always yields in base64, alone or as a part of something longer."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw)
        first = -(-shift * 8 // 6)
        certain = encoded[first : (shift + len(raw)) * 8 // 6]
        if len(certain) >= _SHORTEST:
            yield certain.decode()
            yield certain.translate(_URL_SAFE).decode()
