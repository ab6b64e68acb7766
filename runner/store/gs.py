"""Google Cloud Storage, through google-cloud-storage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Self, cast

import requests
import urllib3.exceptions
from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from runner.errors import Denied, ObjectMissing, RemoteError, Unavailable
from runner.store import gs_client
from runner.store.meter import Reported, unheard
from runner.store.remote import checked
from runner.store.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from google.cloud.storage import Blob, Client

    from runner.store.meter import Report
    from runner.store.protocols import Sink

TIMEOUT: Final = (10.0, 30.0)
"""Seconds to connect, and between two pieces of an answer."""

ONCE: Final[dict[str, Any]] = {"retry": None, "timeout": TIMEOUT}
"""Each request once: whoever calls decides about another try."""

_FIELDS: Final = "items(name,size),nextPageToken"
_PERMISSION: Final = {
    "read": "storage.objects.get",
    "write": "storage.objects.create",
    "list": "storage.objects.list",
    "remove": "storage.objects.delete",
}
_NO_BUCKET: Final = "bucket does not exist"
_DENIED: Final = frozenset({401, 403})
_PASSING: Final = frozenset({408, 429})
_SERVER: Final = 500


class GS:
    """Objects of a bucket, below a prefix."""

    def __init__(self, bucket: str, prefix: str, client: Client, requests: int = 16) -> None:
        """Use `bucket` through `client`.

        Args:
            bucket: its name.
            prefix: what every object's name begins with; a slash is put behind it unless it is empty.
            client: Google's.
            requests: how many questions `exists` asks at once.

        """
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.url = f"gs://{bucket}/{self._prefix}".rstrip("/")
        self._client = client
        self._bucket = client.bucket(bucket)
        self._requests = requests

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], environ: Mapping[str, str], /) -> Self:
        """Open `gs://bucket/prefix`.

        Raises:
            ConfigError: an option that is not supported.
            Denied: there are no credentials.

        """
        bucket, _, prefix = url.partition("://")[2].partition("/")
        return cls(bucket, prefix, gs_client.connect(url, options, environ))

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        """See `Remote`. Asks one by one or by listing, whichever is fewer requests; a refusal is never an absence."""
        there, wanted = survey(self, {checked(name) for name in names}, self._requests)
        with ThreadPoolExecutor(self._requests) as threads:
            return there | {name: size for name, size in threads.map(self._size, wanted) if size is not None}

    def get(self, name: str, sink: Sink) -> None:
        """See `Remote`. The bytes as they are stored: Google's own checksum is left to the sink's hash."""
        with self.errors("read", name):
            self._blob(name).download_to_file(cast("BinaryIO", Passing(sink)), raw_download=True, checksum=None, **ONCE)

    def put(self, name: str, source: Path, report: Report = unheard) -> None:
        """See `Remote`. Google shows an object when it is whole."""
        blob = self._blob(name)
        with source.open("rb") as file, self.errors("write", name):
            told = cast("BinaryIO", Reported(file, report))
            blob.upload_from_file(told, size=source.stat().st_size, content_type="application/octet-stream", **ONCE)

    def names(self, prefix: str) -> Iterator[str]:
        """See `Remote`."""
        return (name for name, _ in self.listed(prefix))

    def remove(self, names: Sequence[str]) -> None:
        """See `Erasable`."""
        with ThreadPoolExecutor(self._requests) as threads:
            list(threads.map(self._remove, map(checked, names)))

    def _remove(self, name: str) -> None:
        with suppress(ObjectMissing), self.errors("remove", name):
            self._blob(name).delete(**ONCE)

    def first_page(self, prefix: str, /) -> tuple[list[tuple[str, int]], bool]:
        """See `Bucket`."""
        with self.errors("list", prefix):
            listing = self._listing(prefix)
            page = next(listing.pages, ())
            return [self._named(blob) for blob in page], not listing.next_page_token

    def listed(self, prefix: str, after: str = "", /) -> Iterator[tuple[str, int]]:
        """Give names and sizes, in the order of the names; see `Bucket`."""
        with self.errors("list", prefix):
            for blob in self._listing(prefix, after):
                name, size = self._named(blob)
                if name > after:  # Google's offset includes the name itself
                    yield name, size

    def _listing(self, prefix: str, after: str = "") -> Any:  # noqa: ANN401 - api_core's iterator has no types
        offset = f"{self._prefix}{after}" if after else None
        return self._client.list_blobs(
            self._bucket, prefix=f"{self._prefix}{prefix}", start_offset=offset, fields=_FIELDS, **ONCE
        )

    def _named(self, blob: Blob) -> tuple[str, int]:
        return blob.name[len(self._prefix) :], blob.size or 0

    def _blob(self, name: str) -> Blob:
        return self._bucket.blob(f"{self._prefix}{checked(name)}")

    def _size(self, name: str) -> tuple[str, int | None]:
        """Give the size of an object, or `None` where Google says that there is none."""
        blob = self._blob(name)
        try:
            with self.errors("read", name):
                blob.reload(**ONCE)
        except ObjectMissing:
            return name, None
        return name, blob.size or 0

    @contextmanager
    def errors(self, doing: str, name: str) -> Iterator[None]:
        """Translate what Google's client, and requests under it, raise inside the block."""
        try:
            yield
        except (
            GoogleAPICallError,
            InvalidResponse,
            DataCorruption,
            GoogleAuthError,
            requests.RequestException,
            urllib3.exceptions.HTTPError,
        ) as error:
            raise self._translated(error, doing, name) from error

    def _translated(self, error: Exception, doing: str, name: str) -> RemoteError:
        """Sort an error by what helps: other rights, another try, or neither."""
        said = f"{doing} {name} in {self.url}: {getattr(error, 'message', '') or error}"
        if isinstance(error, NotFound) and _NO_BUCKET in said:
            return RemoteError(f"{self.url}: there is no such bucket", "check the remote's url and endpointurl")
        if isinstance(error, NotFound):
            return ObjectMissing(f"{name} is not in {self.url}", "push it from where it was made, or make it anew")
        status = _status(error)
        if status in _DENIED or (isinstance(error, GoogleAuthError) and not isinstance(error, TransportError)):
            return Denied(said, f"the credentials need {_PERMISSION[doing]}")
        if status in _PASSING or status >= _SERVER or not status:
            return Unavailable(said, "the storage cannot be reached or is overloaded; try again later")
        return RemoteError(said, "the storage refused the request; check the remote's options")


class Passing:
    """A sink as the file that Google's client writes to."""

    def __init__(self, sink: Sink) -> None:
        """Pass everything on to `sink`."""
        self._sink = sink
        self._size = 0

    def write(self, chunk: bytes) -> int:
        """Take the next bytes."""
        self._sink.write(chunk)
        self._size += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        """Give how many bytes there were."""
        return self._size


def _status(error: Exception) -> int:
    """Give the HTTP status that an error stands for; 0 for none."""
    answer = getattr(error, "response", None)
    code = getattr(error, "code", None) or getattr(answer, "status_code", None)
    return int(code) if code else 0
