"""When what is recorded survives a loss of power, read from the system calls."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.pipelines import workshop
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PIPELINE = """\
stages:
  a: {cmd: echo a > a, outs: [a]}
  b: {cmd: cat a > b, deps: [a], outs: [b]}
  slow: {cmd: sleep 1; cat b > slow, deps: [b], outs: [slow]}
  c: {cmd: cat slow > c, deps: [slow], outs: [c]}
"""
LOCK, COMMAND, FOLDER = "lock", "command", "folder"


def calls(root: Path, environ: Mapping[str, str]) -> list[str]:
    """Run the stages; give in order: commands, locks that get their name, and when names get to the disk."""
    strace = str(require("strace", "what is written through to the disk"))
    log = root.parent / "trace"
    traced = ("-f", "--seccomp-bpf", "-y", "-o", str(log), "-e", "trace=fsync,rename,execve")
    command = [sys.executable, "-I", "-m", "runner", "repro", "--jobs", "1"]
    subprocess.run([strace, *traced, *command], cwd=root, env=environ, check=False, capture_output=True)
    found: list[str] = []
    synced: set[str] = set()
    for line in log.read_text().splitlines():
        if sync := re.search(r"fsync\(\d+<([^>]*)>", line):
            synced.add(sync[1])
            found += [FOLDER] if sync[1] == str(root) else []
        elif rename := re.search(rf'rename\("([^"]+)", "{re.escape(str(root))}/dvc\.lock"\) = 0', line):
            assert rename[1] in synced, "a loss of power could leave an empty lock"
            found.append(LOCK)
        elif re.search(r'execve\("/bin/sh", .*(> \w+|sleep|exit)', line):
            found.append(COMMAND)
    return found


QUICK, SLOW = (COMMAND, LOCK), (COMMAND, LOCK, FOLDER)


@pytest.mark.parametrize(
    ("slow", "expected"),
    [("sleep 1", (*QUICK, *QUICK, *SLOW, *QUICK, FOLDER)), ("exit 1", (*QUICK, *QUICK, COMMAND, FOLDER))],
)
def test_each_lock_is_whole_and_its_name_waits_for_others_until_a_second_is_at_stake_or_the_run_ends(
    slow: str, expected: Sequence[str], tmp_path: Path, environ: dict[str, str]
) -> None:
    made = workshop(tmp_path, PIPELINE.replace("sleep 1", slow))
    environ.pop("SHELL", None)
    assert calls(made.root, environ) == [*expected]
