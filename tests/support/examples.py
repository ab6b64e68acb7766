"""How many examples a property is tried on that cannot have as many as others."""

from __future__ import annotations

from typing import Final

from hypothesis import settings

_USUAL: Final = 100


def examples(count: int) -> int:
    """Give `count` in `make test`, and the same part of it in `make check` as other properties have there."""
    return max(1, count * settings().max_examples // _USUAL)
