"""Folders outside the project as sources: known by md5, as everything in the project is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from runner.errors import RemoteError
from runner.hashes import CHUNK, Hash, hash_file
from runner.store import disk
from runner.store.source import Part, changed, of_file, of_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.store.protocols import Sink
    from runner.store.source import Found

_UNSEEN = frozenset({".dvc", ".git", ".hg"})


class Local:
    """Files on this machine."""

    @classmethod
    def open(cls, _url: str, _options: Mapping[str, object], _environ: Mapping[str, str], /, *, guarded: bool) -> Self:
        """Open the disk.

        Raises:
            RemoteError: whoever chose the path is not trusted.

        """
        if guarded:
            message = "a path outside the project is not read for somebody who is not trusted"
            raise RemoteError(message)
        return cls()

    def find(self, url: str, *, folder: bool, versioned: bool) -> Found | None:  # noqa: ARG002 - the protocol's
        """See `SourceStore`. Every file is read."""
        place = Path(url)
        with disk.Refusals(f"read {url}"):
            if place.is_dir():
                return of_folder([_part(relpath, path) for relpath, path in _files(place)])
            return of_file(_part("", place)) if place.is_file() else None

    def get(self, url: str, part: Part, sink: Sink) -> None:
        """See `SourceStore`."""
        place = Path(url, part.relpath)
        with disk.Refusals(f"read {place}"):
            try:
                file = place.open("rb")
            except FileNotFoundError:
                raise changed(str(place)) from None
            with file:
                while chunk := file.read(CHUNK):
                    sink.write(chunk)


def _part(relpath: str, path: Path) -> Part:
    return Part(relpath, Hash(hash_file(path)), path.stat().st_size)


def _files(top: Path) -> Iterator[tuple[str, Path]]:
    """Give every file below a folder; links to folders are skipped, and so is what DVC never sees."""
    for folder, names, files in os.walk(top):
        names[:] = [name for name in names if name not in _UNSEEN]
        for name in files:
            path = Path(folder, name)
            if path.is_file():
                yield path.relative_to(top).as_posix(), path
