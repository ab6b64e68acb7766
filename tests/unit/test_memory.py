"""What a directory of very many files costs in memory: the peak of whole commands, each a process of its own.

A third of the largest size that counts, with a third of its bound; `benchmarks/memory.py` measures all of it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import git, put

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

COUNT = 300_000
MOST = 40 + (300 - 40) * COUNT // 1_000_000
"""MiB: what any command takes, and its part of the 300 MiB that a million files may take."""

# The peak of a process is at least that of the one which started it (getrusage(2)), so a small one starts it.
_MEASURED = """
import os, sys
output = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
to = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
_, status, used = os.wait4(os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ, file_actions=to), 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss // 1024)
"""


def peak(root: Path, *command: str) -> tuple[int, int, str]:
    """Run `retrain`; give its exit code, its peak in MiB, and what it printed."""
    output = root.parent / "output"
    inner = [sys.executable, "-I", "-m", "runner", *command]
    outer = [sys.executable, "-I", "-S", "-c", _MEASURED, str(output), *inner]
    done = subprocess.run(outer, cwd=root, check=True, capture_output=True, text=True)
    code, found = map(int, done.stdout.split())
    return code, found, output.read_text(errors="replace")[-2000:]


def rows(changed: Container[int]) -> Iterator[tuple[str, str]]:
    for number in range(COUNT):
        content = f"{number}{'!' if number in changed else ''}".encode()
        yield f"part-{number // 1000:04}/{number:07}.txt", hashlib.md5(content).hexdigest()


def recorded(root: Path, changed: Container[int]) -> None:
    """Commit a project whose only data is one directory, of which there is the listing alone."""
    listing = [{"md5": md5, "relpath": path} for path, md5 in rows(changed)]
    content = json.dumps(listing, sort_keys=True).encode()
    name = hashlib.md5(content).hexdigest()
    put(root, {f".dvc/cache/files/md5/{name[:2]}/{name[2:]}.dir": content})
    put(root, {"data.dvc": f"outs:\n- md5: {name}.dir\n  nfiles: {COUNT}\n  hash: md5\n  path: data\n"})
    git(root, "add", "data.dvc", "dvc.yaml", ".dvc/config", ".dvc/.gitignore")
    git(root, "commit", "-qm", f"without {changed}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a project of commits whose directories differ in all files, or in two."""
    root = tmp_path_factory.mktemp("memory") / "root"
    pipeline = "stages:\n  one:\n    cmd: ls data > out\n    deps: [data]\n    outs: [out]\n"
    config = f"[core]\n    remote = r\n['remote \"r\"']\n    url = {root.parent}/remote\n"
    put(root, {"dvc.yaml": pipeline, ".dvc/config": config, ".dvc/.gitignore": "/cache\n/tmp\n"})
    git(root, "init", "-q", "-b", "main")
    recorded(root, range(COUNT))
    recorded(root, {7})
    recorded(root, {8})
    return root


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("plan",), 0, "300,000 objects, 0 B to pull"),
        (("push", "--check"), 4, ".dir is not in"),
        (("push", "--check", "--json"), 4, ".dir is not in"),
        (("status",), 0, "not in cache"),
        (("status", "--cloud"), 0, "missing:            data/part-0299/0299999.txt"),
        (("status", "--cloud", "--json"), 0, '"data/part-0299/0299999.txt": "missing"}'),
        (("diff", "HEAD~1", "HEAD"), 0, "files summary: 2 modified"),
        (("diff", "HEAD~2", "HEAD"), 0, "files summary: 299999 modified"),
        (("diff", "--json", "HEAD~2", "HEAD"), 0, '{"path": "data/part-0299/0299999.txt"}], "renamed": []}'),
        (("diff",), 0, "files summary: 300001 deleted, 300000 not in cache"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_listing_whose_files_are_nowhere_is_read_in_bounded_memory(
    project: Path, command: tuple[str, ...], code: int, told: str
) -> None:
    exit_code, found, output = peak(project, *command)
    assert (exit_code, told in output) == (code, True), output
    assert found < MOST


MANY = 70_000
"""Files: more than an add holds at once. The last ones have the bytes of the first."""

FILES = f"""
import os
os.mkdir("data")
for number in range({MANY}):
    with open(f"data/{{number:05}}", "w") as file:
        file.write(str(number % ({MANY} - 10)))
"""


@pytest.mark.slow
def test_more_files_than_an_add_holds_at_once_are_added_each_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root, {"dvc.yaml": "stages:\n  one:\n    cmd: python make.py\n    deps: [make.py]\n    outs: [data]\n"})
    put(root, {"make.py": FILES, ".dvc/config": "", ".dvc/.gitignore": "/cache\n/tmp\n"})
    git(root, "init", "-q", "-b", "main")
    exit_code, found, output = peak(root, "repro")
    assert exit_code == 0, output
    assert found < 40 + 260 * MANY // 300_000
    objects = [path for path in (root / ".dvc/cache/files/md5").glob("*/*") if path.suffix != ".dir"]
    assert len(objects) == MANY - 10
    assert all(hashlib.md5(path.read_bytes()).hexdigest() == f"{path.parent.name}{path.name}" for path in objects)
    assert "up to date" in peak(root, "status")[2]


SIZE = 256
"""MiB of a file; it is sparse where a command makes it, and written out where it is kept."""


@pytest.mark.slow
def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    root = tmp_path / "root"
    pipeline = f"stages:\n  one:\n    cmd: truncate -s {SIZE}M out\n    outs: [out]\n"
    config = f"[core]\n    remote = r\n['remote \"r\"']\n    url = {tmp_path}/remote\n"
    put(root, {"dvc.yaml": pipeline, ".dvc/config": config, ".dvc/.gitignore": "/cache\n/tmp\n"})
    git(root, "init", "-q", "-b", "main")
    for command in ("repro", "push", "fetch", "checkout"):
        if command == "fetch":  # as on another machine
            shutil.rmtree(root / ".dvc" / "cache")
            (root / "out").unlink()
        exit_code, found, output = peak(root, command)
        assert exit_code == 0, output
        assert found < 40 + SIZE // 4
    assert (root / "out").stat().st_size == SIZE << 20
