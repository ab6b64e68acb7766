"""What a transfer did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.values import dataclass

if TYPE_CHECKING:
    from runner.errors import RemoteError


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that could not be moved: its name below the remote's root, and why."""

    name: str
    error: RemoteError


@dataclass(frozen=True)
class Moved:
    """What a transfer did: objects and bytes that went over, seconds it took, and what failed."""

    objects: int
    bytes: int
    seconds: float
    failed: tuple[Failure, ...]

    def __add__(self, other: Moved) -> Moved:
        """Give the sum of two transfers, one after the other."""
        return Moved(
            self.objects + other.objects,
            self.bytes + other.bytes,
            self.seconds + other.seconds,
            self.failed + other.failed,
        )


NOTHING = Moved(0, 0, 0.0, ())
