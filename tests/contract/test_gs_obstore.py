"""Small objects of Google's storage through obstore, asked of a small server that speaks Google's XML API."""

from __future__ import annotations

import os
import re
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials

from runner.errors import Denied, ObjectMissing, RemoteError, Unavailable
from runner.store import gs_client, gs_obstore, ranges
from runner.store.gs import GS
from runner.store.gs_parts import TIMEOUT
from runner.store.protocols import Changed
from runner.store.remote import Retrying
from tests.support import loopback
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "files/md5/ab/cdef"
KEY = f"/bucket/prefix/{NAME}"
DATE = "Thu, 01 Oct 2026 00:00:00 GMT"


class Xml(loopback.Prompt, BaseHTTPRequestHandler):
    """One bucket; what `server.fault` says is answered instead."""

    protocol_version = "HTTP/1.1"
    server: XmlServer

    def do_GET(self) -> None:
        self.server.asked.append((self.command, unquote(self.path), self.headers["Authorization"] or ""))
        place, _, generation = unquote(self.path).partition("?generation=")
        content = self.server.objects.get(place)
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if content is None or self.server.fault[0]:
            self._refuse(*(self.server.fault if self.server.fault[0] else (404, "NoSuchKey", "There is no such key.")))
        elif generation not in {"", _generation(content)}:
            self._refuse(404, "NoSuchKey", "There is no such generation.")
        elif asked:
            part = content[int(asked[1]) : int(asked[2]) + 1]
            told = f"bytes {asked[1]}-{int(asked[1]) + len(part) - 1}/{len(content)}"
            self._answer(206, part, {"Content-Range": told, "x-goog-generation": _generation(content)})
        else:
            self._answer(200, content, {"x-goog-generation": _generation(content)})

    def do_PUT(self) -> None:
        self.server.asked.append((self.command, unquote(self.path), self.headers["Authorization"] or ""))
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.fault[0]:
            self._refuse(*self.server.fault)
        elif self.headers.get("x-goog-if-generation-match") == "0" and unquote(self.path) in self.server.objects:
            self._refuse(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")
        else:
            self.server.objects[unquote(self.path)] = content
            self._answer(200, b"")

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        always = {"Content-Length": str(len(body)), "ETag": '"1"', "Last-Modified": DATE}
        for name, value in (always | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _generation(content: bytes) -> str:
    return str(zlib.crc32(content))


class XmlServer(ThreadingHTTPServer):
    """The server, what it was asked, and what is wrong with it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Xml)
        self.asked: list[tuple[str, str, str]] = []
        self.objects: dict[str, bytes] = {}
        self.fault = (0, "", "")

    def remote(self, credentials: Credentials) -> GS:
        """Open a remote whose Google itself cannot be reached."""
        address = f"http://127.0.0.1:{self.server_port}"
        objects = gs_obstore.beside(credentials, "bucket", TIMEOUT, address)
        client = gs_client.connect(
            "gs://bucket", {"endpointurl": "http://127.0.0.1:9", "allow_anonymous_login": True}, {}
        )
        return GS("bucket", "prefix", client, objects=objects)


class Expired(Credentials):
    """Credentials that Google does not renew."""

    def refresh(self, _request: object) -> None:
        message = "the account was deleted"
        raise RefreshError(message)


@pytest.fixture
def xml() -> Iterator[XmlServer]:
    server = XmlServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def remote(xml: XmlServer) -> GS:
    return xml.remote(Credentials("the-token"))


def test_a_small_object_goes_and_comes_with_the_token_of_google_auth(
    remote: GS, xml: XmlServer, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(b"bytes")
    remote.put(NAME, tmp_path / "source")
    sink = Collected()
    remote.get(NAME, sink)
    assert sink.content == b"bytes"
    assert xml.asked == [("PUT", KEY, "Bearer the-token"), ("GET", KEY, "Bearer the-token")]


def test_an_object_larger_than_a_chunk_arrives_whole(remote: GS, xml: XmlServer) -> None:
    xml.objects[KEY] = bytes(range(256)) * 20_000
    sink = Collected()
    remote.get(NAME, sink)
    assert sink.content == xml.objects[KEY]


def test_a_large_object_is_left_to_googles_client(remote: GS, xml: XmlServer, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(gs_obstore.LARGEST_PUT + 1))
    with pytest.raises(Unavailable):
        remote.put(NAME, tmp_path / "source")
    assert xml.asked == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ((404, "NoSuchKey", "The specified key does not exist."), ObjectMissing),
        ((403, "AccessDenied", "as told"), Denied),
        ((401, "AuthenticationRequired", "as told"), Denied),
        ((429, "SlowDown", "as told"), Unavailable),
        ((503, "ServiceUnavailable", "as told"), Unavailable),
        ((400, "InvalidArgument", "as told"), RemoteError),
    ],
)
def test_a_refusal_is_sorted_as_that_of_googles_client(
    remote: GS, xml: XmlServer, fault: tuple[int, str, str], kind: type[RemoteError]
) -> None:
    xml.objects[KEY] = b"bytes"
    xml.fault = fault
    with pytest.raises(kind) as caught:
        remote.get(NAME, Collected())
    assert type(caught.value) is kind


def test_a_bucket_that_is_not_there_is_no_missing_object(remote: GS, xml: XmlServer) -> None:
    xml.fault = (404, "NoSuchBucket", "The specified bucket does not exist.")
    with pytest.raises(RemoteError, match="there is no such bucket") as caught:
        remote.get(NAME, Collected())
    assert not isinstance(caught.value, ObjectMissing)


def test_credentials_that_cannot_be_renewed_are_left_to_googles_client(xml: XmlServer) -> None:
    expired = Expired(None)  # type: ignore[no-untyped-call]  # google-auth is typed in part
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        xml.remote(expired).get(NAME, Collected())
    assert xml.asked == []


def test_who_has_no_credentials_or_another_address_is_left_to_googles_client() -> None:
    options = {"endpointurl": "http://127.0.0.1:9", "allow_anonymous_login": True}
    assert GS.open("gs://bucket", options, {})._objects is None
    assert GS.open("gs://bucket", {"allow_anonymous_login": True}, {})._objects is None


def test_a_large_object_comes_in_parts_of_one_generation(remote: GS, xml: XmlServer) -> None:
    xml.objects[KEY] = os.urandom(ranges.LARGE + 7)
    sink = Collected()
    Retrying(remote, budget=1).get(NAME, sink)
    assert sink.content == xml.objects[KEY]
    parts = [path for _, path, _ in xml.asked if "?generation=" in path]
    assert len(parts) == 3


def test_a_generation_that_is_gone_is_a_change(remote: GS, xml: XmlServer) -> None:
    xml.objects[KEY] = os.urandom(2 << 20)
    version, chunks = remote.begin(NAME)
    chunks.close()
    xml.objects[KEY] = os.urandom(2 << 20)
    with pytest.raises(Changed):
        b"".join(remote.read(NAME, version, 5, 10))


def test_a_small_object_is_created_only_where_there_is_none(remote: GS, xml: XmlServer, tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"the content")
    remote.create(NAME, tmp_path / "new")
    assert xml.objects[KEY] == b"the content"
    with pytest.raises(
        Unavailable, match=r"127\.0\.0\.1"
    ):  # whose size Google's client is asked for, which has no Google
        remote.create(NAME, tmp_path / "new")
    assert [method for method, _, _ in xml.asked] == ["PUT", "PUT"]
