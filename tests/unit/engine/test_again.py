"""A command run twice: what it does otherwise the second time fails the stage, with the files and keys that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine.workspace import SCRATCH
from runner.errors import Exit
from tests.support.pipelines import Workshop, decisions, row, workshop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

SAME = "stages:\n  one:\n    cmd: {cmd}\n    deps: [data]\n    outs: [out]\n"
METRICS = """\
stages:
  one:
    cmd: >-
      n=$(cat ../count 2> /dev/null || echo 0); echo $((n + 1)) > ../count;
      mkdir out; cp data out/same; echo $n > out/other;
      echo "{\\"a\\": {\\"loss\\": 0.$n, \\"size\\": 5}, \\"l\\": [1, $n]}" > m.json
    deps: [data]
    outs: [out]
    metrics: [{m.json: {cache: false}}]
"""


def made(folder: Path, cmd: str) -> Workshop:
    return workshop(folder, SAME.format(cmd=cmd), {"data": "1\n", "script": "cat data\n"})


def left(shop: Workshop) -> list[str]:
    return [place.name for place in (shop.root / SCRATCH).glob("copy-*")]


def test_a_stage_that_writes_the_same_twice_has_run_once_in_every_other_way(tmp_path: Path) -> None:
    shop = made(tmp_path, "sh script > out; echo ran >> $DVC_ROOT/journal")
    report = shop.repro(check_determinism="fail")
    assert decisions(report) == {"one": "ran"}
    assert shop.read("journal") == "ran\n", "the second ran elsewhere"
    assert len([*(shop.root / ".dvc/cache/runs").glob("*/*/*")]) == 1
    assert left(shop) == []
    assert decisions(shop.repro(check_determinism="fail")) == {"one": "fresh"}


def test_what_differs_is_named_and_nothing_is_recorded(tmp_path: Path) -> None:
    counted = METRICS.replace("../count", str(tmp_path / "count"))
    shop = workshop(tmp_path, counted, {"data": "1\n"})
    report = shop.repro(check_determinism="fail")
    assert report.exit_code == Exit.STAGE
    assert row(report, "one").why == (
        "run a second time it does not write the same: out (other); m.json (a.loss: 0.0 and 0.1, l.1: 0 and 1)"
    )
    assert not (shop.root / "dvc.lock").exists()
    assert not (shop.root / ".dvc/cache/runs").exists()
    assert left(shop) == []


def test_a_warning_lets_the_first_run_stand(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop = made(tmp_path, "date +%N > out")
    shop.put({"retrain.yaml": "check-determinism: warn\n"})
    assert decisions(shop.repro()) == {"one": "ran"}
    assert "stage one, run a second time, does not write the same: out" in caplog.text
    assert decisions(shop.repro()) == {"one": "fresh"}


@pytest.mark.parametrize(
    ("cmd", "why"),
    [
        (
            "cat unknown > out",
            "in a clean copy, of what git tracks and the deps alone, the command ended with exit code 1",
        ),
        ("if test -e unknown; then cp data out; fi", "out was not written"),
        ("pwd > out", "out"),
    ],
)
def test_what_a_stage_does_not_declare_is_not_there_the_second_time(cmd: str, why: str, tmp_path: Path) -> None:
    shop = made(tmp_path, cmd)
    shop.put({".gitignore": "/unknown\n", "unknown": "1\n"})
    assert row(shop.repro(check_determinism="fail"), "one").why.endswith(f": {why}")


def test_what_an_earlier_run_left_beside_the_outs_and_a_clean_copy_has_not_is_found(tmp_path: Path) -> None:
    shop = made(tmp_path, "cat memo script > out 2> /dev/null || cat script > out; echo kept > memo")
    assert decisions(shop.repro(check_determinism="fail")) == {"one": "ran"}
    shop.put({"data": "2\n"})
    report = shop.repro(check_determinism="fail")
    assert row(report, "one").why == "run a second time it does not write the same: out"


def test_an_out_that_persists_cannot_be_checked(tmp_path: Path) -> None:
    shop = workshop(tmp_path, "stages:\n  one:\n    cmd: date > out\n    outs: [{out: {persist: true}}]\n")
    assert "persists" in row(shop.repro(check_determinism="fail"), "one").why


def test_deps_of_other_stages_and_folders_are_there_the_second_time(tmp_path: Path) -> None:
    pipeline = """\
stages:
  one:
    cmd: mkdir parts && echo 1 > parts/a
    outs: [parts]
  two:
    wdir: sub
    cmd: cat ../parts/a > deep/out
    deps: [../parts]
    outs: [deep/out]
"""
    shop = workshop(tmp_path, pipeline, {"sub/deep/.gitignore": ""})
    assert decisions(shop.repro(check_determinism="fail")) == {"one": "ran", "two": "ran"}


def test_the_flag_fails_the_run(tmp_path: Path, retrain: Program) -> None:
    shop = made(tmp_path, "date +%N > out")
    done = retrain("repro", "--check-determinism", cwd=shop.root, exits=Exit.STAGE)
    assert "run a second time it does not write the same: out" in done.stderr
