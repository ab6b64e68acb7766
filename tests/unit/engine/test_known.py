"""The workspace through the lock: what is absent is known all the same, and an early look equals the later truth."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.decision import Absent, Content
from runner.engine.known import Known
from runner.engine.objects import Objects
from runner.engine.recorded import recorded_as
from runner.engine.workspace import Workspace
from runner.hashes import Hash, Tree, hash_bytes
from runner.pipeline.model import Dep, LockedPath, LockEntry, Out, Param, Stage
from runner.pipeline.pipeline import Pipeline
from runner.store.cache import Cache
from runner.store.state import State
from tests.interop.projects import put

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Place:
    """A project's folder whose outs are all in the cache and recorded, each by a stage of its own."""

    def __init__(
        self, root: Path, files: Mapping[str, str], outs: Sequence[str], readers: Sequence[Stage] = ()
    ) -> None:
        self.root, self.outs = root, outs
        put(root, files)
        self.cache = Cache(root.parent / "cache")
        stages = [*(Stage(out, "dvc.yaml", out, "make", ".", outs=(Out(out, out),)) for out in outs), *readers]
        self.workspace = self.looked_at()
        entries = {out: self._kept(out) for out in outs}
        self.pipeline = Pipeline(tuple(stages), entries)

    def looked_at(self) -> Workspace:
        return Workspace(self.root, State())

    def _kept(self, out: str) -> LockEntry:
        content = self.workspace.observe(out)
        assert content
        tree = self.workspace.tree(out) if content.hash.is_dir else None
        self.cache.add(self.root / out, content.hash, tree)
        return LockEntry("make", outs=(recorded_as(out, content),))

    def remove(self, *outs: str) -> None:
        for out in outs:
            place = self.root / out
            shutil.rmtree(place) if place.is_dir() else place.unlink()

    def known(self) -> Known:
        return Known(self.pipeline, self.looked_at(), Objects(self.cache, lambda _: None, 1))

    def stage(self, address: str) -> Stage:
        return self.pipeline.stage(address)


NAMES = st.sampled_from(["a", "b", "a.b", "é", "0"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "/".join(["top", *parts]))


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str]:
    """Draw files below `top`, none of which is another's folder."""
    paths = draw(st.lists(PATHS, min_size=1, max_size=8, unique=True))
    files = [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]
    return {path: draw(st.sampled_from(["", "1", "2"])) for path in files}


@st.composite
def split(draw: st.DrawFn) -> tuple[dict[str, str], list[str], list[str]]:
    """Draw a tree, some of its files and folders as outs, and which of those are absent."""
    files = draw(trees())
    folders = {str(parent) for path in files for parent in Path(path).parents} - {"."}
    drawn = draw(st.lists(st.sampled_from(sorted({*files, *folders})), min_size=1, max_size=5, unique=True))
    outs = [out for out in drawn if not any(out.startswith(f"{other}/") for other in drawn)]
    return files, outs, draw(st.lists(st.sampled_from(outs), unique=True))


@pytest.mark.slow
@given(split())
def test_an_early_look_equals_the_later_truth(case: tuple[dict[str, str], list[str], list[str]]) -> None:
    files, outs, absent = case
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "root", files, outs)
        paths = {*files, *(str(parent) for path in files for parent in Path(path).parents)} - {"."}
        truth = {path: place.looked_at().observe(path) for path in paths}
        place.remove(*absent)
        known = place.known()
        early = {path: known.at(path) for path in paths}
    assert {path: named(content) for path, content in early.items()} == {
        path: named(content) for path, content in truth.items()
    }


def named(content: Content | None) -> tuple[str, int | None] | None:
    """Give what an early look must get right: sizes may be unknown."""
    return (content.hash.value, content.nfiles) if content else None


TREE = {"d/x": "1", "d/deep/y": "2", "d/deep/z": "3", "one": "4", "plain/p": "5", "plain/made": "6"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "root", TREE, ["d", "one", "plain/made"])


def test_an_absent_out_is_what_the_lock_says(place: Place) -> None:
    place.remove("one")
    assert place.known().at("one") == Content(Hash(hash_bytes(b"4")), size=1)


def test_a_path_that_nobody_writes_is_absent(place: Place) -> None:
    assert place.known().at("nowhere") is None


def test_what_is_inside_an_absent_directory_is_had_from_its_listing(place: Place) -> None:
    place.remove("d")
    known = place.known()
    assert known.at("d/x") == Content(Hash(hash_bytes(b"1")))
    deep = Tree.of([("y", hash_bytes(b"2")), ("z", hash_bytes(b"3"))])
    assert known.at("d/deep") == Content(deep.hash, nfiles=2)
    assert known.at("d/nowhere") is None


def test_what_is_missing_from_a_directory_that_is_there_is_missing(place: Place) -> None:
    (place.root / "d" / "x").unlink()
    known = place.known()
    assert known.at("d/x") is None
    assert known.at("d/deep/y") == Content(Hash(hash_bytes(b"2")), size=1)


def test_without_the_listing_what_is_inside_is_not_known(place: Place) -> None:
    name = place.pipeline.entries["d"].outs[0].hash
    assert name
    place.remove("d")
    place.cache.path(name).unlink()
    assert place.known().at("d/x") is None


def test_a_directory_that_holds_absent_outs_is_joined_from_disk_and_lock(place: Place) -> None:
    whole = place.looked_at().observe("plain")
    place.remove("plain/made")
    assert named(place.known().at("plain")) == named(whole)


def test_a_file_where_a_directory_of_outs_should_be_is_what_it_is(place: Place) -> None:
    shutil.rmtree(place.root / "plain")
    put(place.root, {"plain": "a file"})
    assert place.known().at("plain") == Content(Hash(hash_bytes(b"a file")), size=6)


