"""What a terminal shows: a report's stages and gates as tables of its width, a graph as trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from runner import columns, log

if TYPE_CHECKING:
    from runner.columns import Rows
    from runner.review.dag import Dag
    from runner.review.model import Report

_WIDEST: Final = 10_000


def drawn(report: Report, console: Console) -> str:
    """Give a report's stages and gates as they look on `console`; what follows them is `printing.report_lines`."""
    with console.capture() as capture:
        if report.stages:
            console.print(_table(columns.stages(report)))
        if report.gates:
            console.print(_table(columns.gates(report)))
        if said := columns.unlisted(report):
            console.print(said, soft_wrap=True)
    return capture.get()


def _table(rows: Rows) -> Table:
    table = Table(*rows[0], box=None, pad_edge=False)
    for row in rows[1:]:
        table.add_row(*map(Text, row))
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
