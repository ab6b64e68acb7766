"""A real project of 40 stages and 200 metrics, run twice: what a reviewer gets at that size, from git to Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.review.report import to_markdown
from tests.support.pipelines import finished

if TYPE_CHECKING:
    from pathlib import Path

    from runner.review.model import Report

NAMES = ("accuracy", "auc", "f1", "precision", "recall", "young.f1", "old.f1", "north.f1", "south.f1", "night.f1")
KINDS = {"linear": 900, "tree": 930, "deep": 950}
TRAIN = """\
rows=$(wc -l < "$1")
rate=$(sed -n "s/^  $2: //p" params.yaml)
echo $((rate - rows))
"""
EVALUATE = f"""\
read score < "$1"
for name in {" ".join(NAMES)}; do
  printf '%s: 0.%03d\\n' "$name" "$score"
  score=$((score - 7))
done
"""


def pipeline() -> str:
    """Give the dvc.yaml: 4 stages prepare, 4 make features, 12 train, 20 evaluate."""
    stages = [stage(f"prepare-{n}", f"sort data-{n} > prepared-{n}", [f"data-{n}"], f"prepared-{n}") for n in range(4)]
    stages += [
        stage(f"featurize-{n}", f"head -n 40 prepared-{n} > features-{n}", [f"prepared-{n}"], f"features-{n}")
        for n in range(4)
    ]
    for n in range(4):
        for kind in KINDS:
            out = f"{kind}-{n}.pkl"
            made = stage(
                f"train-{kind}-{n}", f"sh train.sh features-{n} {kind} > {out}", [f"features-{n}", "train.sh"], out
            )
            stages.append(f"{made}    params: [rates.{kind}]\n")
    for split, kinds in (("test", ["linear", "tree", "deep"]), ("dev", ["tree", "deep"])):
        stages += [evaluated(split, kind, n) for kind in kinds for n in range(4)]
    return "stages:\n" + "".join(stages)


def stage(name: str, cmd: str, deps: list[str], out: str) -> str:
    return f"  {name}:\n    cmd: {cmd}\n    deps: [{', '.join(deps)}]\n    outs: [{out}]\n"


def evaluated(split: str, kind: str, number: int) -> str:
    model, file = f"{kind}-{number}.pkl", f"metrics/{split}-{kind}-{number}.yaml"
    head = f"  evaluate-{split}-{kind}-{number}:\n    cmd: sh evaluate.sh {model} > {file}\n"
    return f"{head}    deps: [{model}, evaluate.sh]\n    metrics: [{{{file}: {{cache: false}}}}]\n"


def files() -> dict[str, str]:
    """Give what git holds beside dvc.yaml: data, scripts and params."""
    data = {f"data-{n}": "".join(f"{n},{row}\n" for row in range(50 + n)) for n in range(4)}
    rates = "".join(f"  {kind}: {rate}\n" for kind, rate in KINDS.items())
    scripts = {"train.sh": TRAIN, "evaluate.sh": EVALUATE, "metrics/.keep": ""}
    return {**data, **scripts, "params.yaml": f"rates:\n{rates}"}


def gates() -> str:
    """Give a gate file with one rule for each metrics file."""
    rules = [
        f"- metric: metrics/{split}-{kind}-{n}.yaml:$[*]\n  better: higher\n  allow-drop: 1%\n"
        for split, kinds in (("test", ["linear", "tree", "deep"]), ("dev", ["tree", "deep"]))
        for kind in kinds
        for n in range(4)
    ]
    return "gates:\n" + "".join(rules)


def trained(folder: Path) -> Report:
    """Train on main, then make one kind of model worse and another better on a branch; give the report of that run."""
    made = finished(folder, pipeline(), files())
    made.put({"retrain.yaml": gates()})
    made.commit("Gates")
    made.git("checkout", "-q", "-b", "rates")
    params = files()["params.yaml"].replace("deep: 950", "deep: 930").replace("tree: 930", "tree: 940")
    made.put({"params.yaml": params})
    made.commit("Other rates")
    return made.run(push="never")


def comment(report: Report) -> str:
    """Give the comment, without what differs from run to run: commits and times."""
    text = re.sub(r"`[0-9a-f]{7}`", "`0000000`", to_markdown(report))
    text = re.sub(r"\b[0-9a-f]{7}\b(?=\"|,|\])", "0000000", text)
    return re.sub(r"[+-]?\b[\d.]+ (ms|s|min)\b", "0 s", text)
