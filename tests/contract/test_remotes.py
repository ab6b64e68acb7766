"""What every remote does, bare and wrapped: one suite, and no remote is done before it passes."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError, Corrupt, Denied, ObjectMissing, RemoteError, Unavailable, Unlistable
from runner.hashes import Hash, hash_bytes
from runner.store.cache import Cache
from runner.store.directory import Directory
from runner.store.gs import GS
from runner.store.http import HTTP
from runner.store.meter import unheard
from runner.store.protocols import Changed, Ranged, creating
from runner.store.remote import Remote, Retrying, open_remote
from runner.store.s3 import S3
from tests.support import rgw
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support import azure, gs, nginx, sshd
    from tests.support.s3 import Server

AZURITE = pytest.param("azurite", marks=pytest.mark.slow)
SSHD = pytest.param("sshd", marks=pytest.mark.slow)
UNCONDITIONAL = pytest.mark.skipif(rgw.ASKED, reason="Ceph's gateway replaces what was sent in parts")
PLACES = ("directory", "moto", "rclone", "nginx", "gs", AZURITE, SSHD)
ODD = (
    "runs/ab/with space/ü and 漢字",
    "runs/ab/plus+percent%41&and=?#hash",
    "runs/ab/-leading dash",
    "runs/ab/quote'\"<>`$HOME",
    "runs/ab/" + "long" * 50,
)
_fresh = itertools.count()


@pytest.fixture(params=[*PLACES, "boto3"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    if request.param == "directory":
        return Directory(tmp_path / "remote")
    if request.param == "boto3":
        moto: Server = request.getfixturevalue("moto")
        return moto.boto3_only(f"place-{next(_fresh)}/below")
    server: Server | nginx.Server | gs.Server | azure.Server | sshd.Server = request.getfixturevalue(request.param)
    return server.remote(f"place-{next(_fresh)}/below")


@pytest.fixture(params=["bare", "retrying"])
def remote(request: pytest.FixtureRequest, bare: Remote) -> Remote:
    return bare if request.param == "bare" else Retrying(bare, budget=5)


@pytest.fixture
def names(request: pytest.FixtureRequest, remote: Remote) -> Callable[[str], list[str]]:
    """List a remote; of one that cannot, what lies on its server's disk."""

    def listed(prefix: str) -> list[str]:
        try:
            return sorted(remote.names(prefix))
        except Unlistable:
            server: nginx.Server = request.getfixturevalue("nginx")
            stored = server.stored(remote.url.removeprefix(server.url).strip("/"))
            return [name for name in stored if name.startswith(prefix)]

    return listed


@pytest.fixture
def put(remote: Remote, tmp_path: Path) -> Callable[[str, bytes], None]:
    def put_bytes(name: str, content: bytes) -> None:
        source = tmp_path / f"source-{next(_fresh)}"
        source.write_bytes(content)
        remote.put(name, source)

    return put_bytes


def content_of(remote: Remote, name: str) -> bytes:
    sink = Collected()
    remote.get(name, sink)
    return bytes(sink.content)


def name_of(content: bytes) -> Hash:
    return Hash(hash_bytes(content))


def test_what_was_put_is_got_back_whole(remote: Remote, put: Callable[[str, bytes], None]) -> None:
    content = os.urandom(300_000)
    put("files/md5/ab/cdef", content)
    assert content_of(remote, "files/md5/ab/cdef") == content
    assert remote.exists(["files/md5/ab/cdef"]) == {"files/md5/ab/cdef": 300_000}


def test_an_empty_object_is_an_object(remote: Remote, put: Callable[[str, bytes], None]) -> None:
    put("files/md5/d4/empty", b"")
    assert remote.exists(["files/md5/d4/empty"]) == {"files/md5/d4/empty": 0}
    assert content_of(remote, "files/md5/d4/empty") == b""


