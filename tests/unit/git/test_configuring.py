"""Configuration in git's environment: seen by real git, beside what was there."""

from __future__ import annotations

import base64
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from runner.errors import GitError
from runner.git import Git
from runner.git.configuring import configured, with_token
from runner.git.fetching import deepen
from tests.support import loopback

if TYPE_CHECKING:
    from tests.unit.git.repositories import Repository


def test_settings_come_after_those_that_the_environment_has(repository: Repository, environ: dict[str, str]) -> None:
    given = configured(configured(environ, [("a.b", "1"), ("a.c", "2")]), [("a.b", "3")])
    with Git(repository.root, given) as git:
        assert [git.line("config", name) for name in ("a.b", "a.c")] == ["3", "2"]
        assert git.rows("config", "-z", "--get-all", "a.b") == ["1", "3"]


def test_a_token_is_shown_to_its_host_alone_once_and_in_place_of_what_the_checkout_left(
    repository: Repository, environ: dict[str, str]
) -> None:
    seen: list[list[str]] = []

    class Host(loopback.Prompt, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get_all("Authorization") or [])
            self.send_error(404)

    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as host:
        Thread(target=host.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        server = f"http://127.0.0.1:{host.server_port}"
        repository("config", f"http.{server}/.extraheader", "AUTHORIZATION: basic left")
        for place in (f"{server}/", "https://github.com"):
            with Git(repository.root, with_token(environ, place, "secret")) as git, pytest.raises(GitError) as caught:
                deepen(git, f"{server}/o/n", ("1" * 40,), 1)
            assert "secret" not in str(caught.value)
        host.shutdown()
    ours = base64.b64encode(b"x-access-token:secret").decode()
    assert seen == [[f"Basic {ours}"], ["basic left"]]
    assert "secret" not in (repository.root / ".git" / "config").read_text()
