"""A report on a terminal: stages and gates as tables, the traffic, the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from runner.printing import report_lines
from runner.review import words

if TYPE_CHECKING:
    from rich.console import Console

    from runner.review.model import Report, StageRow


def show(report: Report, console: Console) -> None:
    """Print a report on a terminal: stages, gates, traffic, and the verdict in one word."""
    if report.stages:
        console.print(_stage_table(report))
    if report.gates:
        console.print(_gate_table(report))
    for line in report_lines(report):
        console.print(Text(line), soft_wrap=True)


def _stage_table(report: Report) -> Table:
    table = Table("stage", "outcome", "time", "why", box=None, pad_edge=False)
    for row in report.stages:
        took = words.seconds(row.seconds) if row.seconds is not None else ""
        table.add_row(Text(row.stage), row.decision, took, Text(row.why or _causes(row)))
    return table


def _causes(row: StageRow) -> str:
    return ", ".join(f"{reason.change} {reason.path}".strip() for reason in row.reasons)


def _gate_table(report: Report) -> Table:
    table = Table("metric", "base", "head", "change", "verdict", "why", box=None, pad_edge=False)
    for row in report.gates:
        delta = words.signed(row.delta) if row.delta is not None else ""
        base, head = words.scalar(row.base), words.scalar(row.head)
        table.add_row(Text(f"{row.metric} {row.path}"), Text(base), Text(head), delta, row.status, Text(row.why))
    return table
