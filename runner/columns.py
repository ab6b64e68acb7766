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
    """Give the lines of both, each row on one, however long it is."""
    if report.stages:
        yield from _aligned(stages(report))
    if report.gates:
        yield from _aligned(gates(report))
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


def _aligned(rows: Rows) -> Iterator[str]:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _width(text: str) -> int:
    """Give the places that text takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - most names are ASCII

    return cell_len(text)
