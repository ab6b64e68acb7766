"""A report's stages and gates in columns: the cells for every reader, and the lines for one that is no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner import log
from runner.review import figures, words
from runner.review.measured import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.review.measured import Verdict
    from runner.review.model import Report, StageRow

    Rows = Sequence[tuple[str, ...]]
    """Cells, none of more than one line, row by row; the first row names the columns."""

MOST_GATES: Final = 1_000
"""Judged values that are listed; nobody reads more, and each costs as much as judging it five times."""


def stages(report: Report) -> Rows:
    """Give what became of each stage."""
    return [("stage", "outcome", "time", "why"), *map(_stage, report.stages)]


def gates(report: Report) -> Rows:
    """Give each judged value; of very many those that are not fine first, and no more than anybody reads."""
    chosen = report.gates if len(report.gates) <= MOST_GATES else _telling(report.gates)
    return [("metric", "base", "head", "change", "verdict", "why"), *map(_gate, chosen)]


def unlisted(report: Report) -> str:
    """Say how many judged values `gates` leaves out; empty: none."""
    left = len(report.gates) - MOST_GATES
    if left <= 0:
        return ""
    said = words.count(left, "more judged value")
    return f"and {said}, none of them worse than these: --json and the report files have all"


def lines(report: Report) -> Iterator[str]:
    """Give the lines of both, each row on one, however long it is; of what has no rows, none."""
    from tabulate import tabulate  # noqa: PLC0415 - a run that says only that all is fresh has no table

    for rows in (stages(report), gates(report)):
        if len(rows) > 1:
            yield from tabulate(rows[1:], rows[0], tablefmt="plain", disable_numparse=True).split("\n")
    if said := unlisted(report):
        yield said


def _stage(row: StageRow) -> tuple[str, ...]:
    took = words.seconds(row.seconds) if row.seconds is not None else ""
    return log.printed(row.stage), row.decision, took, log.printed(row.why or _causes(row))


def _causes(row: StageRow) -> str:
    return ", ".join(f"{reason.change} {reason.path}".strip() for reason in row.reasons)


def _telling(rows: Sequence[Verdict]) -> list[Verdict]:
    return sorted(rows, key=lambda row: WORST_FIRST.index(row.status))[:MOST_GATES]


def _gate(row: Verdict) -> tuple[str, ...]:
    delta = figures.signed(row.delta) if row.delta is not None else ""
    base, head = figures.scalar(row.base), figures.scalar(row.head)
    seen = (log.printed(cell) for cell in (f"{row.metric} {row.path}", base, head))
    return (*seen, delta, row.status, log.printed(row.why))
