"""Pairs of commands measured in turn, A B A B, and what may be said of them: medians, spread, ratios.

Wall time moves with the machine's other work, CPU time hardly; so both are kept, and only ratios of one paired run
are claims.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
FEWEST, MOST = 3, 11
WIDTH = 220  # characters of a terminal that the table needs


@dataclass(frozen=True)
class Sample:
    """One run of a command: seconds of wall time, CPU seconds of it and its children, peak memory in bytes."""

    wall: float
    cpu: float
    memory: int


@dataclass(frozen=True)
class Case:
    """A question to both sides.

    Attributes:
        name: what is measured.
        ours, theirs: the two commands.
        target: how many times less wall time ours should take; 0: nothing was promised.
        place: gives the folder a side runs in, before each measurement and outside of it.
        is_long: whether theirs takes from half a minute to many: one pair, nothing before it, left out by `--quick`.

    """

    name: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    target: float
    place: Callable[[str], Path]
    is_long: bool = False


if TYPE_CHECKING:
    Cases = Callable[[Path, Mapping[str, str]], Iterator[Case]]
    """Gives the cases, whose projects lie below a folder and are run in an environment."""


@dataclass(frozen=True)
class Outcome:
    """A case with its samples, in the order measured."""

    name: str
    target: float
    ours: tuple[Sample, ...]
    theirs: tuple[Sample, ...]

    def ratio(self, measure: str) -> float:
        """Give the median of the pairs' quotients, theirs by ours; `measure` is `wall`, `cpu` or `memory`."""
        pairs = zip(self.theirs, self.ours, strict=True)
        return float(statistics.median(getattr(theirs, measure) / getattr(ours, measure) for theirs, ours in pairs))


def run(section: str, about: str, cases: Cases, note: str) -> None:
    """Be a script of this folder: measure what its command line asks for, show it, and publish a complete run."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="no long cases, few pairs, nothing written")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only cases with TEXT in their name; nothing written"
    )
    parser.add_argument("--budget", type=float, default=40, metavar="SECONDS", help="time for each case, about")
    asked = parser.parse_args()
    budget = min(asked.budget, 8) if asked.quick else asked.budget
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environ = clean_environ(Path(folder))
        chosen = [case for case in cases(Path(folder), environ) if asked.only in case.name]
        outcomes = [compare(case, environ, budget) for case in chosen if not (asked.quick and case.is_long)]
    show(outcomes)
    if not (asked.quick or asked.only):
        publish(section, outcomes, note)


def compare(case: Case, environ: Mapping[str, str], budget: float, fewest: int = FEWEST) -> Outcome:
    """Measure both sides in turn for about `budget` seconds, `fewest` to 11 pairs, after one that does not count."""
    if case.is_long:
        pairs = [_pair(case, environ)]
    else:
        began = time.perf_counter()
        _pair(case, environ)
        repeats = max(fewest, min(MOST, int(budget / (time.perf_counter() - began))))
        pairs = [_pair(case, environ) for _ in range(repeats)]
    return Outcome(case.name, case.target, tuple(ours for ours, _ in pairs), tuple(theirs for _, theirs in pairs))


def _pair(case: Case, environ: Mapping[str, str]) -> tuple[Sample, Sample]:
    return measure(case.ours, case.place("ours"), environ), measure(case.theirs, case.place("theirs"), environ)


def measure(argv: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> Sample:
    """Run a command, which must succeed, and give what it cost."""
    began = time.perf_counter()
    process = subprocess.Popen(argv, cwd=cwd, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr  # noqa: S101 - told to mypy
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(argv)} in {cwd} ended with {process.returncode}:\n{errors.decode(errors='replace')}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def clean_environ(home: Path) -> dict[str, str]:
    """Give an environment whose settings and caches lie below `home`."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "site"),
    }


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Run rclone as an S3 server of the bucket `bucket`, kept below `folder`; give its address.

    Both keys are `testing`. It answers some thousands of requests a second: more than any Python client asks.
    """
    (folder / "bucket").mkdir()
    rclone = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    options = [
        "--addr",
        "127.0.0.1:0",
        "--auth-key",
        "testing,testing",
        "--vfs-cache-mode",
        "off",
        "--config",
        os.devnull,
    ]
    with subprocess.Popen(
        [rclone or "rclone", "serve", "s3", *options, folder], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr  # noqa: S101 - told to mypy
        try:
            yield next(found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        finally:
            process.kill()


def machine() -> str:
    """Say in one line what was measured, and on what."""
    python = platform.python_version()
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {python}, dvc {version('dvc')}"


def show(outcomes: Sequence[Outcome]) -> None:
    """Print the outcomes as a table."""
    table = Table(title=machine(), box=None)
    for heading in _HEADINGS:
        table.add_column(heading, no_wrap=True)
    for outcome in outcomes:
        table.add_row(*_cells(outcome))
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table)


def publish(section: str, outcomes: Sequence[Outcome], note: str) -> None:
    """Write benchmarks/results/<section>.json, and the table between the section's marks in docs/performance.md."""
    results = ROOT / "benchmarks" / "results" / f"{section}.json"
    results.parent.mkdir(exist_ok=True)
    document = {"machine": machine(), "outcomes": [asdict(outcome) for outcome in outcomes]}
    results.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    page = ROOT / "docs" / "performance.md"
    page.parent.mkdir(exist_ok=True)
    text = page.read_text(encoding="utf-8") if page.exists() else "# Performance\n"
    page.write_text(_with_section(text, section, f"{note}\n\n{machine()}.\n\n{_markdown(outcomes)}"), encoding="utf-8")


def _with_section(text: str, section: str, body: str) -> str:
    """Replace what stands between the section's marks; a section that is not there yet comes last."""
    begin, end = f"<!-- {section}: written by benchmarks/{section}.py -->", f"<!-- {section}: end -->"
    written = f"{begin}\n{body}\n{end}"
    if begin in text and end in text:
        return text[: text.index(begin)] + written + text[text.index(end) + len(end) :]
    return f"{text.rstrip()}\n\n{written}\n"


_HEADINGS = (
    "case",
    "pairs",
    "retrain, s",
    "dvc, s",
    "CPU, s",
    "MiB",
    "times less wall",
    "times less CPU",
    "times less memory",
    "target",
)


def _cells(outcome: Outcome) -> list[str]:
    """Give the cells of one row: medians with the spread from least to most."""
    met = "met" if outcome.ratio("wall") >= outcome.target else "missed"
    return [
        outcome.name,
        str(len(outcome.ours)),
        _seconds(outcome.ours),
        _seconds(outcome.theirs),
        f"{_median(outcome.ours, 'cpu'):.2f} / {_median(outcome.theirs, 'cpu'):.2f}",
        f"{_median(outcome.ours, 'memory') / 2**20:.0f} / {_median(outcome.theirs, 'memory') / 2**20:.0f}",
        *(f"{outcome.ratio(measure):.1f}" for measure in ("wall", "cpu", "memory")),
        f"{outcome.target:g}: {met}" if outcome.target else "none",
    ]


def _median(samples: Sequence[Sample], measure: str) -> float:
    return float(statistics.median(getattr(sample, measure) for sample in samples))


def _seconds(samples: Sequence[Sample]) -> str:
    walls = [sample.wall for sample in samples]
    return f"{statistics.median(walls):.3f} ({min(walls):.3f} to {max(walls):.3f})"


def _markdown(outcomes: Sequence[Outcome]) -> str:
    """Give the table as Markdown."""
    rows = [_HEADINGS, ["---"] * len(_HEADINGS), *map(_cells, outcomes)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
