"""Uploads that a kill broke off: the next process sends what is missing and nothing else, and believes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from runner.hashes import Hash, hash_bytes
from runner.store import transfer
from runner.store.cache import Cache
from runner.store.remote import open_remote
from runner.store.ssh_client import KNOWN_HOSTS
from tests.support import s3
from tests.support.azure import CONTAINER
from tests.support.counting import line
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.support import azure, gs, sshd
    from tests.support.counting import Line

pytestmark = pytest.mark.slow

PART = 1 << 20
"""Bytes of a part, of which there are five, and a little more."""
LEAST = 5 << 20
"""Bytes; S3 takes no smaller part, but for the last, and a fetch goes on with no smaller file."""

CONTENT = os.urandom(5 * LEAST + 11)
KILLED_AT = 3
OVERHEAD = 1 << 18
"""Bytes that everything beside the content may take: far less than a part."""

_PUSH = """
import json, os, signal, sys
from datetime import timedelta
from pathlib import Path
from runner.hashes import Hash
from runner.store import {parts}, transfer
from runner.store.cache import Cache
from runner.store.remote import open_remote

about = json.load(sys.stdin)
for name in about["sizes"]:
    module = __import__("runner.store." + name.partition(".")[0], fromlist=["_"])
    setattr(module, name.partition(".")[2], {part})
kind, send, done = {parts}.{kind}, {parts}.{kind}.send, []
kind.at_once = 1
{parts}._ABANDONED = timedelta(36500)  # to moto every upload is of 2010

def counted(self, number):
    if len(done) == about["until"]:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(number)
    send(self, number)

kind.send = counted
remote = open_remote(about["url"], about["options"], environ=about["environ"])
moved = transfer.push(remote, Cache(Path(about["cache"])), [Hash(about["name"])], 1)
print(*(failure.error for failure in moved.failed))
"""


@dataclass
class Place:
    """A remote over a line that counts, and how to break what it holds of an upload.

    Attributes:
        url: the remote's.
        options: DVC's.
        environ: the environment's.
        kind: module and class of its uploads.
        sizes: the constants that say how large a part is.
        line: the line to it.
        spoil: puts other bytes in the place of the second part that it holds.
        part: how large a part is.

    """

    url: str
    options: Mapping[str, object]
    environ: Mapping[str, str]
    kind: tuple[str, str]
    sizes: tuple[str, ...]
    line: Line
    spoil: Callable[[], None] = lambda: None
    part: int = PART

    @property
    def content(self) -> bytes:
        """What is pushed."""
        return CONTENT[: 5 * self.part + 11]

    def push(self, cache: Path, until: int = -1) -> int:
        """Push from a process of its own, which is killed after so many parts; give how many bytes it sent."""
        program = _PUSH.format(parts=self.kind[0], kind=self.kind[1], part=self.part)
        about: dict[str, object] = {
            "url": self.url,
            "options": self.options,
            "environ": self.environ,
            "sizes": self.sizes,
        }
        about |= {"cache": str(cache), "name": named(self.content).value, "until": until}
        before = self.line.sent
        ran = subprocess.run(
            [sys.executable, "-c", program], input=json.dumps(about), capture_output=True, text=True, check=False
        )
        assert ran.returncode == (0 if until < 0 else -signal.SIGKILL), ran.stderr
        assert ran.stdout.strip() == ""
        return self.line.sent - before

    def holds(self) -> bytes | None:
        """Give the object."""
        sink, name = Collected(), named(self.content)
        remote = open_remote(self.url, self.options, environ=self.environ)
        if not remote.exists([name.key]):
            return None
        remote.get(name.key, sink)
        return bytes(sink.content)


def named(content: bytes) -> Hash:
    return Hash(hash_bytes(content))


@pytest.fixture
def amazon(moto: s3.Server, tmp_path: Path) -> Iterator[Place]:
    prefix = tmp_path.name

    def spoil() -> None:
        key = f"{prefix}/{named(CONTENT).key}"
        (upload,) = moto.client.list_multipart_uploads(Bucket=s3.BUCKET, Prefix=key)["Uploads"]
        other = bytes(LEAST)
        asked: Any = {"Bucket": s3.BUCKET, "Key": key, "UploadId": upload["UploadId"], "PartNumber": 2, "Body": other}
        moto.client.upload_part(**asked)

    with line(_port(moto.endpoint)) as counted:
        options = moto.options | {"endpointurl": f"http://127.0.0.1:{counted.port}"}
        kind, sizes = ("s3_parts", "S3Upload"), ("s3.PART", "s3_parts.PART")
        yield Place(f"s3://{s3.BUCKET}/{prefix}", options, {}, kind, sizes, counted, spoil, LEAST)


@pytest.fixture
def microsoft(azurite: azure.Server, tmp_path: Path) -> Iterator[Place]:
    key = f"{tmp_path.name}/{named(CONTENT[: 5 * PART + 11]).key}"

    def spoil() -> None:
        blob = azurite.client.get_blob_client(CONTAINER, key)
        _, waiting = blob.get_block_list("uncommitted")
        second = sorted(block.id for block in waiting)[1]
        blob.stage_block(second, bytes(PART - 1))

    with line(_port(azurite.endpoint)) as counted:
        there = azurite.connection_string.replace(str(_port(azurite.endpoint)), str(counted.port))
        options = {"connection_string": there}
        kind = ("azure_parts", "AzureUpload")
        yield Place(azurite.url(tmp_path.name), options, {}, kind, ("azure_parts.BLOCK",), counted, spoil)


@pytest.fixture
def machine(sshd: sshd.Server, tmp_path: Path) -> Iterator[Place]:
    def spoil() -> None:
        (half,) = sshd.stored(tmp_path.name).rglob("*.tmp")
        with half.open("r+b") as file:
            file.seek(PART + 17)
            file.write(b"other bytes")

    with line(sshd.port) as counted:
        url = sshd.url(tmp_path.name).replace(str(sshd.port), str(counted.port), 1)
        environ = {KNOWN_HOSTS: sshd.known_hosts.replace(str(sshd.port), str(counted.port))}
        kind = ("ssh_parts", "SSHUpload")
        yield Place(url, sshd.options, environ, kind, ("ssh_parts.PART",), counted, spoil)


@pytest.fixture
def google(gs: gs.Server, tmp_path: Path) -> Iterator[Place]:
    """Give the emulator, which holds no part that could be spoiled; what comes of one is in test_gs_parts.py."""
    with line(_port(gs.endpoint)) as counted:
        options = gs.options | {"endpointurl": f"http://127.0.0.1:{counted.port}"}
        kind = ("gs_parts", "GSUpload")
        yield Place(gs.url(tmp_path.name), options, {}, kind, ("gs.PART", "gs_parts.PART"), counted)


PLACES = ("amazon", "microsoft", "machine", "google")


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def cache(place: Place, tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    with Cache(folder).write(named(place.content)) as incoming:
        incoming.write(place.content)
    return folder


def _port(endpoint: str) -> int:
    port = urlsplit(endpoint).port
    assert port
    return port


def notes(cache: Path) -> list[Path]:
    return list(cache.rglob("*.upload.tmp"))


def test_the_next_process_sends_what_a_killed_one_did_not(place: Place, cache: Path) -> None:
    assert KILLED_AT * place.part < place.push(cache, until=KILLED_AT) < KILLED_AT * place.part + OVERHEAD
    assert place.holds() is None
    assert len(notes(cache)) == 1
    missing = len(place.content) - KILLED_AT * place.part
    assert missing < place.push(cache) < missing + OVERHEAD
    assert place.holds() == place.content
    assert notes(cache) == []


def test_a_process_that_is_killed_again_and_again_comes_to_an_end(place: Place, cache: Path) -> None:
    for until in (1, 3, 4):  # what is there already counts
        assert place.push(cache, until=until) < 2 * place.part + OVERHEAD
    assert place.push(cache) < place.part + OVERHEAD + 11
    assert place.holds() == place.content


@pytest.mark.parametrize("place", PLACES[:3], indirect=True)
def test_a_part_of_other_bytes_is_sent_anew(place: Place, cache: Path) -> None:
    place.push(cache, until=KILLED_AT)
    place.spoil()
    missing = len(place.content) - (KILLED_AT - 1) * place.part
    assert missing < place.push(cache) < missing + OVERHEAD
    assert place.holds() == place.content


@pytest.mark.parametrize("text", ["0123456789abcdef", ".1-2-3.tmp", "../../elsewhere.tmp\0"])
def test_a_note_that_leads_nowhere_is_no_harm(place: Place, cache: Path, text: str) -> None:
    place.push(cache, until=0)
    (note,) = notes(cache)
    note.write_text(text, encoding="utf-8")
    assert len(place.content) < place.push(cache) < len(place.content) + OVERHEAD
    assert place.holds() == place.content
    assert notes(cache) == []


_FETCH = """
import json, os, signal, sys
from pathlib import Path
from runner.hashes import Hash
from runner.store import transfer
from runner.store.cache import Cache
from runner.store.incoming import Incoming
from runner.store.remote import open_remote

