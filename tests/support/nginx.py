"""A real HTTP server: nginx with its DAV module, which stores what is PUT below a folder."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.store.http import HTTP
from tests.support.ports import free_port, wait_for
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# `guarded` wants user and password `testing`, `header` a header `X-Token: testing`; `away` leads to another host, as
# far as a client can tell (localhost is not 127.0.0.1).
_CONFIG = """
daemon off;
pid {folder}/nginx.pid;
worker_processes 1;
{user}
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  log_format asked '$request_method $uri $http_x_token';
  server {{
    listen 127.0.0.1:{port};
    server_name 127.0.0.1;
    root {folder}/root;
    client_max_body_size 0;
    dav_methods PUT;
    create_full_put_path on;
    location /guarded/ {{ auth_basic "objects"; auth_basic_user_file {folder}/passwords; }}
    location /header/ {{ if ($http_x_token != "testing") {{ return 403; }} }}
    location /away/ {{ return 302 http://localhost:{port}/told$request_uri; }}
  }}
  server {{
    listen 127.0.0.1:{port};
    server_name localhost;
    access_log {folder}/told.log asked;
    location / {{ return 404; }}
  }}
}}
"""


@dataclass(frozen=True)
class Server:
    """A running nginx.

    Attributes:
        url: `http://127.0.0.1:PORT`.
        folder: holds what was stored, below `root`.

    """

    url: str
    folder: Path

    def remote(self, prefix: str, **options: object) -> HTTP:
        """Open the remote at a prefix, without retries."""
        return HTTP.open(f"{self.url}/{prefix}", {"method": "PUT"} | options, {})

    def stored(self, prefix: str) -> list[str]:
        """Give the names of the objects below a remote's prefix, from the disk."""
        root = self.folder / "root" / prefix
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())

    def told(self, name: str) -> list[str]:
        """Give what the other host was asked of an object: method, path, and the header `X-Token` or `-`.

        nginx writes a line only after its answer is on the way, so the first one is waited for.
        """
        lines: list[str] = []
        for _ in range(200):
            lines = [line for line in (self.folder / "told.log").read_text().splitlines() if name in line]
            if lines:
                break
            time.sleep(0.05)
        return lines


@contextmanager
def nginx(folder: Path) -> Iterator[Server]:
    """Serve `folder`."""
    command = require("nginx", "a real HTTP server")
    (folder / "root").mkdir()
    folder.chmod(0o755)
    (folder / "passwords").write_text("testing:{PLAIN}testing\n")
    port = free_port()
    user = "user root;" if folder.owner() == "root" else ""
    (folder / "nginx.conf").write_text(_CONFIG.format(folder=folder, port=port, user=user))
    process = subprocess.Popen([command, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:
        wait_for(port)
        yield Server(f"http://127.0.0.1:{port}", folder)
    finally:
        process.terminate()
        process.wait()
