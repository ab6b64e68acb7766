"""Google's generations, ranges and resumable uploads, which its emulator does not have, asked of a small server."""

from __future__ import annotations

import itertools
import json
import os
import re
import threading
from base64 import b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c
import pytest

from runner.errors import RemoteError, Unavailable
from runner.hashes import Hash, hash_bytes
from runner.store import gs, gs_parts, ranges, transfer
from runner.store.cache import Cache
from runner.store.gs import GS
from runner.store.remote import Retrying
from tests.support import loopback
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PART = 256 << 10
CONTENT = os.urandom(4 * PART + 11)
NAME = Hash(hash_bytes(CONTENT))


class Google(loopback.Prompt, BaseHTTPRequestHandler):
    """A bucket `bucket`; what comes next in `server.faults` is answered instead."""

    server: GoogleServer
    protocol_version = "HTTP/1.1"

    @property
    def _query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}

    def do_GET(self) -> None:
        name = unquote(urlsplit(self.path).path.partition("/o/")[2])
        if not name:  # the client asks about the bucket, for its traces
            self._answer(404, b"{}", {})
            return
        content, generation = self.server.objects.get(name, (b"", 0))
        fault = self._begun("GET")
        if fault.isdigit():
            self._answer(int(fault), b"{}", {"Retry-After": "3"})
        elif not generation:
            self._answer(404, b"{}", {})
        elif int(self._query.get("ifGenerationMatch", generation)) != generation:
            self._answer(412, b"{}", {})
        elif self._query.get("alt") != "media":
            self._answer(200, json.dumps({"name": name, "size": str(len(content))}).encode(), {})
        else:
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            start, stop = (int(asked[1]), int(asked[2]) + 1) if asked else (0, len(content))
            headers = {"X-Goog-Generation": str(generation)}
            if asked:
                headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
            self._answer(206 if asked else 200, content[start:stop], headers, cut=fault == "cut")

    def do_POST(self) -> None:
        fault, query = self._begun("POST"), self._query
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = query.get("name") or json.loads(body)["name"] if query["uploadType"] == "resumable" else _named(body)
        if fault.isdigit():
            self._answer(int(fault), b"{}", {})
        elif query.get("ifGenerationMatch") == "0" and name in self.server.objects:
            self._answer(412, b"{}", {})
        elif query["uploadType"] == "resumable":
            url = f"http://127.0.0.1:{self.server.server_port}/session/{name}"
            self.server.uploads[name] = b""
            self._answer(200, b"", {"Location": url})
        else:
            self.server.keep(name, body.rpartition(b"\r\n--")[0].rpartition(b"\r\n\r\n")[2])
            self._answer(200, b"{}", {})

    def do_PUT(self) -> None:
        name = urlsplit(self.path).path.removeprefix("/session/")
        which = self.headers["Content-Range"]
        fault = self._begun("ASK" if which.startswith("bytes */") else "PART")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if name not in self.server.uploads:
            self._answer(404, b"{}", {})
            return
        self.server.uploads[name] += body[: len(body) // 2] if fault == "half" else body
        there_now, size = self.server.uploads[name], int(which.rpartition("/")[2])
        there = len(there_now)
        if fault.isdigit() or fault == "half":
            self._answer(503, b"{}", {})
        elif fault == "broken" or (
            there == size and self.headers.get("X-Goog-Hash") != _checksum(self.server.uploads[name])
        ):
            self._answer(400, b"{}", {})
        elif there == size:
            self.server.keep(name, self.server.uploads.pop(name))
            self._answer(200, b"{}", {})
        else:
            self._answer(308, b"", {"Range": f"bytes=0-{there - 1}"} if there else {})

    def do_DELETE(self) -> None:
        self._begun("ABORT")
        self.server.uploads.clear()
        self._answer(499, b"", {})

    def _begun(self, kind: str) -> str:
        self.server.asked.append(kind)
        return self.server.faults.pop(0) if self.server.faults else self.server.always

    def _answer(self, status: int, body: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body)), "Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut


def _checksum(content: bytes) -> str:
    value: Any = google_crc32c.value(content)
    return f"crc32c={b64encode(value.to_bytes(4, 'big')).decode()}"


def _named(body: bytes) -> str:
    found = re.search(rb'\{"name": "([^"]*)"', body)
    assert found
    return found[1].decode()


