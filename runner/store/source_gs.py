"""Objects of Google Cloud Storage as sources: known by ETag and, where asked, by generation."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Self, cast

from runner.errors import ObjectMissing, RemoteError
from runner.hashes import Hash
from runner.store import gs_client
from runner.store.gs import GS, ONCE
from runner.store.source import OF_REMOTES, Part, changed, of_file, of_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from google.cloud.storage import Blob, Client

    from runner.store.protocols import Sink
    from runner.store.source import Found

_FIELDS = "items(name,size,etag,generation),nextPageToken"


class GSSource:
    """The objects of one bucket."""

    def __init__(self, bucket: str, client: Client) -> None:
        """Read `bucket` through `client`."""
        self._name = bucket
        self._client = client
        self._bucket = client.bucket(bucket)
        self._errors = GS(bucket, "", client).errors

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], environ: Mapping[str, str], /, *, guarded: bool) -> Self:
        """Open the bucket of `gs://bucket/key`.

        Raises:
            ConfigError: an option that is not supported.
            RemoteError: whoever chose the url is not trusted, or there are no credentials.

        """
        if guarded:
            message = f"{url} is not read with credentials for somebody who is not trusted"
            raise RemoteError(message)
        known = {name: value for name, value in options.items() if name not in OF_REMOTES}
        return cls(url.removeprefix("gs://").partition("/")[0], gs_client.connect(url, known, environ))

    def find(self, url: str, *, folder: bool, versioned: bool) -> Found | None:
        """See `SourceStore`. One request, and one more for each page of a directory."""
        key = self._key(url)
        if folder:
            return self._folder(key, versioned=versioned) or self._file(key)
        return self._file(key) or self._folder(key, versioned=versioned)

    def get(self, url: str, part: Part, sink: Sink) -> None:
        """See `SourceStore`. The generation that was found is asked for, or else the very content."""
        key = f"{self._key(url).rstrip('/')}/{part.relpath}" if part.relpath else self._key(url)
        blob = self._bucket.blob(key, generation=int(part.version) if part.version else None)
        etag = base64.b64encode(bytes.fromhex(part.hash.value)).decode()
        only = {} if part.version else {"if_etag_match": etag}
        with self._errors("read", key):
            try:
                blob.download_to_file(
                    cast("BinaryIO", _Passing(sink)), raw_download=True, checksum=None, **only, **cast("Any", ONCE)
                )
            except Exception as error:
                if getattr(error, "code", None) == 412:  # noqa: PLR2004 - the status of a failed precondition
                    raise changed(url) from error
                raise

    def _key(self, url: str) -> str:
        return url.removeprefix(f"gs://{self._name}").removeprefix("/")

    def _file(self, key: str) -> Found | None:
        if not key or key.endswith("/"):
            return None
        blob = self._bucket.blob(key)
        try:
            with self._errors("read", key):
                blob.reload(**ONCE)
        except ObjectMissing:
            return None
        return of_file(_part("", blob, str(blob.generation or "")))

    def _folder(self, key: str, *, versioned: bool) -> Found | None:
        prefix = f"{key.rstrip('/')}/" if key.strip("/") else ""
        with self._errors("list", prefix):
            blobs = [
                blob
                for blob in self._client.list_blobs(self._bucket, prefix=prefix, fields=_FIELDS, **ONCE)
                if not blob.name.endswith("/")
            ]
        generations = [str(blob.generation or "") if versioned else "" for blob in blobs]
        parts = [_part(blob.name[len(prefix) :], blob, one) for blob, one in zip(blobs, generations, strict=True)]
        return of_folder(parts) if parts else None


def _part(relpath: str, blob: Blob, version: str) -> Part:
    """Give a file; DVC writes Google's ETag, which is base64, in hexadecimal digits."""
    return Part(relpath, Hash(base64.b64decode(blob.etag).hex(), "etag"), blob.size or 0, version)


class _Passing:
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
