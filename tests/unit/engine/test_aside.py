"""Outs out of the way while a command runs: an interruption at any rename, and a kill, lose nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.engine.workspace import SCRATCH
from tests.support.pipelines import Workshop, decisions, finished

if TYPE_CHECKING:
    from collections.abc import Callable

MAKE = """\
stages:
  make:
    cmd: cat seed > o; mkdir d; cat seed > d/x; cat seed >> log
    deps: [seed]
    outs: [o, d, log: {persist: true}]
"""
OUTS = {"o": "1\n", "d/x": "1\n", "log": "1\n"}


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    return finished(tmp_path, MAKE, {"seed": "1\n"})


def interrupted_after(number: int) -> Callable[[Path, Path], Path]:
    """Give a rename that does its work and, the `number`-th time one touches the scratch folder, is interrupted."""
    rename = Path.rename
    left = [number]

    def renamed(source: Path, target: Path) -> Path:
        found = rename(source, target)
        if "aside-" in f"{source} {target}":
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
        return found

    return renamed


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_interruption_while_outs_step_aside_loses_none(
    number: int, made: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.put({"seed": "2\n"})
    monkeypatch.setattr(Path, "rename", interrupted_after(number))
    with pytest.raises(KeyboardInterrupt):
        made.repro()
    assert {path: made.read(path) for path in OUTS} == OUTS
    assert list((made.root / SCRATCH).glob("aside-*")) == []


@pytest.mark.parametrize("number", [4, 5, 6])
def test_an_interruption_while_outs_come_back_loses_none(
    number: int, made: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.put({"seed": "2\n", "dvc.yaml": MAKE.replace(">> log", ">> log; false")})
    monkeypatch.setattr(Path, "rename", interrupted_after(number))
    with pytest.raises(KeyboardInterrupt):
        made.repro()
    assert {path: made.read(path) for path in OUTS} == OUTS
    assert list((made.root / SCRATCH).glob("aside-*")) == []


def killed(made: Workshop) -> Path:
    """Leave the project as a kill during the command does: the outs aside, what persists half-changed."""
    scratch = made.root / SCRATCH / "aside-000000000000"
    made.put({f"{SCRATCH}/aside-000000000000/places.json": json.dumps([["o", False], ["d", False], ["log", True]])})
    (made.root / "o").rename(scratch / "0")
    (made.root / "d").rename(scratch / "1")
    (scratch / "2").write_text("1\n")
    (made.root / "log").chmod(0o644)
    (made.root / "log").write_text("1\nhalf")
    return scratch


def test_what_a_killed_run_left_aside_goes_back_with_the_next_run(made: Workshop) -> None:
    scratch = killed(made)
    made.put({"seed": "2\n", "dvc.yaml": MAKE.replace("cat seed > o", "false")})
    assert decisions(made.repro()) == {"make": "failed"}
    assert {path: made.read(path) for path in OUTS} == OUTS
    assert not scratch.exists()


def test_what_a_killed_run_left_of_an_out_that_is_there_again_is_kept_in_the_cache(
    made: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    scratch = killed(made)
    (scratch / "0").chmod(0o644)
    (scratch / "0").write_text("precious\n")
    made.put({"o": "in the way\n", "seed": "2\n"})
    assert decisions(made.repro()) == {"make": "ran"}
    assert made.read("log") == "1\n2\n"
    cached = [place.read_bytes() for place in (made.root / ".dvc/cache/files").rglob("*") if place.is_file()]
    assert b"precious\n" in cached
    assert b"1\nhalf" in cached
    assert "o, as a killed run had left it aside, stays in the cache as " in caplog.text
    assert not scratch.exists()


@pytest.mark.parametrize("place", ["../victim/x", "/tmp/x", ".git/hooks/x", "sub/.git/x"])  # noqa: S108 - refused
def test_a_journal_that_names_a_place_of_nobodys_out_moves_nothing(
    place: str, made: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    folder = f"{SCRATCH}/aside-000000000000"
    made.put({f"{folder}/places.json": json.dumps([[place, False]]), f"{folder}/0": "evil", "seed": "2\n"})
    assert decisions(made.repro()) == {"make": "ran"}
    assert made.read(f"{folder}/0") == "evil"
    assert f"{folder} is left by a run that was killed" in caplog.text
