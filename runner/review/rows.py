"""What a run did, as the report's plain rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runner.errors import RunnerError
from runner.review.model import Problem, ReasonRow, StageRow, Traffic

if TYPE_CHECKING:
    from runner.engine.decision import Reason
    from runner.engine.outcome import StageResult
    from runner.pipeline.pipeline import Pipeline
    from runner.review.measured import Scalar
    from runner.store.moved import Moved


def edges(pipeline: Pipeline, cwd: str = ".") -> tuple[tuple[str, str], ...]:
    """Give each pair of producer and consumer, by their addresses as seen from `cwd`."""
    names = {stage.address: stage.address_from(cwd) for stage in pipeline.stages}
    return tuple(
        (names[upper.address], names[stage.address]) for stage in pipeline.stages for upper in pipeline.upstream(stage)
    )


def row(result: StageResult) -> StageRow:
    """Give a stage's row."""
    return StageRow(
        stage=result.stage.address,
        decision=result.status,
        reasons=tuple(_reason(reason) for reason in result.reasons),
        seconds=round(result.seconds, 3) if result.status == "ran" or result.seconds else None,
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
    return json.dumps(value, ensure_ascii=False, default=str)


def traffic(moved: Moved) -> Traffic:
    """Give what a transfer moved."""
    return Traffic(moved.objects, moved.bytes, round(moved.seconds, 3))


def problems(error: Exception) -> list[Problem]:
    """Give what ended the walk: every mistake, each with its place; at least one. What is no `RunnerError` is a bug."""
    if isinstance(error, RunnerError):
        return [Problem(one.message, one.hint, one.where, type(one).__name__) for one in error.problems]
    message = f"this is a bug in the runner: {type(error).__name__}: {error}"
    return [Problem(message, "the log has a traceback; please report it", None, type(error).__name__)]


def note(problem: Problem) -> str:
    """Give a further mistake as a sentence for the reader: `dvc.yaml:3: what is wrong (what to do)`."""
    told = f"{problem.where}: {problem.message}" if problem.where else problem.message
    return f"{told} ({problem.hint})" if problem.hint else told
