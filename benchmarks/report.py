"""Renders a report of 3,000 stages and 5,000 metrics in every form, and writes the times into docs/performance.md."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import page
from harness import machine

from runner.review.changed import DataRow, Ingredient, LineageRow, PathRow
from runner.review.measured import Change
from runner.review.model import ReasonRow, StageRow
from runner.review.report import Commit, Report, to_html, to_json, to_junit, to_markdown

if TYPE_CHECKING:
    from collections.abc import Callable

STAGES, METRICS, TIMES = 3_000, 5_000, 5


def report() -> Report:
    """Give a monorepo's report: every third stage ran, half of the metrics changed."""
    return Report(
        version="0.1.0",
        verdict="ungated",
        exit_code=0,
        command="retrain run",
        head=Commit(sha="4" * 40, ref="big"),
        base=Commit(sha="9" * 40, ref="main", how="merge base with main"),
        stages=tuple(map(_stage, range(STAGES))),
        edges=tuple((f"m{n - 1}/dvc.yaml:train", f"m{n}/dvc.yaml:train") for n in range(1, STAGES)),
        metrics=tuple(
            Change(f"m{n % 500}/metrics.json", f"class_{n}.f1", n / METRICS, n / METRICS + n % 2 / 100, n % 2 / 100)
            for n in range(METRICS)
        ),
        data=tuple(
            DataRow(path=f"m{n}/model.pkl", kind="model", change="changed", base="1" * 32, head="2" * 32)
            for n in range(0, STAGES, 3)
        ),
        lineage=tuple(map(_lineage, range(0, STAGES, 3))),
        seconds=7_000.0,
    )


def _stage(number: int) -> StageRow:
    ran = number % 3 == 0
    return StageRow(
        stage=f"m{number}/dvc.yaml:train",
        decision="ran" if ran else "fresh",
        reasons=(ReasonRow("dep modified", f"m{number}/data.csv", "1" * 32, "2" * 32),) if ran else (),
        seconds=1.5 if ran else None,
        recorded_seconds=1.5,
        base_seconds=1.25,
        cmd=f"python train.py m{number}",
        deps=(PathRow("train.py", "code", "3" * 32, 1_000), PathRow(f"m{number}/data.csv", "data", "2" * 32, 10**6)),
        outs=(PathRow(f"m{number}/model.pkl", "model", "4" * 32, 10**6),),
    )


def _lineage(number: int) -> LineageRow:
    parts = (
        Ingredient("train.py", "code", "3" * 32),
        Ingredient(f"m{number}/data.csv", "data", "2" * 32, "1" * 32, changed=True),
    )
    return LineageRow(
        outs=(f"m{number}/model.pkl",),
        stage=f"m{number}/dvc.yaml:train",
        how="ran here",
        commit="4" * 40,
        ingredients=parts,
    )


def _seconds(render: Callable[[Report], str], made: Report) -> tuple[list[float], int]:
    """Give the CPU seconds of each rendering, and the size of the last in bytes."""
    spent = []
    for _ in range(TIMES):
        began = time.process_time()
        text = render(made)
        spent.append(time.process_time() - began)
    return sorted(spent), len(text.encode())


FORMS: dict[str, Callable[[Report], str]] = {
    "comment (65,536)": lambda made: to_markdown(made, 65_000),
    "step summary (1 MB)": lambda made: to_markdown(made, 1_000_000),
    "page": to_html,
    "JSON": to_json,
    "JUnit XML": to_junit,
}

NOTE = (
    f"A report of {STAGES:,} stages, each with a command, two deps and an out, {STAGES // 3:,} of which ran, and "
    f"{METRICS:,} metrics, half of which changed, rendered in one process. CPU seconds: the median of {TIMES}, with "
    "the least and the most; the first of each also reads its template. The target is one second a form."
)


def main() -> None:
    """Measure every form, show it, and write the section."""
    made = report()
    rows = ["| form | CPU, s | bytes |", "| --- | --- | --- |"]
    for name, render in FORMS.items():
        spent, size = _seconds(render, made)
        rows.append(f"| {name} | {statistics.median(spent):.2f} ({spent[0]:.2f} to {spent[-1]:.2f}) | {size:,} |")
    text = "\n".join(rows)
    print(text)
    page.write("report", f"{NOTE}\n\n{machine()}.\n\n{text}")


if __name__ == "__main__":
    main()
