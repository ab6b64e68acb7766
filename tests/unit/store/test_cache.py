"""The cache: nothing wrong gets a name, nothing good is lost."""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401 - nobody may not load it where this Python is root's own
import contextlib
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError, Corrupt, ObjectMissing, RemoteError, Unavailable
from runner.hashes import LEGACY, Hash, Tree, hash_bytes
from runner.store import transfer
from runner.store.cache import Cache
from runner.store.digest import Dos2Unix
from runner.store.directory import Directory
from runner.store.links import Cloner
from runner.store.state import RACY_NS, SMALL, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.store.incoming import Incoming

FILES = {"a": b"one", "b.txt": b"two\r\n", "sub/c": b"", "sub/deep/d": b"three" * 50_000, "sub/same as a": b"one"}
LINKS = [("copy",), ("reflink", "copy"), ("hardlink",), ("symlink",), ("reflink", "hardlink", "copy")]


def name_of(content: bytes) -> Hash:
    return Hash(hash_bytes(content))


def tree_of(files: Mapping[str, bytes]) -> Tree:
    return Tree.of((relpath, hash_bytes(content)) for relpath, content in files.items())


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for relpath, content in files.items():
        (folder / relpath).parent.mkdir(parents=True, exist_ok=True)
        (folder / relpath).write_bytes(content)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def stray(folder: Path) -> list[Path]:
    return list(folder.rglob("*.tmp"))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def filled(cache: Cache, tmp_path: Path) -> Cache:
    cache.add(write(tmp_path / "source", FILES), tree_of(FILES).hash, tree_of(FILES))
    return cache


def damage(cache: Cache, name: Hash, content: bytes = b"other bytes") -> None:
    cache.path(name).chmod(0o644)
    cache.path(name).write_bytes(content)
    cache.path(name).chmod(0o444)


def test_an_added_file_is_a_read_only_object_in_the_layout_of_dvc(cache: Cache, tmp_path: Path) -> None:
    source = write(tmp_path, {"model": b"weights"}) / "model"
    source.chmod(0o755)
    cache.add(source, name_of(b"weights"))
    value = name_of(b"weights").value
    place = tmp_path / "cache" / "files" / "md5" / value[:2] / value[2:]
    assert place.read_bytes() == b"weights"
    assert mode(place) == 0o444
    assert cache.has(name_of(b"weights"))
    assert cache.path(name_of(b"weights")) == place
    assert mode(source) == 0o755
    assert not stray(tmp_path)


def test_an_added_directory_is_its_files_and_its_listing(filled: Cache) -> None:
    name = tree_of(FILES).hash
    assert filled.read(name) == tree_of(FILES).render()
    assert filled.tree(name) == tree_of(FILES)
    assert filled.tree(name) is filled.tree(name)
    assert {filled.read(name_of(content)) for content in FILES.values()} == set(FILES.values())
    assert {mode(path) for path in filled.root.rglob("*") if path.is_file()} == {0o444}


