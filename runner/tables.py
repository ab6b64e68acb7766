"""A report on a terminal: stages and gates as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from runner import log
from runner.review import figures, words
from runner.review.measured import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.review.dag import Dag
    from runner.review.measured import Verdict
    from runner.review.model import Report, StageRow

_WIDEST: Final = 10_000
MOST_GATES: Final = 1_000
"""Judged values that are listed; nobody reads more, and each costs as much as judging it five times."""


def drawn(report: Report, console: Console) -> str:
    """Give a report's stages and gates as they look on `console`; what follows them is `printing.report_lines`."""
    with console.capture() as capture:
        if report.stages:
            console.print(_stage_table(report))
        if report.gates:
            console.print(_gate_table(report.gates if len(report.gates) <= MOST_GATES else _telling(report.gates)))
            if len(report.gates) > MOST_GATES:
                left = words.count(len(report.gates) - MOST_GATES, "more judged value")
                console.print(
                    f"and {left}, none of them worse than these: --json and the report files have all", soft_wrap=True
                )
    return capture.get()


def _stage_table(report: Report) -> Table:
    table = Table("stage", "outcome", "time", "why", box=None, pad_edge=False)
    for row in report.stages:
        took = words.seconds(row.seconds) if row.seconds is not None else ""
        table.add_row(_cell(row.stage), row.decision, took, _cell(row.why or _causes(row)))
    return table


def forest(dag: Dag) -> str:
    """Give a graph as trees, from what nothing is needed for to what comes last; what is there already ends in (*)."""
    console = Console(highlight=False, width=_WIDEST, color_system=None)
    seen: set[str] = set()
    with console.capture() as capture:
        for root in (node for node in dag.nodes if not dag.producers[node]):
            console.print(_tree(root, dag, seen), no_wrap=True, crop=False)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _tree(root: str, dag: Dag, seen: set[str]) -> Tree:
    """Draw what follows `root`, depth first, each node once with all that follows it."""
    tree = Tree(_cell(root))
    waiting = [(root, tree)]
    while waiting:
        node, branch = waiting.pop()
        fresh = []
        for consumer in dag.consumers[node]:
            inner = branch.add(_cell(f"{consumer} (*)" if consumer in seen else consumer))
            fresh += [] if consumer in seen else [(consumer, inner)]
            seen.add(consumer)
        waiting += reversed(fresh)
    return tree


def _cell(text: str) -> Text:
    """Give foreign text as one line, before its lines are broken to the column's width."""
    return Text(log.printed(text))


def _causes(row: StageRow) -> str:
    return ", ".join(f"{reason.change} {reason.path}".strip() for reason in row.reasons)


def _telling(rows: Sequence[Verdict]) -> list[Verdict]:
    """Give those that are listed of very many, what is not fine first."""
    return sorted(rows, key=lambda row: WORST_FIRST.index(row.status))[:MOST_GATES]


def _gate_table(rows: Sequence[Verdict]) -> Table:
    table = Table("metric", "base", "head", "change", "verdict", "why", box=None, pad_edge=False)
    for row in rows:
        delta = figures.signed(row.delta) if row.delta is not None else ""
        base, head = figures.scalar(row.base), figures.scalar(row.head)
        table.add_row(_cell(f"{row.metric} {row.path}"), _cell(base), _cell(head), delta, row.status, _cell(row.why))
    return table
