"""Which lines a report points at, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import Location
from runner.forge.protocol import Annotation
from runner.pointing import pointed
from runner.review.changed import Ingredient, LineageRow, PathRow
from runner.review.commit import Commit
from runner.review.measured import Verdict
from runner.review.model import Problem, ReasonRow, Report, StageRow

if TYPE_CHECKING:
    from pathlib import Path

    from runner.review.measured import Status

PARAMS = "# how\ntrain:\n  rate: 0.1\n  depth: 3\n"
TRACKED = "outs:\n- path: raw.csv\n  md5: 0123\n"


def verdict(metric: str, status: Status, line: int, *, exits: bool = False) -> Verdict:
    where = Location("retrain.yaml", line)
    return Verdict(
        gate=f"{metric}:$.x", metric=metric, path="x", status=status, limit="", why="low", where=where, exits=exits
    )


def row(stage: str, out: str, *ingredients: Ingredient) -> LineageRow:
    return LineageRow(outs=(out,), stage=stage, how="ran here", commit="", ingredients=ingredients)


def param(key: str, was: str = "1", now: str = "2") -> Ingredient:
    return Ingredient(f"params.yaml:{key}", "param", now, was, changed=True)


def dep(path: str, was: str = "0" * 32) -> Ingredient:
    return Ingredient(path, "code", "1" * 32, was, changed=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {"params.yaml": PARAMS, "train.py": "x", "raw.csv.dvc": TRACKED, "other.py": "x"}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def report(*gates: Verdict, lineage: tuple[LineageRow, ...] = ()) -> Report:
    stages = (
        StageRow(stage="clean", decision="ran", outs=(PathRow("clean.csv"),)),
        StageRow(stage="train", decision="ran", outs=(PathRow("model.pkl"),)),
        StageRow(stage="evaluate", decision="ran", outs=(PathRow("m.json"),)),
        StageRow(stage="unrelated", decision="ran", outs=(PathRow("other.json"),)),
    )
    edges = (("clean", "train"), ("train", "evaluate"))
    return Report(
        version="0",
        verdict="failed",
        exit_code=1,
        command="retrain run",
        head=Commit(sha="a" * 40),
        stages=stages,
        edges=edges,
        gates=gates,
        lineage=lineage,
    )


LINEAGE = (
    row("clean", "clean.csv", dep("raw.csv")),
    row("train", "model.pkl", dep("clean.csv"), dep("train.py"), param("train.depth", "3", "5"), param("gone", "")),
    row("evaluate", "m.json", dep("model.pkl")),
    row("unrelated", "other.json", dep("other.py"), param("train.rate")),
)


def test_the_gates_come_first_then_the_params_behind_them_then_the_deps(root: Path) -> None:
    made = report(verdict("m.json", "warned", 7), verdict("m.json", "failed", 2, exits=True), lineage=LINEAGE)
    assert [(one.level, one.where.file, one.where.line) for one in pointed(made, root, "")] == [
        ("error", "retrain.yaml", 2),
        ("warning", "retrain.yaml", 7),
        ("notice", "params.yaml", 4),
        ("notice", "params.yaml", 0),
        ("notice", "raw.csv.dvc", 3),
        ("notice", "train.py", 0),
    ]


def test_each_says_what_changed_and_where_it_goes(root: Path) -> None:
    made = report(verdict("m.json", "failed", 2), lineage=LINEAGE)
    assert [one.message for one in pointed(made, root, "")] == [
        "m.json x failed: low",
        "params.yaml:train.depth changed from 3 to 5: it goes into train",
        "params.yaml:gone is new: 2: it goes into train",
        "raw.csv changed: it goes into clean",
        "train.py changed: it goes into train",
    ]


def test_what_other_gates_read_is_not_pointed_at_and_nothing_is_where_all_holds(root: Path) -> None:
    other = pointed(report(verdict("other.json", "unmeasured", 2, exits=True), lineage=LINEAGE), root, "")
    assert [one.where.file for one in other] == ["retrain.yaml", "params.yaml", "other.py"]
    assert pointed(report(verdict("m.json", "passed", 2), lineage=LINEAGE), root, "") == ()


def test_paths_are_those_of_the_repository_where_the_project_lies_in_a_folder(root: Path) -> None:
    found = pointed(report(verdict("other.json", "failed", 2), lineage=LINEAGE), root, "models/a/")
    assert [one.where.file for one in found] == ["models/a/retrain.yaml", "models/a/params.yaml", "models/a/other.py"]


def test_a_failed_stage_points_at_what_made_it_run(root: Path) -> None:
    reasons = (
        ReasonRow("dep modified", "train.py", "0", "1"),
        ReasonRow("param modified", "params.yaml:train.rate", 0.2, 0.1),
        ReasonRow("param new", "params.yaml:train.depth", None, 3),
        ReasonRow("out deleted", "model.pkl"),
    )
    failed = StageRow(stage="train", decision="failed", reasons=reasons)
    made = Report(version="0", verdict="error", exit_code=3, command="", head=Commit(sha=""), stages=(failed,))
    assert [(one.where.file, one.where.line, one.message) for one in pointed(made, root, "")] == [
        ("params.yaml", 3, "params.yaml:train.rate changed from 0.2 to 0.1: it goes into train"),
        ("params.yaml", 4, "params.yaml:train.depth is new: it goes into train"),
        ("train.py", 0, "train.py changed: it goes into train"),
    ]


def test_what_is_not_there_or_leads_out_of_the_project_or_is_no_text_is_not_pointed_at(root: Path) -> None:
    (root / "link.py").symlink_to(root.parent / "elsewhere.py")
    (root.parent / "elsewhere.py").write_text("x")
    (root / "loop.py").symlink_to("loop.py")
    (root / "model.bin").write_bytes(b"\xff\xfe\x00")
    (root / "large.py").write_bytes(b"x" * (2 << 20))
    names = ("gone.py", "link.py", "loop.py", "model.bin", "large.py", "../elsewhere.py")
    found = pointed(report(verdict("m.json", "failed", 2), lineage=(row("train", "x", *map(dep, names)),)), root, "")
    assert [one.where.file for one in found] == ["retrain.yaml"]


def test_an_error_stands_at_its_place_before_its_notes(root: Path) -> None:
    made = Report(
        version="0",
        verdict="error",
        exit_code=2,
        command="",
        head=Commit(sha=""),
        error=Problem("no", "do", Location("dvc.yaml", 3)),
        notes=("x.dvc:5: two",),
    )
    assert pointed(made, root, "sub/") == (
        Annotation(level="error", message="no\n  do", where=Location("sub/dvc.yaml", 3)),
        Annotation(level="warning", message="x.dvc:5: two"),
    )
