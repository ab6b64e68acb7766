"""Blobs of Azure as sources: known by ETag. Versions are not read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

from azure.core.exceptions import AzureError
from obstore.exceptions import BaseError

from runner.errors import ConfigError, ObjectMissing, RemoteError
from runner.hashes import Hash
from runner.store import azure_client, azure_errors, azure_obstore
from runner.store.arriving import coming
from runner.store.protocols import Changed
from runner.store.source import OF_REMOTES, Part, changed, of_file, of_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.store.azure_client import Connection
    from runner.store.protocols import Sink
    from runner.store.source import Found

_FOLDER: Final = "hdi_isfolder"
"""What an account with folders of its own writes beside a blob that is one."""


class AzureSource:
    """The blobs of one container."""

    def __init__(self, connection: Connection) -> None:
        """Use a connection."""
        self._client = connection.client
        self._blobs = azure_obstore.beside(connection)
        self._connection = connection

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], environ: Mapping[str, str], /, *, guarded: bool) -> Self:
        """Open the container of `azure://container/name`.

        Raises:
            ConfigError: an option that is not supported, or no account.
            RemoteError: whoever chose the url is not trusted.

        """
        if guarded:
            message = f"{url} is not read with credentials for somebody who is not trusted"
            raise RemoteError(message)
        known = {name: value for name, value in options.items() if name not in OF_REMOTES}
        return cls(azure_client.connect(url, known, environ))

    def find(self, url: str, *, folder: bool, versioned: bool) -> Found | None:
        """See `SourceStore`. One request, and one more for each 5,000 blobs of a directory."""
        if versioned:
            message = f"{url}: versions of blobs are not read from Azure"
            raise ConfigError(message, "import it without --version-aware")
        name = _name(url)
        return self._folder(name) or self._file(name) if folder else self._file(name) or self._folder(name)

    def get(self, url: str, part: Part, sink: Sink) -> None:
        """See `SourceStore`. The very content that was found is asked for."""
        name = f"{_name(url).rstrip('/')}/{part.relpath}" if part.relpath else _name(url)
        try:
            with self._errors("read", name):
                _, taking = self._blobs.begin(name, part.hash.value)
        except Changed as error:
            raise changed(url) from error
        for chunk in coming(taking, lambda: self._errors("read", name)):
            sink.write(chunk)

    def _file(self, name: str) -> Found | None:
        if not name or name.endswith("/"):
            return None
        try:
            with self._errors("read", name):
                about = self._client.get_blob_client(name).get_blob_properties()
        except ObjectMissing:
            return None
        return None if _is_folder(about) else of_file(_part("", about))

    def _folder(self, name: str) -> Found | None:
        prefix = f"{name.rstrip('/')}/" if name.strip("/") else ""
        with self._errors("list", prefix):
            found = [
                _part(blob.name[len(prefix) :], blob)
                for blob in self._client.list_blobs(prefix, include=["metadata"])
                if not blob.name.endswith("/") and not _is_folder(blob)
            ]
        return of_folder(found) if found else None

    @contextmanager
    def _errors(self, doing: str, name: str) -> Iterator[None]:
        place, anonymous = self._connection.place, self._connection.account.anonymous
        try:
            yield
        except (AzureError, BaseError, OSError) as error:
            raise azure_errors.translate(error, doing, name, place, anonymous=anonymous) from error


def _name(url: str) -> str:
    return url.partition("://")[2].partition("/")[2]


def _is_folder(about: Any) -> bool:  # noqa: ANN401 - azure's BlobProperties
    return str((about.metadata or {}).get(_FOLDER, "")).lower() == "true"


def _part(relpath: str, about: Any) -> Part:  # noqa: ANN401 - as above
    """Give a file; DVC writes Azure's ETag in quotes, which a listing leaves out."""
    return Part(relpath, Hash(f'"{about.etag.strip(chr(34))}"', "etag"), about.size)
