"""What a request to Google Cloud Storage costs each client that could move small objects: CPU of this process alone.

`python benchmarks/google_clients.py` puts, gets and looks up objects of 4 KiB through each, in turn. No server of
Google's can be had without an account, and its emulator neither keeps a connection nor speaks the XML API; so this asks
a server of its own, in another process, which answers both APIs with what the clients need. It is slow: wall time says
nothing. docs/decisions/gcs-client.md says what followed from it.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import statistics
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import urllib3
from clients import CONTENT, ROUNDS, cost
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from google.oauth2.credentials import Credentials
from obstore.store import GCSStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from obstore.store import GCSCredential

TOKEN = "token"  # noqa: S105 - the server takes any
BUCKET = "bucket"


class Google(BaseHTTPRequestHandler):
    """Every object is there, and holds `CONTENT`."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer with an object, or what JSON says of one."""
        url = urlsplit(self.path)
        is_json = url.path.startswith("/storage/v1/") and parse_qs(url.query).get("alt") != ["media"]
        self._answer(json.dumps({"name": "n", "size": str(len(CONTENT))}).encode() if is_json else CONTENT)

    def do_HEAD(self) -> None:
        """Answer with an object's size."""
        self._answer(CONTENT)

    def do_PUT(self) -> None:
        """Take an object."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"{}")

    do_POST = do_PUT  # noqa: N815 - the name http.server looks for

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        headers = {"Content-Length": len(body), "ETag": '"1"', "Last-Modified": "Thu, 01 Oct 2026 00:00:00 GMT"}
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.send_header("Content-Type", "application/json" if body.startswith(b"{") else "application/octet-stream")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


def serve(told: Connection) -> None:
    """Serve until the process is ended; tell the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Google)
    told.send(server.server_port)
    server.serve_forever()


def main() -> None:
    """Measure every client in turn, a few times, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=500, metavar="N")
    objects: int = parser.parse_args().objects
    names = [f"files/md5/{number % 256:02x}/{number:030x}" for number in range(objects)]
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=[there], daemon=True)
    server.start()
    costs: dict[tuple[str, str], list[float]] = {}
    works = list(clients(f"http://127.0.0.1:{here.recv()}"))
    for _ in range(ROUNDS):
        for client, verb, work in works:
            costs.setdefault((client, verb), []).append(cost(partial(_each, work), names)[1])
    server.kill()
    for (client, verb), samples in costs.items():
        print(f"{client:28} {verb:4}  {statistics.median(samples) / objects * 1e6:7.0f} us of CPU a request")


def _each(work: Callable[[str], object], names: list[str]) -> None:
    for name in names:
        work(name)


def clients(endpoint: str) -> Iterator[tuple[str, str, Callable[[str], object]]]:
    """Give what moves one object, by the name of the client and what it does."""
    credentials = Credentials(TOKEN)
    session = AuthorizedSession(credentials)
    client = storage.Client("none", credentials, _http=session, client_options={"api_endpoint": endpoint})
    bucket = client.bucket(BUCKET)
    once: dict[str, Any] = {"retry": None}
    whole = {**once, "checksum": None, "raw_download": True}
    yield "google-cloud-storage", "get", lambda name: bucket.blob(name).download_to_file(io.BytesIO(), **whole)
    yield "google-cloud-storage", "put", lambda name: bucket.blob(name).upload_from_string(CONTENT, **once)
    yield "google-cloud-storage", "head", lambda name: bucket.blob(name).reload(**once)
    yield "requests, google-auth", "get", lambda name: session.get(_media(endpoint, name)).content
    pool, headers = urllib3.PoolManager(), {"Authorization": f"Bearer {TOKEN}"}
    yield (
        "urllib3, google-auth's token",
        "get",
        lambda name: pool.request("GET", _media(endpoint, name), headers=headers),
    )
    key = {"gcs_base_url": endpoint, "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
    store = GCSStore(
        BUCKET,
        service_account_key=json.dumps(key),
        client_options={"allow_http": True},
        credential_provider=_token,
    )
    yield "obstore, google-auth's token", "get", lambda name: store.get(name).bytes()
    yield "obstore, google-auth's token", "put", lambda name: store.put(name, CONTENT, use_multipart=False)
    yield "obstore, google-auth's token", "head", store.head


def _token() -> GCSCredential:
    return {"token": TOKEN, "expires_at": None}


def _media(endpoint: str, name: str) -> str:
    return f"{endpoint}/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}?alt=media"


if __name__ == "__main__":
    main()
