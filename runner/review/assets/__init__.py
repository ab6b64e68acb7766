"""The scripts of the page, with the hashes by which its policy lets them, and nothing else, run."""

from __future__ import annotations

import base64
from functools import cache
from importlib import resources

from runner import digests
from runner.values import dataclass


@dataclass(frozen=True, slots=True)
class Script:
    """A script that stands in the page.

    Attributes:
        text: its code.
        source: its hash, as `Content-Security-Policy` writes it.

    """

    text: str
    source: str


@cache
def script(name: str) -> Script:
    """Give `vega.js`, which draws, or `page.js`, which says what."""
    text = resources.files(__name__).joinpath(name).read_text("utf-8")
    digest = base64.b64encode(digests.sha256(text.encode()).digest()).decode()
    return Script(text, f"'sha256-{digest}'")
