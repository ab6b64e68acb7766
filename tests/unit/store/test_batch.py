"""Many new files: their bytes before their names, and an error of the disk is never lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.store import disk
from runner.store.batch import Batch
from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from pathlib import Path

FAILING = """
import sys
from runner.store import disk
from runner.store.batch import Batch
batch = Batch()
try:
    for number in range(2500):
        ready = disk.temporary(f"{sys.argv[1]}/{number}")
        writer = disk.create(ready)
        disk.write_all(writer, b"bytes")
        disk.os.close(writer)
        batch.add(ready, f"{sys.argv[1]}/{number}")
    batch.keep()
except OSError as error:
    batch.drop()
    sys.exit(error.errno)
"""


def staged(folder: Path, batch: Batch, count: int) -> None:
    for number in range(count):
        final = str(folder / f"{number % 4}" / f"{number}")
        ready = disk.temporary(final)
        descriptor = disk.create(ready, durable=True)
        disk.write_all(descriptor, str(number).encode())
        os.close(descriptor)
        batch.add(ready, final)


@pytest.mark.parametrize("count", [0, 1, 3, 50, 2500])
def test_kept_files_have_their_names_and_their_bytes(tmp_path: Path, count: int) -> None:
    batch = Batch()
    staged(tmp_path, batch, count)
    assert len(batch) == count
    assert all(disk.is_temporary(path.name) for path in tmp_path.glob("*/*"))
    batch.keep()
    assert {path.name: path.read_text() for path in tmp_path.glob("*/*")} == {str(n): str(n) for n in range(count)}


@pytest.mark.parametrize("count", [3, 2500])
def test_nothing_is_left_of_files_that_are_dropped(tmp_path: Path, count: int) -> None:
    batch = Batch()
    staged(tmp_path, batch, count)
    batch.drop()
    assert not list(tmp_path.glob("*/*"))


@pytest.mark.parametrize("when", ["1", "2", "3", "4"])
def test_what_could_not_be_written_through_gets_no_name_or_is_told(tmp_path: Path, when: str) -> None:
    strace = str(require("strace", "what happens where the disk refuses"))
    fault = ["-e", "trace=syncfs", "-e", f"inject=syncfs:error=EIO:when={when}"]
    log = tmp_path / "log"
    ended = subprocess.run(
        [strace, "-f", "--seccomp-bpf", "-o", str(log), *fault, sys.executable, "-c", FAILING, str(tmp_path / "files")],
        cwd=ROOT,
        check=False,
    )
    failed = "EIO" in log.read_text()
    assert ended.returncode == (errno.EIO if failed else 0)
    named = [path for path in (tmp_path / "files").iterdir() if not disk.is_temporary(path.name)]
    assert not list((tmp_path / "files").glob(".*"))
    assert len(named) == 2500 or (failed and not named)
