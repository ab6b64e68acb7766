"""What a run has added to locks and .gitignore files, noted until it has ended, so that one that goes on knows it.

Stages that run at once end in any order; what is new in a file still stands in the order of the stages. Had a killed
run not noted what was its own, the next one would put all that was still to come behind it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from runner import durable
from runner.engine.workspace import SCRATCH
from runner.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

PLACE: Final = f"{SCRATCH}/appended"
_FIELDS: Final = 3


@dataclass(frozen=True, slots=True)
class Addition:
    """One entry or line that was added: to which file, what (a stage's name, or the line), and for which stage."""

    file: str
    text: str
    address: str


class Appended:
    """The notes of one run, and of those before it that were not whole."""

    def __init__(self, place: Path) -> None:
        """Keep them at `place`; whoever calls holds the project's lock."""
        self._place = place

    def found(self) -> list[Addition]:
        """Give what was noted, in that order. A line that is none was cut off as its run was killed."""
        try:
            lines = self._place.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        return [addition for line in lines if (addition := _parsed(line))]

    def note(self, file: str, text: str, address: str) -> None:
        """Note an addition, before it is made. It begins a line of its own, whatever was cut off before it."""
        durable.append(self._place, f"\n{json.dumps([file, text, address])}".encode())

    def forget(self) -> None:
        """Forget all: a run has ended whole."""
        self._place.unlink(missing_ok=True)


def _parsed(line: str) -> Addition | None:
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    usual = isinstance(fields, list) and len(fields) == _FIELDS and all(isinstance(one, str) for one in fields)
    return Addition(*fields) if usual else None
