"""What is particular to HTTP: credentials, methods, redirects, servers that say little; asked of real nginx."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from runner.errors import ConfigError, Denied, ObjectMissing, RemoteError, Unavailable, Unlistable
from runner.store.http import HTTP
from runner.store.remote import Retrying, open_remote
from tests.support import loopback
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.nginx import Server

NAME = "files/md5/ab/c"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"content")
    return path


def content_of(remote: HTTP | Retrying) -> bytes:
    sink = Collected()
    remote.get(NAME, sink)
    return bytes(sink.content)


@pytest.mark.parametrize(
    ("place", "options"),
    [
        ("guarded", {"auth": "basic", "user": "testing", "password": "testing"}),
        ("header", {"auth": "custom", "custom_auth_header": "X-Token", "password": "testing"}),
    ],
)
def test_credentials_open_what_is_closed_without_them(
    nginx: Server, source: Path, place: str, options: dict[str, object]
) -> None:
    remote = nginx.remote(place, **options)
    remote.put(NAME, source)
    assert content_of(remote) == b"content"
    for wrong in (nginx.remote(place), nginx.remote(place, **options | {"password": "wrong"})):
        with pytest.raises(Denied, match="auth"):
            content_of(wrong)
        with pytest.raises(Denied):
            wrong.exists([NAME])
        with pytest.raises(Denied):
            wrong.put(NAME, source)


def test_no_credential_follows_a_redirect_to_another_host(nginx: Server) -> None:
    options = {"auth": "custom", "custom_auth_header": "X-Token", "password": "testing"}
    remote = nginx.remote("away", **options)
    with pytest.raises(ObjectMissing):
        content_of(remote)
    asked = nginx.told(NAME)
    assert asked
    assert all(line.endswith(" -") for line in asked)


def test_an_upload_that_is_redirected_is_refused(nginx: Server, source: Path) -> None:
    with pytest.raises(RemoteError, match="redirected to http://localhost"):
        nginx.remote("away").put(NAME, source)


def test_a_method_that_the_server_does_not_take_is_said(nginx: Server, source: Path) -> None:
    with pytest.raises(RemoteError, match=r"404|405") as caught:
        nginx.remote("posted", method="post").put(NAME, source)
    assert "method" in caught.value.hint


def test_nothing_can_be_listed(nginx: Server) -> None:
    with pytest.raises(Unlistable, match="no listing"):
        list(nginx.remote("any").names("runs/"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"auth": "basic", "user": "u"}, "needs user and password"),
        ({"auth": "custom", "password": "p"}, "needs custom_auth_header and password"),
        ({"auth": "basic", "user": "u", "ask_password": True}, "needs user and password"),
        ({"method": "TELEPORT"}, "TELEPORT"),
        ({"metod": "PUT"}, "did you mean 'method'"),
    ],
)
def test_options_that_cannot_work_are_refused_by_name(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_remote("https://example.com/x", options, environ={})
    assert said in str(caught.value)


def test_what_is_no_url_is_refused() -> None:
    with pytest.raises(ConfigError, match="is not a url"):
        open_remote("https://[example/x", {}, environ={})


@pytest.mark.parametrize("options", [{}, {"auth": "basic"}, {"method": "DELETE"}, {"bogus": "x"}])
def test_the_query_of_a_url_is_told_to_the_server_alone(options: dict[str, object]) -> None:
    with pytest.raises((Unavailable, ConfigError)) as caught:
        HTTP.open("http://127.0.0.1:9/path?sv=1&sig=s3cr3t", options, {}).exists([NAME])
    assert "s3cr3t" not in str(caught.value)


def test_an_unreachable_host_is_unavailable_within_the_budget() -> None:
    waits: list[float] = []
    remote = Retrying(HTTP.open("http://127.0.0.1:9/x", {}, {}), budget=1, sleep=waits.append)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        remote.exists([NAME])
    assert waits


class Terse(loopback.Prompt, BaseHTTPRequestHandler):
    """A server that knows no HEAD, or gives no length; `/busy` is out of order, `/cut` breaks off."""

    def do_GET(self) -> None:
        if self.path.startswith("/busy"):
            self.send_error(503)
            return
        self.send_response(200)
        if self.path.startswith("/cut"):
            self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"content")

    def do_HEAD(self) -> None:
        if self.path.startswith("/nohead"):
            self.send_error(405)
            return
        self.send_response(200)
        self.end_headers()


@pytest.fixture(scope="module")
def terse() -> Iterator[str]:
    with loopback.listening(Terse) as url:
        yield url


@pytest.mark.parametrize("path", ["nohead", "nolength"])
def test_a_size_that_is_not_told_is_counted(terse: str, path: str) -> None:
    assert HTTP.open(f"{terse}/{path}", {}, {}).exists([NAME]) == {NAME: 7}


@pytest.mark.parametrize("path", ["busy", "cut"])
def test_what_may_pass_is_unavailable_and_tried_again(terse: str, path: str) -> None:
    waits: list[Any] = []
    remote = Retrying(HTTP.open(f"{terse}/{path}", {}, {}), budget=5, sleep=waits.append)
    with pytest.raises(Unavailable):
        content_of(remote)
    assert remote.retries
