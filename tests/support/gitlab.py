"""A GitLab of our own on loopback: users, notes and statuses, after https://docs.gitlab.com/api/rest/.

Reached by python-gitlab, so the requests are that library's; what is checked here is what GitLab would refuse.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support import loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

BOT: Final = "project_1_bot"
_API: Final = "/api/v4"
_STATES: Final = {"pending", "running", "success", "failed", "canceled", "skipped"}


@dataclass
class FakeGitLab:
    """What the server has; `tokens` are logins by token, and who is in `readers` may not write.

    Attributes:
        notes: those of the one merge request, the oldest first.
        statuses: in the order they were set.
        asked: method and path of every request.
        limited: how many requests are still refused with 429.

    """

    url: str = ""
    project: str = "1"
    number: str = "7"
    tokens: dict[str, str] = field(default_factory=dict)
    readers: set[str] = field(default_factory=set)
    notes: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    limited: int = 0

    def say(self, body: str, login: str, *, system: bool = False) -> dict[str, Any]:
        """Have somebody write a note."""
        note = {"id": len(self.notes) + 1, "body": body, "author": {"username": login}, "system": system}
        self.notes.append(note)
        return note

    def bodies(self) -> list[str]:
        return [note["body"] for note in self.notes if note["author"]["username"] == BOT]

    def answer(  # noqa: PLR0911  one for each thing that GitLab may say
        self, method: str, path: str, query: dict[str, str], body: Any, token: str
    ) -> tuple[int, Any, str]:
        """Give status, document, and the path of the next page."""
        self.asked.append((method, path))
        login = self.tokens.get(token)
        if login is None:
            return 401, {"message": "401 Unauthorized"}, ""
        if self.limited:
            self.limited -= 1
            return 429, {"message": "429 Too Many Requests"}, ""
        if method != "GET" and login in self.readers:
            return 403, {"message": "403 Forbidden"}, ""
        if path == f"{_API}/user":
            return 200, {"id": 1, "username": login}, ""
        notes = f"{_API}/projects/{self.project}/merge_requests/{self.number}/notes"
        if path.startswith(notes):
            return self._of_notes(method, path.removeprefix(notes).strip("/"), query, body, login)
        if method == "POST" and (found := re.fullmatch(rf"{_API}/projects/(\d+)/statuses/([0-9a-f]{{40}})", path)):
            assert body["state"] in _STATES
            self.statuses.append({**body, "project": found[1], "sha": found[2]})
            return 201, body, ""
        return 404, {"message": "404 Not found"}, ""

    def _of_notes(self, method: str, which: str, query: dict[str, str], body: Any, login: str) -> tuple[int, Any, str]:
        if method == "POST":
            assert len(body["body"]) <= 1_000_000
            return 201, self.say(body["body"], login), ""
        if method == "PUT":
            note = next(one for one in self.notes if str(one["id"]) == which)
            note["body"] = body["body"]
            return 200, note, ""
        each, page = int(query.get("per_page", "20")), int(query.get("page", "1"))
        more = f"?per_page={each}&page={page + 1}" if len(self.notes) > each * page else ""
        return 200, self.notes[each * (page - 1) : each * page], more


@contextmanager
def serving(fake: FakeGitLab) -> Iterator[FakeGitLab]:
    """Serve `fake` on a free port of loopback."""

    class Handler(loopback.Prompt, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            split = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers.get("PRIVATE-TOKEN", "")
            query = dict(parse_qsl(split.query))
            status, document, more = fake.answer(
                self.command, unquote(split.path), query, json.loads(raw) if raw else None, token
            )
            sent = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            if more:
                self.send_header("Link", f'<{fake.url}{split.path}{more}>; rel="next"')
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815  the names http.server looks for

    with loopback.listening(Handler) as fake.url:
        yield fake
