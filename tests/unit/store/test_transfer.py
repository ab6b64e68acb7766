"""Transfer: afterwards everything is there, or named with a reason."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Corrupt, Denied, ObjectMissing, RemoteError, Unavailable
from runner.hashes import LEGACY, Hash, Tree, hash_bytes
from runner.store import disk, transfer
from runner.store.cache import Cache
from runner.store.crew import each
from runner.store.directory import Directory
from runner.store.meter import Meter, unheard
from runner.store.moved import Failure, Moved

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from runner.store.incoming import Arrival
    from runner.store.meter import Report, Work
    from runner.store.protocols import Sink, Source

FAULTS: dict[str, type[RemoteError]] = {"denied": Denied, "unavailable": Unavailable, "odd": RemoteError}


class InMemory:
    """A remote in memory that refuses what it is told to, by name."""

    url = "memory://"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refused: dict[str, str] = {}
        self.order: list[str] = []

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        return {name: len(self.objects[name]) for name in names if name in self.objects}

    def get(self, name: str, sink: Sink) -> None:
        self._refuse(name)
        if name not in self.objects:
            raise ObjectMissing(name)
        for byte in self.objects[name]:
            sink.write(bytes([byte]))

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        self._refuse(name)
        report(disk.size_of(source))
        self.order.append(name)
        self.objects[name] = disk.content_of(source)

    def names(self, prefix: str) -> Iterator[str]:
        return (name for name in self.objects if name.startswith(prefix))

    def _refuse(self, name: str) -> None:
        if name in self.refused:
            raise FAULTS[self.refused[name]](name)


def name_of(content: bytes) -> Hash:
    return Hash(hash_bytes(content))


def store(cache: Cache, name: Hash, content: bytes) -> Hash:
    with cache.write(name) as sink:
        sink.write(content)
    return name


def directory(*contents: bytes) -> Tree:
    return Tree.of((f"file {number}", hash_bytes(content)) for number, content in enumerate(contents))


def damage(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"damaged")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def remote() -> InMemory:
    return InMemory()


def test_a_pushed_directory_is_fetched_whole(cache: Cache, tmp_path: Path) -> None:
    contents = [b"one", b"two", b"", b"one"]
    tree = directory(*contents)
    for content in contents:
        store(cache, name_of(content), content)
    store(cache, tree.hash, tree.render())
    remote = Directory(tmp_path / "remote")
    sent = transfer.push(remote, cache, [tree.hash, name_of(b"one")], 4)
    assert (sent.objects, sent.bytes, sent.failed) == (4, 6 + len(tree.render()), ())
    assert transfer.push(remote, cache, [tree.hash], 4).objects == 0
    other = Cache(tmp_path / "other")
    got = transfer.fetch(remote, other, [tree.hash], 4)
    assert (got.objects, got.bytes, got.failed) == (4, sent.bytes, ())
    assert other.tree(tree.hash) == tree
    assert transfer.fetch(remote, other, [tree.hash], 4).objects == 0


def test_only_what_is_asked_for_is_fetched(cache: Cache, remote: InMemory) -> None:
    for content in (b"wanted", b"unwanted"):
        remote.objects[name_of(content).key] = content
    assert transfer.fetch(remote, cache, [name_of(b"wanted")], 4).objects == 1
    assert not cache.has(name_of(b"unwanted"))


def test_a_file_that_the_remote_lost_is_sent_again_though_the_listing_is_there(cache: Cache, remote: InMemory) -> None:
    tree = directory(b"one", b"two")
    store(cache, tree.hash, tree.render())
    for content in (b"one", b"two"):
        store(cache, name_of(content), content)
    transfer.push(remote, cache, [tree.hash], 4)
    del remote.objects[name_of(b"one").key]
    assert transfer.push(remote, cache, [tree.hash], 4).objects == 1
    assert remote.objects[name_of(b"one").key] == b"one"


def test_an_object_of_another_size_in_the_remote_is_replaced(cache: Cache, remote: InMemory) -> None:
    name = store(cache, name_of(b"the content"), b"the content")
    remote.objects[name.key] = b"the con"
    assert transfer.push(remote, cache, [name], 4).failed == ()
    assert remote.objects[name.key] == b"the content"


def test_a_damaged_object_is_never_sent(cache: Cache, remote: InMemory) -> None:
    good, bad = (store(cache, name_of(content), content) for content in (b"good", b"bad"))
    damage(cache.path(bad))
    moved = transfer.push(remote, cache, [good, bad], 4)
    assert [(failure.name, type(failure.error)) for failure in moved.failed] == [(bad.key, Corrupt)]
    assert set(remote.objects) == {good.key}


def test_what_only_the_remote_has_need_not_be_sent(cache: Cache, remote: InMemory) -> None:
    tree = directory(b"one", b"two")
    remote.objects = {name_of(content).key: content for content in (b"one", b"two")}
    remote.objects[tree.hash.key] = tree.render()
    assert transfer.push(remote, cache, [tree.hash, name_of(b"one")], 4).failed == ()
    assert remote.order == []


def test_what_nobody_has_is_named(cache: Cache, remote: InMemory) -> None:
    tree = directory(b"one", b"two")
    store(cache, tree.hash, tree.render())
    store(cache, name_of(b"one"), b"one")
    moved = transfer.push(remote, cache, [tree.hash, Hash("0" * 32 + ".dir")], 4)
    reasons = {failure.name: type(failure.error) for failure in moved.failed}
    assert reasons == {
        name_of(b"two").key: ObjectMissing,
        tree.hash.key: RemoteError,
        Hash("0" * 32 + ".dir").key: ObjectMissing,
    }
    assert set(remote.objects) == {name_of(b"one").key}


def test_a_damaged_listing_in_the_cache_is_fetched_anew(cache: Cache, remote: InMemory) -> None:
    tree = directory(b"one")
    remote.objects = {name_of(b"one").key: b"one", tree.hash.key: tree.render()}
    damage(cache.path(store(cache, tree.hash, tree.render())))
    assert transfer.fetch(remote, cache, [tree.hash], 4).objects == 2
    assert cache.tree(tree.hash) == tree


def test_a_listing_that_is_none_is_named_and_the_rest_arrives(cache: Cache, remote: InMemory) -> None:
    wrong = Hash(hash_bytes(b"{}") + ".dir")
    remote.objects = {wrong.key: b"{}", name_of(b"one").key: b"one"}
    moved = transfer.fetch(remote, cache, [wrong, name_of(b"one")], 4)
    assert [(failure.name, type(failure.error)) for failure in moved.failed] == [(wrong.key, Corrupt)]
    assert cache.has(name_of(b"one"))


def test_a_legacy_directory_moves_in_the_legacy_layout(cache: Cache, remote: InMemory, tmp_path: Path) -> None:
    member = store(cache, Hash(hash_bytes(b"a\n"), LEGACY), b"a\r\n")
    tree = Tree.of([("a", member.value)])
    listing = store(cache, Hash(tree.hash.value, LEGACY), tree.render())
    assert transfer.push(remote, cache, [listing], 4).failed == ()
    assert set(remote.objects) == {f"{name.value[:2]}/{name.value[2:]}" for name in (member, listing)}
    other = Cache(tmp_path / "other")
    assert transfer.fetch(remote, other, [listing], 4).failed == ()
    assert other.read(member) == b"a\r\n"


def test_what_is_no_error_of_one_object_stops_everything(cache: Cache, remote: InMemory) -> None:
    names = [name_of(str(number).encode()) for number in range(50)]
    remote.refused = dict.fromkeys((name.key for name in names), "no such fault")
    with pytest.raises(KeyError):
        transfer.fetch(remote, cache, names, 4)
    assert not list(cache.root.rglob("*.tmp"))


def test_a_full_disk_is_not_filled_object_by_object(remote: InMemory, tmp_path: Path) -> None:
    tried: list[Hash] = []

    class Full(Cache):
        def write(self, name: Hash, report: Report = unheard) -> Arrival:  # noqa: ARG002 - as Cache has it
            tried.append(name)
            raise RemoteError(name.key)

    names = [name_of(str(number).encode()) for number in range(100)]
    moved = transfer.fetch(remote, Full(tmp_path), names, 2)
    assert len(moved.failed) == 100
    assert len(tried) < 10


def test_failures_here_and_there_do_not_stop_the_rest(cache: Cache, remote: InMemory) -> None:
    names = [name_of(str(number).encode()) for number in range(100)]
    remote.objects = {name.key: str(number).encode() for number, name in enumerate(names)}
    remote.refused = dict.fromkeys((name.key for name in names[::4]), "unavailable")
    moved = transfer.fetch(remote, cache, names, 1)
    assert (moved.objects, len(moved.failed)) == (75, 25)


def test_many_missing_objects_do_not_hide_one_that_is_there(cache: Cache, remote: InMemory) -> None:
    names = [name_of(str(number).encode()) for number in range(100)]
    remote.objects[names[-1].key] = b"99"
    moved = transfer.fetch(remote, cache, names, 2)
    assert (moved.objects, len(moved.failed)) == (1, 99)


def test_slow_requests_are_made_at_once_up_to_the_number_of_jobs(cache: Cache) -> None:
    together = threading.Barrier(4, timeout=20)

    class Slow(InMemory):
        def get(self, name: str, sink: Sink) -> None:
            together.wait()
            super().get(name, sink)

    remote = Slow()
    remote.objects = {name_of(bytes([number])).key: bytes([number]) for number in range(8)}
    moved = transfer.fetch(remote, cache, [name_of(bytes([number])) for number in range(8)], 4)
    assert (moved.objects, moved.failed) == (8, ())


def test_nothing_to_do_asks_nobody(cache: Cache, remote: InMemory) -> None:
    assert transfer.fetch(remote, cache, [], 4).objects == 0
    assert transfer.push(remote, cache, [], 4).objects == 0


def test_expanding_gives_files_before_listings_and_each_once(cache: Cache) -> None:
    tree = directory(b"one", b"two", b"one")
    store(cache, tree.hash, tree.render())
    names = transfer.expand(cache, [tree.hash, name_of(b"two"), tree.hash])
    assert list(names) == [*sorted([name_of(b"one"), name_of(b"two")], key=str), tree.hash]
    with pytest.raises(ObjectMissing):
        transfer.expand(cache, [Hash("0" * 32 + ".dir")])


def test_transfers_add_up() -> None:
    failure = Failure("a", RemoteError("why"))
    assert Moved(1, 10, 0.5, ()) + Moved(2, 5, 0.25, (failure,)) == Moved(3, 15, 0.75, (failure,))


PRESENCE = st.sampled_from(["cache", "remote", "both", "nowhere", "broken in the cache", "broken in the remote"])
OBJECTS = st.lists(st.tuples(PRESENCE, st.sampled_from(["", "", "", *FAULTS])), min_size=1, max_size=12)


def lay_out(tmp_path: Path, objects: list[tuple[str, str]]) -> tuple[Cache, InMemory, Tree]:
    """Put objects where they are said to be; the listing of all of them is in both places."""
    cache, remote = Cache(tmp_path / "cache"), InMemory()
    contents = [f"object {number}".encode() for number in range(len(objects))]
    for content, (presence, fault) in zip(contents, objects, strict=True):
        name = name_of(content)
        if presence in {"cache", "both", "broken in the cache"}:
            store(cache, name, content)
        if presence == "broken in the cache":
            damage(cache.path(name))
        if presence in {"remote", "both"}:
            remote.objects[name.key] = content
        if presence == "broken in the remote":
            remote.objects[name.key] = b"damaged"
        if fault:
            remote.refused[name.key] = fault
    tree = directory(*contents)
    store(cache, tree.hash, tree.render())
    remote.objects[tree.hash.key] = tree.render()
    return cache, remote, tree


@given(objects=OBJECTS, jobs=st.integers(1, 4))
def test_after_a_fetch_everything_is_there_or_named(
    tmp_path_factory: pytest.TempPathFactory, objects: list[tuple[str, str]], jobs: int
) -> None:
    cache, remote, tree = lay_out(tmp_path_factory.mktemp("fetch"), objects)
    had = {name for name in tree.names if cache.has(name)}
    moved = transfer.fetch(remote, cache, [tree.hash], jobs)
    failed = {failure.name for failure in moved.failed}
    for name in set(tree.names) - had:
        assert cache.has(name) != (name.key in failed)
        if cache.has(name):
            assert hash_bytes(cache.read(name)) == name.value
    assert len(failed) == len(moved.failed)
    assert moved.objects == len(set(tree.names) - had) - len(failed)


@given(objects=OBJECTS, jobs=st.integers(1, 4))
def test_after_a_push_everything_is_there_and_right_or_named(
    tmp_path_factory: pytest.TempPathFactory, objects: list[tuple[str, str]], jobs: int
) -> None:
    cache, remote, tree = lay_out(tmp_path_factory.mktemp("push"), objects)
    had = dict(remote.objects)
    moved = transfer.push(remote, cache, [tree.hash], jobs)
    failed = {failure.name for failure in moved.failed}
    for name in tree.names:
        if name.key not in failed:
            assert name.key in remote.objects
        if remote.objects.get(name.key) != had.get(name.key):
            assert hash_bytes(remote.objects[name.key]) == name.value


class Looking(Meter):
    """Notes what is watched, and what is counted at the end of it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int, int]] = []
        self.bytes: list[int] = []

    @contextlib.contextmanager
    def _looking(self, work: Work) -> Iterator[None]:
        if work.objects:
            self.bytes.append(work.bytes())
        yield
        self.seen.append((work.doing, work.objects, *work.done()))

    def watch(self, work: Work, /) -> AbstractContextManager[None]:
        return self._looking(work)


