"""An emulator of Google Cloud Storage, started once a session on a free port. It ignores preconditions and pages."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from runner.store import gs_client
from runner.store.gs import GS
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.cloud.storage import Client

BUCKET = "bucket"
PLAIN = {"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}
"""Has DVC's client use JSON over HTTP only: it would ask for a bucket's layout by gRPC, which the emulator has not."""


@dataclass(frozen=True)
class Server:
    """A running emulator with the bucket `bucket`; it asks for no credentials."""

    endpoint: str

    @property
    def options(self) -> dict[str, object]:
        """DVC's options of a remote on this server."""
        return {"endpointurl": self.endpoint, "allow_anonymous_login": True}

    @property
    def environ(self) -> dict[str, str]:
        """What the environment has to say beside the options: DVC's client has to be told."""
        return PLAIN

    def url(self, prefix: str) -> str:
        """Give the url of a prefix of the bucket."""
        return f"gs://{BUCKET}/{prefix}"

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
    running = _Server(("127.0.0.1", 0), partial(RequestHandler, storage))
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{running.server_port}")
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that hang up before they have heard everything, as DVC's does."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], BrokenPipeError | ConnectionResetError):
            super().handle_error(request, client_address)
