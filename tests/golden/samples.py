"""Three reports, small, usual and large, whose renderings are kept beside this file. Everything in them is made up."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from runner.errors import Location
from runner.review import vega
from runner.review.changed import DataRow, FileRow, Ingredient, LineageRow, PathRow, Picture, PlotRow
from runner.review.measured import Change, Claim, History, Mark, Trend, Verdict
from runner.review.metrics import difference
from runner.review.model import LockRow
from runner.review.report import Commit, Problem, ReasonRow, Report, StageRow, Traffic

HEAD = "4f1c0de2b7a94d6f8a3be5c1d2907f6e8b5a3c21"
BASE = "9ab3fe10c4d27785be02f3a61c94d8e05f7721cd"
SHAPE = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><path fill="{}" d="M5 5H55V35Z"/></svg>'
METRICS = "eval/metrics.json"


def change(key: str, base: float | None, head: float | None, path: str = METRICS) -> Change:
    return Change(path, key, base, head, difference(base, head))


def small() -> Report:
    """A first run that stopped: hardly anything to show."""
    return Report(
        version="0.1.0",
        verdict="error",
        exit_code=4,
        command="retrain run",
        head=Commit(sha=HEAD, ref="first-try"),
        stages=(StageRow(stage="train", decision="planned-run", reasons=(ReasonRow("out new", "model.pkl"),)),),
        error=Problem(
            "the remote 'store' refused the credentials",
            "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of this job",
            Location(".dvc/config", 3, 1),
            "Denied",
        ),
        seconds=1.52,
    )


def learning_curve() -> PlotRow:
    """Both sides' loss by epoch, as DVC's template for lines draws it."""
    losses = {"base": [0.9, 0.5, 0.41, 0.35, 0.31], "head": [0.9, 0.62, 0.55, 0.52, 0.51]}
    rows = [
        {"epoch": epoch, "loss": loss, "rev": side, "filename": "eval/loss.csv", "field": "loss"}
        for side, values in losses.items()
        for epoch, loss in enumerate(values)
    ]
    series = [{"filename": "eval/loss.csv", "field": "loss"}]
    labels = {"title": "Loss", "x": "epoch", "y": "loss", "x_label": "epoch", "y_label": "loss"}
    spec = vega.filled(vega.BUILT_IN["linear"](), rows, {**labels, "anchors_y_definitions": series}, list(losses))
    text = json.dumps(rows)
    return PlotRow(id="eval/loss.csv", title="Loss", template="linear", x="epoch", y="loss", spec=spec, points=text)


def confusion() -> PlotRow:
    """Which digit was taken for which."""
    pairs = [("base", 3, 3), ("base", 3, 8), ("head", 3, 8), ("head", 3, 8), ("head", 8, 8)]
    rows = [{"rev": side, "actual": actual, "predicted": said} for side, actual, said in pairs]
    labels = {"title": "Digits", "x": "actual", "y": "predicted", "x_label": "actual", "y_label": "predicted"}
    spec = vega.filled(vega.BUILT_IN["confusion"](), rows, labels, ["base", "head"])
    row = PlotRow(id="eval/classes.csv", title="Digits", template="confusion", x="actual", y="predicted")
    return replace(row, spec=spec, points=json.dumps(rows))


def pictures() -> tuple[PlotRow, ...]:
    """An image that changed, one that did not, and a plot that cannot be drawn."""
    red, blue = (base64.b64encode(SHAPE.format(colour).encode()).decode() for colour in ("red", "blue"))
    svg = "image/svg+xml"
    return (
        PlotRow(id="roc.svg", title="roc.svg", pictures=(Picture("base", svg, red), Picture("head", svg, blue))),
        PlotRow(id="old.svg", title="old.svg", pictures=(Picture("head", svg, red),), changed=False),
        PlotRow(id="gone.csv", title="gone.csv", why="there is no data to draw"),
    )


def history() -> History:
    """Five commits of the base branch; the depth changed with the third."""
    commits = tuple(Commit(sha=f"{number}" * 40, subject=f"Step {number}") for number in range(1, 6))
    trends = (
        Trend(METRICS, "accuracy", (0.95, 0.96, None, 0.971, 0.973), "evaluate"),
        Trend(METRICS, "macro_f1", (0.94, 0.95, 0.96, 0.9719, 0.9721), "evaluate"),
    )
    marks = (Mark("train", "3" * 40, ("param params.yaml:train.depth", "dep train.py")),)
    return History(commits, trends, marks)


def lineage() -> tuple[LineageRow, ...]:
    """The model: other params, other features, the same code."""
    return (
        LineageRow(
            outs=("model.pkl", "eval/loss.csv"),
            stage="train",
            how="ran here",
            commit=HEAD,
            cmd="python train.py",
            ingredients=(
                Ingredient("data/features", "data", f"{'5' * 32}.dir", f"{'4' * 32}.dir", changed=True),
                Ingredient("train.py", "code", "6" * 32),
                Ingredient("params.yaml:train.gamma", "param", "0.05", "0.001", changed=True),
            ),
        ),
    )


def data() -> tuple[DataRow, ...]:
    """Pictures came and went, and the model grew."""
    files = (FileRow("7/0001.png", "added"), FileRow("7/0002.png", "changed"), FileRow("9/0009.png", "removed"))
    return (
        DataRow(
            path="data/images",
            change="changed",
            base=f"{'1' * 32}.dir",
            head=f"{'2' * 32}.dir",
            base_bytes=4_200_000,
            head_bytes=4_350_000,
            added=14,
            changed=1,
            removed=3,
            files=files,
        ),
        DataRow(
            path="model.pkl",
            kind="model",
            change="changed",
            base="900150983cd24fb0d6963f7d28e17f72",
            head="d41d8cd98f00b204e9800998ecf8427e",
            base_bytes=1_200_000,
            head_bytes=1_483_224,
        ),
        DataRow(path="eval/loss.csv", kind="plot", change="added", head="3" * 32, head_bytes=120),
    )


def usual() -> Report:
    """A hyperparameter made the model worse: one limit missed, one warned, one without a baseline."""
    accuracy = "eval/metrics.json:$.accuracy"
    by_class = "eval/metrics.json:$.by_class[*].f1"
    where = Location("retrain.yaml", 4, 5)
    return Report(
        version="0.1.0",
        verdict="failed",
        exit_code=1,
        command="retrain run --push passed",
        head=Commit(sha=HEAD, ref="raise-gamma", subject="Try a wider kernel"),
        base=Commit(sha=BASE, ref="main", how="merge base with main"),
        stages=(
            StageRow(
                stage="data/images.dvc",
                decision="fresh",
                outs=(PathRow("data/images", "data", f"{'2' * 32}.dir", 4_350_000, 1_808),),
            ),
            StageRow(
                stage="featurize",
                decision="restored",
                reasons=(ReasonRow("out deleted", "data/features"),),
                cmd="python featurize.py",
                deps=(PathRow("data/images", "data", f"{'2' * 32}.dir", 4_350_000, 1_808),),
                outs=(PathRow("data/features", "data", f"{'5' * 32}.dir", 318_000, 12),),
                recorded_seconds=612.4,
                base_seconds=598.1,
            ),
            StageRow(
                stage="train",
                decision="ran",
                reasons=(ReasonRow("param modified", "params.yaml:train.gamma", 0.001, 0.05),),
                seconds=83.4,
                recorded_seconds=83.4,
                base_seconds=41.2,
                pulled=Traffic(3, 1_483_224, 0.41),
                cmd="python train.py",
                deps=(
                    PathRow("train.py", "code", "6" * 32, 2_412),
                    PathRow("data/features", "data", f"{'5' * 32}.dir", 318_000, 12),
                ),
                outs=(
                    PathRow("model.pkl", "model", "d41d8cd98f00b204e9800998ecf8427e", 1_483_224),
                    PathRow("eval/loss.csv", "plot", "3" * 32, 120),
                ),
            ),
            StageRow(
                stage="evaluate",
                decision="ran",
                reasons=(
                    ReasonRow(
                        "dep modified",
                        "model.pkl",
                        "d41d8cd98f00b204e9800998ecf8427e",
                        "900150983cd24fb0d6963f7d28e17f72",
                    ),
                ),
                seconds=4.18,
                cmd="python evaluate.py\npython plots.py",
                deps=(PathRow("model.pkl", "model", "d41d8cd98f00b204e9800998ecf8427e", 1_483_224),),
                outs=(PathRow("eval/metrics.json", "metric"),),
            ),
        ),
        edges=(("data/images.dvc", "featurize"), ("featurize", "train"), ("train", "evaluate")),
        gates=(
            Verdict(
                gate=accuracy,
                metric=METRICS,
                path="accuracy",
                key="accuracy",
                status="failed",
                base=0.973,
                head=0.8956,
                delta=-0.0774,
                limit="at least 0.9, may drop 0.005",
                why="0.8956 is below 0.9 by 0.0044; dropped by 0.0774, 0.0724 more than the 0.005 allowed",
                where=where,
                exits=True,
            ),
            Verdict(
                gate=by_class,
                metric=METRICS,
                path="by_class.0.f1",
                key="by_class.0.f1",
                status="passed",
                base=0.99,
                head=0.985,
                delta=-0.005,
                limit="may drop 5%",
                why="dropped by 0.005, which is allowed",
                where=Location("retrain.yaml", 8, 5),
            ),
            Verdict(
                gate=by_class,
                metric=METRICS,
                path="by_class.10.f1",
                key="by_class.10.f1",
                status="unmeasured",
                head=0.7,
                limit="may drop 5%",
                why="the baseline has no value here",
                where=Location("retrain.yaml", 8, 5),
                exits=True,
            ),
        ),
        metrics=(
            change("accuracy", 0.973, 0.8956),
            change("by_class.0.f1", 0.99, 0.985),
            change("by_class.10.f1", None, 0.7),
            change("macro_f1", 0.9721, 0.8893),
            change("rows", 1797, 1797),
            Change(METRICS, "loss", 0.31, None, None, "head is NaN"),
        ),
        params=(change("train.gamma", 0.001, 0.05, "params.yaml"), change("train.c", 1.0, 1.0, "params.yaml")),
        data=data(),
        lineage=lineage(),
        plots=(learning_curve(), confusion(), *pictures()),
        history=history(),
        claims=(Claim("eval/latency.json", "", "no stage makes it", gated=False, policy="accept"),),
        pulled=Traffic(3, 1_483_224, 0.41),
        left=Traffic(12, 318_771_200),
        push="not pushed: the gates say failed",
        lock=LockRow("no lock is proposed: the gates say failed", "https://github.com/octocat/digits/pull/12"),
        notes=("the metrics of the baseline were read from git",),
        seconds=91.7,
    )


def large() -> Report:
    """A project of 60 stages and 400 metrics, with a stage that failed and names that try to break out."""
    hostile = "a|b`c` <img src=x> @octocat fixes #1 [x](https://evil.example) </details>"
    stages = [_stage(number) for number in range(58)]
    tail = (*(f"step {step}: loss = {1 / step:.4f}" for step in range(1, 40)), "```", "Killed")
    stages.append(
        StageRow(stage="publish@de", decision="failed", exit_code=137, why="exit code 137", seconds=7_384.2, tail=tail)
    )
    stages.append(StageRow(stage=hostile, decision="skipped", reasons=(ReasonRow("upstream", "publish@de"),)))
    edges = [(f"part-{number // 3:02}", f"part-{number:02}") for number in range(1, 58)]
    return Report(
        version="0.1.0",
        verdict="failed",
        exit_code=3,
        command="retrain run --jobs 8",
        head=Commit(sha=HEAD, ref="big/change", subject="Retrain everything"),
        base=Commit(sha=BASE, ref="main", how="merge base with main"),
        stages=tuple(stages),
        edges=(*edges, ("part-57", "publish@de"), ("publish@de", hostile)),
        metrics=tuple(_metric(number) for number in range(400)),
        params=tuple(change(f"model.layer_{n:02}.width", 64, 64 + 8 * n, "params.yaml") for n in range(30)),
        pulled=Traffic(12_345, 8_123_456_789, 74.2),
        pushed=Traffic(0, 0),
        left=Traffic(1, 17),
        push="not pushed: a stage failed",
        notes=(hostile, "the clone was deepened by 50 commits to find the merge base"),
        seconds=7_512.0,
    )


def _stage(number: int) -> StageRow:
    if number % 3:
        return StageRow(stage=f"part-{number:02}", decision="fresh")
    reason = ReasonRow("dep modified", f"data/{number:02}.csv", "0" * 32, f"{number:02x}" * 16)
    return StageRow(stage=f"part-{number:02}", decision="ran", reasons=(reason,), seconds=number * 1.5)


def _metric(number: int) -> Change:
    base = number / 400
    head = base if number % 4 else round(base + 0.001 * number, 6)
    return change(f"slice_{number:03}.f1", base, head, f"eval/{number % 5}.json")


SAMPLES = {"small": small, "usual": usual, "large": large}
