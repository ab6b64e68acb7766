"""The disk: whole files under final names, and refusals in words."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.errors import Denied, RemoteError, Unavailable
from runner.store import disk
from runner.store.links import Linker

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        (errno.ENOSPC, RemoteError, "make room"),
        (errno.EDQUOT, RemoteError, "quota"),
        (errno.EACCES, Denied, "owner"),
        (errno.EROFS, Denied, "read-only"),
        (errno.EIO, Unavailable, "logs"),
        (errno.ESTALE, Unavailable, "logs"),
        (errno.ENAMETOOLONG, RemoteError, ""),
    ],
)
def test_a_refusal_is_told_in_words_with_what_helps(code: int, kind: type[RemoteError], hint: str) -> None:
    with pytest.raises(RemoteError) as raised, disk.Refusals("write the file"):
        raise OSError(code, os.strerror(code))
    assert type(raised.value) is kind
    assert raised.value.message == f"cannot write the file: {os.strerror(code)}"
    assert hint in raised.value.hint


def test_temporary_names_are_neighbours_that_are_known_as_such() -> None:
    first, second = disk.temporary("/a/b/name"), disk.temporary("/a/b/name")
    assert first != second
    assert os.path.dirname(first) == "/a/b"  # noqa: PTH120 - the module speaks str
    assert disk.is_temporary(first.rpartition("/")[2])
    assert not disk.is_temporary("abc.tmp")
    assert not disk.is_temporary(".abc")


def test_a_new_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        disk.create(str(tmp_path / "there"))
    assert (tmp_path / "there").read_bytes() == b"kept"


def test_what_stepped_aside_comes_back_when_the_rename_fails(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "good").write_bytes(b"kept")
    with pytest.raises(FileNotFoundError):
        disk._exchange(str(tmp_path / "never made"), str(tmp_path / "target"))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert (tmp_path / "target" / "good").read_bytes() == b"kept"


@pytest.mark.parametrize("number", [1, 2])
def test_an_interrupted_exchange_leaves_the_old_or_the_new_and_nothing_else(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    rename, count = os.rename, iter(range(1, 9))

    def interrupted(source: str, target: str) -> None:
        rename(source, target)
        if next(count) == number:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        disk.install(str(tmp_path / "new"), str(tmp_path / "old"))
    assert (tmp_path / "old" / "file").read_text() == ("old" if number == 1 else "new")
    assert {path.name for path in tmp_path.iterdir()} <= {"old", "new"}


def test_a_type_of_link_that_does_not_work_here_gives_way_to_the_next(elsewhere: Path, tmp_path: Path) -> None:
    (tmp_path / "object").write_bytes(b"content")
    source, target = str(tmp_path / "object"), elsewhere / "target"
    assert not Linker(("reflink", "hardlink")).link(source, str(target))
    assert not target.exists()
    assert Linker(("reflink", "hardlink", "symlink")).link(source, str(target))
    assert target.is_symlink()


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """Give a folder on another file system: no link but a symbolic one reaches there."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_a_full_disk_is_said_to_be_full() -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(RemoteError, match="make room"), disk.Refusals("write the file"):
        disk.write_all(fd, b"content")
    os.close(fd)


def test_nothing_after_copy_is_tried(tmp_path: Path) -> None:
    (tmp_path / "object").write_bytes(b"content")
    assert not Linker(("copy", "hardlink")).link(str(tmp_path / "object"), str(tmp_path / "target"))
