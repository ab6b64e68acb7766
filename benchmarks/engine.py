"""What the engine costs: `retrain plan` and `retrain repro` against `dvc status` and `dvc repro`.

`python benchmarks/engine.py` measures everything and rewrites its section of docs/performance.md; `--quick` leaves
out what takes DVC more than a few seconds and writes nothing; `--only TEXT` measures the cases whose name holds TEXT.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Case, clean_environ, compare, publish, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

RETRAIN = (sys.executable, "-I", "-m", "runner")
DVC = (sys.executable, "-m", "dvc")
NOTE = (
    "Two copies of the same project, one a side, both with everything in place and each side's own caches warm; the "
    "commands run in turn. Stages are trivial (`cp`), so this is the engines' own cost. Numbers are medians, with "
    "the least and the most; ratios are medians of pairs. `run all` starts from a fresh folder each time."
)


def main() -> None:
    """Measure what was asked for, show it, and publish a complete run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only small projects, few pairs, nothing written")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only cases with TEXT in their name; nothing written"
    )
    parser.add_argument("--budget", type=float, default=40, metavar="SECONDS", help="time for each case, about")
    asked = parser.parse_args()
    budget = min(asked.budget, 8) if asked.quick else asked.budget
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environ = clean_environ(Path(folder))
        chosen = (case for case in cases(Path(folder), environ, quick=asked.quick) if asked.only in case.name)
        outcomes = [compare(case, environ, budget) for case in chosen]
    show(outcomes)
    if not (asked.quick or asked.only):
        publish("engine", outcomes, NOTE)


def cases(folder: Path, environ: Mapping[str, str], *, quick: bool) -> Iterator[Case]:
    """Give the cases one by one; a project is made when its first case is measured."""
    yield Case("--version", (*RETRAIN, "--version"), (*DVC, "--version"), 2, lambda _: folder)
    sizes = {"10 stages": (10, 0, 5, 6.5), "100 stages with params": (100, 5, 27, 35), "100 stages": (100, 0, 0, 0)}
    if not quick:
        sizes["1,000 stages"] = (1_000, 0, 15, 60)
    for name, (stages, params, plan_target, repro_target) in sizes.items():
        place = _Finished(folder / name.replace(" ", "-"), stages, params, environ)
        yield Case(f"nothing to do, {name}: plan, status", (*RETRAIN, "plan"), (*DVC, "status"), plan_target, place)
        yield Case(f"nothing to do, {name}: repro", (*RETRAIN, "repro"), (*DVC, "repro"), repro_target, place)
    for stages, target in ((10, 8),) if quick else ((10, 8), (100, 30)):
        fresh = _fresh(folder / f"run-{stages}", stages)
        yield Case(f"run all, {stages} trivial stages", (*RETRAIN, "repro"), (*DVC, "repro"), target, fresh)


class _Finished:
    """Gives a side its copy of a project that was run; made at the first call, by `retrain`, for DVC takes long."""

    def __init__(self, folder: Path, stages: int, params: int, environ: Mapping[str, str]) -> None:
        self._folder, self._stages, self._params, self._environ = folder, stages, params, environ

    def __call__(self, side: str) -> Path:
        if not self._folder.exists():
            write_chain(self._folder / "ours", self._stages, self._params)
            repro = [*RETRAIN, "repro", "--quiet"]
            subprocess.run(repro, cwd=self._folder / "ours", env=self._environ, capture_output=True, check=True)
            shutil.copytree(self._folder / "ours", self._folder / "theirs", symlinks=True)
        return self._folder / side


def _fresh(folder: Path, stages: int) -> Callable[[str], Path]:
    """Give each side a new project at each call: nothing was ever run in it."""
    numbers = itertools.count()

    def place(side: str) -> Path:
        root = folder / f"{side}-{next(numbers)}"
        write_chain(root, stages, 0)
        return root

    return place


def write_chain(root: Path, stages: int, params: int) -> None:
    """Write a project of `stages` stages, each copying the out of the one before and reading `params` parameters."""
    root.mkdir(parents=True)
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n    check_update = false\n", encoding="utf-8")
    (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n", encoding="utf-8")
    (root / "o0").write_text("seed\n", encoding="utf-8")
    names = [f"p{number}" for number in range(stages * params)]
    (root / "params.yaml").write_text("".join(f"{name}: 0.{at}\n" for at, name in enumerate(names)), encoding="utf-8")
    (root / "dvc.yaml").write_text("stages:\n" + "".join(_stage(at, params) for at in range(stages)), encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", "-b", "main"], cwd=root, check=True)
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    subprocess.run(["git", *identity, "commit", "--quiet", "-m", "Begin"], cwd=root, check=True)


def _stage(at: int, params: int) -> str:
    """Give the text of one stage of the chain."""
    keys = [f"p{at * params + number}" for number in range(params)]
    reads = f"    params: {json.dumps(keys)}\n" if keys else ""
    return f"  s{at}:\n    cmd: cp o{at} o{at + 1}\n    deps:\n    - o{at}\n{reads}    outs:\n    - o{at + 1}\n"


if __name__ == "__main__":
    main()
