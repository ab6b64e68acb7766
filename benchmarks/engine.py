"""What the engine costs: `retrain plan` and `retrain repro` against `dvc status` and `dvc repro`.

`python benchmarks/engine.py` measures everything and rewrites its section of docs/performance.md; `--quick` leaves
out what takes DVC more than a few seconds and writes nothing; `--only TEXT` measures the cases whose name holds TEXT.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import harness
from harness import Case
from projects import DVC, RETRAIN, Finished, write_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

NOTE = (
    "Two copies of the same project, one a side, both with everything in place and each side's own caches warm; the "
    "commands run in turn. Stages are trivial (`cp`), so this is the engines' own cost. Numbers are medians, with "
    "the least and the most; ratios are medians of pairs. `run all` starts from a fresh folder each time."
)


def cases(folder: Path, environ: Mapping[str, str]) -> Iterator[Case]:
    """Give the cases one by one; a project is made when its first case is measured."""
    yield Case("--version", (*RETRAIN, "--version"), (*DVC, "--version"), 2, lambda _: folder)
    sizes = {
        "10 stages": (10, 0, 5, 6.5),
        "100 stages with params": (100, 5, 27, 35),
        "100 stages": (100, 0, 0, 0),
        "1,000 stages": (1_000, 0, 15, 60),
    }
    for name, (stages, params, plan_target, repro_target) in sizes.items():
        write = partial(write_chain, stages=stages, params=params)
        place = Finished(folder / name.replace(" ", "-"), write, environ)
        yield Case(f"nothing to do, {name}: plan, status", (*RETRAIN, "plan"), (*DVC, "status"), plan_target, place)
        yield Case(f"nothing to do, {name}: repro", (*RETRAIN, "repro"), (*DVC, "repro"), repro_target, place)
    for stages, target in ((10, 8), (100, 30)):
        fresh = _fresh(folder / f"run-{stages}", stages)
        yield Case(f"run all, {stages} trivial stages", (*RETRAIN, "repro"), (*DVC, "repro"), target, fresh)


def _fresh(folder: Path, stages: int) -> Callable[[str], Path]:
    """Give each side a new project at each call: nothing was ever run in it."""
    numbers = itertools.count()

    def place(side: str) -> Path:
        root = folder / f"{side}-{next(numbers)}"
        write_chain(root, stages)
        return root

    return place


if __name__ == "__main__":
    harness.run("engine", __doc__ or "", cases, NOTE)
