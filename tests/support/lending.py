"""Fresh clones in which stages read single files of directories that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from runner.review.model import Report
    from tests.support.pipelines import Workshop

PIPELINE = """\
stages:
  make:
    cmd: mkdir -p made/sub && cp seed made/x && echo y > made/y && echo z > made/sub/z && echo w > made/sub/w
    deps: [seed]
    outs: [made]
  one:
    cmd: cat raw/a tail > one.o
    deps: [raw/a, tail]
    outs: [one.o]
  inner:
    cmd: cat raw/sub/* tail > inner.o
    deps: [raw/sub, tail]
    outs: [inner.o]
  whole:
    cmd: cat raw/* made/x > whole.o 2>/dev/null || true; cat rest >> whole.o
    deps: [raw, made/x, rest]
    outs: [whole.o]
"""
RAW = {"raw/a": "a\n", "raw/b": "b\n", "raw/sub/c": "c\n", "raw/sub/d": "d\n"}
FILES = {
    "seed": "1\n",
    "tail": "t\n",
    "rest": "r\n",
    "raw.dvc": "outs:\n- path: raw\n",
    ".gitignore": "/raw\n",
    **RAW,
}


def journals(made: Workshop) -> list[str]:
    return [place.name for place in (made.root / ".dvc/tmp/retrain").glob("lent-*")]


def drawn(draw: random.Random) -> str:
    """Draw stages that read files, folders and the whole of two directories, and what was written before."""
    places = ["raw/a", "raw/b", "raw/sub", "raw/sub/c", "raw", "made/x", "made/y", "made/sub", "made/sub/z", "made"]
    stages = [PIPELINE.partition("  one:")[0]]
    outs: list[str] = []
    for number in range(draw.randint(2, 6)):
        reads = draw.sample(places, draw.randint(1, 3)) + draw.sample(outs, draw.randint(0, min(2, len(outs))))
        reads = [path for path in reads if not any(path.startswith(f"{other}/") for other in reads)]
        tail = draw.choice(["tail", "rest"])
        cmd = f"find {' '.join(sorted(reads))} {tail} -type f | sort | xargs cat > o{number}"
        stages.append(f"  s{number}: {{cmd: {cmd}, deps: [{', '.join([*reads, tail])}], outs: [o{number}]}}\n")
        outs.append(f"o{number}")
    return "".join(stages)


def edited(draw: random.Random, made: list[Workshop]) -> None:
    change = draw.choice(
        [{"tail": f"{draw.random()}\n"}, {"rest": f"{draw.random()}\n"}, {"seed": "2\n"}, {"tail": "t\n"}]
    )
    for one in made:
        one.put(change)


def end(made: Workshop, report: Report) -> tuple[object, object, object, object, object, object, dict[str, str]]:
    """Give all that a run has to end in, wherever data lies, and the outs that are here at last."""
    outs = {name: made.read(name) for name in sorted(made.names()) if name.startswith("o")}
    stale = {step.stage.address: step.is_stale for step in made.steps().steps}
    ran = {row.stage for row in report.stages if row.decision == "ran"}
    return report.exit_code, made.read("dvc.lock"), made.read("raw.dvc"), made.read(".gitignore"), stale, ran, outs
