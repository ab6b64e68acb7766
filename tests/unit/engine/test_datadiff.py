"""What changed of tracked data: pairs of sides, renames, directories whose listing nobody has; and how it is shown."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine import datadiff
from runner.engine.committed import Committed
from runner.engine.datadiff import Data, Difference, Differences
from runner.hashes import LEGACY, MD5, Hash, Tree
from runner.review import datachanges
from tests.support.pipelines import Workshop, finished

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

A, B = Hash("a" * 32), Hash("b" * 32)
FOLDER, OTHER = Hash("c" * 32 + ".dir"), Hash("d" * 32 + ".dir")


def told(old: Data, new: Data) -> list[tuple[str, Any, Any]]:
    return [(one.word, one.old and one.old[0], one.new and one.new[0]) for one in every(old, new)]


def every(old: Data, new: Data, most: int = 9) -> list[Difference]:
    found = Differences(old, new, most)
    return [one for word in get_args(datadiff.Word) for one in found.of(word)]


def test_what_came_went_and_changed_is_told() -> None:
    old = Data({"same": A, "gone": A, "changed": A, "declared": None})
    new = Data({"same": A, "new": B, "changed": B, "declared": None})
    assert told(old, new) == [
        ("added", None, "new"),
        ("deleted", "gone", None),
        ("modified", "changed", "changed"),
    ]


def test_the_same_bytes_elsewhere_are_a_rename_first_come_first_served() -> None:
    old = Data({"a/x": A, "b": A, "unknown": None})
    new = Data({"c": A, "d": A, "e": A})
    assert told(old, new) == [
        ("added", None, "e"),
        ("deleted", "unknown", None),
        ("renamed", "a/x", "c"),
        ("renamed", "b", "d"),
    ]


def test_files_of_a_directory_that_is_unknown_on_a_side_are_left_out() -> None:
    old = Data({"d": FOLDER}, unknown=frozenset({"d"}))
    new = Data({"d": OTHER, "d/x": A, "dx": A})
    assert told(old, new) == [("added", None, "dx"), ("modified", "d", "d")]


_FILES = st.dictionaries(st.sampled_from(["a", "b", "b/c", "b.c", "é"]), st.sampled_from([A.value, B.value]))


def packed(tree: Tree) -> Data:
    return Data({"d": tree.hash, "e": A}, {"d": tree})


def flat(tree: Tree) -> Data:
    return Data({"d": tree.hash, "e": A, **{f"d/{path}": name for path, name in tree.members()}})


@given(_FILES, _FILES, st.sampled_from([MD5, LEGACY]))
def test_listings_side_by_side_differ_as_their_files_do(old: dict[str, str], new: dict[str, str], kind: str) -> None:
    one, other = Tree.of(old.items()), Tree.of(new.items(), kind)
    assert every(packed(one), packed(other)) == every(flat(one), flat(other)) == every(packed(one), packed(other), 0)


PIPELINE = """\
stages:
  make:
    cmd: mkdir many && cp seed many/one && echo 2 > many/two && cp seed model
    deps: [seed]
    outs: [many, model]
    metrics: [{m.json: {cache: false}}]
""".replace("seed model", "seed model && echo 1 > m.json")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return finished(tmp_path_factory.mktemp("datadiff"), PIPELINE, {"seed": "s"})


@pytest.fixture
def made(kept: Workshop, tmp_path: Path) -> Workshop:
    return Workshop(shutil.copytree(kept.root.parent, tmp_path / "place", symlinks=True) / "root", kept.environ)


def since(made: Workshop, *targets: str) -> dict[str, list[Mapping[str, Any]]]:
    """Compare HEAD with the working tree, as `retrain diff --json --show-hash` gives it."""
    with made.opened() as opened:
        project = opened.project
        then = Committed(project.git, project.prefix, project.git.head()).pipeline
        old = datadiff.of_commit(project, then, targets)
        new = datadiff.of_workspace(project, targets)
        groups = datachanges.grouped(Differences(old, new), datadiff.not_in_cache(project, old))
        return {word: list(rows) for word, rows in groups.items()}


def test_nothing_changed_is_nothing(made: Workshop) -> None:
    assert since(made) == {}


def test_directories_end_in_a_slash_and_hashes_are_of_both_sides(made: Workshop) -> None:
    made.put({"many/one": "edited", "many/two": None, "model": None})
    found = since(made)
    assert [row["path"] for row in found["modified"]] == ["many/", "many/one"]
    assert [row["path"] for row in found["deleted"]] == ["many/two", "model"]
    assert found["deleted"][1]["hash"] == made.recorded("model").value
    assert set(found["modified"][1]["hash"]) == {"old", "new"}


def test_a_target_inside_a_directory_narrows_to_it(made: Workshop) -> None:
    made.put({"many/one": "edited", "many/two": "edited", "model": None})
    assert [row["path"] for row in since(made, "many/one")["modified"]] == ["many/one"]


def test_what_the_cache_lacks_is_named_also_where_nothing_changed(made: Workshop) -> None:
    made.lose("model")
    assert [row["path"] for row in since(made)[datachanges.MISSING]] == ["many/one", "model"]


def test_people_get_groups_and_a_count_of_files() -> None:
    groups = datachanges.grouped(
        Differences(Data({"d": FOLDER, "d/x": A, "r": B}), Data({"d": OTHER, "d/x": B, "s": B})), None
    )
    assert list(datachanges.lines(datachanges.without_hashes(groups))) == [
        "Renamed:",
        "    r -> s",
        "",
        "Modified:",
        "    d/",
        "    d/x",
        "",
        "files summary: 1 renamed, 1 modified",
    ]
    assert datachanges.table(groups).rows[0] == ("renamed", "bbbbbbbb", "r -> s")
    assert datachanges.table(datachanges.without_hashes(groups)).headers == ("Status", "Path")
    assert "    aaaaaaaa..bbbbbbbb  d/x" in list(datachanges.lines(groups))
