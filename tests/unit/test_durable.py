"""Files that are whole or not there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner import durable
from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "er" / "file"
    durable.write(place, b"content")
    assert place.read_bytes() == b"content"
    assert list(place.parent.iterdir()) == [place]


def test_a_file_is_replaced_and_links_to_the_old_one_keep_it(tmp_path: Path) -> None:
    place, other = tmp_path / "file", tmp_path / "other"
    durable.write(place, b"old")
    other.hardlink_to(place)
    durable.write(place, b"new")
    assert (place.read_bytes(), other.read_bytes()) == (b"new", b"old")


def test_the_umask_decides_the_mode(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        durable.write(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["n" * 255, "\N{SNAKE}" * 63])
def test_a_long_name_is_no_hindrance(name: str, tmp_path: Path) -> None:
    durable.write(tmp_path / name, b"content")
    assert [place.name for place in tmp_path.iterdir()] == [name]


def test_what_cannot_be_written_leaves_the_old_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    place.mkdir()
    with pytest.raises(OSError, match="folder"):
        durable.write(place, b"content")
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize(
    ("how", "expected"), [("sync=True", ["write", "fsync", "rename", "fsync"]), ("sync=False", ["write", "rename"])]
)
def test_bytes_are_on_the_disk_before_the_name_and_the_name_before_we_go_on(
    how: str,
    expected: list[str],
    tmp_path: Path,
) -> None:
    strace = require("strace", "sees the order of system calls")
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom pathlib import Path\nfrom runner import durable\n"
    script += f"durable.write(Path({str(tmp_path / 'file')!r}), b'content', {how})"
    log = tmp_path / "log"
    traced = "trace=write,fsync,rename,renameat,renameat2"
    command = [str(strace), "-f", "-o", str(log), "-e", traced, sys.executable, "-I", "-B", "-c", script]
    subprocess.run(command, check=True)
    calls = re.findall(r"\b(write|fsync|rename)\w*\(", log.read_text())
    assert calls == expected