write, about = Incoming.write, json.load(sys.stdin)

def counted(self, chunk):
    if self.size >= about["until"]:
        os.kill(os.getpid(), signal.SIGKILL)
    write(self, chunk)

Incoming.write = counted
remote = open_remote(about["url"], {}, environ={})
transfer.fetch(remote, Cache(Path(about["cache"])), [Hash(about["name"])], 1)
"""


def test_a_fetch_from_a_directory_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    content = CONTENT[: 3 * LEAST]
    name, cache = named(content), Cache(tmp_path / "cache")
    far = tmp_path / "far" / name.key
    far.parent.mkdir(parents=True)
    far.write_bytes(content)
    url = str(tmp_path / "far")
    about = {"url": url, "cache": str(cache.root), "name": name.value, "until": 2 * LEAST}
    ran = subprocess.run([sys.executable, "-c", _FETCH], input=json.dumps(about), text=True, check=False)
    assert ran.returncode == -signal.SIGKILL
    assert not cache.has(name)
    far.write_bytes(bytes(2 * LEAST) + content[2 * LEAST :])  # what is not read again may hold anything
    moved = transfer.fetch(open_remote(url, {}, environ={}), cache, [name], 1)
    assert (moved.bytes, moved.failed) == (len(content), ())
    assert cache.read(name) == content
    assert list((tmp_path / "cache").rglob("*.tmp")) == []


def test_wrong_first_bytes_of_a_fetch_from_a_directory_are_not_believed(tmp_path: Path) -> None:
    content = CONTENT[: 3 * LEAST]
    name, cache = named(content), Cache(tmp_path / "cache")
    far = tmp_path / "far" / name.key
    far.parent.mkdir(parents=True)
    far.write_bytes(content)
    place = cache.path(name)
    place.parent.mkdir(parents=True)
    (place.parent / f".{place.name}.part.tmp").write_bytes(bytes(LEAST))
    assert transfer.fetch(open_remote(str(tmp_path / "far"), {}, environ={}), cache, [name], 1).failed == ()
    assert cache.read(name) == content
    assert list((tmp_path / "cache").rglob("*.tmp")) == []
