"""Google Cloud Storage, through google-cloud-storage; single objects through obstore where it can."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast
from urllib.parse import quote, urlsplit

import requests
import urllib3.exceptions
from google.api_core.exceptions import GoogleAPICallError, NotFound, from_http_response
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from runner.errors import Denied, ObjectMissing, RemoteError, Unavailable
from runner.store import disk, gs_client, gs_obstore, retry_after
from runner.store.arriving import Arriving, coming, from_urllib3
from runner.store.gs_obstore import LARGEST_PUT, Elsewhere
from runner.store.gs_parts import PART, TIMEOUT, GSUpload, Target
from runner.store.meter import Reported, unheard
from runner.store.protocols import Changed, Unranged, Version
from runner.store.remote import bucket_of, checked, is_plain, prefix_of
from runner.store.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from google.cloud.storage import Blob, Client
    from requests import Session

    from runner.store.arriving import Coming
    from runner.store.gs_obstore import Objects
    from runner.store.meter import Report
    from runner.store.protocols import Sink, Source

T = TypeVar("T")

ONCE: Final[dict[str, Any]] = {"retry": None, "timeout": TIMEOUT}
"""Each request once: whoever calls decides about another try."""

_ONLY_NEW: Final[Mapping[str, int]] = MappingProxyType({"if_generation_match": 0})
_BYTES: Final = "application/octet-stream"
_PRECONDITION: Final = 412
_FIELDS: Final = "items(name,size),nextPageToken"
_TIMES: Final = "items(name,updated),nextPageToken"
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

    def __init__(
        self, bucket: str, prefix: str, client: Client, requests: int = 16, objects: Objects | None = None
    ) -> None:
        """Use `bucket` through `client`.

        Args:
            bucket: its name.
            prefix: what every object's name begins with; a slash is put behind it unless it is empty.
            client: Google's.
            requests: how many questions `exists` asks at once.
            objects: what else reaches the bucket, at a lower price.

        """
        self._prefix = prefix_of(prefix)
        self.url = f"gs://{bucket}/{self._prefix}".removesuffix("/")
        self._client = client
        self._bucket = client.bucket(bucket)
        self._requests = requests
        self._session: Session = client._http  # noqa: SLF001 - sends signed requests; there is no other way to it
        self._objects = objects if is_plain(self._prefix) else None

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], environ: Mapping[str, str], /) -> Self:
        """Open `gs://bucket/prefix`.

        Raises:
            ConfigError: no bucket, or an option that is not supported.
            Denied: there are no credentials.

        """
        bucket, prefix = bucket_of(url)
        client = gs_client.connect(url, options, environ)
        if gs_client.endpoint(options, environ):  # which need not speak Google's XML API
            return cls(bucket, prefix, client)
        objects = gs_obstore.beside(gs_client.credentials_of(client), bucket, TIMEOUT)
        return cls(bucket, prefix, client, objects=objects)

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        """See `Remote`. Asks one by one or by listing, whichever is fewer requests; a refusal is never an absence."""
        there, wanted = survey(self, {checked(name) for name in names}, self._requests)
        with ThreadPoolExecutor(self._requests) as threads:
            return there | {name: size for name, size in threads.map(self._size, wanted) if size is not None}

    def get(self, name: str, sink: Sink) -> None:
        """See `Remote`. The bytes as they are stored: Google's own checksum is left to the sink's hash."""
        for chunk in self.begin(name)[1]:
            sink.write(chunk)

    def begin(self, name: str) -> tuple[Version, Coming]:
        """See `Ranged`."""
        with self.errors("read", name):
            begun = self._cheaply(lambda objects: objects.begin(self._key(name)))
        if begun is not None:
            return begun[0], coming(begun[1], lambda: self.errors("read", name))
        answer = self._media(name, {}, {})
        size, generation = answer.headers.get("Content-Length", ""), answer.headers.get("X-Goog-Generation", "")
        return Version(int(size) if size.isdecimal() else None, generation), self._arriving(answer, name)

    def read(self, name: str, version: Version, start: int, stop: int) -> Arriving:
        """See `Ranged`."""
        with self.errors("read", name):
            taking = self._cheaply(lambda objects: objects.read(self._key(name), version.pin, start, stop))
        if taking is not None:
            return Arriving(taking, lambda: self.errors("read", name))
        answer = self._media(name, {"ifGenerationMatch": version.pin}, {"Range": f"bytes={start}-{stop - 1}"})
        if not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-{stop - 1}/"):
            answer.close()
            message = f"{self.url} sends whole objects only"
            raise Unranged(message)
        return self._arriving(answer, name)

    def _media(self, name: str, query: Mapping[str, str], headers: Mapping[str, str]) -> requests.Response:
        """Ask for bytes as they are stored, by the client's session: the client gives whole chunks only."""
        place = (
            f"{self._client.api_endpoint}/download/storage/v1/b/{self._bucket.name}/o/{quote(self._key(name), safe='')}"
        )
        sent = {"Accept-Encoding": "gzip", **headers}  # else Google unpacks what is stored packed
        with self.errors("read", name):
            answer = self._session.get(
                place, params={"alt": "media", **query}, headers=sent, stream=True, timeout=TIMEOUT
            )
            if not answer.ok:
                with answer:
                    raise from_http_response(answer)  # type: ignore[no-untyped-call]  # api_core has no types here
        return answer

    def _arriving(self, answer: requests.Response, name: str) -> Arriving:
        return Arriving(from_urllib3(answer.raw), lambda: self.errors("read", name), answer.close)

    def _cheaply(self, ask: Callable[[Objects], T]) -> T | None:
        """Give what obstore answers; `None` where Google's client has to be asked, and from then on always is."""
        try:
            return ask(self._objects) if self._objects else None
        except Elsewhere:
            self._objects = None
            return None

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        """See `Remote`. Google shows an object when it is whole."""
        self._store(name, source, report, {})

    def create(self, name: str, source: Source, report: Report = unheard) -> None:
        """See `Creating`."""
        try:
            self._store(name, source, report, _ONLY_NEW)
        except Changed:
            if self._size(name)[1] != disk.size_of(source):
                self._store(name, source, report, {})

    def _store(self, name: str, source: Source, report: Report, how: Mapping[str, int]) -> None:
        size = disk.size_of(source)
        with self.errors("write", name):
            if size <= LARGEST_PUT and self._is_stored(name, source, only_new=bool(how)):
                return
            with disk.opened(source) as file:
                told = cast("BinaryIO", Reported(file, report))
                self._blob(name).upload_from_file(told, size=size, content_type=_BYTES, **ONCE, **how)

    def _is_stored(self, name: str, source: Source, *, only_new: bool) -> bool:
        """Store a small object; False where obstore cannot."""
        if self._objects is None:
            return False
        content = disk.content_of(source)
        return bool(self._cheaply(lambda objects: objects.put(self._key(name), content, only_new=only_new)))

    def upload(self, name: str, source: Path, /, *, only_new: bool) -> GSUpload | None:
        """See `Parted`."""
        size = source.stat().st_size
        if size <= PART:
            return None
        target = Target(
            f"{self.url}/{name}",
            lambda: self._begin(name, size, only_new=only_new),
            self._session,
            "://".join(urlsplit(self._client.api_endpoint)[:2]),
            lambda: self.errors("write", name),
        )
        return GSUpload(target, source, size)

    def _begin(self, name: str, size: int, *, only_new: bool) -> str:
        """Begin an upload and give its url; empty where with `only_new` there is an object of that size."""
        try:
            return self._session_for(name, size, _ONLY_NEW if only_new else {})
        except Changed:
            return "" if self._size(name)[1] == size else self._session_for(name, size, {})

    def _session_for(self, name: str, size: int, how: Mapping[str, int]) -> str:
        with self.errors("write", name):
            return str(self._blob(name).create_resumable_upload_session(_BYTES, size, **ONCE, **how))

    def names(self, prefix: str) -> Iterator[str]:
        """See `Remote`."""
        return (name for some in self.listed(prefix) for name, _ in some)

    def remove(self, names: Sequence[str]) -> None:
        """See `Erasable`."""
        with ThreadPoolExecutor(self._requests) as threads:
            list(threads.map(self._remove, map(checked, names)))

    def stored(self, names: Sequence[str]) -> Mapping[str, float]:
        """See `Erasable`. By listing everything: a question an object would be a thousand times as many requests."""
        wanted = {f"{self._prefix}{checked(name)}": name for name in names}
        with self.errors("list", ""):
            listing = self._client.list_blobs(self._bucket, prefix=self._prefix, fields=_TIMES, **ONCE)
            return {wanted[blob.name]: blob.updated.timestamp() for blob in listing if blob.name in wanted}

    def _remove(self, name: str) -> None:
        with suppress(ObjectMissing), self.errors("remove", name):
            self._blob(name).delete(**ONCE)

    def first_page(self, prefix: str, /) -> tuple[list[tuple[str, int]], bool]:
        """See `Bucket`."""
        with self.errors("list", prefix):
            listing = self._listing(prefix)
            page = next(listing.pages, ())
            return [self._named(blob) for blob in page], not listing.next_page_token

    def listed(self, prefix: str, after: str = "", /) -> Iterator[list[tuple[str, int]]]:
        """Give names and sizes, in the order of the names; see `Bucket`."""
        with self.errors("list", prefix):
            for page in self._listing(prefix, after).pages:
                yield [found for found in map(self._named, page) if found[0] > after]  # Google's offset names the first

    def _listing(self, prefix: str, after: str = "") -> Any:  # noqa: ANN401 - api_core's iterator has no types
        offset = f"{self._prefix}{after}" if after else None
        return self._client.list_blobs(
            self._bucket, prefix=f"{self._prefix}{prefix}", start_offset=offset, fields=_FIELDS, **ONCE
        )

    def _named(self, blob: Blob) -> tuple[str, int]:
        return blob.name[len(self._prefix) :], blob.size or 0

    def _key(self, name: str) -> str:
        return f"{self._prefix}{checked(name)}"

    def _blob(self, name: str) -> Blob:
        return self._bucket.blob(self._key(name))

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
        if isinstance(error, NotFound) and (doing == "list" or _NO_BUCKET in said):
            return RemoteError(f"{self.url}: there is no such bucket", "check the remote's url and endpointurl")
        if isinstance(error, NotFound):
            return ObjectMissing(f"{name} is not in {self.url}", "push it from where it was made, or make it anew")
        status = _status(error)
        if status == _PRECONDITION:
            return Changed(f"{name} in {self.url} is another than before", "find out who overwrites it")
        if status in _DENIED or (isinstance(error, GoogleAuthError) and not isinstance(error, TransportError)):
            return Denied(said, f"the credentials need {_PERMISSION[doing]}")
        if status in _PASSING or status >= _SERVER or not status:
            after = retry_after.seconds(getattr(getattr(error, "response", None), "headers", None) or {})
            return Unavailable(said, "the storage cannot be reached or is overloaded; try again later", after=after)
        return RemoteError(said, "the storage refused the request; check the remote's options")


def _status(error: Exception) -> int:
    """Give the HTTP status that an error stands for; 0 for none."""
    answer = getattr(error, "response", None)
    code = getattr(error, "code", None) or getattr(answer, "status_code", None)
    return int(code) if code else 0
