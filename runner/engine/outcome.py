"""What became of a stage: results are values; a stage that fails is an outcome, not an error of the runner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from runner.errors import Exit
from runner.store.moved import NOTHING
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.engine.decision import Reason
    from runner.pipeline.model import LockEntry, Stage
    from runner.store.moved import Moved


Status = Literal["fresh", "frozen", "restored", "ran", "recorded", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class StageResult:
    """What became of a stage.

    Attributes:
        stage: the stage.
        status: `fresh`, `frozen`, `restored`, `ran`, `recorded` (changed data of a data source), `failed`, `skipped`.
        reasons: why it was not fresh.
        seconds: time its command took; 0 where none ran.
        code: exit code of its command.
        why: what went wrong, in words.
        tail: the last lines a failed command printed.
        pulled: what was fetched for it.
        entry: its new lock entry, where it has one.
        records: names of the run-cache records to push with it.
        exit_code: what the process is to end with because of it.

    """

    stage: Stage
    status: Status
    reasons: tuple[Reason, ...] = ()
    seconds: float = 0.0
    code: int = 0
    why: str = ""
    tail: tuple[str, ...] = ()
    pulled: Moved = NOTHING
    entry: LockEntry | None = None
    records: tuple[str, ...] = ()
    exit_code: Exit = Exit.HELD


class StageFailed(Exception):
    """A stage did not do what it promises; an outcome, turned into a `StageResult` by the loop."""

    def __init__(
        self, why: str, *, code: int = 0, seconds: float = 0.0, tail: Sequence[str] = (), again: bool = False
    ) -> None:
        """Say why, what the command left behind, and whether it may do better `again`."""
        super().__init__(why)
        self.why, self.code, self.seconds, self.tail = why, code, seconds, tuple(tail)
        self.may_be_tried_again = again
