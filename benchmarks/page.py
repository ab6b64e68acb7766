"""The tables of docs/performance.md, from what benchmarks/results holds.

`python benchmarks/page.py` writes all of them anew; each script of this folder writes its own after a complete run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness import Outcome

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
WIDTH = 240  # characters of a terminal that the table needs


def main() -> None:
    """Write every section whose results say what they are."""
    from harness import Outcome  # noqa: PLC0415 - which imports this module

    for results in sorted(RESULTS.glob("*.json")):
        document = json.loads(results.read_text(encoding="utf-8"))
        if "note" not in document:
            sys.exit(f"{results} is from before results told what they are: run benchmarks/{results.stem}.py")
        outcomes = [Outcome.of(each) for each in document["outcomes"]]
        write(results.stem, body(document["note"], document["machine"], outcomes))


def show(machine: str, outcomes: Sequence[Outcome]) -> None:
    """Print the outcomes as a table."""
    headings, *rows = _rows(outcomes)
    table = Table(title=machine, box=None)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table)


def body(note: str, machine: str, outcomes: Sequence[Outcome]) -> str:
    """Give a section as Markdown."""
    headings, *rows = _rows(outcomes)
    lines = "\n".join(f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *rows))
    return f"{note}\n\n{machine}.\n\n{lines}"


def write(section: str, text: str) -> None:
    """Replace what stands between the section's marks; a section that is not there yet comes last."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Performance\n"
    script = section.partition("-")[0]
    begin, end = f"<!-- {section}: written by benchmarks/{script}.py -->", f"<!-- {section}: end -->"
    written = f"{begin}\n{text}\n{end}"
    if begin in page and end in page:
        page = page[: page.index(begin)] + written + page[page.index(end) + len(end) :]
    else:
        page = f"{page.rstrip()}\n\n{written}\n"
    PAGE.write_text(page, encoding="utf-8")


def _rows(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """Give the headings and a row an outcome, without the columns that nothing is in."""
    columns = [_columns(outcome) for outcome in outcomes]
    headings = [heading for heading in columns[0] if any(row[heading] for row in columns)] if columns else []
    return [headings, *([row[heading] or "" for heading in headings] for row in columns)]


def _columns(outcome: Outcome) -> dict[str, str]:
    """Give the cells of one row by heading: medians, with the spread from least to most."""
    met = "met" if outcome.ratio("wall") >= outcome.target else "missed"
    return {
        "case": outcome.name,
        "peer": outcome.peer,
        "pairs": str(len(outcome.ours)),
        "retrain, s": _seconds(outcome, "ours"),
        "peer, s": _seconds(outcome, "theirs"),
        "CPU, s": f"{outcome.median('ours', 'cpu'):.2f} / {outcome.median('theirs', 'cpu'):.2f}",
        "MiB": f"{outcome.median('ours', 'memory') / 2**20:.0f} / {outcome.median('theirs', 'memory') / 2**20:.0f}",
        "requests": _counted(outcome.requests, 1),
        "MB received": _counted(outcome.received, 1_000_000),
        "times less wall": f"{outcome.ratio('wall'):.1f}",
        "times less CPU": f"{outcome.ratio('cpu'):.1f}",
        "times less memory": f"{outcome.ratio('memory'):.1f}",
        "target": f"{outcome.target:g}: {met}" if outcome.target else "none",
    }


def _counted(counts: tuple[int, int] | None, unit: int) -> str:
    return " / ".join(f"{count / unit:,.0f}" for count in counts) if counts else ""


def _seconds(outcome: Outcome, side: str) -> str:
    walls = [sample.wall for sample in getattr(outcome, side)]
    return f"{outcome.median(side, 'wall'):.3f} ({min(walls):.3f} to {max(walls):.3f})"


if __name__ == "__main__":
    main()
