"""A web server for tests: files in memory, with an ETag or without, and a record of what was asked."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

from tests.support import loopback

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Site:
    """What the server has.

    Attributes:
        url: its root, without a slash at the end.
        files: bytes by path.
        redirects: where a path leads.
        silent: paths whose ETag is not told.
        asked: method and path of every request, in order.
        headers: the headers of every request, in order.
        truncated: paths of which a GET sends half.
        sizes: what it says of the sizes of files instead of how large they are, by path.
        unsteady: paths that hold something else by the time of a GET.
        refused: the status that answers everything; 0: none.

    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    truncated: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    unsteady: set[str] = field(default_factory=set)
    sizes: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)


class _Handler(loopback.Prompt, BaseHTTPRequestHandler):
    site: ClassVar[Site]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        if self.path in self.site.unsteady:
            self.site.files[self.path] += b"!"
        content = self._answer()
        half = len(content) // 2 if self.path in self.site.truncated else len(content)
        self.wfile.write(content[:half])

    def _answer(self) -> bytes:
        self.site.asked.append((self.command, self.path))
        self.site.headers.append(dict(self.headers))
        if self.site.refused:
            self.send_error(self.site.refused)
            return b""
        if self.path in self.site.redirects:
            self.send_response(302)
            self.send_header("Location", self.site.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return b""
        content = self.site.files.get(self.path)
        if content is None:
            self.send_error(404)
            return b""
        self.send_response(200)
        self.send_header("Content-Length", self.site.sizes.get(self.path, str(len(content))))
        self.send_header("Content-Type", "text/csv; charset=utf-8")
        if self.path not in self.site.silent:
            self.send_header("ETag", f'"{hashlib.md5(content).hexdigest()}"')
        self.end_headers()
        return content


@contextmanager
def serve(host: str = "127.0.0.1") -> Iterator[Site]:
    """Serve on a free port while the block runs."""
    site = Site()
    server = ThreadingHTTPServer((host, 0), type("Handler", (_Handler,), {"site": site}))
    server.daemon_threads = True
    site.url = f"http://{host}:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
