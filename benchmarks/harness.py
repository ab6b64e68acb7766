"""Pairs of commands measured in turn, A B A B, and what may be said of them: medians, spread, ratios.

Wall time moves with the machine's other work, CPU time hardly; so both are kept, and only ratios of one paired run
are claims.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from servers import Counted

FEWEST, MOST = 3, 11
_LAUNCHER = """
import json, os, sys, time
began = time.perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - began
print(json.dumps([os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024]))
"""
"""Starts a command from a small process: Linux counts what the one that starts it holds for memory of the command."""


if TYPE_CHECKING:
    Command = tuple[str, ...] | Callable[[Path], tuple[str, ...]]
    """A command, or what gives it for the folder it is run in."""


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
        peer: whose command the other one is.
        counting: counts requests inside the block; where it is given, each side is counted in a run that is not timed.

    """

    name: str
    ours: tuple[str, ...]
    theirs: Command
    target: float
    place: Callable[[str], Path]
    is_long: bool = False
    peer: str = "dvc"
    counting: Callable[[], AbstractContextManager[Counted]] | None = None


if TYPE_CHECKING:
    Cases = Callable[[Path, Mapping[str, str]], Iterator[Case]]
    """Gives the cases, whose projects lie below a folder and are run in an environment."""


@dataclass(frozen=True)
class Outcome:
    """A case with its samples, in the order measured; where it was counted, requests and received bytes a side."""

    name: str
    target: float
    ours: tuple[Sample, ...]
    theirs: tuple[Sample, ...]
    peer: str = "dvc"
    requests: tuple[int, int] | None = None
    received: tuple[int, int] | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Outcome:
        """Give what `asdict` made a document of."""
        samples = {side: tuple(Sample(**sample) for sample in document[side]) for side in ("ours", "theirs")}
        counted = {of: tuple(document[of]) for of in ("requests", "received") if document.get(of)}
        return cls(**{**document, **samples, **counted})

    def median(self, side: str, measure: str) -> float:
        """Give the median of a measure of `ours` or `theirs`."""
        return float(statistics.median(getattr(sample, measure) for sample in getattr(self, side)))

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
    page.show(machine(), outcomes)
    if not (asked.quick or asked.only):
        publish(section, outcomes, note)


def compare(case: Case, environ: Mapping[str, str], budget: float, fewest: int = FEWEST) -> Outcome:
    """Measure both sides in turn for about `budget` seconds, `fewest` to 11 pairs, after one that does not count.

    Where requests are counted, that first pair is the one in which they are.
    """
    requests = received = None
    if case.is_long:
        pairs = [_pair(case, environ)]
    else:
        began = time.perf_counter()
        if case.counting:
            mine, other = _counted(case, environ)
            requests, received = (mine.total, other.total), (mine.received, other.received)
        else:
            _pair(case, environ)
        repeats = max(fewest, min(MOST, int(budget / (time.perf_counter() - began))))
        pairs = [_pair(case, environ) for _ in range(repeats)]
    ours, theirs = zip(*pairs, strict=True)
    return Outcome(case.name, case.target, ours, theirs, case.peer, requests, received)


def _pair(case: Case, environ: Mapping[str, str]) -> tuple[Sample, Sample]:
    return _measured(case, "ours", environ), _measured(case, "theirs", environ)


def _measured(case: Case, side: str, environ: Mapping[str, str]) -> Sample:
    place = case.place(side)
    command = case.ours if side == "ours" else case.theirs
    return measure(command(place) if callable(command) else command, place, environ)


def _counted(case: Case, environ: Mapping[str, str]) -> tuple[Counted, Counted]:
    """Count what each side asks for."""
    assert case.counting  # noqa: S101 - told to mypy
    case.place("ours"), case.place("theirs")  # what a project needs once is not counted
    with case.counting() as ours:
        _measured(case, "ours", environ)
    with case.counting() as theirs:
        _measured(case, "theirs", environ)
    return ours, theirs


def measure(argv: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> Sample:
    """Run a command, which must succeed, and give what it cost."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *argv]
    ended = subprocess.run(launcher, cwd=cwd, env=environ, capture_output=True, check=False)
    try:
        code, *cost = json.loads(ended.stdout)
    except ValueError:
        code, cost = ended.returncode, []
    if code or not cost:
        sys.exit(f"{' '.join(argv)} in {cwd} ended with {code}:\n{ended.stderr.decode(errors='replace')}")
    return Sample(*cost)


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


def machine() -> str:
    """Say in one line what was measured, and on what."""
    python = platform.python_version()
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {python}, dvc {version('dvc')}"


def publish(section: str, outcomes: Sequence[Outcome], note: str) -> None:
    """Write benchmarks/results/<section>.json, and with it the section of docs/performance.md."""
    results = page.RESULTS / f"{section}.json"
    results.parent.mkdir(exist_ok=True)
    document = {"machine": machine(), "note": note, "outcomes": [asdict(outcome) for outcome in outcomes]}
    results.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    page.write(section, page.body(note, machine(), outcomes))
