"""Real DVC and we in one workspace at once: each waits for the other, or says who is in its way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from runner.errors import Exit
from tests.support.pipelines import Workshop, finished, workshop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  slow:
    cmd: touch ../started; while test ! -e ../go; do sleep 0.05; done; cp data slow.o
    deps: [data]
    outs: [slow.o]
  other:
    cmd: cp more other.o
    deps: [more]
    outs: [other.o]
  after:
    cmd: cp slow.o after.o
    deps: [slow.o]
    outs: [after.o]
"""
RETRAIN = (sys.executable, "-I", "-m", "runner")
DVC = (sys.executable, "-m", "dvc")


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    return workshop(tmp_path, PIPELINE, {"data": "1\n", "more": "2\n"})


@contextmanager
def running(made: Workshop, environ: dict[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Have a command at work in its slow stage; afterwards let it end well."""
    with subprocess.Popen(command, cwd=made.root, env=environ, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None and not (made.root.parent / "started").exists():
                time.sleep(0.02)
            yield process
        finally:
            (made.root.parent / "go").touch()
    assert process.returncode == 0


def blocked(made: Workshop) -> dict[str, Sequence[str]]:
    """Give the paths in DVC's table."""
    held = json.loads((made.root / ".dvc/tmp/rwlock").read_text())
    return {kind: sorted(path.rpartition("/")[2] for path in held.get(kind, {})) for kind in ("read", "write")}


def test_while_our_command_runs_dvc_works_on_the_rest_and_is_told_what_is_ours(
    made: Workshop, dvc: Program, environ: dict[str, str]
) -> None:
    with running(made, environ, *RETRAIN, "repro", "slow") as ours:
        assert blocked(made) == {"read": ["data"], "write": ["slow.o"]}
        dvc("repro", "-s", "other", cwd=made.root)
        refused = dvc("repro", "-s", "slow", cwd=made.root, exits=None)
        assert f"(PID {ours.pid}): retrain" in refused.stderr
    assert blocked(made) == {"read": [], "write": []}
    assert dvc("status", "--json", "slow", "other", cwd=made.root).stdout.strip() == "{}"


def test_while_dvcs_command_runs_we_work_on_the_rest_and_say_what_is_its(
    made: Workshop, retrain: Program, environ: dict[str, str]
) -> None:
    with running(made, environ, *DVC, "repro", "slow") as theirs:
        retrain("repro", "other", cwd=made.root)
        refused = retrain("repro", "-s", "slow", cwd=made.root, exits=Exit.CONFIG)
        assert f"(process {theirs.pid})" in refused.stderr
        assert not (made.root / "slow.o").exists(), "nothing was moved"
    assert retrain("plan", "slow", "other", cwd=made.root).stdout.endswith("0 of 2 stages stale; nothing to pull\n")


def test_we_wait_for_dvcs_lock_and_then_say_who_has_it(made: Workshop, retrain: Program) -> None:
    place = made.root / ".dvc/tmp/lock"
    place.parent.mkdir(exist_ok=True)
    with FileLock(place):
        place.write_text("4711\n")
        refused = retrain("repro", "other", cwd=made.root, exits=Exit.CONFIG)
    assert "DVC is at work in this folder (process 4711)" in refused.stderr
    retrain("repro", "other", cwd=made.root)


def test_what_a_killed_dvc_left_in_its_table_is_nobodys(made: Workshop, retrain: Program) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    mine = {"pid": dead.pid, "cmd": "dvc repro"}
    place = str(made.root / "other.o")
    made.put({".dvc/tmp/rwlock": json.dumps({"write": {place: mine}, "read": {place: [mine]}})})
    retrain("repro", "other", cwd=made.root)
    assert blocked(made) == {"read": [], "write": []}
    made.put({".dvc/tmp/rwlock": "torn {"})
    assert "cannot be read" in retrain("repro", "other", "--force", cwd=made.root).stderr


def test_a_command_and_the_setup_may_call_dvc(made: Workshop, dvc: Program, retrain: Program) -> None:
    call = f"{sys.executable} -m dvc add mine -q && cp more other.o"
    made.put({"dvc.yaml": PIPELINE.replace("cp more other.o", call), "mine": "1\n", "setup": "1\n"})
    retrain("repro", "other", "--setup", f"{sys.executable} -m dvc add setup -q", cwd=made.root)
    assert dvc("status", "--json", "mine.dvc", "setup.dvc", cwd=made.root).stdout.strip() == "{}"


def test_two_that_write_the_same_lock_at_once_lose_nothing(made: Workshop, environ: dict[str, str]) -> None:
    stages = "".join(f"  s{n}:\n    cmd: echo {n} > o{n}\n    outs: [o{n}]\n" for n in range(12))
    made.put({"dvc.yaml": f"stages:\n{stages}"})
    names = [f"s{n}" for n in range(12)]
    ours = subprocess.Popen([*RETRAIN, "repro", *names[:6]], cwd=made.root, env=environ)
    theirs = subprocess.Popen([*DVC, "--wait-for-lock", "repro", *names[6:]], cwd=made.root, env=environ)
    assert (ours.wait(), theirs.wait()) == (0, 0)
    lock = made.read("dvc.lock")
    assert [name for name in names if f"  {name}:\n" not in lock] == []


LENT = """\
stages:
  slow:
    cmd: touch ../started; while test ! -e ../go; do sleep 0.05; done; cat raw/a tail > slow.o
    deps: [raw/a, tail]
    outs: [slow.o]
"""


def to_be_lent(folder: Path) -> Workshop:
    """Give a fresh clone whose slow stage is stale and reads one file of a directory that is not here."""
    files = {"raw/a": "1\n", "raw/b": "2\n", "tail": "t\n", "raw.dvc": "outs:\n- path: raw\n", ".gitignore": "/raw\n"}
    (folder / "go").touch()
    clone = finished(folder, LENT, files).clone("clone")
    (folder / "go").unlink()
    (folder / "started").unlink()
    clone.put({"tail": "changed\n"})
    return clone


def test_dvc_is_kept_from_recording_a_directory_of_which_files_are_lent_to_our_command(
    tmp_path: Path, dvc: Program, environ: dict[str, str]
) -> None:
    clone = to_be_lent(tmp_path)
    recorded, before = clone.read("raw.dvc"), dvc("status", "--json", "raw.dvc", cwd=clone.root).stdout
    with running(clone, environ, *RETRAIN, "repro", "slow") as ours:
        assert clone.names("raw") == {"a"}
        for command in (("repro", "raw.dvc"), ("commit", "-f", "raw.dvc"), ("add", "raw")):
            assert f"(PID {ours.pid}): retrain" in dvc(*command, cwd=clone.root, exits=None).stderr
    assert clone.read("raw.dvc") == recorded
    assert dvc("status", "--json", "raw.dvc", cwd=clone.root).stdout == before
    assert not (clone.root / "raw").exists()


def test_what_dvc_puts_in_place_meanwhile_stays_where_it_makes_the_directory_whole(
    tmp_path: Path, dvc: Program, environ: dict[str, str]
) -> None:
    clone = to_be_lent(tmp_path)
    with running(clone, environ, *RETRAIN, "repro", "slow"):
        dvc("pull", "raw.dvc", cwd=clone.root)
    assert clone.names("raw") == {"a", "b"}
    assert dvc("status", "--json", "raw.dvc", cwd=clone.root).stdout.strip() == "{}"


def test_a_stage_that_reads_one_file_ends_as_with_dvc_that_leaves_the_file_and_then_records_it_as_all(
    tmp_path: Path, dvc: Program, retrain: Program
) -> None:
    theirs, ours = to_be_lent(tmp_path), Workshop(tmp_path / "root").clone("ours")
    (tmp_path / "go").touch()
    ours.put({"tail": "changed\n"})
    recorded = ours.read("raw.dvc")
    dvc("repro", "--pull", "--single-item", "slow", cwd=theirs.root)
    retrain("repro", "slow", cwd=ours.root)
    assert ours.read("dvc.lock") == theirs.read("dvc.lock")
    assert ours.read("slow.o") == theirs.read("slow.o")
    assert (theirs.names("raw"), ours.names("raw")) == ({"a"}, set())
    for one in (theirs, ours):
        dvc("repro", "slow", cwd=one.root, exits=None)
    assert theirs.read("raw.dvc") != recorded == ours.read("raw.dvc")
