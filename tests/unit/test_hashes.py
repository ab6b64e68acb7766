"""Names for bytes: DVC's own answers for listings, and what a listing may not hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Corrupt
from runner.hashes import LEGACY, Hash, Tree, hash_bytes, hash_file

VECTORS = Path(__file__).parents[1] / "vectors"
LISTINGS: list[dict[str, Any]] = json.loads((VECTORS / "dir_objects.json").read_text(encoding="utf-8"))
A = "0" * 32
B = "f" * 32


@pytest.mark.parametrize("case", LISTINGS, ids=lambda case: case["oid"][:8])
def test_a_listing_has_dvcs_bytes_and_name(case: dict[str, Any]) -> None:
    tree = Tree.of(case["files"].items())
    assert tree.render() == case["object_bytes_utf8"].encode()
    assert tree.hash == Hash(case["oid"])
    assert Tree.parse(tree.render()) == tree


def test_a_listing_is_sorted_by_code_point_of_the_whole_path() -> None:
    paths = ["a0", "a/b", "a.b", "\U0001f600", "\uffee", "Z", "é"]
    assert [path for path, _ in Tree.of((path, A) for path in paths).files] == sorted(paths)
    assert sorted(paths)[:4] == ["Z", "a.b", "a/b", "a0"]
    assert sorted(paths)[-2:] == ["\uffee", "\U0001f600"]


_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1).filter(
    lambda name: name not in {".", ".."}
)
_FILES = st.dictionaries(st.lists(_NAMES, min_size=1, max_size=3).map("/".join), st.sampled_from([A, B]), max_size=6)


@given(_FILES)
def test_any_listing_is_read_back_as_it_was_written(files: dict[str, str]) -> None:
    tree = Tree.of(files.items())
    assert Tree.parse(tree.render()) == tree
    assert len(tree) == len(files)
    assert all(tree.lookup(path) == Hash(md5) for path, md5 in files.items() if not tree.below(path))


@given(_FILES)
def test_what_is_below_a_folder_is_what_begins_with_it(files: dict[str, str]) -> None:
    tree = Tree.of(files.items())
    for folder in {path.rpartition("/")[0] for path in files} - {""}:
        below = tree.below(folder)
        assert below is not None
        assert dict(below.files) == {
            path.removeprefix(f"{folder}/"): md5 for path, md5 in files.items() if path.startswith(f"{folder}/")
        }


def test_a_path_in_a_listing_is_a_file_a_folder_or_nothing() -> None:
    tree = Tree.of([("d/a", A), ("d/b", B), ("d.x", A), ("e", B)])
    assert tree.lookup("e") == Hash(B)
    assert tree.lookup("d") == Tree.of([("a", A), ("b", B)])
    assert tree.lookup("d/") is None
    assert tree.lookup("nope") is None
    assert list(tree.objects()) == [Hash(A), Hash(A), Hash(B), Hash(B)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"{}x",
        b"3",
        b"[3]",
        b"[[]]",
        b'[{"md5": "%s"}]' % A.encode(),
        b'[{"relpath": "a"}]',
        b"[" * 100_000,
        b"\xff\xfe",
        *(
            json.dumps([{"md5": md5, "relpath": path}]).encode()
            for md5, path in [
                (A, "../x"),
                (A, "/etc/passwd"),
                (A, "a/../../x"),
                (A, "a//b"),
                (A, "a/./b"),
                (A, ""),
                (A, "a/"),
                (A, "a\0b"),
                (A, 1),
                (A[1:], "a"),
                (A.upper().replace("0", "A"), "a"),
                (f"{A}.dir", "a"),
                ("../../../../../etc/passwd", "a"),
                (None, "a"),
            ]
        ),
        json.dumps([{"md5": A, "relpath": "a"}, {"md5": B, "relpath": "a"}]).encode(),
    ],
)
def test_a_listing_that_could_do_harm_is_refused(content: bytes) -> None:
    with pytest.raises(Corrupt) as caught:
        Tree.parse(content, "object 12ab")
    assert "object 12ab" in str(caught.value)


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
