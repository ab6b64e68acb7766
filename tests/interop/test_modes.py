"""Modes that DVC has too: the same stages run, in an order that both may take, and dvc.lock ends the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pipelines import Workshop, workshop

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  clean:
    cmd: echo clean >> ../journal; cat data > clean.o
    deps: [data]
    outs: [clean.o]
  train:
    cmd: echo train >> ../journal; test ! -e broken; cat clean.o > train.o
    deps: [clean.o]
    params: [rate]
    outs: [train.o]
  score:
    cmd: echo score >> ../journal; cat train.o > score.o
    deps: [train.o]
    outs: [score.o]
  other:
    cmd: echo other >> ../journal; cat more > other.o
    deps: [more]
    metrics: [{other.o: {cache: false}}]
"""
FILES = {"data": "1\n", "more": "2\n", "params.yaml": "rate: 1\n"}
EDITS: dict[str, dict[str, str | None]] = {
    "nothing": {},
    "data and a param": {"data": "9\n", "params.yaml": "rate: 2\n"},
    "a stage that fails": {"params.yaml": "rate: 2\n", "more": "3\n", "broken": ""},
    "a missing dep and out": {"more": None, "other.o": None},
}


def ran(made: Workshop, program: Program, arguments: Sequence[str], edit: str) -> tuple[bool, list[str], str]:
    """Run `repro` on what `edit` leaves; give whether it held, what ran, and the lock."""
    made.put(EDITS[edit])
    ended = program("repro", *arguments, cwd=made.root, exits=None)
    return ended.returncode == 0, sorted(made.journal), made.read("dvc.lock")


@pytest.mark.parametrize(
    ("edit", "arguments"),
    [
        ("nothing", ["--force"]),
        ("nothing", ["--force", "train"]),
        ("nothing", ["--force", "--single-item", "train"]),
        ("nothing", ["--force", "--downstream", "train"]),
        ("data and a param", ["--single-item", "train"]),
        ("data and a param", ["--single-item", "score", "clean"]),
        ("data and a param", ["--downstream", "train"]),
        ("data and a param", ["--no-run-cache"]),
        ("a stage that fails", ["--keep-going"]),
        ("a stage that fails", ["--keep-going", "train", "other"]),
        ("a missing dep and out", ["--allow-missing"]),
        ("data and a param", ["--dry"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_mode_runs_what_dvc_runs(
    edit: str, arguments: list[str], tmp_path: Path, dvc: Program, retrain: Program
) -> None:
    sides = [workshop(tmp_path / name, PIPELINE, FILES) for name in ("dvc", "retrain")]
    for made in sides:
        retrain("repro", cwd=made.root)
        assert len(made.journal) == len(("clean", "train", "score", "other"))
    oracle, ours = (ran(made, program, arguments, edit) for made, program in zip(sides, (dvc, retrain), strict=True))
    assert ours == oracle