class GoogleServer(ThreadingHTTPServer):
    """The server, what it holds, what it was asked, and what is wrong with it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Google)
        self.objects: dict[str, tuple[bytes, int]] = {}
        self.uploads: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.always = ""
        self._generations = itertools.count(1)

    def keep(self, name: str, content: bytes) -> None:
        self.objects[name] = (content, next(self._generations))

    def remote(self, budget: float = 5) -> Retrying:
        options = {"endpointurl": f"http://127.0.0.1:{self.server_port}", "allow_anonymous_login": True}
        return Retrying(GS.open("gs://bucket", options, {}), budget=budget, sleep=self.waits.append)

    waits: list[float] = []  # noqa: RUF012 - of one test: the fixture replaces it


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleServer]:
    monkeypatch.setattr(gs, "PART", PART)
    monkeypatch.setattr(gs_parts, "PART", PART)
    monkeypatch.setattr(ranges, "PART", PART)
    monkeypatch.setattr(ranges, "LARGE", 3 * PART)
    with google_server() as server:
        yield server


@contextmanager
def google_server() -> Iterator[GoogleServer]:
    server = GoogleServer()
    server.waits = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


def test_a_large_object_comes_in_parts_that_go_on_where_they_broke_off(google: GoogleServer, tmp_path: Path) -> None:
    google.keep(NAME.key, CONTENT)
    google.faults = ["", "cut", "503", "cut"]
    cache = Cache(tmp_path)
    assert transfer.fetch(google.remote(), cache, [NAME], 1).failed == ()
    assert cache.read(NAME) == CONTENT
    assert google.asked.count("GET") == 5 + 3
    assert max(google.waits) >= 3


def test_a_generation_is_never_mixed_with_the_next(google: GoogleServer) -> None:
    content = os.urandom(12 * PART)
    google.keep("changes", content)

    class Changing(Collected):
        def write(self, chunk: bytes, /) -> None:
            if not self.content and not self.restarts:
                google.keep("changes", content[::-1])
            super().write(chunk)

    sink = Changing()
    google.remote().get("changes", sink)
    assert sink.content == content[::-1]
    assert sink.restarts == 1


@pytest.mark.parametrize("size", [10, len(CONTENT)])
def test_what_is_there_already_is_not_replaced(google: GoogleServer, source: Path, size: int) -> None:
    source.write_bytes(CONTENT[:size])
    google.keep("there", b"x" * size)
    google.remote().create("there", source)
    assert google.objects["there"][0] == b"x" * size
    google.remote().put("there", source)
    assert google.objects["there"][0] == CONTENT[:size]


@pytest.mark.parametrize("size", [10, len(CONTENT)])
def test_what_is_there_in_another_size_is_replaced(google: GoogleServer, source: Path, size: int) -> None:
    source.write_bytes(CONTENT[:size])
    google.keep("there", b"half")
    google.remote().create("there", source)
    assert google.objects["there"][0] == CONTENT[:size]


def test_an_upload_goes_on_from_where_google_has_it(google: GoogleServer, source: Path) -> None:
    google.faults = ["", "", "half", "", "503"]  # half of a part arrives, and all of one that is refused
    told: list[int] = []
    google.remote().put("large", source, told.append)
    assert google.objects["large"][0] == CONTENT
    assert sum(told) == len(CONTENT)
    assert google.asked.count("POST") == 1
    assert google.asked.count("ASK") == 2


def broken_off(google: GoogleServer, source: Path) -> Path:
    """Have an earlier run send two parts of five; give its note."""
    google.faults = [""] * 3
    google.always = "503"
    with pytest.raises(Unavailable):
        google.remote(budget=0.2).put("large", source)
    google.always = ""
    google.asked.clear()
    assert google.objects == {}
    google.uploads["large"] = google.uploads["large"][: 2 * PART]
    (note,) = source.parent.glob("*.upload.tmp")
    return note


def test_the_next_run_goes_on_with_an_upload_that_broke_off(google: GoogleServer, source: Path) -> None:
    note = broken_off(google, source)
    told: list[int] = []
    google.remote().put("large", source, told.append)
    assert google.objects["large"][0] == CONTENT
    assert google.asked == ["ASK", "PART", "PART", "PART"]
    assert sum(told) == len(CONTENT)
    assert not note.exists()


def test_an_upload_that_is_gone_is_begun_anew(google: GoogleServer, source: Path) -> None:
    broken_off(google, source)
    google.uploads.clear()
    google.remote().put("large", source)
    assert google.objects["large"][0] == CONTENT
    assert google.asked == ["ASK", "POST", *["PART"] * 5]


def test_other_bytes_of_an_earlier_run_are_refused_and_all_is_sent_anew(google: GoogleServer, source: Path) -> None:
    broken_off(google, source)
    google.uploads["large"] = bytes(2 * PART)
    told: list[int] = []
    google.remote().put("large", source, told.append)
    assert google.objects["large"][0] == CONTENT
    assert google.asked == ["ASK", *["PART"] * 3, "ABORT", "POST", *["PART"] * 5]
    assert sum(told) == len(CONTENT)


def test_an_upload_elsewhere_is_not_gone_on_with(google: GoogleServer, source: Path) -> None:
    note = broken_off(google, source)
    with google_server() as elsewhere:
        elsewhere.uploads["large"] = b""
        note.write_text(f"http://127.0.0.1:{elsewhere.server_port}/session/large")
        google.remote().put("large", source)
        assert elsewhere.asked == []
    assert google.objects["large"][0] == CONTENT


def test_an_upload_that_cannot_come_right_is_given_up(google: GoogleServer, source: Path) -> None:
    google.faults = [""]
    google.always = "broken"
    with pytest.raises(RemoteError):
        google.remote().put("large", source)
    assert google.asked[-1] == "ABORT"
    assert google.objects == {}
    assert list(source.parent.glob("*.tmp")) == []