@pytest.mark.parametrize("names", [[b"one"], [b"one", b"three", b"fifteen"]])
def test_whoever_watches_a_transfer_counts_each_byte_once_while_it_goes_over_and_when_it_is_done(
    names: list[bytes], tmp_path: Path
) -> None:
    remote, meter = InMemory(), Looking()
    hashes = [Hash(hash_bytes(name)) for name in names]
    remote.objects = {name.key: content for name, content in zip(hashes, names, strict=True)}
    cache = Cache(tmp_path / "cache", meter=meter)
    transfer.fetch(remote, cache, hashes, 2)
    transfer.push(InMemory(), cache, hashes, 2)
    size = sum(map(len, names))
    whole = [seen for seen in meter.seen if seen[1]]
    assert whole == [("fetch", len(names), len(names), size), ("push", len(names), len(names), size)]


def test_bytes_count_while_the_object_is_still_under_way() -> None:
    seen: list[tuple[int, int]] = []

    class Now(Meter):
        def watch(self, work: Work, /) -> AbstractContextManager[object]:
            self.work = work
            return contextlib.nullcontext()

    def work(_name: Hash, report: Report) -> int:
        report(7)
        seen.append(meter.work.done())
        report(-2)
        seen.append(meter.work.done())
        return 5

    meter = Now()
    each(work, [Hash("a" * 32)], 1, meter, "fetch")
    assert [*seen, meter.work.done()] == [(0, 7), (0, 5), (1, 5)]


def test_what_is_to_go_over_is_known_in_bytes_before_it_does(tmp_path: Path) -> None:
    contents = [b"a" * 1000, b"b" * 20, b"c" * 300]
    names = [Hash(hash_bytes(content)) for content in contents]
    tree = Tree.of((name.value, name.value) for name in names)
    remote, meter = InMemory(), Looking()
    remote.objects = {name.key: content for name, content in zip(names, contents, strict=True)}
    remote.objects[tree.hash.key] = b"".join(tree.rendered())
    cache = Cache(tmp_path / "cache", meter=meter)
    transfer.fetch(remote, cache, names[1:2], 1)
    transfer.fetch(remote, cache, [tree.hash], 1, size=1320)
    assert meter.bytes == [0, 0, 1300]  # of one nobody said it; of a listing neither; of its files one is here
    transfer.push(InMemory(), cache, [tree.hash], 1)
    assert meter.bytes[3] == 1320