def test_modes_of_objects_do_not_depend_on_the_umask(cache: Cache, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        cache.add(write(tmp_path / "source", FILES), tree_of(FILES).hash, tree_of(FILES))
        with cache.write(name_of(b"x")) as sink:
            sink.write(b"x")
        cache.checkout(tree_of(FILES).hash, tmp_path / "out")
    finally:
        os.umask(before)
    assert {mode(path) for path in cache.root.rglob("*") if path.is_file()} == {0o444}
    assert {mode(path) for path in cache.root.rglob("*") if path.is_dir()} == {0o700}
    assert mode(tmp_path / "out" / "a") == 0o600


@pytest.mark.parametrize("types", LINKS)
def test_a_file_put_in_place_again_leaves_nothing_beside_it(types: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"content")
    cache, name = Cache(tmp_path / "cache", types), name_of(b"content")
    cache.add(tmp_path / "source", name)
    for _ in range(2):
        cache.checkout(name, tmp_path / "place" / "out")
    assert [path.name for path in (tmp_path / "place").iterdir()] == ["out"]


def test_what_another_users_run_left_of_an_object_keeps_nobody_from_bringing_it() -> None:
    content = b"content" * 9
    name = name_of(content)
    with tempfile.TemporaryDirectory() as folder:  # which others may come to, unlike pytest's
        cache = Cache(Path(folder))
        place = cache.path(name)
        place.parent.mkdir(parents=True)
        for path in (place.parent, *place.parent.parents[:3]):
            path.chmod(0o777)
        partial = place.with_name(f".{place.name}.part.tmp")
        partial.write_bytes(content[:9])
        partial.chmod(0)
        with somebody_else(), cache.write(name) as sink:
            assert sink.resume() == 0
            sink.write(content)
        assert cache.read(name) == content


@contextlib.contextmanager
def somebody_else() -> Iterator[None]:
    """Have root, whom no mode keeps from a file, be nobody for a while."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("types", [("copy",), ("reflink", "copy")])
@pytest.mark.parametrize("content", [b"changed", b"x" + FILES["sub/deep/d"][1:]], ids=["small", "large"])
def test_a_file_that_changed_since_it_was_hashed_is_not_added(
    tmp_path: Path, content: bytes, types: tuple[str, ...]
) -> None:
    cache = Cache(tmp_path / "cache", types)
    source = write(tmp_path / "source", FILES)
    (source / "sub" / "deep" / "d").write_bytes(content)
    with pytest.raises(Corrupt, match="changed while it was being added"):
        cache.add(source, tree_of(FILES).hash, tree_of(FILES))
    assert not cache.has(tree_of(FILES).hash)
    assert not stray(tmp_path)
    (source / "sub" / "deep" / "d").unlink()
    with pytest.raises(Corrupt, match="changed while it was being added"):
        cache.add(source, tree_of(FILES).hash, tree_of(FILES))


def test_a_file_system_that_cannot_share_blocks_is_asked_once(tmp_path: Path) -> None:
    write(tmp_path, {"source": b"one"})
    cloner = Cloner(("reflink", "copy"))
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("wb") as target:
        shared = cloner.clone(source.fileno(), target.fileno())
        assert cloner.may == shared
        if not shared:
            assert not cloner.clone(-1, -1)  # no files: the system would refuse them otherwise
    assert (tmp_path / "target").read_bytes() == (b"one" if shared else b"")
    assert not Cloner(("hardlink", "copy")).may


def test_a_good_object_is_not_written_again_and_a_broken_one_is_replaced(filled: Cache, tmp_path: Path) -> None:
    kept, broken = filled.path(name_of(b"two\r\n")), filled.path(name_of(b"one"))
    inode = kept.stat().st_ino
    damage(filled, name_of(b"one"))
    filled.add(tmp_path / "source", tree_of(FILES).hash, tree_of(FILES))
    assert kept.stat().st_ino == inode
    assert broken.read_bytes() == b"one"
    assert [path.read_bytes() for path in (filled.root / "quarantine").iterdir()] == [b"other bytes"]


@pytest.mark.parametrize("content", [b"", b"other bytes", b"thre", b"onE"])
def test_a_broken_object_is_told_put_aside_and_missing_from_then_on(filled: Cache, content: bytes) -> None:
    name = name_of(b"one")
    damage(filled, name, content)
    with pytest.raises(Corrupt, match=name.value):
        filled.read(name)
    assert not filled.has(name)
    with pytest.raises(ObjectMissing):
        filled.read(name)
    assert [path.read_bytes() for path in (filled.root / "quarantine").iterdir()] == [content]


def test_a_large_broken_object_is_found_too(cache: Cache, tmp_path: Path) -> None:
    content = os.urandom(200_000)
    cache.add(write(tmp_path, {"large": content}) / "large", name_of(content))
    assert cache.verify(name_of(content)) == cache.path(name_of(content))
    damage(cache, name_of(content), content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(Corrupt):
        cache.verify(name_of(content))


@pytest.mark.parametrize("way", ["added", "fetched"])
@pytest.mark.parametrize("types", LINKS)
def test_a_large_object_is_hashed_once_a_process_unless_it_changes(
    tmp_path: Path, types: tuple[str, ...], way: str
) -> None:
    cache, content = Cache(tmp_path / "cache", types), os.urandom(200_000)
    name = name_of(content)
    if way == "added":
        cache.add(write(tmp_path, {"large": content}) / "large", name)
    else:
        with cache.write(name) as sink:
            sink.write(content)
    assert cache.is_known(name, cache.place(name))
    cache.checkout(name, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == content
    with State() as another:
        assert another.known(cache.place(name)) == ""
    time.sleep(0.02)  # in the same tick of the file system's clock it could not be noticed without being read
    damage(cache, name, content[:-1] + bytes([content[-1] ^ 1]))
    assert not cache.is_known(name, cache.place(name))
    with pytest.raises(Corrupt):
        cache.checkout(name, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_checkout_learns_what_it_hashed_and_a_wrong_answer_costs_a_hash(tmp_path: Path) -> None:
    content, database = os.urandom(200_000), tmp_path / "state.db"
    name = name_of(content)
    Cache(tmp_path / "cache").add(write(tmp_path, {"large": content}) / "large", name)
    place = str(tmp_path / "cache" / name.key)
    for number in range(3):
        with State(database, lambda: time.time_ns() + 2 * RACY_NS) as state:
            assert state.known(place) == ("", name.value, "0" * 32)[number]
            Cache(tmp_path / "cache", ("copy",), state).checkout(name, tmp_path / f"out{number}")
        assert (tmp_path / f"out{number}").read_bytes() == content
        if number:
            with contextlib.closing(sqlite3.connect(database)) as connection, connection:
                connection.execute("UPDATE hashed SET md5 = ?", ("0" * 32,))


@pytest.mark.parametrize("rule", [0, 1], ids=["DVC 3", "DVC 2"])
def test_a_large_object_of_before_dvc_3_is_put_in_place_by_either_rule(tmp_path: Path, rule: int) -> None:
    content = os.urandom(1 << 20) + b"line\r\n" * 30_000
    digest = Dos2Unix()
    digest.update(content)
    assert len(set(digest.hexdigests())) == 2
    name = Hash(digest.hexdigests()[rule], LEGACY)
    with Cache(tmp_path / "cache").write(name) as sink:
        sink.write(content)
    Cache(tmp_path / "cache", ("copy",)).checkout(name, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == content


@pytest.mark.parametrize("content", [b"not json", b"{}", b"[1]", b'[{"md5": "x", "relpath": "a"}]', b"\xff"])
def test_an_object_that_is_no_listing_is_refused_as_one(cache: Cache, tmp_path: Path, content: bytes) -> None:
    name = Hash(hash_bytes(content) + ".dir")
    with cache.write(name) as sink:
        sink.write(content)
    with pytest.raises(Corrupt):
        cache.checkout(name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("relpath", ["../out", "/etc/x", "a/../../b", "", ".", "a//b", "a/", "nul\0"])
def test_a_listing_that_leaves_its_directory_is_refused(cache: Cache, tmp_path: Path, relpath: str) -> None:
    content = json.dumps([{"md5": hash_bytes(b"x"), "relpath": relpath}]).encode()
    name = Hash(hash_bytes(content) + ".dir")
    for each, said in ((name, content), (name_of(b"x"), b"x")):
        with cache.write(each) as sink:
            sink.write(said)
    with pytest.raises(Corrupt):
        cache.checkout(name, tmp_path / "below" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_what_arrives_gets_its_name_only_when_it_is_whole_and_right(cache: Cache) -> None:
    name = name_of(b"the content")
    with cache.write(name) as sink:
        sink.write(b"rubbish of a first try")
        sink.restart()
        sink.write(b"the ")
        assert not cache.has(name)
        sink.write(b"content")
    assert cache.read(name) == b"the content"
    with pytest.raises(Corrupt, match=r"4 bytes"), cache.write(name_of(b"x")) as sink:
        sink.write(b"wron")
    assert not cache.has(name_of(b"x"))
    with contextlib.suppress(KeyError), cache.write(name_of(b"x")) as sink:
        sink.write(b"x")
        raise KeyError
    assert not cache.has(name_of(b"x"))
    assert not stray(cache.root)


def test_an_object_of_which_nothing_arrives_leaves_no_file_and_an_empty_one_is_there(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with contextlib.suppress(Unavailable), cache.write(name_of(b"x")) as sink:
        raise Unavailable(str(sink.size))
    assert not list(cache.root.rglob("*"))
    with cache.write(name_of(b"")):
        pass
    assert cache.read(name_of(b"")) == b""


@pytest.mark.parametrize("types", LINKS, ids="-".join)
def test_a_checkout_puts_every_file_in_place(filled: Cache, tmp_path: Path, types: tuple[str, ...]) -> None:
    cache = Cache(filled.root, types)
    assert cache.checkout(tree_of(FILES).hash, tmp_path / "new" / "out") == len(FILES)
    assert read(tmp_path / "new" / "out") == FILES
    assert cache.checkout(name_of(b"one"), tmp_path / "single") == 1
    assert (tmp_path / "single").read_bytes() == b"one"
    assert not stray(tmp_path)


@pytest.mark.parametrize(
    ("types", "expected"),
    [(("copy",), 0o644), (("reflink", "copy"), 0o644), (("hardlink",), 0o444), (("symlink",), 0o444)],
)
def test_modes_in_the_workspace_are_those_of_dvc(
    filled: Cache, tmp_path: Path, types: tuple[str, ...], expected: int
) -> None:
    before = os.umask(0o022)
    try:
        cache = Cache(filled.root, types)
        cache.checkout(name_of(b"one"), tmp_path / "plain")
        cache.checkout(name_of(b"one"), tmp_path / "program", isexec=True)
    finally:
        os.umask(before)
    assert mode(tmp_path / "plain") == expected
    assert mode(tmp_path / "program") == 0o744
    assert mode(cache.path(name_of(b"one"))) == 0o444


def test_links_share_the_object_and_copies_do_not(filled: Cache, tmp_path: Path) -> None:
    place = filled.path(name_of(b"one"))
    for kind in ("hardlink", "symlink", "copy"):
        Cache(filled.root, (kind,)).checkout(name_of(b"one"), tmp_path / kind)
    assert (tmp_path / "hardlink").samefile(place)
    assert (tmp_path / "symlink").readlink() == place
    assert not (tmp_path / "copy").samefile(place)


@pytest.mark.parametrize("kind", ["hardlink", "symlink"])
def test_adding_with_shared_links_replaces_the_file_by_a_link(tmp_path: Path, kind: str) -> None:
    source = write(tmp_path / "source", {**FILES, "tool": b"#!"})
    (source / "tool").chmod(0o755)
    tree = tree_of(read(source))
    cache = Cache(tmp_path / "cache", (kind, "copy"))
    cache.add(source, tree.hash, tree)
    assert (source / "a").samefile(cache.path(name_of(b"one")))
    assert mode(source / "a") == 0o444
    assert not (source / "tool").samefile(cache.path(name_of(b"#!")))
    assert read(source) == {**FILES, "tool": b"#!"}
    cache.add(source, tree.hash, tree)
    assert read(source) == {**FILES, "tool": b"#!"}


def test_a_file_that_is_not_the_object_is_never_replaced_by_a_link_to_it(filled: Cache, tmp_path: Path) -> None:
    (tmp_path / "source" / "a").write_bytes(b"edited since")
    with pytest.raises(Corrupt, match="changed"):
        Cache(filled.root, ("hardlink",)).add(tmp_path / "source" / "a", name_of(b"one"))
    assert (tmp_path / "source" / "a").read_bytes() == b"edited since"


@pytest.mark.parametrize("types", LINKS, ids="-".join)
def test_a_broken_object_is_never_put_in_place(filled: Cache, tmp_path: Path, types: tuple[str, ...]) -> None:
    out = write(tmp_path / "out", {"good": b"what was there"})
    for content in (b"one", b"two\r\n"):
        damage(filled, name_of(content))
    cache = Cache(filled.root, types)
    with pytest.raises(Corrupt, match="2 objects of the directory"):
        cache.checkout(tree_of(FILES).hash, out)
    assert read(out) == {"good": b"what was there"}
    assert cache.missing([name_of(b"one"), name_of(b"two\r\n")])
    assert not stray(tmp_path)


def test_one_checkout_finds_every_broken_object_so_that_one_fetch_mends_them(filled: Cache, tmp_path: Path) -> None:
    damaged = {name_of(b"two\r\n"), name_of(b"three" * 50_000)}
    for name in damaged:
        damage(filled, name)
    with pytest.raises(Corrupt, match="2 objects of the directory"):
        filled.checkout(tree_of(FILES).hash, tmp_path / "out")
    assert set(filled.missing(name_of(content) for content in FILES.values())) == damaged


def test_a_missing_member_leaves_what_was_there(filled: Cache, tmp_path: Path) -> None:
    out = write(tmp_path / "out", FILES)
    filled.path(name_of(b"one")).unlink()
    with pytest.raises(ObjectMissing, match="1 objects of the directory"):
        filled.checkout(tree_of(FILES).hash, out)
    with pytest.raises(ObjectMissing):
        filled.checkout(name_of(b"one"), out / "a")
    assert read(out) == FILES
    assert not stray(tmp_path)


def test_a_checkout_replaces_whatever_is_there(filled: Cache, tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere", {"precious": b"kept"})
    kinds: dict[str, Callable[[Path], object]] = {
        "file": lambda path: path.write_bytes(b"old"),
        "folder": lambda path: write(path, {"old": b"old", "sub/older": b"x"}),
        "link to a folder": lambda path: path.symlink_to(elsewhere),
        "link to a file": lambda path: path.symlink_to(elsewhere / "precious"),
        "dangling link": lambda path: path.symlink_to(tmp_path / "nowhere"),
    }
    for kind, make in kinds.items():
        make(tmp_path / f"{kind}, tree")
        filled.checkout(tree_of(FILES).hash, tmp_path / f"{kind}, tree")
        assert read(tmp_path / f"{kind}, tree") == FILES
        make(tmp_path / f"{kind}, one")
        filled.checkout(name_of(b"one"), tmp_path / f"{kind}, one")
        assert (tmp_path / f"{kind}, one").read_bytes() == b"one"
        assert not (tmp_path / f"{kind}, one").is_symlink()
    assert read(elsewhere) == {"precious": b"kept"}
    assert not stray(tmp_path)


def test_an_empty_directory_is_a_directory(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    cache.add(tmp_path / "source", Tree.of(()).hash, Tree.of(()))
    assert cache.checkout(Tree.of(()).hash, tmp_path / "out") == 0
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("count", [3, 400])
def test_missing_tells_files_and_listings_apart_from_what_is_there(cache: Cache, tmp_path: Path, count: int) -> None:
    files = {str(number): str(number).encode() for number in range(count)}
    cache.add(write(tmp_path / "source", files), tree_of(files).hash, tree_of(files))
    present = [name_of(content) for content in files.values()]
    absent = {name_of(f"absent {number}".encode()) for number in range(count)} | {Hash("0" * 32 + ".dir")}
    assert set(cache.missing([*present, tree_of(files).hash, *absent])) == absent
    assert set(Cache(tmp_path / "never made").missing(present)) == set(present)


def test_legacy_objects_lie_elsewhere_and_are_hashed_as_dvc_hashed_them(cache: Cache, tmp_path: Path) -> None:
    name = Hash(hash_bytes(b"line\nline\n"), LEGACY)
    with cache.write(name) as sink:
        sink.write(b"line\r\nli")
        sink.write(b"ne\r\n")
    assert cache.path(name) == cache.root / name.value[:2] / name.value[2:]
    assert cache.read(name) == b"line\r\nline\r\n"
    listing = Hash(Tree.of([("a", name.value)]).hash.value, LEGACY)
    with cache.write(listing) as sink:
        sink.write(Tree.of([("a", name.value)]).render())
    assert cache.checkout(listing, tmp_path / "out") == 1
    assert (tmp_path / "out" / "a").read_bytes() == b"line\r\nline\r\n"
    damage(cache, name)
    with pytest.raises(Corrupt):
        cache.verify(name)


def test_a_name_of_an_unknown_kind_is_refused(cache: Cache) -> None:
    with pytest.raises(ConfigError, match="etag"), cache.write(Hash("0" * 32, "etag")):
        pass


@pytest.mark.parametrize("value", ["", "..", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 32 + ".DIR", "/" * 32])
def test_a_hash_that_is_none_never_becomes_a_path(cache: Cache, value: str) -> None:
    with pytest.raises(Corrupt):
        cache.has(Hash(value))
    with pytest.raises(Corrupt):
        cache.missing([Hash(value)])


def test_an_unknown_link_type_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'hardlnk'"):
        Cache(tmp_path, ("hardlnk",))


def test_what_the_disk_refuses_is_said_in_words(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file where the cache should be")
    source = write(tmp_path, {"model": b"weights"}) / "model"
    name = name_of(b"weights")
    calls: dict[str, Callable[[], object]] = {
        "look into": lambda: cache.add(source, name),
        "read": lambda: cache.read(name),
        "put .*out": lambda: cache.checkout(name, tmp_path / "out"),
    }
    for doing, call in calls.items():
        with pytest.raises(RemoteError, match=f"cannot {doing}.*: Not a directory"):
            call()


def test_bytes_of_unknown_name_are_named_by_what_they_are(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    name, size = cache.take(lambda incoming: incoming.write(b"abc"))
    assert (name, size) == (Hash("900150983cd24fb0d6963f7d28e17f72"), 3)
    assert cache.read(name) == b"abc"
    assert stat.S_IMODE(cache.path(name).stat().st_mode) == 0o444


def test_bytes_that_break_off_leave_nothing(tmp_path: Path) -> None:
    def breaks_off(incoming: Incoming) -> None:
        incoming.write(b"half")
        message = "the server hung up"
        raise Unavailable(message)

    with pytest.raises(Unavailable):
        Cache(tmp_path).take(breaks_off)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """Give a folder on another file system than the temporary files of tests."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    ("types", "is_link"),
    [
        (("hardlink",), False),
        (("hardlink", "symlink"), True),
        (("reflink", "hardlink", "copy"), False),
        (("reflink", "copy", "symlink"), False),
    ],
)
def test_what_links_cannot_do_between_file_systems_the_next_type_does_and_a_copy_in_the_end(
    types: tuple[str, ...],
    is_link: bool,  # noqa: FBT001 - a parameter of a test
    elsewhere: Path,
    tmp_path: Path,
) -> None:
    assert elsewhere.stat().st_dev != tmp_path.stat().st_dev
    cache = Cache(elsewhere / "cache", types)
    source = tmp_path / "data"
    source.write_bytes(b"content")
    name = Hash(hash_bytes(b"content"))
    cache.add(source, name)
    assert source.is_symlink() == is_link
    target = tmp_path / "target"
    cache.checkout(name, target)
    assert target.read_bytes() == b"content"
    assert target.is_symlink() == is_link
    if not is_link:
        target.write_bytes(b"edited, and the object is as it was")
        assert cache.path(name).read_bytes() == b"content"


