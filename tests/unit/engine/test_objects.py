"""The objects that outs name: here, in the remote that keeps the out, or nowhere; and what cannot be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine.objects import Objects
from runner.errors import Corrupt, RemoteError, Unavailable
from runner.hashes import Hash, Names, Tree, hash_bytes
from runner.pipeline.model import Out
from runner.store.cache import Cache
from runner.store.directory import Directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from runner.store.protocols import Sink, Source
    from runner.store.remote import Remote

OUT, ELSEWHERE = Out("o", "o"), Out("p", "p", remote="other")
TREE = Tree.of([("x", hash_bytes(b"x")), ("deep/y", hash_bytes(b"y"))])
FILE = Hash(hash_bytes(b"x"))
NOBODY = Hash("0" * 32)


def stored(place: Path, *contents: bytes) -> Directory:
    """Give a remote in a directory that holds `contents`."""
    for content in contents:
        suffix = ".dir" if content.startswith(b"[") else ""
        object_ = place / Hash(hash_bytes(content) + suffix).key
        object_.parent.mkdir(parents=True, exist_ok=True)
        object_.write_bytes(content)
    return Directory(place)


@pytest.fixture
def remotes(tmp_path: Path) -> dict[str, Remote]:
    return {
        "": stored(tmp_path / "main", b"x", b"y", TREE.render()),
        "other": stored(tmp_path / "other", b"elsewhere"),
    }


@pytest.fixture
def objects(tmp_path: Path, remotes: dict[str, Remote]) -> Objects:
    return Objects(Cache(tmp_path / "cache"), remotes.get, 2)


def damage(objects: Objects, name: Hash) -> None:
    place = objects.cache.path(name)
    place.chmod(0o644)
    place.write_bytes(b"damaged")


def test_a_listing_is_fetched_once_and_counted(objects: Objects) -> None:
    assert objects.listing(TREE.hash) == TREE
    assert objects.listing(TREE.hash) == TREE
    assert (objects.fetched.objects, objects.fetched.bytes) == (1, len(TREE.render()))
    assert objects.listing(Hash(f"{NOBODY}.dir")) is None


def test_a_listing_broken_in_the_cache_is_fetched_anew(objects: Objects, remotes: dict[str, Remote]) -> None:
    objects.listing(TREE.hash)
    damage(objects, TREE.hash)
    again = Objects(Cache(objects.cache.root), remotes.get, 2)
    assert not again.at_hand(TREE.hash)
    assert again.listing(TREE.hash) == TREE


def test_a_listing_broken_in_the_remote_is_an_error(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "main" / TREE.hash.key).write_bytes(b"[]")
    with pytest.raises(Corrupt):
        objects.listing(TREE.hash)
    assert not objects.cache.has(TREE.hash)


def test_a_directory_is_at_hand_when_the_last_of_its_files_is(objects: Objects) -> None:
    assert not objects.at_hand(TREE.hash)
    objects.listing(TREE.hash)
    assert not objects.at_hand(TREE.hash)
    assert objects.fetch([(OUT, TREE.hash)]).failed == ()
    assert objects.at_hand(TREE.hash)


def test_what_is_absent_is_asked_of_the_remote_that_keeps_it(objects: Objects) -> None:
    elsewhere = Hash(hash_bytes(b"elsewhere"))
    absent = objects.absent([(OUT, TREE.hash), (OUT, FILE), (ELSEWHERE, elsewhere), (OUT, NOBODY)])
    y = Hash(hash_bytes(b"y"))
    assert {home: set(names) for home, names in absent.items()} == {"": {FILE, y, NOBODY}, "other": {elsewhere}}
    assert dict(objects.sizes(absent)) == {FILE: 1, y: 1, elsewhere: 9}
    moved = objects.fetch([(OUT, FILE), (ELSEWHERE, elsewhere), (OUT, NOBODY)])
    assert [failure.name for failure in moved.failed] == [NOBODY.key]
    assert objects.cache.has(FILE)
    assert objects.cache.has(elsewhere)


@pytest.mark.parametrize("outs", [(OUT, ELSEWHERE), (ELSEWHERE, OUT)])
def test_what_outs_share_that_are_kept_apart_is_had_from_whichever_remote_has_it(
    outs: tuple[Out, Out], objects: Objects
) -> None:
    elsewhere = Hash(hash_bytes(b"elsewhere"))
    wanted = [(out, name) for out in outs for name in (elsewhere, FILE, NOBODY)]
    assert dict(objects.sizes(objects.absent(wanted))) == {elsewhere: 9, FILE: 1}
    moved = objects.fetch(wanted)
    assert {failure.name for failure in moved.failed} == {NOBODY.key}
    assert (moved.objects, moved.bytes) == (2, 10)


def test_an_empty_directory_whose_listing_is_here_is_asked_of_nobody(tmp_path: Path) -> None:
    empty = Tree.of(())
    objects = Objects(Cache(tmp_path / "cache"), no_remote, 1)
    objects.cache.take_listing(empty)
    assert objects.listing(empty.hash) == empty
    assert objects.absent([(OUT, empty.hash)]) == {}


def no_remote(name: str) -> None:
    raise AssertionError(name)


def test_a_file_is_read_from_where_it_is(objects: Objects) -> None:
    assert objects.read(OUT, FILE) == b"x"
    assert objects.read(ELSEWHERE, Hash(hash_bytes(b"elsewhere"))) == b"elsewhere"
    assert objects.read(OUT, NOBODY) is None


def test_a_file_broken_in_the_cache_is_fetched_anew(objects: Objects, tmp_path: Path) -> None:
    objects.read(OUT, FILE)
    damage(objects, FILE)
    assert objects.read(OUT, FILE) == b"x"
    damage(objects, FILE)
    (tmp_path / "main" / FILE.key).unlink()
    assert objects.read(OUT, FILE) is None


def test_without_a_remote_only_the_cache_counts(tmp_path: Path) -> None:
    objects = Objects(Cache(tmp_path / "cache"), lambda _: None, 1)
    assert objects.listing(TREE.hash) is None
    assert objects.read(OUT, FILE) is None
    assert not objects.sizes({"": Names.of([FILE])})
    assert [failure.name for failure in objects.fetch([(OUT, FILE)]).failed] == [FILE.key]
    with pytest.raises(RemoteError, match="no remote is configured"):
        objects.push([(OUT, FILE)])


class Silent:
    """A remote that does not answer."""

    url = "silent://"

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        raise Unavailable(str(list(names)))

    def get(self, name: str, _sink: Sink) -> None:
        raise Unavailable(name)

    def put(self, name: str, _source: Source, _report: object = None) -> None:
        raise Unavailable(name)

    def names(self, prefix: str) -> Iterator[str]:
        raise Unavailable(prefix)


def test_a_remote_that_does_not_answer_is_not_taken_for_one_that_lacks_the_object(tmp_path: Path) -> None:
    objects = Objects(Cache(tmp_path / "cache"), lambda _: Silent(), 1)
    with pytest.raises(Unavailable):
        objects.listing(TREE.hash)
    with pytest.raises(Unavailable):
        objects.read(OUT, FILE)
    with pytest.raises(Unavailable):
        objects.sizes({"": Names.of([FILE])})


def test_a_listing_is_asked_of_the_remote_that_its_out_is_kept_in(tmp_path: Path) -> None:
    tree = Tree.of([("a", "0cc175b9c0f1b6a831c399e269772661")])
    elsewhere = Directory(tmp_path / "elsewhere")
    listing = tmp_path / "listing"
    listing.write_bytes(tree.render())
    elsewhere.put(tree.hash.key, listing)
    remotes: dict[str, Remote] = {"": Directory(tmp_path / "default"), "elsewhere": elsewhere}
    assert Objects(Cache(tmp_path / "one"), remotes.get, 1).listing(tree.hash) is None
    assert Objects(Cache(tmp_path / "two"), remotes.get, 1, {tree.hash: "elsewhere"}).listing(tree.hash) == tree