@pytest.mark.slow
def test_an_object_of_more_than_one_part_is_got_back_whole(remote: Remote, put: Callable[[str, bytes], None]) -> None:
    content = os.urandom(1 << 20) * 17
    put("files/md5/aa/large", content)
    assert hash_bytes(content_of(remote, "files/md5/aa/large")) == hash_bytes(content)


def test_putting_again_replaces_the_whole_object(remote: Remote, put: Callable[[str, bytes], None]) -> None:
    put("files/md5/ab/cdef", b"the first, which was longer")
    put("files/md5/ab/cdef", b"the second")
    assert content_of(remote, "files/md5/ab/cdef") == b"the second"


@pytest.mark.parametrize("content", [b"", b"some bytes"], ids=["none", "some"])
def test_bytes_are_stored_as_a_file_of_them_is(remote: Remote, content: bytes) -> None:
    remote.put("files/md5/ab/put", content)
    creating(remote)("files/md5/ab/created", content, unheard)
    with Retrying(remote, budget=5).together() as put:
        put("files/md5/ab/together", content, unheard)
    names = [f"files/md5/ab/{how}" for how in ("put", "created", "together")]
    assert [content_of(remote, name) for name in names] == [content] * 3
    assert remote.exists(names) == dict.fromkeys(names, len(content))


def test_creating_stores_what_is_not_there_and_mends_what_is_not_whole(
    remote: Remote, put: Callable[[str, bytes], None], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"the content")
    creating(remote)("files/md5/ab/new", source, unheard)
    assert content_of(remote, "files/md5/ab/new") == b"the content"
    put("files/md5/ab/part", b"the con")
    creating(remote)("files/md5/ab/part", source, unheard)
    assert content_of(remote, "files/md5/ab/part") == b"the content"


# Not in a directory, here or on another machine: objects come by a rename. Not where the server knows no condition:
# rclone, nginx, the emulator of Google's storage (see test_gs_parts.py).
@pytest.mark.parametrize("bare", ["moto", "boto3", AZURITE], indirect=True)
@pytest.mark.parametrize("size", [100, pytest.param(17 << 20, marks=[pytest.mark.slow, UNCONDITIONAL])])
def test_creating_leaves_alone_what_is_there(
    remote: Remote, put: Callable[[str, bytes], None], names: Callable[[str], list[str]], tmp_path: Path, size: int
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"b" * size)
    put("files/md5/ab/there", b"a" * size)
    creating(remote)("files/md5/ab/there", source, unheard)
    assert hash_bytes(content_of(remote, "files/md5/ab/there")) == hash_bytes(b"a" * size)
    assert names("") == ["files/md5/ab/there"]


# Not on a directory, which is read as it is; the emulator of Google's storage pins no version (see test_gs_parts.py).
@pytest.mark.parametrize("bare", ["moto", "boto3", "rclone", "nginx", AZURITE, SSHD], indirect=True)
def test_a_part_is_of_the_version_that_was_begun(bare: Remote, tmp_path: Path) -> None:
    source = tmp_path / "source"
    content = os.urandom(2 << 20)
    source.write_bytes(content)
    bare.put("files/md5/ab/large", source)
    assert isinstance(bare, Ranged)
    version, chunks = bare.begin("files/md5/ab/large")
    chunks.close()
    assert version.size == len(content)
    assert b"".join(bare.read("files/md5/ab/large", version, 1_000_000, 1_000_007)) == content[1_000_000:1_000_007]
    assert b"".join(bare.read("files/md5/ab/large", version, 2_000_000, len(content))) == content[2_000_000:]
    source.write_bytes(content[::-1] + b"longer")
    bare.put("files/md5/ab/large", source)
    with pytest.raises(Changed):
        b"".join(bare.read("files/md5/ab/large", version, 5, 10))


def test_a_missing_object_is_said_to_be_missing_by_name(remote: Remote, put: Callable[[str, bytes], None]) -> None:
    put("files/md5/ab/cdef", b"something")
    with pytest.raises(ObjectMissing, match=r"files/md5/ab/none is not in .*"):
        content_of(remote, "files/md5/ab/none")
    assert remote.exists(["files/md5/ab/none"]) == {}


