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
    from collections.abc import Sequence
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
    command = [
        str(strace),
        "-f",
        "--seccomp-bpf",
        "-o",
        str(log),
        "-e",
        traced,
        sys.executable,
        "-I",
        "-B",
        "-c",
        script,
    ]
    subprocess.run(command, check=True)
    calls = re.findall(r"\b(write|fsync|rename)\w*\(", log.read_text())
    assert calls == expected


@pytest.mark.parametrize("texts", [("longer", "short", "the longest"), ("x" * 5000, "short", "x" * 4097, "y" * 5000)])
def test_text_is_overwritten_by_one_write_or_whole_and_blanks_may_follow_it(
    texts: Sequence[str], tmp_path: Path
) -> None:
    place = tmp_path / "deep" / "table"
    for text in texts:
        durable.overwrite(place, text.encode())
        assert place.read_text().rstrip() == text
    assert [*place.parent.iterdir()] == [place]


def test_what_is_overwritten_is_never_what_a_link_leads_to(tmp_path: Path) -> None:
    place, secret = tmp_path / "table", tmp_path / "secret"
    secret.write_text("kept")
    place.symlink_to(secret)
    durable.overwrite(place, b"text")
    assert (place.read_text(), secret.read_text()) == ("text", "kept")


def test_what_is_overwritten_is_written_at_once_and_waits_for_nothing(tmp_path: Path) -> None:
    strace = require("strace", "sees the order of system calls")
    place, log = tmp_path / "table", tmp_path / "log"
    place.write_text("some older text")
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom pathlib import Path\nfrom runner import durable\n"
    script += f"durable.overwrite(Path({str(place)!r}), b'text')"
    traced = "trace=write,pwrite64,ftruncate,fsync,rename"
    subprocess.run(
        [str(strace), "-f", "--seccomp-bpf", "-o", str(log), "-e", traced, sys.executable, "-I", "-B", "-c", script],
        check=True,
    )
    assert re.findall(r"\b(\w+)\(.*= \d+$", log.read_text(), re.MULTILINE) == ["pwrite64"]


def test_lines_are_appended_each_by_one_write(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "notes"
    for line in (b"one\n", b"two\n"):
        durable.append(place, line)
    assert place.read_bytes() == b"one\ntwo\n"


def test_names_wait_for_each_other_and_their_bytes_do_not(tmp_path: Path) -> None:
    names = durable.Names()
    for name in ("a", "b"):
        names.write(tmp_path / name, name.encode())
    names.sync()
    names.sync()
    assert {place.name: place.read_text() for place in tmp_path.iterdir()} == {"a": "a", "b": "b"}
