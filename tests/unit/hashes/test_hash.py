"""One name for bytes: what it is made of, and where its object lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import Corrupt
from runner.hashes import LEGACY, Hash, Tree, hash_bytes, hash_file

if TYPE_CHECKING:
    from pathlib import Path

A = "0" * 32


def test_an_object_lies_where_dvc_puts_it() -> None:
    assert Hash("ab" + "0" * 30).key == "files/md5/ab/" + "0" * 30
    assert Hash("ab" + "0" * 30 + ".dir").key == "files/md5/ab/" + "0" * 30 + ".dir"
    assert Hash("ab" + "0" * 30, LEGACY).key == "ab/" + "0" * 30


@pytest.mark.parametrize("value", ["", "ab", A.upper().replace("0", "A"), f"{A}.dirx", f"{A}\n", f"../{A}", f"{A}0"])
def test_a_value_that_is_no_md5_never_becomes_a_path(value: str) -> None:
    assert not Hash(value).is_valid
    with pytest.raises(Corrupt):
        _ = Hash(value).key


def test_a_directory_is_told_by_its_suffix() -> None:
    assert Hash(f"{A}.dir").is_dir
    assert not Hash(A).is_dir
    assert str(Hash(A)) == A


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_a_file_hashes_as_its_bytes_do(size: int, tmp_path: Path) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "file").write_bytes(content[:size])
    assert hash_file(tmp_path / "file") == hash_bytes(content[:size])


def test_known_md5s() -> None:
    assert hash_bytes(b"") == "d41d8cd98f00b204e9800998ecf8427e"
    assert Tree.of([]).hash == Hash("d751713988987e9331980363e24189ce.dir")
