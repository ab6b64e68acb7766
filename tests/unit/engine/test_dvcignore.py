""".dvcignore: which paths DVC does not see, by DVC's own answers."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from dvc.fs import LocalFileSystem
from dvc.ignore import DvcIgnoreFilter
from hypothesis import example, given
from hypothesis import strategies as st

from runner.engine.dvcignore import NAME, Ignore
from runner.errors import ConfigError
from tests.interop.projects import put
from tests.support.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VECTORS = json.loads((ROOT / "tests" / "vectors" / "dvcignore.json").read_text(encoding="utf-8"))


def ignoring(files: Mapping[str, str]) -> Ignore:
    return Ignore(files.get)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: " ".join(case["patterns"]))
def test_dvc_ignores_the_same_paths(case: dict[str, list[str]]) -> None:
    ignore = ignoring({NAME: "\n".join(case["patterns"])})
    hidden = [path for path in VECTORS["paths"] if ignore.hides(path.rstrip("/"), is_folder=path.endswith("/"))]
    assert hidden == case["ignored"]


def test_a_file_in_a_folder_speaks_of_that_folder_and_is_stronger() -> None:
    ignore = ignoring({NAME: "*.log\n/top", "sub/.dvcignore": "!keep.log\n/only\ndeep/x"})
    hidden = {path: ignore.hides(path) for path in ("a.log", "sub/a.log", "sub/keep.log", "sub/only", "sub/b/only")}
    assert hidden == {
        "a.log": True,
        "sub/a.log": True,
        "sub/keep.log": False,
        "sub/only": True,
        "sub/b/only": False,
    }
    assert ignore.hides("sub/deep/x")
    assert not ignore.hides("sub/b/deep/x")
    assert not ignore.hides("only")


def test_a_hidden_dvcignore_says_nothing() -> None:
    assert not ignoring({NAME: ".dvcignore", "sub/.dvcignore": "*"}).hides("sub/x")


def test_who_hides_a_path_is_told_with_file_and_line() -> None:
    pattern = ignoring({NAME: "# first\n\n  data/  \n"}).inside("data/deep").deciding("data/deep/x")
    assert pattern
    assert (pattern.text, str(pattern.where)) == ("data/", ".dvcignore:3")


@pytest.mark.parametrize("line", ["!", "foo\\", "[z-a]"])
def test_what_is_no_pattern_is_a_mistake_with_its_line(line: str) -> None:
    with pytest.raises(ConfigError, match="is not a pattern") as caught:
        ignoring({NAME: f"ok\n{line}\n"}).hides("x")
    assert str(caught.value.where) == ".dvcignore:2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x" * 4_097, ".dvcignore:1: a pattern of 4,097 characters"),
        ("# many\n" + "x\n" * 5_001, ".dvcignore:5002: more than 5,000 patterns"),
        ("#" * ((1 << 20) + 1), ".dvcignore: too large for a list of patterns: 1,048,577 characters"),
    ],
)
def test_what_no_real_file_holds_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ignoring({NAME: text}).hides("x")
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("*" * 1_000 + "b", "a" * 255),
        ("*a" * 100 + "b", "a" * 255),
        ("*?" * 100 + "b", "a" * 255),
        ("*[a-z]" * 100 + "!", "a" * 255),
        ("a/**/" * 100 + "b", "a/" * 2_000 + "c"),
        ("**/" + "*a*a/**/" * 100 + "b", "aaa/" * 1_000 + "c"),
    ],
)
def test_no_pattern_takes_longer_than_a_blink_on_any_path(line: str, path: str) -> None:
    rules = ignoring({NAME: line}).inside("")
    began = time.thread_time()
    assert all(pattern.expression.match(path) is None for pattern in rules.patterns)
    assert time.thread_time() - began < 1


# Random patterns and trees, beside DVC's own filter

NAMES = ("a", "b", "ab", "aabab", "a.b", "[a]", "#c", "!d", "a b", "é", "x.log")
PIECES = (*NAMES, "*", "**", "?", "[ab]", "[!a]", "*.log", "\\#c", "\\!d", "\\*", "a*", "*a*b", "?*[ab]*", "**b*")
names = st.sampled_from(NAMES)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
pattern_lines = st.builds(
    lambda sign, root, pieces, end: f"{sign}{root}{'/'.join(pieces)}{end}",
    st.sampled_from(["", "", "", "!", " ", "\\"]),
    st.sampled_from(["", "", "/", "**/"]),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=3),
    st.sampled_from(["", "", "/", "/**", "/*", "  "]),
)
texts = st.lists(st.one_of(pattern_lines, st.sampled_from(["", "# x"])), max_size=5).map("\n".join)


@pytest.mark.slow
@given(files=st.sets(paths, max_size=8), ignores=st.dictionaries(st.one_of(st.just(""), paths), texts, max_size=3))
@example(files={"[a]/x.log", "a/x.log"}, ignores={"[a]": "*.log"})
@example(files={"a/b"}, ignores={"": "a/**\n!a/b"})
@example(files={"!d/a"}, ignores={"!d": "a"})
def test_dvcs_own_filter_hides_the_same(
    files: set[str], ignores: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("tree")
    _lay(root, {f"{folder}/{NAME}".lstrip("/"): text for folder, text in ignores.items()} | dict.fromkeys(files, ""))
    asked = [(path.relative_to(root).as_posix(), path.is_dir()) for path in sorted(root.rglob("*"))]
    ignore = ignoring({path.relative_to(root).as_posix(): path.read_text() for path in root.rglob(NAME)})
    try:
        ours = [ignore.hides(path, is_folder=is_folder) for path, is_folder in asked]
    except ConfigError:
        assert _by_dvc(root, asked) is None
    else:
        assert list(zip(asked, ours, strict=True)) == list(zip(asked, _by_dvc(root, asked) or (), strict=False))


def _lay(root: Path, files: Mapping[str, str]) -> None:
    """Write the files; a path that would have to be both a file and a folder is what it was first."""
    for path, text in files.items():
        try:
            put(root, {path: text})
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue


def _by_dvc(root: Path, asked: list[tuple[str, bool]]) -> list[bool] | None:
    """Ask DVC; `None` where it cannot read the patterns."""
    fs = LocalFileSystem()
    try:
        dvc = DvcIgnoreFilter(fs, str(root))
        return [
            (dvc.is_ignored_dir if is_folder else dvc.is_ignored_file)(str(root / path)) for path, is_folder in asked
        ]
    except ValueError:
        return None
