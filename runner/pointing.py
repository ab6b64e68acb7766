"""Which lines a report points at: the gates that do not hold first, then what changed of the inputs behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import NOWHERE
from runner.forge.protocol import Annotation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.review.model import Report, Verdict


def pointed(report: Report) -> tuple[Annotation, ...]:
    """Give all annotations of a report, the most telling of each level first."""
    bad = sorted((row for row in report.gates if row.status != "passed"), key=lambda row: not row.exits)
    return (*map(_of_gate, bad), *_of_error(report))


def _of_gate(row: Verdict) -> Annotation:
    return Annotation(
        level="error" if row.exits else "warning",
        message=f"{row.metric} {row.path} {row.status}: {row.why}",
        where=row.where,
        title=row.gate,
    )


def _of_error(report: Report) -> Iterator[Annotation]:
    """Give what ended the walk, and every further mistake that was found with it."""
    if error := report.error:
        text = f"{error.message}\n  {error.hint}" if error.hint else error.message
        yield Annotation(level="error", message=text, where=error.where or NOWHERE)
        yield from (Annotation(level="warning", message=note) for note in report.notes)
