"""What is particular to a directory as a remote; the rest is in the contract suite."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from runner.errors import ObjectMissing, RemoteError
from runner.store.directory import Directory
from runner.store.meter import unheard

if TYPE_CHECKING:
    from pathlib import Path

    from runner.store.protocols import Sink


class Full:
    """A sink on a full disk."""

    def write(self, _chunk: bytes, /) -> None:
        raise OSError(28, "No space left on device")

    def restart(self) -> None:
        raise AssertionError


def put(folder: Path, name: str, content: bytes) -> None:
    source = folder.with_name("source")
    source.write_bytes(content)
    Directory(folder).put(name, source)


def test_objects_are_read_only_for_all_and_folders_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        put(tmp_path / "remote", "files/md5/ab/c", b"content")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "remote").rglob("*")}
    assert modes == {"files": 0o700, "md5": 0o700, "ab": 0o700, "c": 0o444}


def test_what_is_half_written_is_not_listed(tmp_path: Path) -> None:
    put(tmp_path / "remote", "files/md5/ab/c", b"content")
    (tmp_path / "remote" / "files" / "md5" / "ab" / ".1-ab.tmp").write_bytes(b"half")
    assert list(Directory(tmp_path / "remote").names("files/")) == ["files/md5/ab/c"]


def test_a_failed_put_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "remote" / "files" / "md5" / "ab" / "c").mkdir(parents=True)
    with pytest.raises(RemoteError, match=r"cannot write .*files/md5/ab/c"):
        put(tmp_path / "remote", "files/md5/ab/c", b"content")
    assert not list((tmp_path / "remote").rglob("*.tmp"))


def test_a_place_that_is_no_folder_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "remote").write_bytes(b"a file")
    remote = Directory(tmp_path / "remote")
    with pytest.raises(RemoteError, match="cannot list"):
        list(remote.names(""))
    with pytest.raises(RemoteError, match="cannot write"):
        put(tmp_path / "remote", "a/b", b"content")
    with pytest.raises(ObjectMissing):
        remote.get("a/b", Full())


def test_what_the_sink_cannot_take_is_not_the_remotes_fault(tmp_path: Path) -> None:
    put(tmp_path / "remote", "a/b", b"content")
    sink: Sink = Full()
    with pytest.raises(OSError, match="No space left"):
        Directory(tmp_path / "remote").get("a/b", sink)


def test_objects_that_are_stored_together_are_all_there_when_the_block_has_ended(tmp_path: Path) -> None:
    remote = Directory(tmp_path / "remote")
    with remote.together() as put:
        for number in range(1_100):
            (tmp_path / str(number)).write_text(str(number))
            put(f"files/md5/{number % 7:02}/{number}", tmp_path / str(number), unheard)
    assert len(remote.exists(f"files/md5/{number % 7:02}/{number}" for number in range(1_100))) == 1_100


def test_what_a_killed_push_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    remote = Directory(tmp_path / "remote")
    (tmp_path / "source").write_text("bytes")
    left = tmp_path / "remote" / "files" / "md5" / "00" / ".99999999-abc-1.tmp"
    left.parent.mkdir(parents=True)
    left.write_text("half of so")
    os.utime(left, (1_000_000_000, 1_000_000_000))
    with remote.together() as put:
        put("files/md5/00/one", tmp_path / "source", unheard)
    assert [path.name for path in left.parent.iterdir()] == ["one"]


def test_a_batch_that_breaks_off_leaves_no_temporary_files(tmp_path: Path) -> None:
    remote = Directory(tmp_path / "remote")
    (tmp_path / "source").write_text("bytes")

    def push() -> None:
        with remote.together() as put:
            put("files/md5/00/one", tmp_path / "source", unheard)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push()
    assert [path for path in (tmp_path / "remote").rglob("*") if path.is_file()] == []
