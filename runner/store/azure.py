"""Azure Blob Storage, through azure-storage-blob; single blobs through obstore."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Self

from azure.core.exceptions import AzureError
from obstore.exceptions import BaseError

from runner.errors import ConfigError, Denied, ObjectMissing
from runner.store import azure_client, azure_errors, azure_obstore, azure_parts, disk, uploads
from runner.store.arriving import Arriving, coming
from runner.store.azure_obstore import LARGEST_PUT
from runner.store.azure_parts import AzureUpload, Target
from runner.store.meter import unheard
from runner.store.patience import Patience
from runner.store.protocols import Changed
from runner.store.remote import checked, is_plain, prefix_of
from runner.store.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from azure.storage.blob import BlobProperties

    from runner.store.arriving import Coming
    from runner.store.azure_client import Connection
    from runner.store.meter import Report
    from runner.store.protocols import Sink, Source, Version

_REQUESTS: Final = 16
"""Questions that `exists` asks at once."""


class Azure:
    """Blobs of a container, below a prefix."""

    def __init__(self, connection: Connection) -> None:
        """Use a connection; a slash is put behind its prefix unless it is empty."""
        self._prefix = prefix_of(connection.prefix)
        self.url = f"azure://{connection.container}/{self._prefix}".removesuffix("/")
        self._place = f"{self.url} (account {connection.account.name})"
        self._client = connection.client
        self._timeout = connection.timeout
        self._anonymous = connection.account.anonymous
        self._blobs = azure_obstore.beside(connection)
        self._is_there = False

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], environ: Mapping[str, str], /) -> Self:
        """Open `azure://container/prefix`.

        Raises:
            ConfigError: an option or a path that is not supported, or no account.

        """
        connection = azure_client.connect(url, options, environ)
        if not is_plain(prefix_of(connection.prefix)):
            message = f"remote {url!r}: parts of its path that are empty, `.` or `..` are not supported"
            raise ConfigError(message, "write each part once, with one slash between them, and move what lies there")
        return cls(connection)

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        """See `Remote`. Asks one by one or by listing, whichever is fewer requests; a refusal is never an absence."""
        there, wanted = survey(self, {checked(name) for name in names}, _REQUESTS)
        with ThreadPoolExecutor(_REQUESTS) as threads:
            return there | {name: size for name, size in threads.map(self._size, wanted) if size is not None}

    def get(self, name: str, sink: Sink) -> None:
        """See `Remote`."""
        for chunk in self.begin(name)[1]:
            sink.write(chunk)

    def begin(self, name: str) -> tuple[Version, Coming]:
        """See `Ranged`."""
        with self._errors("read", name):
            version, taking = self._blobs.begin(self._key(name))
        return version, coming(taking, lambda: self._errors("read", name))

    def read(self, name: str, version: Version, start: int, stop: int) -> Arriving:
        """See `Ranged`."""
        try:
            with self._errors("read", name):
                taking = self._blobs.read(self._key(name), version.pin, start, stop)
        except ObjectMissing as error:
            raise azure_errors.changed(name, self._place) from error
        return Arriving(taking, lambda: self._errors("read", name))

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        """See `Remote`. Azure shows a blob when it is whole."""
        self._store(name, source, report, only_new=False)

    def create(self, name: str, source: Source, report: Report = unheard) -> None:
        """See `Creating`."""
        try:
            self._store(name, source, report, only_new=True)
        except Changed:
            if self._size(name)[1] != disk.size_of(source):
                self._store(name, source, report, only_new=False)

    def upload(self, name: str, source: Path, /, *, only_new: bool) -> AzureUpload | None:
        """See `Parted`."""
        key, size = self._key(name), source.stat().st_size
        if size <= azure_parts.BLOCK:
            return None
        target = Target(
            self._client.get_blob_client(key),
            only_new,
            lambda: self._size(name)[1] == size,
            self._timeout,
            lambda: self._errors("write", name),
        )
        return AzureUpload(f"{self.url}/{name}", target, source, size)

    def _store(self, name: str, source: Source, report: Report, *, only_new: bool) -> None:
        upload = None if isinstance(source, bytes) else self.upload(name, source, only_new=only_new)
        if upload is not None and not isinstance(source, bytes):
            uploads.send(upload, source, Patience(0), report)
            return
        key, size = self._key(name), disk.size_of(source)
        with self._errors("write", name):
            if size <= LARGEST_PUT:
                self._blobs.put(key, disk.content_of(source), only_new=only_new)
                return
            with disk.opened(source) as file:
                self._client.upload_blob(key, file, length=size, overwrite=not only_new, timeout=self._timeout)

    def names(self, prefix: str) -> Iterator[str]:
        """See `Remote`."""
        return (name for some in self.listed(prefix) for name, _ in some)

    def remove(self, names: Sequence[str]) -> None:
        """See `Erasable`."""
        with ThreadPoolExecutor(_REQUESTS) as threads:
            list(threads.map(self._remove, names))

    def stored(self, names: Sequence[str]) -> Mapping[str, float]:
        """See `Erasable`. By listing everything: a question an object would be a thousand times as many requests."""
        wanted = {self._key(name): name for name in names}
        with self._errors("list", ""):
            found = self._client.list_blobs(self._prefix, timeout=self._timeout)
            return {wanted[blob.name]: blob.last_modified.timestamp() for blob in found if blob.name in wanted}

    def _remove(self, name: str) -> None:
        with suppress(ObjectMissing), self._errors("remove", name):
            self._client.delete_blob(self._key(name), timeout=self._timeout)

    def first_page(self, prefix: str, /) -> tuple[list[tuple[str, int]], bool]:
        """See `Bucket`."""
        with self._errors("list", prefix):
            listing = self._client.list_blobs(f"{self._prefix}{prefix}", timeout=self._timeout)
            pages: Any = listing.by_page()  # its type has no token
            page = [self._named(blob) for blob in next(pages, ())]
            return page, not pages.continuation_token

    def _named(self, blob: BlobProperties) -> tuple[str, int]:
        return blob.name[len(self._prefix) :], blob.size

    def listed(self, prefix: str, after: str = "", /) -> Iterator[list[tuple[str, int]]]:
        """Give names and sizes, in the order of the names; see `Bucket`."""
        with self._errors("list", prefix):
            for page in self._client.list_blobs(f"{self._prefix}{prefix}", timeout=self._timeout).by_page():
                # Not every account knows where to begin.
                yield [found for found in map(self._named, page) if found[0] > after]

    def _key(self, name: str) -> str:
        return f"{self._prefix}{checked(name)}"

    def _size(self, name: str) -> tuple[str, int | None]:
        """Give the size of a blob, or `None` where Azure says that there is none."""
        key = self._key(name)
        try:
            with self._errors("read", name):
                return name, self._blobs.size(key)
        except ObjectMissing:
            if not self._is_there:
                self._is_there = self._ask(key, name) is None  # the container is, if a blob is what is missing
            return name, None
        except Denied:
            return name, self._ask(key, name)

    def _ask(self, key: str, name: str) -> int | None:
        """Ask as `_size` does, but through Azure's client: only to that Azure says why it refuses a HEAD."""
        try:
            with self._errors("read", name):
                return self._client.get_blob_client(key).get_blob_properties(timeout=self._timeout).size
        except ObjectMissing:
            return None

    @contextmanager
    def _errors(self, doing: str, name: str) -> Iterator[None]:
        """Translate what Azure's client and obstore raise inside the block."""
        try:
            yield
        except (AzureError, BaseError, OSError) as error:
            if isinstance(error, OSError) and error.errno:  # of the disk: neither obstore nor requests sets a number
                raise
            raise azure_errors.translate(error, doing, name, self._place, anonymous=self._anonymous) from error