@pytest.mark.parametrize("types", [("copy",), ("hardlink",), ("symlink",)])
def test_a_cache_and_its_state_restored_from_an_archive_are_hashed_before_they_are_used_or_sent(
    types: tuple[str, ...], tmp_path: Path
) -> None:
    place, database, content = tmp_path / "kept" / "cache", tmp_path / "kept" / "state.db", os.urandom(3 * SMALL)
    name = Hash(hash_bytes(content))
    with State(database, lambda: time.time_ns() + 2 * RACY_NS) as state:
        before = Cache(place, state=state)
        (tmp_path / "data").write_bytes(content)
        before.add(tmp_path / "data", name)
        then = (before.path(name).stat().st_mtime_ns - 10 * RACY_NS) // 10**9 * 10**9  # archives keep whole seconds
        os.utime(before.path(name), ns=(then, then))
        before.verify(name)
    assert database.exists()
    with before.path(name).open("r+b") as file:
        file.write(bytes([content[0] ^ 1]))
    os.utime(before.path(name), ns=(then, then))
    archive = tmp_path / "archive.tar"
    subprocess.run(["tar", "-C", tmp_path, "-cf", archive, "kept"], check=True)
    shutil.rmtree(tmp_path / "kept")
    subprocess.run(["tar", "-C", tmp_path, "-xpf", archive], check=True)
    uses: tuple[Callable[[Cache], object], ...] = (
        lambda cache: cache.checkout(name, tmp_path / "target"),
        lambda cache: transfer.send(Directory(tmp_path / "remote").put, cache, name),
        lambda cache: cache.add(tmp_path / "data", name),
    )
    for use in uses:
        shutil.rmtree(tmp_path / "kept")
        subprocess.run(["tar", "-C", tmp_path, "-xpf", archive], check=True)
        with State(database) as state:
            cache = Cache(place, types, state)
            found = cache.path(name).stat()
            assert (found.st_size, found.st_mtime_ns) == (len(content), then)
            with contextlib.suppress(Corrupt):
                use(cache)
                assert cache.path(name).read_bytes() == content
        assert not (tmp_path / "target").exists()
        assert not (tmp_path / "remote").exists()
        assert len(list((place / "quarantine").iterdir())) == 1
