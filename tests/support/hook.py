"""A chat's webhook on loopback: keeps what it is told, and may refuse."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.support import loopback

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Hook:
    """What the server was told; `statuses` are its next answers, 200 after them."""

    url: str = ""
    told: list[Any] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Hook]:
    hook = Hook()

    class Handler(loopback.Prompt, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            status = hook.statuses.pop(0) if hook.statuses else 200
            if status == 200:
                hook.told.append(json.loads(raw))
            self.send_response(status)
            self.end_headers()

    with loopback.listening(Handler) as url:
        hook.url = f"{url}/services/T000/B000/secretOfTheHook0123"
        yield hook
