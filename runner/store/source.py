"""Where imported data is read from: one narrow protocol for web servers, buckets and folders. Never written to.

What a source holds is known by the hash its storage gives (an ETag, a checksum) without reading the bytes, as DVC
knows it. Retries are the caller's.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

from runner.errors import ConfigError, ObjectMissing
from runner.hashes import hash_listing
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.hashes import Hash
    from runner.store.protocols import Sink

_PLACES = {
    "": "runner.store.source_local:Local",
    "http": "runner.store.source_http:Http",
    "https": "runner.store.source_http:Http",
    "s3": "runner.store.source_s3:S3Source",
    "gs": "runner.store.source_gs:GSSource",
    "azure": "runner.store.source_azure:AzureSource",
    "ssh": "runner.store.source_ssh:SSHSource",
}
"""Resolved only when used: a run that imports nothing loads no client."""

OF_REMOTES = frozenset({"version_aware", "worktree"})
"""Options that say how a remote keeps objects; a source has none."""

SCHEMES = tuple(scheme for scheme in _PLACES if scheme)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a source.

    Attributes:
        relpath: its path in the directory; empty where the source is a single file.
        hash: what its storage knows it by.
        size: bytes; `None` where the storage does not say.
        version: its version's id; empty where versions do not count.

    """

    relpath: str
    hash: Hash
    size: int | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a source holds now.

    Attributes:
        hash: what it is known by.
        parts: its files, in order of their paths.
        is_dir: whether it is a directory.

    """

    hash: Hash
    parts: tuple[Part, ...]
    is_dir: bool = False

    @property
    def size(self) -> int | None:
        """Bytes of all files; `None` where one is not known."""
        sizes = [part.size for part in self.parts]
        return None if None in sizes else sum(filter(None, sizes))


class SourceStore(Protocol):
    """A storage to import from. Every error is a `RemoteError` that names the source. For several threads at once."""

    def find(self, url: str, *, folder: bool, versioned: bool) -> Found | None:
        """Ask what is at `url`; `None` where there is nothing.

        Args:
            url: the whole url, or an absolute path.
            folder: it was a directory when it was last seen, so that is asked first.
            versioned: tell the versions of the files too.

        Raises:
            Denied, Unavailable: it could not be told. Never taken for absence.

        """

    def get(self, url: str, part: Part, sink: Sink) -> None:
        """Stream a file of what was found at `url` into `sink`.

        Raises:
            ObjectMissing: it is gone, or no longer what was found.
            Denied: it is not to be had.
            Unavailable: it broke off.

        """


class Opener(Protocol):
    """A class of sources."""

    def open(
        self, url: str, options: Mapping[str, object], environ: Mapping[str, str], /, *, guarded: bool
    ) -> SourceStore:
        """Open the storage at `url`; see `open_source`."""


def open_source(
    url: str, options: Mapping[str, object], *, environ: Mapping[str, str], guarded: bool = False
) -> SourceStore:
    """Open the storage that `url` lies in.

    Args:
        url: a url or an absolute path.
        options: DVC's options of that storage, parsed.
        environ: the environment, for credentials and settings that clients take from there.
        guarded: the url was chosen by somebody who is not trusted: connect to public addresses only, and send no
            credentials.

    Raises:
        ConfigError: a scheme or an option that is not supported, by name.

    """
    scheme, separator, _ = url.partition("://")
    place = _PLACES.get(scheme.lower() if separator else "")
    if place is None:
        message = f"{url}: {scheme}:// is not supported as a source"
        raise ConfigError(message, f"what works is a path, {', '.join(f'{known}://' for known in SCHEMES)}")
    from runner.store.remote import EXTRAS, extra  # noqa: PLC0415 - most runs ask no source

    module, _, name = place.partition(":")
    with extra(EXTRAS.get(scheme.lower(), ""), url):
        opener: Opener = getattr(importlib.import_module(module), name)
    return opener.open(url, options, environ, guarded=guarded)


def changed(url: str) -> ObjectMissing:
    """Give the error for a source that is no longer what was found."""
    return ObjectMissing(f"{url} does not hold what was found there any more", "take in what it holds: retrain update")


def of_file(part: Part) -> Found:
    """Give what a single file is known by."""
    return Found(part.hash, (part,))


def of_folder(parts: Sequence[Part]) -> Found:
    """Give what a directory is known by: the md5 of its listing, by the hashes its storage gives (DVC's rule)."""
    ordered = tuple(sorted(parts, key=lambda part: part.relpath))
    return Found(hash_listing((part.relpath, part.hash) for part in ordered), ordered, is_dir=True)
