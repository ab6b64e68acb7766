"""Where the tests let a remote write."""

from __future__ import annotations


class Collected:
    """A sink in memory.

    Attributes:
        content: what was written since the last restart.
        restarts: how often it had to begin anew.

    """

    def __init__(self) -> None:
        self.content = bytearray()
        self.restarts = 0

    def write(self, chunk: bytes, /) -> None:
        self.content += chunk

    def restart(self) -> None:
        self.content.clear()
        self.restarts += 1
