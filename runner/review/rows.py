"""What a run did, as the report's plain rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.review.model import Problem, ReasonRow, StageRow, Traffic

if TYPE_CHECKING:
    from runner.engine.decide import Reason
    from runner.engine.outcome import StageResult
    from runner.errors import RunnerError
    from runner.pipeline.model import Pipeline
    from runner.review.model import Scalar
    from runner.store.transfer import Moved


def edges(pipeline: Pipeline) -> tuple[tuple[str, str], ...]:
    """Give each pair of producer and consumer."""
    return tuple((upper.address, stage.address) for stage in pipeline.stages for upper in pipeline.upstream(stage))


def row(result: StageResult) -> StageRow:
    """Give a stage's row."""
    return StageRow(
        stage=result.stage.address,
        decision=result.status,
        reasons=tuple(_reason(reason) for reason in result.reasons),
        seconds=round(result.seconds, 3) if result.status == "ran" else None,
        exit_code=result.code or None,
        tail=result.tail,
        why=result.why,
        pulled=traffic(result.pulled),
    )


def _reason(reason: Reason) -> ReasonRow:
    return ReasonRow(reason.change.value, reason.path, _plain(reason.was), _plain(reason.now))


def _plain(value: object) -> Scalar | None:
    """Give a value that JSON can carry; lists and maps as text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return "\n".join(map(str, value)) if isinstance(value, tuple) else str(value)


def traffic(moved: Moved) -> Traffic:
    """Give what a transfer moved."""
    return Traffic(moved.objects, moved.bytes, round(moved.seconds, 3))


def problem(error: RunnerError) -> Problem:
    """Give the error that ended the walk; of several mistakes the first."""
    first = error.problems[0]
    return Problem(first.message, first.hint, first.where, type(first).__name__)
