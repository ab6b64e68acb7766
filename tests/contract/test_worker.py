"""Processes that move small objects beside this one: what they do is as if this one had done it, or it has a name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.errors import Corrupt, ObjectMissing, Unavailable
from runner.hashes import Hash, hash_bytes
from runner.store import crew, transfer, worker
from runner.store.cache import Cache
from runner.store.directory import Directory
from runner.store.remote import Retrying, open_remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.store.meter import Report
    from runner.store.remote import Remote
    from tests.support.faulty import FaultyS3

pytestmark = pytest.mark.slow

_MANY = 150
_PROGRAM = """
import datetime, json
with open({count!r}, "a") as file:
    file.write("x")
    number = file.tell()
soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)).isoformat()
print(json.dumps(dict(Version=1, AccessKeyId=f"key{{number}}", SecretAccessKey="s", Expiration=soon)))
"""
_FETCHING = """
import signal
from pathlib import Path
from runner.hashes import Hash
from runner.store import crew, transfer, worker
from runner.store.cache import Cache
from runner.store.remote import open_remote
crew.MANY, crew._PATIENCE, crew._Seen.is_small, crew._Seen.is_waiting = 2, 0.1, True, False
worker._room = crew.threading.Semaphore(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background ignores it
transfer.fetch(open_remote("s3://bucket", {options!r}, environ={{}}), Cache(Path({cache!r})), map(Hash, {values!r}), 8)
"""


@pytest.fixture
def server(misbehaving: FaultyS3) -> Iterator[FaultyS3]:
    misbehaving.reset()
    yield misbehaving
    misbehaving.reset()


@pytest.fixture(params=["s3", "http"])
def remote(server: FaultyS3, request: pytest.FixtureRequest) -> Remote:
    if request.param == "http":
        return open_remote(f"{server.endpoint}/bucket", {"method": "PUT"}, environ={})
    return open_remote("s3://bucket", server.options, environ={})


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Have one worker join whatever the cores and the speed; give the processes that were started, which end."""
    pids: list[int] = []

    class Noted(worker.Worker):
        def __init__(self, errand: worker.Errand) -> None:
            super().__init__(errand)
            pids.append(self._process.pid)

    monkeypatch.setattr(worker, "Worker", Noted)
    monkeypatch.setattr(worker, "_room", threading.Semaphore(1))
    monkeypatch.setattr(crew, "MANY", 2)
    monkeypatch.setattr(crew._Seen, "is_small", True)
    monkeypatch.setattr(crew._Seen, "is_waiting", False)
    yield pids
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def filled(server: FaultyS3, count: int = _MANY) -> list[Hash]:
    contents = [f"content {number}".encode() for number in range(count)]
    names = [Hash(hash_bytes(content)) for content in contents]
    server.objects.update((name.key, content) for name, content in zip(names, contents, strict=True))
    return names


def waiting(monkeypatch: pytest.MonkeyPatch, function: str, until: Callable[[], bool]) -> None:
    """Let this process wait before each object that it moves by a function of `transfer`."""
    move = getattr(transfer, function)

    def late(to: object, cache: Cache, name: Hash, report: Report) -> int:
        eventually(until)
        moved: int = move(to, cache, name, report)
        return moved

    monkeypatch.setattr(transfer, function, late)


def eventually(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    raise TimeoutError


def test_a_worker_fetches_what_this_process_does_not_come_to(
    server: FaultyS3, remote: Remote, cache: Cache, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = filled(server)
    waiting(monkeypatch, "bring", lambda: len(cache.missing(names)) == 1)
    moved = transfer.fetch(remote, cache, names, 8)
    assert (moved.objects, moved.bytes, moved.failed) == (_MANY, sum(map(len, server.objects.values())), ())
    assert [cache.read(name) for name in names] == list(server.objects.values())
    assert (len(started), server.count("GET")) == (1, _MANY)


def test_a_worker_sends_what_this_process_does_not_come_to(
    server: FaultyS3, remote: Remote, cache: Cache, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    names, contents = filled(server), dict(server.objects)
    transfer.fetch(remote, cache, names, 1)
    server.objects.clear()
    waiting(monkeypatch, "send", lambda: len(server.objects) == _MANY - 1)
    moved = transfer.push(remote, cache, names, 8)
    assert (moved.objects, moved.failed, len(started)) == (_MANY, (), 1)
    assert server.objects == contents


def test_what_a_worker_cannot_move_is_named_and_the_rest_is_moved(
    server: FaultyS3, remote: Remote, cache: Cache, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = filled(server)
    gone, broken = names[70], names[90]
    del server.objects[gone.key]
    server.objects[broken.key] = b"other bytes"
    waiting(monkeypatch, "bring", lambda: len(cache.missing(names)) == 3)
    moved = transfer.fetch(remote, cache, names, 8)
    assert {failure.name: type(failure.error) for failure in moved.failed} == {
        gone.key: ObjectMissing,
        broken.key: Corrupt,
    }
    assert f"{gone.key} is not in {remote.url}" in str([failure.error for failure in moved.failed])
    assert moved.objects == _MANY - 2
    assert set(cache.missing(names)) == {gone, broken}
    assert len(started) == 1


def test_a_worker_that_is_killed_is_named_and_the_next_fetch_goes_on(
    server: FaultyS3, remote: Remote, cache: Cache, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = filled(server)
    server.faults = [""] * 99 + ["stall"]
    killed = threading.Event()
    waiting(monkeypatch, "bring", killed.is_set)

    def kill() -> None:
        server.wait_for("GET", 100)
        os.kill(started[0], signal.SIGKILL)
        time.sleep(0.2)
        killed.set()

    threading.Thread(target=kill).start()
    with pytest.raises(Unavailable, match="a process that was to fetch objects ended with signal 9"):
        transfer.fetch(remote, cache, names, 8)
    there = set(names) - set(cache.missing(names))
    assert 0 < len(there) < _MANY
    assert all(cache.read(name) == server.objects[name.key] for name in there)
    monkeypatch.undo()
    assert transfer.fetch(remote, cache, names, 8).objects == _MANY - len(there)
    assert not cache.missing(names)


def test_without_room_for_a_worker_this_process_does_it_all(
    server: FaultyS3, remote: Remote, cache: Cache, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_room", threading.Semaphore(0))
    assert transfer.fetch(remote, cache, filled(server), 8).objects == _MANY
    assert started == []


def test_where_no_worker_can_start_this_process_says_so_and_does_it_all(
    server: FaultyS3, remote: Remote, cache: Cache, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    said: list[str] = []
    monkeypatch.setattr(crew.logger, "warning", lambda text, *words: said.append(text % words))
    names = filled(server)
    waiting(monkeypatch, "bring", lambda: bool(said))
    assert transfer.fetch(remote, cache, names, 8).objects == _MANY
    assert said == ["a process that was to fetch objects ended with exit code 1; going on without it"]
    assert len(started) == 1


def test_a_worker_counts_as_a_request_at_once(
    server: FaultyS3, remote: Remote, cache: Cache, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_room", threading.Semaphore(8))
    names = filled(server)
    waiting(monkeypatch, "bring", lambda: len(cache.missing(names)) == 1)
    assert transfer.fetch(remote, cache, names, 2).objects == _MANY
    assert len(started) == 1


def test_a_directory_and_what_no_url_opened_have_no_workers(server: FaultyS3, cache: Cache, tmp_path: Path) -> None:
    for near in (
        open_remote(str(tmp_path), {}, environ={}),
        open_remote(tmp_path.as_uri(), {}, environ={}),
        Retrying(Directory(tmp_path)),
        Directory(tmp_path),
        server.remote(),
    ):
        assert worker.start("fetch", near, cache) is None


def test_a_worker_renews_credentials_that_expire(server: FaultyS3, cache: Cache, tmp_path: Path) -> None:
    names = filled(server, 2)
    program, count, config = tmp_path / "program.py", tmp_path / "count", tmp_path / "config"
    program.write_text(_PROGRAM.format(count=str(count)))
    config.write_text(f"[profile team]\ncredential_process = {sys.executable} {program}\n")
    options = {"profile": "team", "configpath": str(config), "endpointurl": server.endpoint, "region": "us-east-1"}
    running = worker.start("fetch", open_remote("s3://bucket", options, environ={}), cache)
    assert running
    with running:
        running.begin()
        for name in names:
            assert running.move([name.key]) == [9]
            time.sleep(0.3)  # obstore asks boto3 at most ten times a second
    first, second = (header.split("/")[0] for header in server.signatures)
    assert first != second


@pytest.fixture
def fetching(server: FaultyS3, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that fetches with a worker, both of which wait for an answer."""
    names = filled(server)
    server.always = "silent"
    program = _FETCHING.format(
        options=server.options, cache=str(tmp_path / "cache"), values=[name.value for name in names]
    )
    with subprocess.Popen([sys.executable, "-c", program], start_new_session=True, stderr=subprocess.PIPE) as process:
        server.wait_for("GET", 2)
        yield process
        process.kill()


def at_work(session: int) -> list[int]:
    """Give the processes of a session that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, _group, of = stat.read_text(errors="replace").rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(of) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def test_ctrl_c_ends_the_worker_too(fetching: subprocess.Popen[bytes]) -> None:
    assert len(at_work(fetching.pid)) == 2
    os.killpg(fetching.pid, signal.SIGINT)  # as a terminal does
    _, said = fetching.communicate(timeout=30)
    assert said.decode().rstrip().endswith("KeyboardInterrupt")
    assert b"Unavailable" not in said
    eventually(lambda: not at_work(fetching.pid))


def test_a_worker_ends_when_whoever_started_it_was_killed(fetching: subprocess.Popen[bytes], server: FaultyS3) -> None:
    fetching.kill()
    server.reset()
    eventually(lambda: not at_work(fetching.pid))
