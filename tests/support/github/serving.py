"""The fake on loopback: the API on one port, and what artifacts come from on another, as on GitHub another host."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support import loopback
from tests.support.github.answers import Answer, Received, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.github.fake import FakeGitHub


@contextmanager
def serving(fake: FakeGitHub, prefix: str = "") -> Iterator[FakeGitHub]:
    """Serve `fake` on free ports of loopback; in the end, nothing may have broken the API's description.

    Args:
        fake: what to serve.
        prefix: `/api/v3` for an Enterprise server.

    """
    crashes: list[BaseException] = []
    with ExitStack() as stack:
        stack.callback(fake.close)
        fake.prefix = prefix
        fake.url = stack.enter_context(_listening(fake.answer, crashes)) + prefix
        fake.storage_url = stack.enter_context(_listening(lambda request: _stored(fake, request), crashes))
        yield fake
    for crash in crashes:
        raise crash
    assert not fake.violations, "\n".join(fake.violations)


@contextmanager
def _listening(answer: Callable[[Received], Answer], crashes: list[BaseException]) -> Iterator[str]:
    def guarded(request: Received) -> Answer:
        try:
            return answer(request)
        except BaseException as crash:  # noqa: BLE001  the test's thread raises it, a skip for want of a tool too
            crashes.append(crash)
            return refusal(500, "the fake itself broke")

    with loopback.listening(_handler(guarded)) as url:
        yield url


def _stored(fake: FakeGitHub, request: Received) -> Answer:
    """Give an artifact to who has the address; a token does not belong here."""
    fake.downloads.append(request)
    if "Authorization" in request.headers:
        fake.violations.append("the token was sent to the host that artifacts come from")
    raw = fake.stored.get(request.path)
    return Answer(200, raw, {"Content-Type": "application/zip"}) if raw is not None else Answer(404, b"gone")


def _handler(answer: Callable[[Received], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(loopback.Prompt, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            split = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
            query = dict(parse_qsl(split.query))
            self._reply(answer(Received(self.command, unquote(split.path), query, body, dict(self.headers))))

        def _reply(self, answer: Answer) -> None:
            if not answer.status:
                self.close_connection = True
                return
            empty = answer.status in (204, 304)
            raw = b"" if empty else answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, text in {"Content-Type": "application/json; charset=utf-8", **answer.headers}.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815  the names http.server looks for

    return Handler
