"""Time that passes only when somebody waits."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.forge.api import Pace


@dataclass
class Time:
    """A clock of its own; `waits` has every wait that was one."""

    now: float = 1_000_000.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if seconds:
            self.waits.append(seconds)

    def pace(self) -> Pace:
        return Pace(lambda: self.now, self.sleep)
