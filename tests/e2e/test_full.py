"""A disk that is full: said as such, whatever the run was about to write, and with room the same command goes on."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.errors import Exit
from tests.support.tools import require

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  first: {cmd: 'head -c 200000 /dev/zero > first.o', params: [rate], outs: [first.o]}
  second: {cmd: 'head -c 300000 /dev/zero > second.o', deps: [first.o], outs: [second.o]}
"""
# Fills the disk but for so many kB, runs, makes room, runs again.
SCRIPT = """\
set -e
mount -t tmpfs -o size=8m none disk
cd disk
git init -q
mkdir .dvc && touch .dvc/config
cp ../dvc.yaml .
echo 'rate: 1' > params.yaml
left=$(df -k --output=avail . | tail -n 1)
head -c $(((left - {free}) * 1024)) /dev/zero > fill
code=0
{retrain} repro -S rate=2 > ../result 2> ../said || code=$?
echo "$code $(cat params.yaml) $(find . -name '*.tmp' | wc -l)"
rm fill
{retrain} repro -S rate=2 > ../result 2> ../again
{retrain} plan --check -S rate=2 > ../plan
"""


@pytest.mark.parametrize("free", [0, 8, 20, 60, 250, 420, 620])
def test_a_full_disk_is_no_bug_and_costs_no_more_than_the_next_run(
    free: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unshare = require("unshare", "a small disk of its own")
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    (tmp_path / "disk").mkdir()
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    script = SCRIPT.format(free=free, retrain=f"{sys.executable} -I -m runner")
    command = [str(unshare), "--mount", "--map-root-user", "sh", "-c", script]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    if "mount" in ran.stderr and ("ermitted" in ran.stderr or "denied" in ran.stderr):
        pytest.skip("mounts are not allowed here")
    said = (tmp_path / "said").read_text()
    assert ran.returncode == 0, f"{ran.stderr}\n{said}"
    assert ran.stdout.split() in (["4", "rate:", "1", "0"], ["3", "rate:", "1", "0"]), said
    assert "No space left on device" in said
    assert "make room" in said or ran.stdout.startswith(str(int(Exit.STAGE)))
    assert "this is a bug" not in said
