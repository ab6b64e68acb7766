"""What happens to a transfer when the server or the network misbehaves (reliability.md N1 to N12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import Corrupt, Denied, ObjectMissing, RemoteError, Unavailable
from runner.hashes import Hash, Tree, hash_bytes
from runner.store import transfer
from runner.store.cache import Cache
from runner.store.remote import Retrying

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.faulty import FaultyS3

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 400
NAME = Hash(hash_bytes(CONTENT))


def fill(server: FaultyS3, contents: list[bytes]) -> list[Hash]:
    names = [Hash(hash_bytes(content)) for content in contents]
    server.objects.update(zip((name.key for name in names), contents, strict=True))
    return names


def numbered(count: int) -> list[bytes]:
    return [f"object {number}".encode() for number in range(count)]


def quickly(server: FaultyS3, budget: float = 10, **options: object) -> Retrying:
    return Retrying(server.remote(**options), budget=budget, sleep=lambda _: None)


@pytest.mark.parametrize(
    ("faults", "retries"),
    [
        (["503", "503", "503"], 3),
        (["500"], 1),
        (["429"], 1),
        (["cut"], 1),
        (["cut", "503", "cut"], 3),
        (["400:RequestTimeout"], 1),
    ],
)
def test_what_passes_is_tried_again(faulty_s3: FaultyS3, tmp_path: Path, faults: list[str], retries: int) -> None:
    fill(faulty_s3, [CONTENT])
    faulty_s3.faults = list(faults)
    remote = quickly(faulty_s3)
    cache = Cache(tmp_path)
    moved = transfer.fetch(remote, cache, [NAME], 4)
    assert (moved.objects, moved.bytes, moved.failed) == (1, len(CONTENT), ())
    assert remote.retries == retries
    assert cache.read(NAME) == CONTENT


@pytest.mark.parametrize("fault", ["503", "cut", "500"])
def test_what_does_not_pass_is_given_up_inside_the_budget(faulty_s3: FaultyS3, tmp_path: Path, fault: str) -> None:
    fill(faulty_s3, [CONTENT])
    faulty_s3.always = fault
    cache = Cache(tmp_path)
    moved = transfer.fetch(quickly(faulty_s3, budget=0.3), cache, [NAME], 4)
    assert [(failure.name, type(failure.error)) for failure in moved.failed] == [(NAME.key, Unavailable)]
    assert moved.objects == 0
    assert moved.seconds < 5
    assert not list(tmp_path.rglob("*.tmp"))
    assert not cache.has(NAME)


def test_the_request_id_of_an_overloaded_storage_is_told(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    faulty_s3.always = "503"
    with pytest.raises(Unavailable, match="request id R1"), Cache(tmp_path).write(NAME) as sink:
        faulty_s3.remote().get(NAME.key, sink)


@pytest.mark.parametrize("fault", ["silent", "stall"])
def test_a_server_that_stops_answering_is_given_up(faulty_s3: FaultyS3, tmp_path: Path, fault: str) -> None:
    fill(faulty_s3, [CONTENT])
    faulty_s3.always = fault
    remote = quickly(faulty_s3, budget=0.2, read_timeout=0.2)
    moved = transfer.fetch(remote, Cache(tmp_path), [NAME], 4)
    assert [type(failure.error) for failure in moved.failed] == [Unavailable]
    assert moved.seconds < 5


@pytest.mark.parametrize("fault", ["short", "wrong"])
def test_wrong_bytes_with_a_right_looking_length_are_fetched_once_more(
    faulty_s3: FaultyS3, tmp_path: Path, fault: str
) -> None:
    fill(faulty_s3, [CONTENT])
    faulty_s3.faults = [fault]
    cache = Cache(tmp_path)
    assert transfer.fetch(quickly(faulty_s3), cache, [NAME], 4).failed == ()
    assert cache.read(NAME) == CONTENT
    assert faulty_s3.count("GET") == 2


@pytest.mark.parametrize("fault", ["short", "wrong"])
def test_wrong_bytes_twice_are_reported_and_the_others_still_arrive(
    faulty_s3: FaultyS3, tmp_path: Path, fault: str
) -> None:
    names = fill(faulty_s3, numbered(20))
    faulty_s3.objects[names[3].key] = b"not what its name says"
    cache = Cache(tmp_path)
    moved = transfer.fetch(quickly(faulty_s3), cache, names, 4)
    assert [(failure.name, type(failure.error)) for failure in moved.failed] == [(names[3].key, Corrupt)]
    assert list(cache.missing(names)) == [names[3]]
    assert moved.objects == 19
    faulty_s3.always = fault
    moved = transfer.fetch(quickly(faulty_s3), Cache(tmp_path / "other"), names[:2], 4)
    assert [type(failure.error) for failure in moved.failed] == [Corrupt, Corrupt]


def test_a_refusal_is_never_tried_again_and_names_the_permission(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    fill(faulty_s3, [CONTENT])
    faulty_s3.always = "403"
    remote = quickly(faulty_s3)
    moved = transfer.fetch(remote, Cache(tmp_path), [NAME], 4)
    assert [type(failure.error) for failure in moved.failed] == [Denied]
    assert "s3:GetObject" in moved.failed[0].error.hint
    assert remote.retries == 0
    assert faulty_s3.count("GET") == 1


def test_expired_credentials_are_said_to_have_expired(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    faulty_s3.always = "400:ExpiredToken"
    with pytest.raises(Denied, match="expired"), Cache(tmp_path).write(NAME) as sink:
        faulty_s3.remote().get(NAME.key, sink)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("403:SomethingNew", Denied),
        ("401:SomethingNew", Denied),
        ("400:SomethingNew", RemoteError),
        ("409:OperationAborted", Unavailable),
        ("599:SomethingNew", Unavailable),
        ("301:PermanentRedirect", RemoteError),
        ("404:NoSuchBucket", RemoteError),
        ("404:NoSuchKey", ObjectMissing),
    ],
)
def test_an_answer_is_sorted_by_what_helps(
    faulty_s3: FaultyS3, tmp_path: Path, answer: str, kind: type[RemoteError]
) -> None:
    faulty_s3.faults = [answer] * 2  # to boto3 too, where obstore leaves it to that
    with pytest.raises(RemoteError) as raised, Cache(tmp_path).write(NAME) as sink:
        faulty_s3.remote().get(NAME.key, sink)
    assert type(raised.value) is kind


@pytest.mark.parametrize("code", ["ExpiredToken", "TokenRefreshRequired", "InvalidToken"])
def test_credentials_that_expire_on_the_way_are_said_to_have(faulty_s3: FaultyS3, tmp_path: Path, code: str) -> None:
    names = fill(faulty_s3, numbered(5))
    faulty_s3.faults = ["", "", f"403:{code}"]
    remote = quickly(faulty_s3)
    moved = transfer.fetch(remote, Cache(tmp_path), names, 1)
    assert moved.objects == 4
    assert [type(failure.error) for failure in moved.failed] == [Denied]
    assert "have expired" in moved.failed[0].error.hint
    assert remote.retries == 0


def test_a_refusal_without_a_reason_may_be_of_credentials_or_of_the_clock(faulty_s3: FaultyS3) -> None:
    faulty_s3.always = "403"
    with pytest.raises(Denied) as raised:
        faulty_s3.remote().exists([NAME.key])
    assert all(cause in raised.value.hint for cause in ("are wrong", "have expired", "clock"))


def test_a_refused_listing_of_everything_says_so(faulty_s3: FaultyS3) -> None:
    faulty_s3.may_list = False
    with pytest.raises(Denied, match="ListObjectsV2 of everything in"):
        list(faulty_s3.remote().names(""))


def test_a_wrong_clock_is_said_to_be_wrong(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    faulty_s3.always = "403:RequestTimeTooSkewed"
    with pytest.raises(Denied, match="clock"), Cache(tmp_path).write(NAME) as sink:
        faulty_s3.remote().get(NAME.key, sink)


def test_a_remote_that_refuses_everything_is_not_asked_for_everything(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    names = fill(faulty_s3, numbered(500))
    faulty_s3.always = "403"
    moved = transfer.fetch(quickly(faulty_s3), Cache(tmp_path), names, 4)
    assert len(moved.failed) == 500
    assert {type(failure.error) for failure in moved.failed} == {Denied}
    assert faulty_s3.count("GET") < 20
    assert sum("not tried" in failure.error.message for failure in moved.failed) > 480


def test_missing_objects_do_not_stop_the_others(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    names = fill(faulty_s3, numbered(50))
    gone = names[:10]
    for name in gone:
        del faulty_s3.objects[name.key]
    moved = transfer.fetch(quickly(faulty_s3), Cache(tmp_path), names, 4)
    assert {failure.name for failure in moved.failed} == {name.key for name in gone}
    assert {type(failure.error) for failure in moved.failed} == {ObjectMissing}
    assert moved.objects == 40


def test_absence_is_not_told_where_it_cannot_be(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    faulty_s3.may_list = False
    with pytest.raises(Denied, match="s3:ListBucket"):
        faulty_s3.remote().exists([NAME.key])
    moved = transfer.fetch(quickly(faulty_s3), Cache(tmp_path), [NAME], 4)
    assert [type(failure.error) for failure in moved.failed] == [Denied]


def test_presence_is_told_without_the_right_to_list(faulty_s3: FaultyS3) -> None:
    names = fill(faulty_s3, numbered(30))
    faulty_s3.may_list = False
    sizes = faulty_s3.remote().exists([name.key for name in names])
    assert sizes == {name: len(content) for name, content in faulty_s3.objects.items()}


@pytest.mark.parametrize(
    ("held", "asked", "lists", "heads"),
    [
        (500, 3, 0, 3),
        (500, 4, 1, 0),
        (500, 500, 1, 0),
        (30_000, 5, 1, 5),
        (30_000, 3_000, 49, 0),
    ],
)
def test_presence_is_asked_in_few_requests(faulty_s3: FaultyS3, held: int, asked: int, lists: int, heads: int) -> None:
    names = fill(faulty_s3, numbered(held))
    absent = [Hash(hash_bytes(b"absent"))] if asked > 3 else []
    wanted = sorted(name.key for name in names)[: -asked - 1 : -1]
    sizes = faulty_s3.remote().exists([*wanted, *(name.key for name in absent)])
    assert sizes == {name: len(faulty_s3.objects[name]) for name in wanted}
    assert faulty_s3.count("LIST") <= lists
    assert faulty_s3.count("HEAD") <= heads + len(absent)


def test_what_the_first_page_tells_is_not_asked_again(faulty_s3: FaultyS3) -> None:
    names = fill(faulty_s3, numbered(3000))
    first = sorted(name.key for name in names)[:20]
    assert len(faulty_s3.remote().exists(first)) == 20
    assert [method for method, _ in faulty_s3.requests] == ["LIST"]


def test_presence_is_told_where_listings_have_no_order(faulty_s3: FaultyS3) -> None:
    names = fill(faulty_s3, numbered(40))
    faulty_s3.in_order, faulty_s3.page = False, 10
    sizes = faulty_s3.remote().exists([name.key for name in names])
    assert sizes == {name: len(content) for name, content in faulty_s3.objects.items()}


def test_a_listing_that_leaves_out_what_nobody_needs_is_read(faulty_s3: FaultyS3) -> None:
    names = fill(faulty_s3, numbered(30))
    faulty_s3.dated = False
    sizes = faulty_s3.remote().exists([name.key for name in names])
    assert sizes == {name: len(content) for name, content in faulty_s3.objects.items()}


def test_a_retried_listing_gives_each_name_once(faulty_s3: FaultyS3) -> None:
    names = fill(faulty_s3, numbered(30))
    faulty_s3.page = 7
    assert sorted(quickly(faulty_s3).names("files/")) == sorted(name.key for name in names)


def test_a_directory_is_not_announced_before_all_its_files_are_there(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    cache, tree = directory(tmp_path, numbered(10))
    faulty_s3.faults = [""] * 3 + ["400:InvalidArgument"] * 2  # with the condition, and without
    moved = transfer.push(quickly(faulty_s3), cache, [tree.hash], 1)
    assert len(moved.failed) == 2
    assert {type(failure.error) for failure in moved.failed} == {RemoteError}
    assert tree.hash.key not in faulty_s3.objects
    assert "1 files of that directory are not in the remote" in str(moved.failed[-1].error)
    assert transfer.push(quickly(faulty_s3), cache, [tree.hash], 4).failed == ()
    assert tree.hash.key in faulty_s3.objects


def test_files_go_before_their_listing(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    cache, tree = directory(tmp_path, numbered(10))
    assert transfer.push(quickly(faulty_s3), cache, [tree.hash], 4).objects == 11
    puts = [path for method, path in faulty_s3.requests if method == "PUT"]
    assert puts[-1].endswith(tree.hash.value[2:])


def test_what_was_sent_and_is_not_there_is_a_failure(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    cache, tree = directory(tmp_path, numbered(3))
    faulty_s3.always = "lost"
    moved = transfer.push(quickly(faulty_s3), cache, [Hash(md5) for _, md5 in tree], 4)
    assert len(moved.failed) == 3
    assert {type(failure.error) for failure in moved.failed} == {Unavailable}
    assert "is not there" in str(moved.failed[0].error)


def directory(tmp_path: Path, contents: list[bytes]) -> tuple[Cache, Tree]:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / f"{number:03}").write_bytes(content)
    tree = Tree.of((f"{number:03}", hash_bytes(content)) for number, content in enumerate(contents))
    cache = Cache(tmp_path / "cache")
    cache.add(folder, tree.hash, tree)
    return cache, tree
