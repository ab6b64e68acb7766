"""A stage that did not do what it promises fails, with its reason; what lay there before lies there again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import Exit
from tests.support.pipelines import elsewhere, finished

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program
    from tests.support.pipelines import Workshop

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  first:
    cmd: cp data/a first.o
    deps: [data]
    outs: [first.o]
  second:
    cmd: {cmd}
    deps: [data, first.o]
    params: [rate]
    outs: [second.o]
"""
FILES = {"data/a": "1\n", "params.yaml": "rate: 1\n"}
GOOD = "cat data/a first.o > second.o"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return finished(tmp_path_factory.mktemp("honest"), PIPELINE.format(cmd=GOOD), FILES)


@pytest.fixture
def made(kept: Workshop, tmp_path: Path) -> Workshop:
    return elsewhere(kept, tmp_path)


@pytest.mark.parametrize(
    ("cmd", "why"),
    [
        ("test -e data", "output 'second.o' does not exist after the command"),
        ("echo done", "output 'second.o' does not exist after the command"),
        ("exit 3", "the command ended with exit code 3"),
        (f"{GOOD}; echo 2 > data/a", "dependency 'data' was changed while the command ran (a)"),
        (f"{GOOD}; echo 2 > data/b", "dependency 'data' was changed while the command ran (b)"),
        (f"{GOOD}; rm -r data", "dependency 'data' was changed while the command ran (a)"),
        (f"{GOOD}; cp data/a params.yaml", "params"),
        (f"{GOOD}; chmod +w first.o; echo 2 > first.o", "dependency 'first.o' was changed while the command ran"),
    ],
)
def test_a_stage_that_is_not_honest_fails_and_leaves_its_outs(
    cmd: str, why: str, made: Workshop, retrain: Program
) -> None:
    lock = made.read("dvc.lock")
    made.put({"dvc.yaml": PIPELINE.format(cmd=cmd)})
    done = retrain("repro", cwd=made.root, exits=Exit.STAGE)
    assert f"stage second failed: {why}" in done.stderr
    assert made.read("second.o") == "1\n1\n", "what lay there before"
    assert made.read("dvc.lock") == lock


def test_a_stage_that_changes_what_another_wrote_fails(made: Workshop, retrain: Program) -> None:
    alone = "  third:\n    cmd: chmod +w first.o; echo 9 > first.o; cp more third.o\n"
    alone += "    deps: [more]\n    outs: [third.o]\n"
    made.put({"dvc.yaml": PIPELINE.format(cmd=GOOD) + alone, "more": "1\n"})
    done = retrain("repro", cwd=made.root, exits=Exit.STAGE)
    assert "first.o, written by first, was changed by the command of another stage" in done.stderr
    retrain("plan", "--check", "first", cwd=made.root, exits=Exit.STALE)
