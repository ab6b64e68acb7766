"""What side by side saves: `retrain repro --jobs N` against itself one after the other, and against `dvc repro`.

`python benchmarks/parallel.py` measures everything and rewrites its section of docs/performance.md.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import harness
from harness import Case
from projects import DVC, RETRAIN, write_side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

NOTE = (
    "Stages that do not depend on each other, in a fresh folder each time: four that sleep for two seconds, two that "
    "compute for about two. What computes cannot be faster than there are free cores. Numbers are medians, with the "
    "least and the most; ratios are medians of pairs."
)
SLEEP = "sleep 2"
COMPUTE = "python3 -c 'for _ in range(40_000_000): pass'"


def cases(folder: Path, environ: Mapping[str, str]) -> Iterator[Case]:
    """Give the cases one by one."""
    del environ
    for name, stages, cmd, target in (("4 stages that sleep", 4, SLEEP, 3), ("2 stages that compute", 2, COMPUTE, 1.7)):
        ours = (*RETRAIN, "repro", "--jobs", str(stages))
        for peer, theirs in (("--jobs 1", (*RETRAIN, "repro", "--jobs", "1")), ("dvc", (*DVC, "repro"))):
            place = _fresh(folder / f"{peer}-{name}".replace(" ", "-"), stages, cmd)
            yield Case(f"{name}: --jobs {stages}, {peer}", ours, theirs, target, place, peer=peer)


def _fresh(folder: Path, stages: int, cmd: str) -> Callable[[str], Path]:
    """Give each side a new project at each call: nothing was ever run in it."""
    numbers = itertools.count()
    write = partial(write_side_by_side, stages=stages, cmd=cmd)

    def place(side: str) -> Path:
        root = folder / f"{side}-{next(numbers)}"
        write(root)
        return root

    return place


if __name__ == "__main__":
    harness.run("parallel", __doc__ or "", cases, NOTE)
