"""A small S3 server that misbehaves on demand and counts what it is asked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from email.utils import formatdate
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from runner.store import s3_client, s3_obstore
from runner.store.s3 import S3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class FaultyS3(ThreadingHTTPServer):
    """A server of one bucket.

    Attributes:
        objects: what it holds: bytes by key.
        faults: what to do wrong at the next requests for an object, one each; `""` is none.
        always: what to do wrong at every request for an object.
        may_list: whether listing is allowed; without it a missing object is a refusal, as with S3.
        page: keys a page of a listing.
        boto3_only: whether remotes that are opened do without obstore.
        dated: whether a listing says when objects were written, as S3's does.
        in_order: whether a listing comes in the order of the keys, as from S3; a directory bucket's does not.
        requests: method and path of each request so far.
        agents: the client of each request for an object so far, as it names itself.
        signatures: what signed each request for an object so far: the access key, a slash, and more.

    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self.boto3_only = False
        self.reset()

    def reset(self) -> None:
        """Be as new, and let go whoever waits for an answer."""
        self.closing.set()
        self.closing = threading.Event()
        self.objects: dict[str, bytes] = {}
        self.faults: list[str] = []
        self.always = ""
        self.may_list = True
        self.page = 1000
        self.in_order = True
        self.dated = True
        self.requests: list[tuple[str, str]] = []
        self.agents: list[str] = []
        self.signatures: list[str] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @cached_property
    def _connection(self) -> s3_client.Connection:
        return s3_client.connect("s3://bucket", self.options, {})

    @property
    def options(self) -> dict[str, object]:
        return {
            "access_key_id": "key",
            "secret_access_key": "secret",
            "region": "us-east-1",
            "endpointurl": self.endpoint,
        }

    def remote(self, **options: object) -> S3:
        """Open the bucket; several connections serve whoever asks without options."""
        given = self.options | options
        connection = s3_client.connect("s3://bucket", given, {}) if options else self._connection
        obstore = None if self.boto3_only else s3_obstore.beside(connection, "bucket", {})
        return S3("bucket", "", connection.client, obstore=obstore)

    def note(self, method: str, path: str) -> None:
        with self._lock:
            self.requests.append((method, path))

    def next_fault(self) -> str:
        with self._lock:
            return self.always or (self.faults.pop(0) if self.faults else "")

    def count(self, method: str) -> int:
        return sum(asked == method for asked, _ in self.requests)


@contextmanager
def faulty_s3() -> Iterator[FaultyS3]:
    """Run such a server."""
    server = FaultyS3()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Answer(BaseHTTPRequestHandler):
    server: FaultyS3
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if parse_qs(url.query).get("list-type"):
            self.server.note("LIST", self.path)
            self._list({name: values[0] for name, values in parse_qs(url.query).items()})
        else:
            self.server.note("GET", url.path)
            self._object(unquote(url.path).removeprefix("/bucket/"), self._get)

    def do_HEAD(self) -> None:
        self.server.note("HEAD", self.path)
        self._object(unquote(self.path).removeprefix("/bucket/"), self._head)

    def do_PUT(self) -> None:
        self.server.note("PUT", self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = unquote(urlsplit(self.path).path).removeprefix("/bucket/")

        def store(key: str, fault: str) -> None:
            if fault != "lost":
                self.server.objects[key] = body
            self._answer(200, b"", {"ETag": '"0"'})

        self._object(key, store)

    def _object(self, key: str, answer: Callable[[str, str], None]) -> None:
        self.server.agents.append(self.headers["User-Agent"].partition("/")[0])
        self.server.signatures.append(self.headers.get("Authorization", "").partition("Credential=")[2])
        fault = self.server.next_fault()
        if fault == "silent":
            self._fall_silent()
        elif fault.isdigit():
            self._refuse(int(fault), {"503": "SlowDown", "403": "AccessDenied"}.get(fault, "InternalError"))
        elif ":" in fault:
            status, _, code = fault.partition(":")
            self._refuse(int(status), code)
        else:
            answer(key, fault)

    def _fall_silent(self) -> None:
        self.server.closing.wait()
        self.close_connection = True

    def _head(self, key: str, _fault: str) -> None:
        found = self.server.objects.get(key)
        if found is None:
            self._answer(404 if self.server.may_list else 403, b"", {})
            return
        self.send_response(200)
        self._headers({"Content-Length": str(len(found))})

    def _get(self, key: str, fault: str) -> None:
        found = self.server.objects.get(key)
        if found is None:
            self._refuse(*((404, "NoSuchKey") if self.server.may_list else (403, "AccessDenied")))
        elif fault == "cut":
            self.send_response(200)
            self._headers({"Content-Length": str(len(found))})
            self.wfile.write(found[: len(found) // 2])
            self.close_connection = True
        elif fault == "stall":
            self.send_response(200)
            self._headers({"Content-Length": str(len(found))})
            self.wfile.write(found[: len(found) // 2])
            self._fall_silent()
        elif fault == "short":
            self._answer(200, found[: len(found) // 2], {})
        elif fault == "wrong":
            self._answer(200, bytes(byte ^ 1 for byte in found), {})
        else:
            self._answer(200, found, {})

    def _list(self, query: dict[str, str]) -> None:
        if not self.server.may_list:
            self._refuse(403, "AccessDenied")
            return
        after = query.get("continuation-token") or query.get("start-after", "")
        keys = sorted(key for key in self.server.objects if key.startswith(query.get("prefix", "")) and key > after)
        if not self.server.in_order:
            keys.reverse()
        page, rest = keys[: self.server.page], keys[self.server.page :]
        date = "<LastModified>2026-10-01T00:00:00.000Z</LastModified>" if self.server.dated else ""
        rows = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(self.server.objects[key])}</Size>{date}</Contents>" for key in page
        )
        token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if rest else ""
        truncated = "true" if rest else "false"
        self._answer(
            200,
            f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{token}{rows}</ListBucketResult>".encode(),
            {},
        )

    def _refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>as told</Message><RequestId>R1</RequestId></Error>".encode()
        self._answer(status, b"" if self.command == "HEAD" else body, {"x-amz-request-id": "R1"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self._headers({"Content-Length": str(len(body))} | headers)
        self.wfile.write(body)

    def _headers(self, headers: dict[str, str]) -> None:
        for name, value in ({"Date": formatdate(usegmt=True)} | headers).items():
            self.send_header(name, value)
        self.end_headers()