def test_an_empty_remote_holds_nothing(remote: Remote, names: Callable[[str], list[str]]) -> None:
    assert remote.exists(["files/md5/ab/cdef"]) == {}
    assert names("") == []
    with pytest.raises(ObjectMissing):
        content_of(remote, "files/md5/ab/cdef")


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_kept_as_they_are(
    remote: Remote, put: Callable[[str, bytes], None], names: Callable[[str], list[str]], name: str
) -> None:
    put(name, name.encode())
    assert content_of(remote, name) == name.encode()
    assert remote.exists([name]) == {name: len(name.encode())}
    assert names("runs/") == [name]


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "", "a//b", "a/./b", "a/", "nul\0byte"])
def test_a_name_that_could_leave_the_remote_is_refused(remote: Remote, tmp_path: Path, name: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    calls: list[Callable[[], object]] = [
        lambda: remote.put(name, source),
        lambda: remote.get(name, Collected()),
        lambda: remote.exists([name]),
    ]
    for call in calls:
        with pytest.raises(RemoteError, match="is not the name of an object"):
            call()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


# Not on nginx: plain HTTP cannot list.
@pytest.mark.parametrize("bare", ["directory", "moto", "rclone", "gs", AZURITE, SSHD], indirect=True)
def test_a_prefix_need_not_be_a_folder(remote: Remote, put: Callable[[str, bytes], None]) -> None:
    for name in ("files/md5/ab/c1", "files/md5/ab/c2", "files/md5/ab/d", "files/md5/ac/c1", "runs/ab/c"):
        put(name, b"x")
    assert sorted(remote.names("files/md5/ab/c")) == ["files/md5/ab/c1", "files/md5/ab/c2"]
    assert sorted(remote.names("files/md5/a")) == [
        "files/md5/ab/c1",
        "files/md5/ab/c2",
        "files/md5/ab/d",
        "files/md5/ac/c1",
    ]
    assert list(remote.names("files/md5/ab/cx")) == []
    assert len(list(remote.names(""))) == 5


# Not on rclone: under load it turns both writers away, and removes the object when it does.
@pytest.mark.parametrize("bare", ["directory", "moto", "nginx", "gs", AZURITE, SSHD], indirect=True)
def test_two_writers_of_one_object_leave_it_whole(
    remote: Remote, names: Callable[[str], list[str]], tmp_path: Path
) -> None:
    sources = []
    for letter in b"ab":
        source = tmp_path / f"writer-{letter}"
        source.write_bytes(bytes([letter]) * 2_000_000)
        sources.append(source)
    start = threading.Barrier(2)

    def write(source: Path) -> None:
        start.wait()
        for _ in range(3):
            with contextlib.suppress(Unavailable):  # a server may turn one of two away, never mix them
                remote.put("files/md5/ab/cdef", source)

    threads = [threading.Thread(target=write, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert content_of(remote, "files/md5/ab/cdef") in {source.read_bytes() for source in sources}
    assert names("") == ["files/md5/ab/cdef"]


def test_a_source_that_is_gone_leaves_nothing_behind(
    remote: Remote, names: Callable[[str], list[str]], tmp_path: Path
) -> None:
    with pytest.raises((RemoteError, FileNotFoundError)):
        remote.put("files/md5/ab/cdef", tmp_path / "nothing here")
    assert names("") == []


@pytest.mark.parametrize("broken", [b"", b"the conten", b"the content and more", b"The content"], ids=repr)
def test_wrong_bytes_never_get_their_final_name(
    remote: Remote, put: Callable[[str, bytes], None], tmp_path: Path, broken: bytes
) -> None:
    name = name_of(b"the content")
    put(name.key, broken)
    cache = Cache(tmp_path / "cache")
    with pytest.raises(Corrupt, match=name.key), cache.write(name) as sink:
        remote.get(name.key, sink)
    assert not cache.has(name)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_right_bytes_get_their_final_name(remote: Remote, put: Callable[[str, bytes], None], tmp_path: Path) -> None:
    name = name_of(b"the content")
    put(name.key, b"the content")
    cache = Cache(tmp_path / "cache")
    with cache.write(name) as sink:
        remote.get(name.key, sink)
        assert not cache.has(name)
    assert cache.read(name) == b"the content"
    assert stat.S_IMODE(cache.path(name).stat().st_mode) == 0o444


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Remote], dict[str, int]]]:
    """Fill a remote with 1,001 objects, once for each remote: more than a page of a listing."""
    filled: dict[str, dict[str, int]] = {}
    sources = tmp_path_factory.mktemp("sources")

    def fill(remote: Remote) -> dict[str, int]:
        if remote.url not in filled:
            # Google's emulator has no pages, and takes longer for each object the more there are.
            count = 100 if isinstance(remote, GS) else 1001
            filled[remote.url] = {Hash(hash_bytes(str(number).encode())).key: number % 7 for number in range(count)}
            patient = Retrying(remote)  # rclone trips over its own folders now and then
            with ThreadPoolExecutor(8) as threads:
                list(threads.map(lambda pair: patient.put(pair[0], sources / str(pair[1])), filled[remote.url].items()))
        return filled[remote.url]

    for size in range(7):
        (sources / str(size)).write_bytes(bytes(size))
    yield fill
    filled.clear()


