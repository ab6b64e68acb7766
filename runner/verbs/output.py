"""What verbs print on standard output: JSON on one line, or what a person reads."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import click

from runner import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TextIO

    from runner.options import Call
    from runner.review.differences import Table
    from runner.review.model import Report

_TOGETHER: Final = 4096


def show_report(report: Report) -> None:
    """Print a report for people; where standard output is no terminal nothing is cut to a width nobody has."""
    from runner import printing  # noqa: PLC0415 - see `open_project`

    quiet = not (report.gates or report.error) and all(row.decision == "fresh" for row in report.stages)
    if quiet and report.stages:
        click.echo(printing.all_fresh(report))
    else:
        click.echo(log.block(_drawn(report)), nl=False)
    print_lines(printing.report_lines(report))


def _drawn(report: Report) -> str:
    """Give the report's tables, in a terminal's width if there is one."""
    if not sys.stdout.isatty():
        from runner import columns  # noqa: PLC0415 - see `open_project`

        return "".join(f"{line}\n" for line in columns.lines(report))
    from rich.console import Console  # noqa: PLC0415 - see `open_project`

    from runner import tables  # noqa: PLC0415 - see `open_project`

    return tables.drawn(report, Console(highlight=False))


def print_result(call: Call, as_data: Callable[[], Any], as_lines: Callable[[], Iterable[str]]) -> None:
    """Print the result: JSON on one line, or what a person reads."""
    from runner import printing  # noqa: PLC0415 - see `open_project`

    with reader_may_leave():
        if call.as_json:
            _echo(chain(printing.json_pieces(as_data()), "\n"))
        else:
            print_lines(as_lines())


def print_table(table: Table, *, markdown: bool) -> None:
    """Print a table as DVC does; one without rows only in Markdown."""
    from tabulate import tabulate  # noqa: PLC0415 - see `open_project`

    if not (table.rows or markdown):
        return
    rows = [[log.printed(cell) for cell in row] for row in table.rows]
    headers = [log.printed(cell) for cell in table.headers]
    text = tabulate(rows, headers, tablefmt="github" if markdown else "plain", disable_numparse=True)
    with reader_may_leave():
        click.echo(f"{text}\n" if markdown else text)


def print_lines(lines: Iterable[str]) -> None:
    """Print each as one line, whatever names and values stand in it; tabs that it begins with stay."""
    _echo(map(_line, lines))


def _line(line: str) -> str:
    text = line.lstrip("\t")
    return "\t" * (len(line) - len(text)) + log.printed(text) + "\n"


def _echo(pieces: Iterable[str]) -> None:
    """Print pieces of text, many at once: each echo is a write of its own."""
    coming = iter(pieces)
    while several := "".join(islice(coming, _TOGETHER)):
        click.echo(several, nl=False)


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Go on where nobody reads the result to its end (`| head`): it is the exit code that counts."""
    try:
        yield
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich makes the one of the other
        discard(sys.stdout)


def discard(stream: TextIO) -> None:
    """Let what is still to be written go nowhere: a failing last flush would change Python's exit code."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
