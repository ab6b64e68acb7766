"""The one interface to remote storage: bytes under names, four methods and no more.

A name is the object's path below the remote's url: `files/md5/ab/cdef...`, `ab/cdef...` (legacy layout),
`runs/<2>/<key>/<value>`. Names are POSIX relative paths without `..`; the bytes are the raw object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


class Sink(Protocol):
    """Where `get` writes. A retry calls `restart` first, so nothing of the broken try stays."""

    def write(self, chunk: bytes, /) -> object:
        """Take the next bytes."""

    def restart(self) -> None:
        """Forget everything written so far."""


class Remote(Protocol):
    """Remote storage. Every error is a `RemoteError` that names the object and the remote.

    Implementations are safe to call from several threads at once.
    """

    url: str

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        """Ask the remote itself which of `names` it holds; give their sizes in bytes.

        Raises:
            Denied, Unavailable: it could not be told. Never reported as absent.

        """

    def get(self, name: str, sink: Sink) -> None:
        """Stream the object into `sink`. Verifying the bytes is the sink's part.

        Raises:
            ObjectMissing: the remote answered that there is none.
            Denied, Unavailable: it could not be had; `sink` may have received a part of it.

        """

    def put(self, name: str, source: Path) -> None:
        """Store the file `source` under `name`, all of it or nothing; a reader never sees a part.

        Raises:
            Denied, Unavailable: it was not stored.

        """

    def names(self, prefix: str) -> Iterator[str]:
        """List the names that begin with `prefix` (any string, not only a folder), in no order."""
