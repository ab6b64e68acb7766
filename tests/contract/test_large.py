"""Large objects: by ranges and in parts, going on where they broke off, never mixed of two, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from runner.errors import Corrupt, Denied, RemoteError, Unavailable
from runner.hashes import Hash, hash_bytes
from runner.store import ranges, s3_obstore, s3_parts, transfer
from runner.store.cache import Cache
from runner.store.patience import Pace
from runner.store.protocols import Changed
from runner.store.remote import Retrying
from runner.store.unfinished import Note
from tests.support import rgw, s3
from tests.support.sinks import Collected
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.faulty import FaultyS3

pytestmark = pytest.mark.slow

PART = 64 << 10
CONTENT = os.urandom(10 * PART + 7)
NAME = Hash(hash_bytes(CONTENT))


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every threshold small, so that a server in Python is quick enough to show what happens at each."""
    monkeypatch.setattr(s3_obstore, "CHUNK", PART)
    monkeypatch.setattr(ranges, "PART", PART)
    monkeypatch.setattr(ranges, "LARGE", 3 * PART)
    monkeypatch.setattr("runner.store.s3.PART", PART)
    monkeypatch.setattr(s3_parts, "PART", PART)


@pytest.fixture(params=["obstore", "boto3", "http"])
def server(request: pytest.FixtureRequest, misbehaving: FaultyS3) -> Iterator[FaultyS3]:
    """Give a server that holds the object, to remotes of each kind that reads parts."""
    misbehaving.boto3_only = request.param == "boto3"
    misbehaving.plain = request.param == "http"
    misbehaving.objects[NAME.key] = CONTENT
    yield misbehaving
    misbehaving.plain = False
    misbehaving.reset()


def quickly(server: FaultyS3, **how: object) -> Retrying:
    return Retrying(server.remote(), **({"budget": 5, "sleep": lambda _: None} | how))  # type: ignore[arg-type]  # of a test


def notes(source: Path) -> list[Path]:
    return list(source.parent.glob("*.upload.tmp"))


def partials(folder: Path) -> list[Path]:
    return list(folder.rglob("*.tmp"))


def fetched(server: FaultyS3, folder: Path, **how: object) -> Retrying:
    """Fetch the object, which has to arrive whole; give the remote."""
    remote, cache = quickly(server, **how), Cache(folder)
    moved = transfer.fetch(remote, cache, [NAME], 1)
    assert (moved.objects, moved.bytes, moved.failed) == (1, len(CONTENT), ())
    assert cache.read(NAME) == CONTENT
    assert partials(folder) == []
    return remote


def test_a_large_object_comes_in_parts_and_each_part_once(server: FaultyS3, tmp_path: Path) -> None:
    assert fetched(server, tmp_path).retries == 0
    assert server.count("GET") == 11


def test_parts_that_break_off_go_on_where_they_were(server: FaultyS3, tmp_path: Path) -> None:
    server.faults = ["", "", "cut", "503", "cut", "cut"]
    assert fetched(server, tmp_path).retries == 4
    assert server.count("GET") == 15
    assert server.sent <= 2 * len(CONTENT) + PART  # the answer that told the size went on unread


def test_a_smaller_object_that_breaks_off_goes_on_where_it_was(
    server: FaultyS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "LARGE", 4 << 20)
    content = os.urandom((1 << 20) + 5)
    name = Hash(hash_bytes(content))
    server.objects[name.key] = content
    server.faults = ["cut", "cut"]
    with Cache(tmp_path).write(name) as sink:
        quickly(server).get(name.key, sink)
    assert Cache(tmp_path).read(name) == content
    assert server.sent <= len(content) + 2  # halves of odd numbers


def test_a_server_that_sends_whole_objects_only_is_taken_at_that(server: FaultyS3, tmp_path: Path) -> None:
    server.ranges = False
    fetched(server, tmp_path)
    server.faults = ["cut"]
    fetched(server, tmp_path / "again")


def test_an_object_that_changes_is_never_mixed_of_two(server: FaultyS3) -> None:
    after = os.urandom(len(CONTENT))
    server.then = {5: after}
    sink = Collected()
    quickly(server).get(NAME.key, sink)
    assert sink.content == after
    assert sink.restarts == 1