@pytest.mark.parametrize(
    ("path", "text"), [("one", "new"), ("plain", None), ("plain/made", "new"), ("d/x", "new"), ("d", None)]
)
def test_what_a_restored_stage_will_write_wins_over_what_is_on_disk(
    path: str, text: str | None, place: Place, tmp_path: Path
) -> None:
    later = {"d/x": "new", "d/more": "new", "one": "new", "plain/p": "5", "plain/made": "new"}
    other = Place(tmp_path / "other" / "root", later, place.outs)
    for name in Path(shutil.copytree(other.root.parent / "cache", tmp_path / "cache", dirs_exist_ok=True)).iterdir():
        assert name.is_dir()
    known = place.known()
    for out in place.outs:
        known.settle(place.stage(out), other.pipeline.entries[out], in_place=False)
    assert named(known.at(path)) == named(other.looked_at().observe(path))
    if text:
        assert known.at(path).hash.value == hash_bytes(text.encode())  # type: ignore[union-attr]


def test_once_put_in_place_the_disk_is_believed_again(place: Place) -> None:
    known = place.known()
    entry = LockEntry("make", outs=(LockedPath("one", Hash("0" * 32)),))
    known.settle(place.stage("one"), entry, in_place=False)
    assert known.at("one") == Content(Hash("0" * 32))
    put(place.root, {"one": "new"})
    known.settle(place.stage("one"), entry, in_place=True)
    assert known.at("one") == Content(Hash(hash_bytes(b"new")), size=3)


def test_an_absent_out_is_at_hand_only_if_all_of_it_is_in_the_cache(place: Place) -> None:
    place.remove("d", "one")
    known = place.known()
    assert known.now(place.stage("d"), ()).outs == {"d": Absent(at_hand=True)}
    place.cache.path(Hash(hash_bytes(b"3"))).unlink()
    place.cache.path(Hash(hash_bytes(b"4"))).unlink()
    known = place.known()
    assert known.now(place.stage("d"), ()).outs == {"d": Absent(at_hand=False)}
    assert known.now(place.stage("one"), ()).outs == {"one": Absent(at_hand=False)}


def test_a_broken_listing_in_the_cache_is_not_at_hand(place: Place) -> None:
    name = place.pipeline.entries["d"].outs[0].hash
    assert name
    place.remove("d")
    place.cache.path(name).chmod(0o644)
    place.cache.path(name).write_text("[]")
    known = place.known()
    assert known.now(place.stage("d"), ()).outs == {"d": Absent(at_hand=False)}
    assert known.at("d/x") is None


def test_what_an_upstream_stage_has_yet_to_write_is_left_out(tmp_path: Path) -> None:
    deps = (Dep("one", "one"), Dep("d/x", "d/x"), Dep("plain", "plain"))
    reader = Stage("reader", "dvc.yaml", "reader", "read", ".", deps, (Param("p.yaml", "p.yaml", ("k",)),))
    place = Place(tmp_path / "root", {**TREE, "p.yaml": "k: 1\n"}, ["d", "one", "plain/made", "p.yaml"], [reader])
    known = place.known()
    now = known.now(reader, {"d", "p.yaml"})
    assert list(now.deps) == ["one", "plain"]
    assert now.upstream == ("d", "p.yaml")
    assert now.params == {}
    assert known.now(reader, {"plain/made"}).upstream == ("plain/made",)
    assert known.now(reader, ()).upstream == ()


def test_params_that_a_stage_writes_are_read_from_its_out_wherever_it_is(tmp_path: Path) -> None:
    param = Param("d/p.yaml", "d/p.yaml", ("k",))
    reader = Stage("reader", "dvc.yaml", "reader", "read", ".", params=(param,))
    place = Place(tmp_path / "root", {"d/p.yaml": "k: 1\n"}, ["d"], [reader])
    assert place.known().values(param) == {"k": 1}
    place.remove("d")
    assert place.known().values(param) == {"k": 1}
    assert [out.path for _, out in place.known().absent("d/p.yaml")] == ["d"]


def test_params_that_a_restore_will_replace_are_read_from_what_will_be(tmp_path: Path) -> None:
    param = Param("p.yaml", "p.yaml", ("k",))
    place = Place(tmp_path / "root", {"p.yaml": "k: 1\n"}, ["p.yaml"])
    put(place.root, {"p.yaml": "k: 2\n"})
    known = place.known()
    assert known.values(param) == {"k": 2}
    known.settle(place.stage("p.yaml"), place.pipeline.entries["p.yaml"], in_place=False)
    assert known.values(param) == {"k": 1}


def test_a_params_file_is_read_once_until_a_stage_writes_it(tmp_path: Path) -> None:
    param = Param("p.yaml", "p.yaml", ("k",))
    place = Place(tmp_path / "root", {"p.yaml": "k: 1\n"}, ["p.yaml"])
    known = place.known()
    assert known.values(param) == {"k": 1}
    put(place.root, {"p.yaml": "k: 2\n"})
    known.settle(place.stage("p.yaml"), place.pipeline.entries["p.yaml"], in_place=True)
    assert known.values(param) == {"k": 2}
    put(place.root, {"p.yaml": None})
    assert known.values(Param("p.yaml", "p.yaml")) == {"k": 2}
    assert Known(Pipeline((), {}), place.looked_at(), Objects(place.cache, lambda _: None, 1)).values(param) is None


def test_footprints_are_the_locks_figures(place: Place) -> None:
    known = place.known()
    directory, one = (place.pipeline.entries[out].outs[0].hash for out in ("d", "one"))
    assert directory
    assert one
    assert known.footprint(directory) == (4, 3)
    assert known.footprint(one) == (1, 1)
    assert known.footprint(Hash("f" * 32)) == (1, 0)
