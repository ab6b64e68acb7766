"""Where commands run. `Local` is this machine; another executor needs no change to the loop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from runner.engine import shell

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: its exit code and how long it took, in seconds."""

    code: int
    seconds: float


class Executor(Protocol):
    """Runs a command whose deps are in place and says how it ended."""

    def run(self, command: shell.Command, output: Callable[[bytes], object], /) -> Ran:
        """Run `command`, passing its output on as it comes."""


class Local:
    """Runs commands on this machine, one at a time."""

    def run(self, command: shell.Command, output: Callable[[bytes], object], /) -> Ran:
        """Run `command` here."""
        started = time.monotonic()
        code = shell.run(command, output)
        return Ran(code, time.monotonic() - started)
