"""Regular expressions that are compiled when they are first used.

To compile one takes 0.1 to 1 ms, and a plan imports modules with thirty of them to use five. Type checkers are shown
`re.compile`, whose arguments and whose result's methods these are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from re import compile as regex
else:

    class regex:  # noqa: N801 - stands in place of a function
        """What `re.compile` would give for the same arguments."""

        def __init__(self, text: str | bytes, flags: int = 0) -> None:
            """Keep what is to be compiled."""
            self._given = (text, flags)

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what the compiled one has
            """Give what the compiled one has of that name, and find it without compiling from now on."""
            found = getattr(re.compile(*self._given), name)
            setattr(self, name, found)
            return found


__all__ = ["regex"]
