"""Listings: DVC's own answers, what one may not hold, and that the packed form is told from no other."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Corrupt
from runner.hashes import LEGACY, Hash, Tree, differing

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTORS = Path(__file__).parents[2] / "vectors"
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
    assert [path for path, _ in Tree.of((path, A) for path in paths)] == sorted(paths)
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
        assert dict(below) == {
            path.removeprefix(f"{folder}/"): md5 for path, md5 in files.items() if path.startswith(f"{folder}/")
        }


def test_a_path_in_a_listing_is_a_file_a_folder_or_nothing() -> None:
    tree = Tree.of([("d/a", A), ("d/b", B), ("d.x", A), ("e", B)])
    assert tree.lookup("e") == Hash(B)
    assert tree.lookup("d") == Tree.of([("a", A), ("b", B)])
    assert tree.lookup("d/") is None
    assert tree.lookup("nope") is None
    assert list(tree.members()) == [("d.x", Hash(A)), ("d/a", Hash(A)), ("d/b", Hash(B)), ("e", Hash(B))]


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


def refused(content: bytes) -> bool:
    try:
        Tree.parse(content)
    except Corrupt:
        return True
    return False


def chunked(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


_ODD = st.text(
    st.sampled_from([*'ab./"\\}, {:\n\t\x7f\x01éß', "e", "\u0301", "\ud800", "\uffee", "\U0001f600"]),
    min_size=1,
)
_PATHS = (
    st.lists(st.one_of(_ODD, _NAMES), min_size=1, max_size=3)
    .map("/".join)
    .filter(lambda path: not any(part in {"", ".", ".."} for part in path.split("/")))
)
_MD5S = st.binary(min_size=16, max_size=16).map(bytes.hex)
_ROWS = st.dictionaries(_PATHS, _MD5S, max_size=12)


@given(_ROWS, st.integers(1, 200))
def test_a_listing_is_what_sorted_pairs_are(files: dict[str, str], size: int) -> None:
    rows = sorted(files.items())
    tree = Tree.of(files.items(), LEGACY)
    rendered = json.dumps([{"md5": md5, "relpath": path} for path, md5 in rows], sort_keys=True).encode()
    assert list(tree) == rows
    assert list(tree.members()) == [(path, Hash(md5, LEGACY)) for path, md5 in rows]
    assert set(tree.names) == {Hash(md5, LEGACY) for md5 in files.values()}
    assert tree.render() == rendered
    assert tree.hash == Hash(hashlib.md5(rendered).hexdigest() + ".dir", LEGACY)
    assert Tree.read(chunked(rendered, size), LEGACY) == Tree.parse(rendered, kind=LEGACY) == tree


@given(st.lists(st.tuples(_PATHS, _MD5S), max_size=5))
def test_a_path_that_comes_twice_is_kept_twice_but_never_read(rows: list[tuple[str, str]]) -> None:
    tree = Tree.of(rows)
    assert list(tree) == sorted(rows)
    if len(dict(rows)) < len(rows):
        assert refused(tree.render())
        assert Tree.read([tree.render()]) is None


_SPELLINGS = st.fixed_dictionaries(
    {
        "md5": st.one_of(_MD5S, _MD5S.map(str.upper), st.just("0" * 31), st.just("0" * 33), st.none(), st.integers()),
        "relpath": st.one_of(
            _PATHS, _ODD, st.just("a\0b"), st.sampled_from(["", ".", "..", "a/../b", "/a"]), st.none()
        ),
    },
    optional={"size": st.integers(), "more": st.just({"md5": A, "relpath": "x"})},
)


@given(
    st.lists(st.one_of(_SPELLINGS, _SPELLINGS, st.just({}), st.just([])), max_size=4),
    st.sampled_from([{"sort_keys": True}, {"sort_keys": True, "indent": 1}, {}]),
    st.integers(1, 100),
)
def test_what_is_read_as_it_comes_is_never_otherwise_than_read_at_once(
    rows: list[Any], spelling: dict[str, Any], size: int
) -> None:
    content = json.dumps(rows, **spelling).encode()
    for text in (content, content[:-1], content + b"]", content.replace(b"}, {", b"},{"), b"\xef\xbb\xbf" + content):
        read = Tree.read(chunked(text, size))
        assert read is None or read == Tree.parse(text)


@given(_ROWS, _ROWS)
def test_two_listings_differ_where_their_files_do(one: dict[str, str], other: dict[str, str]) -> None:
    other |= {path: md5 for path, md5 in one.items() if md5 > "8"}
    expected = [
        (path, one.get(path, ""), other.get(path, ""))
        for path in sorted({**one, **other})
        if one.get(path) != other.get(path)
    ]
    assert list(differing(Tree.of(one.items()), Tree.of(other.items()))) == expected


@pytest.mark.parametrize("count", [1023, 1024, 1025, 2049])
def test_a_listing_of_several_pages_is_one(count: int) -> None:
    rows = {f"{number // 10:04}/{number:05}": f"{number:032x}" for number in range(count)}
    tree = Tree.of(rows.items())
    assert len(tree) == count
    assert dict(tree) == rows
    assert Tree.read(chunked(tree.render(), 1000)) == Tree.parse(tree.render()) == tree
    assert all(tree.lookup(path) == Hash(md5) for path, md5 in rows.items())
    assert [len(tree.below(f"{number:04}") or ()) for number in range(count // 10)] == [10] * (count // 10)
    assert tree.lookup("0") is tree.lookup("~") is tree.below("") is None


def test_a_listing_that_another_program_wrote_is_read_all_the_same() -> None:
    tree = Tree.of((f"{number:04}" * 10_000, f"{number:032x}") for number in range(200))
    content = json.dumps([{"relpath": path, "md5": md5} for path, md5 in tree], indent=2).encode()
    assert len(content) > 4 << 20
    assert Tree.read(chunked(content, 1 << 16)) is None
    assert Tree.parse(content) == tree


@pytest.mark.parametrize("row", [("a\0b", A), ("a", A[1:]), ("a", f"{A}0")])
def test_what_cannot_be_packed_is_refused(row: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"a path holds a NUL|is no md5|non-hexadecimal"):
        Tree.of([row])
