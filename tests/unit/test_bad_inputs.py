"""Every wrong file gives one clear error with its place, in little time and memory, and never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop.projects import put
from tests.support.tools import ROOT
from tests.unit.bad_inputs import ANYWHERE, PROJECT, WORKS, cases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow
FILES = tuple(dict.fromkeys(case.file for case in cases()))
SECONDS, BYTES = 2.0, 200 << 20
# The exit code of a metrics file that cannot be read is that of a gate that cannot be measured.
CODES = {"m.json": 1}


def complaints(file: str, end: dict[str, Any]) -> list[str]:
    """Say what is not as it should be."""
    line, said = end["line"], end["said"]
    errors = [text for text in said.splitlines() if "error: " in text]
    place = f"{file}:{line}:" if line > 0 else file
    wanted = {
        "a traceback": "Traceback" not in said,
        f"exit code {end['code']}": end["code"] == (0 if line == WORKS else CODES.get(file, 2)),
        f"{place} is not named": line == WORKS or any(place in text for text in errors),
        f"{end['seconds']:.1f} s": end["seconds"] < SECONDS,
        f"{end['peak'] >> 20} MB": end["peak"] < BYTES,
    }
    return [f"{end['name']}: {what}: {errors[:2]}"[:300] for what, holds in wanted.items() if not holds]


@pytest.mark.parametrize("file", FILES)
def test_each_wrong_file_gives_an_error_with_its_place_in_time(
    file: str, tmp_path: Path, git: Program, environ: dict[str, str]
) -> None:
    git("init", "-q", cwd=tmp_path)
    put(tmp_path, {".dvc/config": "", **PROJECT})
    argv = [sys.executable, str(ROOT / "tests" / "unit" / "bad_inputs_run.py"), file]
    env = {**environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(ends) == sum(case.file == file for case in cases())
    assert [complaint for end in ends for complaint in complaints(file, end)] == []
    assert not (tmp_path / "pwned").exists()


def test_there_are_at_least_three_hundred_of_them() -> None:
    assert sum(case.line != WORKS for case in cases()) >= 300
    assert ANYWHERE < 1
