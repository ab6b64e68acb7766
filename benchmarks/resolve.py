"""What reading large projects costs, and comparing revisions: a foreach, a monorepo, a long chain, two commits.

`python benchmarks/resolve.py` measures everything, for DVC half an hour, and rewrites its section of
docs/performance.md; `--quick` leaves out what takes DVC more than half a minute and writes nothing; `--only TEXT`
measures the cases whose name holds TEXT.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import harness
from harness import Case
from projects import DVC, RETRAIN, Finished, Written, write_chain, write_foreach, write_history, write_monorepo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NOTE = (
    "Two copies of the same project, one a side, with nothing to do; the commands run in turn. The foreach goes over a "
    "mapping of params.yaml, and each of its stages reads two parameters; the 3,000 stages of the monorepo stand in 60 "
    "dvc.yaml files. Each stage of a history has a metrics file and a parameter, and HEAD~1 has other values in all of "
    "them. Numbers are medians, with the least and the most; ratios are medians of pairs. What takes DVC minutes was "
    "measured in one pair, and nothing ran before it. The machine was busy with other work: wall time moved with it by "
    "two and more, on both sides; the ratio of CPU seconds is the steady one."
)


def cases(folder: Path, environ: Mapping[str, str]) -> Iterator[Case]:
    """Give the cases one by one; a project is made when its first case is measured."""
    foreach = Finished(folder / "foreach", partial(write_foreach, stages=1_000), environ)
    monorepo = Finished(folder / "monorepo", partial(write_monorepo, folders=60, stages=50), environ)
    chain = Finished(folder / "chain", partial(write_chain, stages=3_000), environ)
    plan, status = (*RETRAIN, "plan"), (*DVC, "status")
    stages, listed = (*RETRAIN, "stages"), (*DVC, "stage", "list", "--all")
    yield Case("foreach of 1,000 stages with params: stages, stage list", stages, listed, 0, foreach)
    yield Case("3,000 stages in 60 files: stages, stage list", stages, listed, 0, monorepo)
    for number, target in ((10, 6), (100, 13)):
        place = Written(folder / f"history-{number}", partial(write_history, stages=number))
        for compared in ("metrics", "params"):
            question = (compared, "diff", "HEAD~1")
            name = f"{number} stages: {' '.join(question)}"
            yield Case(name, (*RETRAIN, *question), (*DVC, *question), target, place)
    yield Case("3,000 stages in 60 files: plan, status", plan, status, 18, monorepo, is_long=True)
    yield Case("chain of 3,000 stages: plan, status", plan, status, 18, chain, is_long=True)
    yield Case("foreach of 1,000 stages with params: plan, status", plan, status, 300, foreach, is_long=True)


if __name__ == "__main__":
    harness.run("resolve", __doc__ or "", cases, NOTE)
