"""A small S3 server that misbehaves on demand and counts what it is asked."""

from __future__ import annotations

import re
import secrets
import threading
import time
from contextlib import contextmanager, suppress
from email.utils import formatdate
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from runner.hashes import hash_bytes
from runner.store import s3_client, s3_ways
from runner.store.http import HTTP
from runner.store.s3 import S3
from tests.support import loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class FaultyS3(ThreadingHTTPServer):
    """A server of one bucket.

    Attributes:
        objects: what it holds: bytes by key.
        faults: what to do wrong at the next requests for an object, one each; `""` is none.
        always: what to do wrong at every request for an object.
        always_after: the same, once there are no more `faults`.
        then: what every object holds from the request for an object of that number on, counted from 1.
        sent: bytes of objects that were sent so far.
        starts: where each part that was asked for so far starts.
        may_list: whether listing is allowed; without it a missing object is a refusal, as with S3.
        page: keys a page of a listing.
        boto3_only: whether remotes that are opened do without obstore.
        plain: whether they do without S3: to an HTTP remote it is an HTTP server.
        dated: whether a listing says when objects were written, as S3's does.
        ranges: whether parts of objects are sent; without it the whole one is.
        knows: what it makes of `If-None-Match: *`: `yes`, `ignores` it, or the status of its refusal.
        opaque: whether the tags of parts hide their md5, as S3's do under a key of KMS.
        uploads: objects that are on their way in parts: key and parts by id.
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
        self.plain = False
        self.reset()

    def reset(self) -> None:
        """Be as new, and let go whoever waits for an answer."""
        self.closing.set()
        self.closing = threading.Event()
        self.objects: dict[str, bytes] = {}
        self.faults: list[str] = []
        self.always = ""
        self.always_after = ""
        self.then: dict[int, bytes] = {}
        self.sent = 0
        self.starts: list[int] = []
        self.may_list = True
        self.page = 1000
        self.in_order = True
        self.dated = True
        self.ranges = True
        self.knows = "yes"
        self.opaque = False
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
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

    def remote(self, **options: object) -> S3 | HTTP:
        """Open the bucket; several connections serve whoever asks without options."""
        if self.plain:
            return HTTP.open(f"{self.endpoint}/bucket", {"method": "PUT"} | options, {})
        given = self.options | options
        connection = s3_client.connect("s3://bucket", given, {}) if options else self._connection
        obstore = None if self.boto3_only else s3_ways.beside(connection, "bucket", {})
        return S3("bucket", "", lambda: connection.client, obstore=obstore)

    def note(self, method: str, path: str) -> None:
        with self._lock:
            self.requests.append((method, path))

    def next_fault(self) -> str:
        with self._lock:
            if content := self.then.get(self.count("GET")):
                self.objects.update(dict.fromkeys(self.objects, content))
            return self.always or (self.faults.pop(0) if self.faults else self.always_after)

    def count(self, method: str) -> int:
        return sum(asked == method for asked, _ in self.requests)

    def wait_for(self, method: str, number: int) -> None:
        """Wait until so many requests of a method have come."""
        for _ in range(2000):
            if self.count(method) >= number:
                return
            time.sleep(0.01)
        message = f"{number} requests {method} did not come"
        raise TimeoutError(message)


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


class _Answer(loopback.Prompt, BaseHTTPRequestHandler):
    server: FaultyS3
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if "list-type" in self._query:
            self.server.note("LIST", self.path)
            self._list(self._query)
        elif "uploadId" in self._query:
            self.server.note("PARTS", self.path)
            self._object(self._key, self._parts)
        elif "uploads" in self._query:
            self.server.note("UPLOADS", self.path)
            self._refuse(501, "NotImplemented")
        else:
            self.server.note("GET", url.path)
            self._object(self._key, self._get)

    def do_HEAD(self) -> None:
        self.server.note("HEAD", self.path)
        self._object(self._key, self._head)

    def do_PUT(self) -> None:
        query = self._query
        self.server.note("PART" if "partNumber" in query else "PUT", self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))

        def store(key: str, fault: str) -> None:
            if "partNumber" in query:
                self.server.uploads[query["uploadId"]][1][int(query["partNumber"])] = body
            elif self._may_store(key) and fault != "lost":
                self.server.objects[key] = body
            elif fault != "lost":
                return
            if fault == "unheard":
                self.close_connection = True
            else:
                self._answer(200, b"", {"ETag": self._part_tag(body) if "partNumber" in query else _tag(body)})

        self._object(self._key, store)

    def do_POST(self) -> None:
        query = self._query
        self.server.note("BEGIN" if "uploads" in query else "TIE", self.path)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def begin(key: str, _fault: str) -> None:
            name = secrets.token_hex(8)
            self.server.uploads[name] = (key, {})
            self._answer(200, f"<Result><UploadId>{name}</UploadId></Result>".encode(), {})

        def tie(key: str, fault: str) -> None:
            if query["uploadId"] not in self.server.uploads:
                self._refuse(404, "NoSuchUpload")
            elif self._may_store(key):
                _, parts = self.server.uploads.pop(query["uploadId"])
                self.server.objects[key] = b"".join(parts[number] for number in sorted(parts))
                if fault == "unheard":
                    self.close_connection = True
                else:
                    self._answer(200, b"<Result><ETag>whole</ETag></Result>", {})

        self._object(self._key, begin if "uploads" in query else tie)

    def do_DELETE(self) -> None:
        self.server.note("ABORT", self.path)
        self.server.uploads.pop(self._query["uploadId"], None)
        self._answer(204, b"", {})

    @property
    def _query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query, keep_blank_values=True).items()}

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/bucket/")

    def _may_store(self, key: str) -> bool:
        """Hold to `If-None-Match: *`; where it does not hold, that is answered."""
        if self.headers.get("If-None-Match") != "*" or self.server.knows == "ignores":
            return True
        if self.server.knows != "yes":
            self._refuse(int(self.server.knows), "NotImplemented")
        elif key in self.server.objects:
            self._refuse(412, "PreconditionFailed")
        else:
            return True
        return False

    def _object(self, key: str, answer: Callable[[str, str], None]) -> None:
        self.server.agents.append(self.headers["User-Agent"].partition("/")[0])
        self.server.signatures.append(self.headers.get("Authorization", "").partition("Credential=")[2])
        fault = self.server.next_fault()
        if fault == "silent":
            self._fall_silent()
        elif fault.isdigit():
            self._refuse(int(fault), {"503": "SlowDown", "403": "AccessDenied"}.get(fault, "InternalError"))
        elif fault.startswith("wait "):
            self._refuse(503, "SlowDown", {"Retry-After": fault.removeprefix("wait ")})
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
        self._headers({"Content-Length": str(len(found)), "ETag": _tag(found)})

    def _get(self, key: str, fault: str) -> None:
        found = self.server.objects.get(key)
        if found is None:
            self._refuse(*((404, "NoSuchKey") if self.server.may_list else (403, "AccessDenied")))
            return
        if self.headers.get("If-Match", _tag(found)) != _tag(found):
            self._refuse(412, "PreconditionFailed")
            return
        status, headers, sent = 200, {"ETag": _tag(found), "Last-Modified": formatdate(0, usegmt=True)}, found
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if asked and self.server.ranges:
            self.server.starts.append(int(asked[1]))
            status, sent = 206, found[int(asked[1]) : int(asked[2]) + 1]
            headers["Content-Range"] = f"bytes {asked[1]}-{int(asked[1]) + len(sent) - 1}/{len(found)}"
        if fault == "short":
            sent = sent[: len(sent) // 2]
        elif fault == "wrong":
            sent = bytes(byte ^ 1 for byte in sent)
        self._send(status, headers, sent, fault)

    def _send(self, status: int, headers: dict[str, str], sent: bytes, fault: str) -> None:
        """Send bytes; `cut`, `stall` and `loris` get no further than half of them."""
        self.send_response(status)
        self._headers({"Content-Length": str(len(sent))} | headers)
        if fault in {"cut", "stall", "loris"}:
            self.wfile.write(sent[: len(sent) // 2])
            self.server.sent += len(sent) // 2
            self.close_connection = True
            if fault == "stall":
                self._fall_silent()
            with suppress(OSError):
                while fault == "loris" and not self.server.closing.wait(0.01):
                    self.wfile.write(b"x")
        else:
            self.server.sent += len(sent)
            self.wfile.write(sent)

    def _part_tag(self, part: bytes) -> str:
        return _tag(part[::-1] if self.server.opaque else part)

    def _parts(self, _key: str, _fault: str) -> None:
        """List the parts of an upload."""
        if self._query["uploadId"] not in self.server.uploads:
            self._refuse(404, "NoSuchUpload")
            return
        rows = "".join(
            f"<Part><PartNumber>{number}</PartNumber><Size>{len(part)}</Size><ETag>{self._part_tag(part)}</ETag></Part>"
            for number, part in self.server.uploads[self._query["uploadId"]][1].items()
        )
        self._answer(200, f"<ListPartsResult>{rows}</ListPartsResult>".encode(), {})

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

    def _refuse(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        body = f"<Error><Code>{code}</Code><Message>as told</Message><RequestId>R1</RequestId></Error>".encode()
        self._answer(status, b"" if self.command == "HEAD" else body, {"x-amz-request-id": "R1"} | (headers or {}))

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self._headers({"Content-Length": str(len(body))} | headers)
        self.wfile.write(body)

    def _headers(self, headers: dict[str, str]) -> None:
        for name, value in ({"Date": formatdate(usegmt=True)} | headers).items():
            self.send_header(name, value)
        self.end_headers()


def _tag(content: bytes) -> str:
    return f'"{hash_bytes(content)}"'