def test_an_object_that_keeps_changing_is_given_up(server: FaultyS3) -> None:
    server.then = {number: os.urandom(len(CONTENT)) for number in range(2, 100)}
    with pytest.raises(Changed, match="overwritten"):
        quickly(server).get(NAME.key, Collected())


def test_the_next_run_goes_on_with_what_the_last_one_left(
    server: FaultyS3, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults = [""] * 6
    server.always_after = "503"
    moved = transfer.fetch(quickly(server, budget=0.1), Cache(tmp_path), [NAME], 1)
    assert [type(failure.error) for failure in moved.failed] == [Unavailable]
    assert not Cache(tmp_path).has(NAME)
    (left,) = partials(tmp_path)
    kept = left.stat().st_size // PART
    assert kept >= 3
    assert left.read_bytes() == CONTENT[: kept * PART]
    server.always_after = ""
    server.starts.clear()
    with caplog.at_level("INFO", "retrain"):
        fetched(server, tmp_path)
    assert f"going on after {kept * PART} of {len(CONTENT)} bytes" in caplog.text
    assert min(server.starts) == kept * PART


@pytest.mark.parametrize("left", [b"x" * PART, b"x" * (len(CONTENT) + 1), b""], ids=["wrong", "too long", "empty"])
def test_what_an_earlier_run_left_is_hashed_and_never_believed(server: FaultyS3, tmp_path: Path, left: bytes) -> None:
    place = Cache(tmp_path).path(NAME)
    place.parent.mkdir(parents=True)
    (place.parent / f".{place.name}.part.tmp").write_bytes(left)
    fetched(server, tmp_path)


def test_wrong_bytes_of_a_large_object_leave_nothing_to_go_on_from(server: FaultyS3, tmp_path: Path) -> None:
    server.objects[NAME.key] = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    moved = transfer.fetch(quickly(server), Cache(tmp_path), [NAME], 1)
    assert [type(failure.error) for failure in moved.failed] == [Corrupt]
    assert partials(tmp_path) == []


def test_two_that_fetch_the_same_large_object_do_not_write_into_one_file(server: FaultyS3, tmp_path: Path) -> None:
    threads = [threading.Thread(target=quickly_into, args=(server, Cache(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Cache(tmp_path).read(NAME) == CONTENT
    assert partials(tmp_path) == []


def quickly_into(server: FaultyS3, cache: Cache) -> None:
    with cache.write(NAME) as sink:
        quickly(server).get(NAME.key, sink)


@pytest.mark.parametrize("size", [1000, len(CONTENT)])
def test_a_byte_a_second_is_as_good_as_none(server: FaultyS3, size: int) -> None:
    server.objects["slow"] = CONTENT[:size]
    server.always = "loris"
    with pytest.raises(Unavailable, match=r"only \d+ bytes arrived in"):
        quickly(server, budget=0.1, pace=Pace(window=0.2, slowest=1_000_000)).get("slow", Collected())


def test_a_server_that_says_when_to_come_back_is_not_asked_before(server: FaultyS3, tmp_path: Path) -> None:
    waits: list[float] = []
    server.faults = ["wait 7", "wait 7"]
    fetched(server, tmp_path, budget=30, sleep=waits.append)
    assert waits[-1] >= 7


def test_a_server_that_wants_to_be_left_alone_for_longer_than_the_budget_is(server: FaultyS3) -> None:
    waits: list[float] = []
    server.always = "wait 600"
    with pytest.raises(Unavailable):
        quickly(server, budget=30, sleep=waits.append).get(NAME.key, Collected())
    assert sum(waits) < 30


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


def test_a_large_object_goes_in_parts(faulty_s3: FaultyS3, source: Path) -> None:
    told: list[int] = []
    quickly(faulty_s3).put("large", source, told.append)
    assert faulty_s3.objects["large"] == CONTENT
    assert faulty_s3.count("PART") == 11
    assert sum(told) == len(CONTENT)
    assert faulty_s3.uploads == {}


def test_a_part_that_fails_is_sent_again_and_no_other(faulty_s3: FaultyS3, source: Path) -> None:
    faulty_s3.faults = ["", "", "503", "500", "", "429"]
    remote = quickly(faulty_s3)
    remote.put("large", source)
    assert faulty_s3.objects["large"] == CONTENT
    assert remote.retries == 3
    assert faulty_s3.count("PART") == 14
    assert faulty_s3.count("BEGIN") == 1


def test_an_upload_that_cannot_come_right_leaves_no_parts_behind(faulty_s3: FaultyS3, source: Path) -> None:
    faulty_s3.faults = [""] * 4
    faulty_s3.always_after = "400:InvalidPart"
    with pytest.raises(RemoteError):
        quickly(faulty_s3, budget=0.1).put("large", source)
    assert "large" not in faulty_s3.objects
    assert faulty_s3.count("ABORT") == 1
    assert notes(source) == []


@pytest.mark.parametrize(("fault", "kind"), [("503", Unavailable), ("403", Denied)])
def test_what_breaks_an_upload_off_leaves_it_to_the_next_run(
    faulty_s3: FaultyS3, source: Path, fault: str, kind: type[RemoteError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_parts.S3Upload, "at_once", 1)
    faulty_s3.faults = [""] * 6
    faulty_s3.always_after = fault
    with pytest.raises(kind):
        quickly(faulty_s3, budget=0.1).put("large", source)
    assert "large" not in faulty_s3.objects
    (note,) = notes(source)
    assert note.stat().st_mode & 0o777 == 0o600  # Google's are as good as a key
    faulty_s3.always_after = ""
    faulty_s3.requests.clear()
    told: list[int] = []
    quickly(faulty_s3).put("large", source, told.append)
    assert faulty_s3.objects["large"] == CONTENT
    assert faulty_s3.count("PART") == 11 - 5
    assert sum(told) == len(CONTENT)
    assert notes(source) == []


def begun(server: FaultyS3, source: Path) -> dict[int, bytes]:
    """Have an earlier run send all parts but not end; give them as the server has them."""
    server.faults = [""] * 12
    server.always_after = "503"
    with pytest.raises(Unavailable):
        quickly(server, budget=0.1).put("large", source)
    server.always_after = ""
    server.requests.clear()
    ((_, parts),) = server.uploads.values()
    assert len(parts) == 11
    return parts


def test_parts_whose_tags_say_nothing_are_sent_anew(faulty_s3: FaultyS3, source: Path) -> None:
    faulty_s3.opaque = True
    begun(faulty_s3, source)
    quickly(faulty_s3).put("large", source)
    assert faulty_s3.objects["large"] == CONTENT
    assert faulty_s3.count("PART") == 11


def test_an_upload_that_is_refused_in_the_end_is_begun_anew_once(faulty_s3: FaultyS3, source: Path) -> None:
    begun(faulty_s3, source)
    faulty_s3.faults = ["", "400:InvalidPart"]
    told: list[int] = []
    quickly(faulty_s3).put("large", source, told.append)
    assert faulty_s3.objects["large"] == CONTENT
    assert (faulty_s3.count("ABORT"), faulty_s3.count("BEGIN"), faulty_s3.count("PART")) == (1, 1, 11)
    assert sum(told) == len(CONTENT)


def test_an_upload_that_somebody_still_makes_is_left_to_them(faulty_s3: FaultyS3, source: Path) -> None:
    begun(faulty_s3, source)
    (note,) = notes(source)
    with Note(source, "s3://bucket/large") as theirs:
        assert [theirs.earlier] == [note.read_text()] == list(faulty_s3.uploads)
        quickly(faulty_s3).put("large", source)
        assert faulty_s3.count("BEGIN") == 1
        assert list(faulty_s3.uploads) == [theirs.earlier]
        theirs.write(theirs.earlier)
    assert [note.read_text()] == list(faulty_s3.uploads)


def test_where_no_note_can_be_left_no_parts_are(faulty_s3: FaultyS3, source: Path) -> None:
    noted = Note(source, "s3://bucket/large")
    with noted:
        assert noted.earlier == ""
        faulty_s3.faults = [""] * 4
        faulty_s3.always_after = "503"
        with pytest.raises(Unavailable):
            quickly(faulty_s3, budget=0.1).put("large", source)  # of two at once the note is the first one's
    assert faulty_s3.count("ABORT") == 1
    assert notes(source) == []


def test_an_end_whose_answer_was_lost_is_an_end(faulty_s3: FaultyS3, source: Path) -> None:
    faulty_s3.faults = [""] * 12 + ["unheard"]
    quickly(faulty_s3).put("large", source)
    assert faulty_s3.objects["large"] == CONTENT
    assert faulty_s3.count("TIE") == 2


@pytest.mark.parametrize("size", [100, len(CONTENT)])
def test_what_is_there_already_is_not_replaced(faulty_s3: FaultyS3, source: Path, size: int) -> None:
    source.write_bytes(CONTENT[:size])
    faulty_s3.objects["there"] = b"x" * size
    quickly(faulty_s3).create("there", source)
    assert faulty_s3.objects["there"] == b"x" * size
    assert faulty_s3.uploads == {}
    quickly(faulty_s3).put("there", source)
    assert faulty_s3.objects["there"] == CONTENT[:size]


@pytest.mark.parametrize("size", [100, len(CONTENT)])
def test_what_is_there_in_another_size_is_replaced(faulty_s3: FaultyS3, source: Path, size: int) -> None:
    source.write_bytes(CONTENT[:size])
    faulty_s3.objects["there"] = b"a part of it"
    quickly(faulty_s3).create("there", source)
    assert faulty_s3.objects["there"] == CONTENT[:size]


@pytest.mark.parametrize("size", [100, len(CONTENT)])
@pytest.mark.parametrize("knows", ["501", "400", "ignores"])
def test_a_server_that_knows_no_condition_is_asked_without_it(
    faulty_s3: FaultyS3, source: Path, size: int, knows: str
) -> None:
    source.write_bytes(CONTENT[:size])
    faulty_s3.knows = knows
    remote = quickly(faulty_s3)
    remote.create("one", source)
    before = faulty_s3.count("PUT") + faulty_s3.count("TIE")
    remote.create("two", source)
    assert faulty_s3.count("PUT") + faulty_s3.count("TIE") == before + 1
    assert faulty_s3.objects["one"] == faulty_s3.objects["two"] == CONTENT[:size]
    assert remote.retries == 0


def test_an_answer_that_was_lost_is_found_to_have_stored(faulty_s3: FaultyS3, source: Path) -> None:
    source.write_bytes(b"small")
    faulty_s3.faults = ["unheard"]
    remote = quickly(faulty_s3)
    remote.create("small", source)
    assert faulty_s3.objects["small"] == b"small"
    assert remote.retries == 1


def test_a_conflict_with_another_writer_is_tried_again(faulty_s3: FaultyS3, source: Path) -> None:
    source.write_bytes(b"small")
    faulty_s3.faults = ["409:ConditionalRequestConflict"]
    quickly(faulty_s3).create("small", source)
    assert faulty_s3.objects["small"] == b"small"


@pytest.mark.parametrize("size", [1, 1 << 20, 160 << 30, 5 << 40])
def test_no_object_has_more_parts_than_s3_takes(size: int) -> None:
    part = s3_parts.part_size(size)
    assert part * 10_000 >= size
    assert part % (1 << 10) == 0


_FETCH = """
import sys
from pathlib import Path
from runner.hashes import Hash
from runner.store import ranges, s3_obstore, transfer
from runner.store.cache import Cache
from runner.store.remote import open_remote
s3_obstore.CHUNK = ranges.PART = 65536
ranges.LARGE = 3 * 65536
remote = open_remote("s3://bucket", {options!r}, environ={{}})
moved = transfer.fetch(remote, Cache(Path({folder!r})), [Hash({name!r})], 4)
print(*(failure.error for failure in moved.failed), remote.retries, moved.objects)
print([path.name for path in Path({folder!r}).rglob("*") if path.is_file()])
"""


def test_a_full_disk_is_said_once_and_not_filled_any_longer(
    faulty_s3: FaultyS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unshare = require("unshare", "a small disk of its own")
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    content = os.urandom(4 << 20)
    name = Hash(hash_bytes(content))
    faulty_s3.objects[name.key] = content
    program = tmp_path / "program.py"
    program.write_text(_FETCH.format(options=faulty_s3.options, folder=str(tmp_path / "disk"), name=name.value))
    (tmp_path / "disk").mkdir()
    mounted = f"mount -t tmpfs -o size=1m none {tmp_path}/disk && exec {sys.executable} {program}"
    ran = subprocess.run(
        [unshare, "--mount", "--map-root-user", "sh", "-c", mounted], capture_output=True, text=True, check=False
    )
    if "ermitted" in ran.stderr or "denied" in ran.stderr:
        pytest.skip("mounts are not allowed here")
    said, _, left = ran.stdout.partition("\n[")
    assert "No space left on device" in said
    assert "make room" in said
    assert said.endswith(" 0 0")
    assert left == "]\n"


def test_few_open_files_are_enough(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    content = os.urandom(2 << 20)
    name = Hash(hash_bytes(content))
    faulty_s3.objects[name.key] = content
    program = tmp_path / "program.py"
    program.write_text(_FETCH.format(options=faulty_s3.options, folder=str(tmp_path / "cache"), name=name.value))
    prlimit = require("prlimit", "a limit of open files")
    ran = subprocess.run([prlimit, "--nofile=64", sys.executable, program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[0] == "0 1"


def test_a_killed_program_leaves_bytes_that_the_next_one_goes_on_from(faulty_s3: FaultyS3, tmp_path: Path) -> None:
    faulty_s3.objects[NAME.key] = CONTENT
    cache = Cache(tmp_path / "cache")
    faulty_s3.faults = [""] * 6
    faulty_s3.always_after = "silent"
    program = _FETCH.format(options=faulty_s3.options, folder=str(tmp_path / "cache"), name=NAME.value)
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        for _ in range(1000):
            if any(left.stat().st_size >= 3 * PART for left in partials(tmp_path)):
                break
            time.sleep(0.02)
        process.kill()
    (left,) = partials(tmp_path)
    kept = left.stat().st_size // PART
    faulty_s3.always_after = ""
    faulty_s3.starts.clear()
    assert transfer.fetch(quickly(faulty_s3), cache, [NAME], 1).failed == ()
    assert cache.read(NAME) == CONTENT
    assert min(faulty_s3.starts) == kept * PART
    assert partials(tmp_path) == []


def test_uploads_that_were_abandoned_are_removed_and_nobody_elses(
    moto: s3.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(key: str) -> str:
        moto.client.create_multipart_upload(Bucket=s3.BUCKET, Key=key)
        return key

    old = begin(f"swept/{NAME.key}")
    others = {begin("swept/somebody/elses"), begin(f"not/{NAME.key}")}

    def left() -> set[str]:
        found = moto.client.list_multipart_uploads(Bucket=s3.BUCKET).get("Uploads", [])
        return {upload["Key"] for upload in found}

    with monkeypatch.context() as patient:
        patient.setattr(s3_parts, "_ABANDONED", timedelta(days=36_500))  # to moto every upload is of 2010
        s3_parts.sweep(moto.client, s3.BUCKET, "swept/")
    assert left() == others | {old}
    if rgw.ASKED:  # there it is as old as it is
        monkeypatch.setattr(s3_parts, "_ABANDONED", timedelta(hours=-1))
    s3_parts.sweep(moto.client, s3.BUCKET, "swept/")
    assert left() == others


@pytest.mark.parametrize("size", [100, len(CONTENT)])
def test_a_broken_object_of_the_cache_never_lands(faulty_s3: FaultyS3, tmp_path: Path, size: int) -> None:
    cache = Cache(tmp_path / "cache")
    name = Hash(hash_bytes(CONTENT[:size]))
    place = cache.path(name)
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT[: size - 1] + bytes([CONTENT[size - 1] ^ 1]))
    moved = transfer.push(quickly(faulty_s3), cache, [name], 1)
    assert [type(failure.error) for failure in moved.failed] == [Corrupt]
    assert faulty_s3.objects == {}
    assert faulty_s3.count("PUT") + faulty_s3.count("BEGIN") == 0


def test_a_file_that_changes_while_it_is_sent_never_lands(faulty_s3: FaultyS3, source: Path) -> None:
    def change(_sent: int) -> None:
        with source.open("r+b") as file:
            file.write(CONTENT[::-1])

    with pytest.raises(Corrupt, match="changed while it was sent"):
        quickly(faulty_s3).put("large", source, change)
    assert faulty_s3.objects == {}
    assert faulty_s3.uploads == {}