@pytest.fixture(params=PLACES)
def populous(
    request: pytest.FixtureRequest, tmp_path: Path, crowded: Callable[[Remote], dict[str, int]]
) -> tuple[Remote, dict[str, int]]:
    if request.param == "directory":
        remote: Remote = Directory(tmp_path / "crowded")
    else:
        remote = request.getfixturevalue(request.param).remote(f"crowded-{request.param}")
    return remote, crowded(remote)


@pytest.mark.slow
def test_more_names_than_a_page_are_listed_and_asked_for(populous: tuple[Remote, dict[str, int]]) -> None:
    remote, expected = populous
    if not isinstance(remote, HTTP):
        first = sorted(name for name in expected if name.startswith("files/md5/0"))
        assert sorted(remote.names("")) == sorted(expected)
        assert sorted(Retrying(remote).names("files/md5/0")) == first
    absent = [Hash(hash_bytes(f"absent {number}".encode())).key for number in range(50)]
    assert remote.exists([*expected, *absent]) == expected
    some = dict(itertools.islice(expected.items(), 20))
    assert remote.exists([*some, *absent]) == some


def test_wrong_credentials_are_a_refusal_and_not_an_absence(rclone: Server, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    options = rclone.options | {"secret_access_key": "wrong"}
    remote = open_remote("s3://bucket/denied", options, environ={})
    calls: list[Callable[[], object]] = [
        lambda: remote.put("files/md5/ab/c", source),
        lambda: remote.get("files/md5/ab/c", Collected()),
        lambda: remote.exists(["files/md5/ab/c"]),
        lambda: remote.exists([f"files/md5/ab/{number}" for number in range(10)]),
        lambda: list(remote.names("")),
    ]
    for call in calls:
        with pytest.raises(Denied):
            call()
    assert isinstance(remote, Retrying)
    assert remote.retries == 0


def test_no_such_bucket_is_said_in_those_words(moto: Server, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    remote = open_remote("s3://not-there/x", moto.options, environ={})
    with pytest.raises(RemoteError, match="there is no such bucket"):
        remote.put("files/md5/ab/c", source)
    with pytest.raises(RemoteError, match="there is no such bucket"):
        list(remote.names(""))


def test_credentials_and_endpoint_come_from_the_given_environment(rclone: Server, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    environ = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ENDPOINT_URL": rclone.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    remote = open_remote("s3://bucket/environ", {}, environ=environ)
    remote.put("files/md5/ab/c", source)
    assert content_of(remote, "files/md5/ab/c") == b"content"
    wrong = open_remote("s3://bucket/environ", {}, environ=environ | {"AWS_SECRET_ACCESS_KEY": "wrong"})
    with pytest.raises(Denied):
        content_of(wrong, "files/md5/ab/c")


def test_credentials_come_from_a_profile_of_the_shared_file(rclone: Server, tmp_path: Path) -> None:
    shared = tmp_path / "credentials"
    shared.write_text("[team]\naws_access_key_id = testing\naws_secret_access_key = testing\n")
    options = {"profile": "team", "credentialpath": str(shared), "endpointurl": rclone.endpoint, "region": "us-east-1"}
    environ = {"AWS_ACCESS_KEY_ID": "other", "AWS_SECRET_ACCESS_KEY": "other"}
    remote = open_remote("s3://bucket/profile", options, environ=environ)
    assert remote.exists(["files/md5/ab/c"]) == {}


def test_an_anonymous_remote_sends_no_credentials(rclone: Server, moto: Server, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    with pytest.raises(RemoteError):
        rclone.remote("x", allow_anonymous_login=True).put("files/md5/ab/c", source)
    moto.remote("public", acl="public-read").put("files/md5/ab/c", source)
    anonymous = moto.remote("public", allow_anonymous_login=True)
    assert content_of(anonymous, "files/md5/ab/c") == b"content"


def test_an_unreachable_host_is_unavailable_within_the_budget() -> None:
    options = {"endpointurl": "http://127.0.0.1:9", "access_key_id": "k", "secret_access_key": "s", "region": "r"}
    waits: list[float] = []
    remote = Retrying(S3.open("s3://bucket", options, {}), budget=1, sleep=waits.append)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        remote.get("files/md5/ab/c", Collected())
    assert waits


def removing(bare: Remote) -> Retrying | None:
    """Give the remote as garbage collection sees it; `None`, after a look at how it refuses, where it cannot remove."""
    remote = Retrying(bare, budget=5)
    if not isinstance(bare, HTTP):
        remote.remove([])
        return remote
    with pytest.raises(ConfigError, match="cannot be removed from this kind of remote"):
        remote.remove([])
    return None


def test_what_is_removed_is_gone_and_nothing_else(bare: Remote, tmp_path: Path) -> None:
    if not (remote := removing(bare)):
        return
    objects = [*(f"files/md5/{number:02x}/{number:030x}" for number in range(5)), *ODD]
    for name in objects:
        (tmp_path / "source").write_bytes(name.encode())
        remote.put(name, tmp_path / "source")
    gone = {objects[1], objects[3], ODD[0], "files/md5/ff/never there", "never/there"}
    remote.remove(sorted(gone))
    assert sorted(remote.names("")) == sorted({*objects} - gone)
    assert set(remote.exists(objects)) == {*objects} - gone


def test_when_an_object_came_is_known(bare: Remote, tmp_path: Path) -> None:
    if not (remote := removing(bare)):
        return
    (tmp_path / "source").write_bytes(b"x")
    os.utime(tmp_path / "source", (0, 0))
    remote.put("files/md5/ab/c", tmp_path / "source")
    remote.put("ab/cd", tmp_path / "source")
    came = remote.stored(["files/md5/ab/c", "ab/cd", "files/md5/ab/none"])
    assert came.keys() == {"files/md5/ab/c", "ab/cd"}
    assert all(abs(moment - time.time()) < 60 for moment in came.values())


@pytest.mark.slow
def test_more_than_a_thousand_are_removed_at_once(bare: Remote, tmp_path: Path) -> None:
    if not (remote := removing(bare)):
        return
    (tmp_path / "source").write_bytes(b"")
    names = [f"files/md5/{number:032x}" for number in range(1001)]
    for name in (names[0], names[999], names[1000]):
        remote.put(name, tmp_path / "source")
    remote.remove(names)
    assert list(remote.names("")) == []
