"""An emulator of Google Cloud Storage, started once a session on a free port. It ignores preconditions and pages."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

from runner.store import gs_client
from runner.store.gs import GS
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.cloud.storage import Client

BUCKET = "bucket"


@dataclass(frozen=True)
class Server:
    """A running emulator with the bucket `bucket`; it asks for no credentials."""

    endpoint: str

    @property
    def options(self) -> dict[str, object]:
        """DVC's options of a remote on this server."""
        return {"endpointurl": self.endpoint, "allow_anonymous_login": True}

    @cached_property
    def client(self) -> Client:
        """A client for the tests' own requests."""
        return gs_client.connect(f"gs://{BUCKET}", self.options, {})

    def remote(self, prefix: str) -> GS:
        """Open the remote at a prefix of the bucket, without retries."""
        return GS(BUCKET, prefix, self.client)


@contextmanager
def emulator() -> Iterator[Server]:
    """Serve the emulator's own handler from this process, a thread a connection: by itself it serves one at a time."""
    require("gcp_storage_emulator", "Google Cloud Storage's protocol")
    from gcp_storage_emulator.server import RequestHandler, Storage  # noqa: PLC0415 - for the tests that need it

    storage = Storage(use_memory_fs=True)
    storage.create_bucket(BUCKET, {"name": BUCKET, "kind": "storage#bucket", "id": BUCKET})
    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(RequestHandler, storage))
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{running.server_port}")
    finally:
        running.shutdown()
        thread.join()
        running.server_close()
