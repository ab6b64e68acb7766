"""What Google's emulator does not do, asked of a small server that speaks as Google's API does: pages, faults."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from runner.errors import ConfigError, Denied, ObjectMissing, RemoteError, Unavailable
from runner.hashes import Hash, hash_bytes
from runner.store import gs_client
from runner.store.gs import GS
from runner.store.remote import Retrying, open_remote
from tests.support import loopback
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = sorted(Hash(hash_bytes(str(number).encode())).key for number in range(3000))
PAGE = 500


class Google(loopback.Prompt, BaseHTTPRequestHandler):
    """A bucket `full` with `NAMES`, each of 5 bytes; what `server.fault` says is answered instead."""

    server: GoogleServer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        _, _, name = unquote(url.path).partition("/o/")
        self.server.asked.append("list" if not name else f"{query.get('alt', 'meta')} {name}")
        status, reason = self.server.fault
        if status:
            self._json(status, {"error": {"code": status, "message": reason}})
        elif name:
            self._object(name, query)
        else:
            self._list(query)

    def _object(self, name: str, query: dict[str, str]) -> None:
        if name not in NAMES:
            self._json(404, {"error": {"code": 404, "message": f"No such object: full/{name}"}})
        elif query.get("alt") == "media":
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"bytes" if not self.server.cut else b"by")
        else:
            self._json(200, {"name": name, "size": "5", "bucket": "full"})

    def _list(self, query: dict[str, str]) -> None:
        start = query.get("pageToken") or query.get("startOffset", "")
        found = [name for name in NAMES if name.startswith(query.get("prefix", "")) and name >= start]
        page: dict[str, Any] = {"items": [{"name": name, "size": "5"} for name in found[:PAGE]]}
        if found[PAGE:]:
            page["nextPageToken"] = found[PAGE]
        self._json(200, page)

    def _json(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class GoogleServer(ThreadingHTTPServer):
    """The server, what it was asked, and what is wrong with it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Google)
        self.asked: list[str] = []
        self.fault: tuple[int, str] = (0, "")
        self.cut = False

    @property
    def options(self) -> dict[str, object]:
        return {"endpointurl": f"http://127.0.0.1:{self.server_port}", "allow_anonymous_login": True}


@pytest.fixture
def google() -> Iterator[GoogleServer]:
    server = GoogleServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def remote(google: GoogleServer) -> GS:
    return GS.open("gs://full", google.options, {})


def test_every_page_of_a_listing_is_read(remote: GS) -> None:
    assert list(remote.names("files/")) == NAMES
    assert list(remote.names("files/md5/00")) == [name for name in NAMES if name.startswith("files/md5/00")]


def test_many_names_are_asked_for_by_listing_and_few_one_by_one(remote: GS, google: GoogleServer) -> None:
    absent = [Hash(hash_bytes(f"absent {number}".encode())).key for number in range(20)]
    assert remote.exists([*NAMES, *absent]) == dict.fromkeys(NAMES, 5)
    assert set(google.asked) == {"list"}
    assert len(google.asked) < 40
    google.asked.clear()
    assert remote.exists([NAMES[7], absent[0]]) == {NAMES[7]: 5}
    assert len(google.asked) == 2
    assert "list" not in google.asked


@pytest.mark.parametrize(("status", "kind"), [(403, Denied), (401, Denied), (429, Unavailable), (503, Unavailable)])
def test_a_refusal_is_never_an_absence(remote: GS, google: GoogleServer, status: int, kind: type[Exception]) -> None:
    google.fault = (status, "as told")
    with pytest.raises(kind):
        remote.exists([NAMES[0]])
    with pytest.raises(kind):
        remote.exists(NAMES[:10])
    with pytest.raises(kind):
        list(remote.names(""))
    with pytest.raises(kind, match=r"as told|refreshed"):
        remote.get(NAMES[0], Collected())


def test_a_bucket_that_is_not_there_is_no_missing_object(remote: GS, google: GoogleServer) -> None:
    google.fault = (404, "The specified bucket does not exist.")
    with pytest.raises(RemoteError, match="there is no such bucket") as caught:
        remote.exists([NAMES[0]])
    assert not isinstance(caught.value, ObjectMissing)


def test_a_listing_that_is_not_found_is_a_bucket_that_is_not_there(remote: GS, google: GoogleServer) -> None:
    google.fault = (404, "Not Found")
    with pytest.raises(RemoteError, match="there is no such bucket"):
        list(remote.names(""))


def test_an_answer_that_breaks_off_is_tried_again(google: GoogleServer) -> None:
    google.cut = True
    waits: list[float] = []
    remote = Retrying(GS.open("gs://full", google.options, {}), budget=5, sleep=waits.append)
    with pytest.raises(Unavailable):
        remote.get(NAMES[0], Collected())
    assert waits
    google.cut = False
    sink = Collected()
    remote.get(NAMES[0], sink)
    assert sink.content == b"bytes"


def test_credentials_come_from_a_key_file(tmp_path: Path) -> None:
    document = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "t"}
    (tmp_path / "user.json").write_text(json.dumps(document))
    client = gs_client.connect("gs://x", {"credentialpath": str(tmp_path / "user.json")}, {})
    assert client._credentials.client_id == "i"


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "external_account"}', '{"type": "service_account"}', None])
def test_a_file_that_holds_no_credentials_is_named(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "key.json").write_text(text)
    with pytest.raises(ConfigError, match=r"key\.json holds no"):
        gs_client.connect("gs://x", {"credentialpath": str(tmp_path / "key.json")}, {})


def test_an_option_that_google_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="endpoint_url"):
        open_remote("gs://bucket", {"endpoint_url": "http://x"}, environ={})


def test_an_unreachable_host_is_unavailable() -> None:
    options = {"endpointurl": "http://127.0.0.1:9", "allow_anonymous_login": True}
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        GS.open("gs://full", options, {}).exists(["files/md5/ab/c"])
