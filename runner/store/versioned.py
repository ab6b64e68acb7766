"""Remotes that keep every version of files under the files' own paths (`version_aware`, `worktree`): read only.

The DVC files say which version of which path holds an object; with that a remote of this kind is asked like any other.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Protocol, cast

from runner.errors import ObjectMissing, RemoteError
from runner.store.meter import unheard
from runner.store.place import OPTIONS, PUSH_INSTEAD, keeps_versions
from runner.store.remote import Retrying, refuse_unknown, storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from runner.store.meter import Report
    from runner.store.place import Place
    from runner.store.protocols import Sink, Source
    from runner.store.remote import Remote

_REQUESTS: Final = 16


def open_versioned(
    url: str, options: Mapping[str, object], place: Callable[[str], Place | None], *, environ: Mapping[str, str]
) -> Remote:
    """Open a remote that keeps versions, with retries; see `open_remote`.

    Args:
        url: `s3://bucket/prefix`.
        options: DVC's options of that remote, parsed.
        place: gives the version that is the object of a name, as far as the DVC files say.
        environ: the environment.

    Raises:
        ConfigError: a scheme or an option that is not supported, by name.

    """
    if not url.startswith("s3://"):
        refuse_unknown(url, [keeps_versions(options)], ())
    plain = {name: value for name, value in options.items() if name not in OPTIONS}
    return Retrying(Versioned(cast("Versions", storage(url, plain, environ)), place))


class Versions(Protocol):
    """Storage that can be asked for one version of a file. Errors are those of `Remote`."""

    url: str

    def size_of(self, name: str, version: str) -> int | None:
        """Give the size in bytes of a version; `None` where there is no such version."""

    def get_version(self, name: str, version: str, sink: Sink) -> None:
        """Stream a version into `sink`."""


class Versioned:
    """A `Remote` whose objects are versions of files."""

    def __init__(self, versions: Versions, place: Callable[[str], Place | None]) -> None:
        """Read `versions`; `place` gives the one that is the object of a name, as far as the DVC files say."""
        self.url = versions.url
        self._versions = versions
        self._place = place

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        """See `Remote`."""
        places = {name: place for name in names if (place := self._place(name))}

        def size(name: str) -> tuple[str, int | None]:
            return name, self._versions.size_of(places[name].path, places[name].version)

        with ThreadPoolExecutor(_REQUESTS) as threads:
            return {name: found for name, found in threads.map(size, places) if found is not None}

    def get(self, name: str, sink: Sink) -> None:
        """See `Remote`."""
        place = self._place(name)
        if place is None:
            message = f"the DVC files name no version of {name} in {self.url}"
            raise ObjectMissing(message, "`dvc push` it from where it was made, and commit the DVC files it changes")
        self._versions.get_version(place.path, place.version, sink)

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        """Refuse; see `Remote`."""
        del source, report
        message = f"{name} cannot be written to {self.url}: it keeps versions of files, which is only read"
        raise RemoteError(message, PUSH_INSTEAD)

    def names(self, prefix: str) -> Iterator[str]:
        """Give none: what is listed there are paths, and no names of objects."""
        del prefix
        return iter(())
