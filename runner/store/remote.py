"""The one interface to remote storage: bytes under names, four methods and no more.

A name is the object's path below the remote's url: `files/md5/ab/cdef...`, `ab/cdef...` (legacy layout),
`runs/<2>/<key>/<value>`. Names are POSIX relative paths without `..`; the bytes are the raw object.
"""

from __future__ import annotations

import importlib
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from runner.errors import ConfigError, RemoteError, spelled_like
from runner.store import place, ranges, uploads
from runner.store.meter import Tally, unheard
from runner.store.patience import BUDGET, Patience
from runner.store.protocols import Erasable, Parted, Ranged, Together, creating
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from runner.store.meter import Report
    from runner.store.patience import Pace
    from runner.store.protocols import Put, Sink, Source

_PLACES = {
    "": "runner.store.directory:Directory",
    "file": "runner.store.directory:Directory",
    "s3": "runner.store.s3:S3",
    "gs": "runner.store.gs:GS",
    "gcs": "runner.store.gs:GS",
    "azure": "runner.store.azure:Azure",
    "ssh": "runner.store.ssh:SSH",
    "http": "runner.store.http:HTTP",
    "https": "runner.store.http:HTTP",
}
"""Resolved only when used: a run that touches no bucket does not wait for boto3 to be imported."""

_NO_PARTS = frozenset({"", ".", ".."})

EXTRAS = {"azure": "azure", "ssh": "ssh"}
"""What has to be installed beside the runner for some schemes."""

_WITHOUT_EFFECT = frozenset({"url", "jobs", "checksum_jobs", "verify", "no_traverse", "listobjects"})
"""Options of DVC that change nothing here: everything is verified, and how presence is asked is decided by cost."""


class Opener(Protocol):
    """A class of remotes."""

    def open(self, url: str, options: Mapping[str, object], environ: Mapping[str, str], /) -> Remote:
        """Open the remote at `url`; see `open_remote`."""


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

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        """Store `source`, a file or bytes, under `name`, all of it or nothing; a reader never sees a part.

        Bytes that are sent before the object is whole may be told to `report`, so that large objects show progress.

        Raises:
            Denied, Unavailable: it was not stored.

        """

    def names(self, prefix: str) -> Iterator[str]:
        """List the names that begin with `prefix` (any string, not only a folder), in no order.

        Raises:
            Unlistable: this kind of remote cannot.

        """


def checked(name: str) -> str:
    """Give `name` back if it is one: a relative POSIX path that stays below the remote's url.

    Raises:
        RemoteError: it is not.

    """
    if "\0" in name or not _NO_PARTS.isdisjoint(name.split("/")):
        message = f"{name!r} is not the name of an object"
        raise RemoteError(message, "a name is a relative path without empty parts, `.` and `..`")
    return name


def prefix_of(path: str) -> str:
    """Give what every key of a bucket begins with below a url's path: a slash is put behind it where there is none.

    Nothing else is changed, as nothing is by DVC: `//` and `..` are parts of keys like any other.
    """
    return path if not path or path.endswith("/") else f"{path}/"


def bucket_of(url: str) -> tuple[str, str]:
    """Part the url of a bucket into its name and the path behind it.

    Raises:
        ConfigError: it names no bucket.

    """
    scheme, _, place = url.partition("://")
    bucket, _, path = place.partition("/")
    if not bucket:
        message = f"remote {url!r} names no bucket"
        raise ConfigError(message, f"write {scheme}://BUCKET/PATH")
    return bucket, path


def is_plain(prefix: str) -> bool:
    """Whether no part of a prefix is empty, `.` or `..`: obstore refuses those."""
    return _NO_PARTS.isdisjoint(prefix.split("/")[:-1])


def open_remote(url: str, options: Mapping[str, object], *, environ: Mapping[str, str]) -> Remote:
    """Open the remote storage at `url`, with retries.

    Args:
        url: an absolute path, `s3://bucket/prefix`, or `https://host/path`.
        options: DVC's options of that remote, parsed.
        environ: the environment, for the credentials and settings that clients take from there.

    Raises:
        ConfigError: a scheme or an option that is not supported, by name.

    """
    given = {name: value for name, value in options.items() if value or name not in place.OPTIONS}
    remote = Retrying(storage(url, given, environ))
    remote.opened = Opened(url, given, dict(environ))
    return remote


def storage(url: str, options: Mapping[str, object], environ: Mapping[str, str]) -> Remote:
    """Open the storage at `url` itself, without retries; see `open_remote`."""
    scheme, separator, _ = url.partition("://")
    opener_name = _PLACES.get(scheme if separator else "")
    if opener_name is None:
        message = f"remote {url!r}: {scheme}:// is not supported"
        raise ConfigError(message, "what works is a directory, s3://, gs://, azure://, ssh:// and https://")
    module, _, name = opener_name.partition(":")
    with extra(EXTRAS.get(scheme, ""), url):
        opener: Opener = getattr(importlib.import_module(module), name)
    return opener.open(url, options, environ)


@contextmanager
def extra(name: str, url: str) -> Iterator[None]:
    """Import, inside the block, what an extra of the runner brings along.

    Args:
        name: the extra's; empty: what is imported belongs to the runner itself.
        url: what needs it.

    Raises:
        ConfigError: it is not installed.

    """
    try:
        yield
    except ModuleNotFoundError as error:
        if not name or not error.name or error.name.partition(".")[0] == "runner":
            raise
        message = f"{url} needs packages that are not installed ({error.name})"
        raise ConfigError(message, f"pip install 'retrain-runner[{name}]'") from error


def refuse_unknown(url: str, options: Iterable[str], known: Iterable[str]) -> None:
    """Raise `ConfigError` for the first of a remote's `options` that is not `known`."""
    known = set(known) | _WITHOUT_EFFECT
    for option in options:
        if option in place.OPTIONS:
            message = f"remote {url!r}: the option {option!r} is not supported there"
            raise ConfigError(message, "versions of files are read from s3:// only; elsewhere use a remote without it")
        if option not in known:
            near = spelled_like(option, known)
            message = f"remote {url!r}: unknown option {option!r}"
            raise ConfigError(message, f"did you mean {near[0]!r}?" if near else "remove it")


@dataclass(frozen=True)
class Opened:
    """How a remote was opened, so that another process can open it too; see `open_remote`."""

    url: str
    options: Mapping[str, object]
    environ: Mapping[str, str]


class Retrying(Patience):
    """A remote with patience: what breaks off goes on from where it was, as far as the remote can.

    Attributes:
        url: the remote's.
        opened: how it was opened, if that was by a url.

    """

    def __init__(
        self,
        remote: Remote,
        budget: float = BUDGET,
        sleep: Callable[[float], None] = time.sleep,
        pace: Pace | None = None,
    ) -> None:
        """Wrap `remote`, which does the work; see `Patience`."""
        super().__init__(budget, sleep, pace)
        self.url = remote.url
        self.opened: Opened | None = None
        self._remote = remote
        self._ranged = remote if isinstance(remote, Ranged) else None
        self._parted = remote if isinstance(remote, Parted) else None
        self._create = creating(remote)

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        """Ask; see `Remote`."""
        asked = list(names)
        return self.call(lambda: self._remote.exists(asked))

    def get(self, name: str, sink: Sink) -> None:
        """Stream the object into `sink`; see `Remote`."""
        if self._ranged:
            ranges.download(self._ranged, name, sink, self)
        else:
            self.fill(lambda incoming: self._remote.get(name, incoming), sink)

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        """Store it; see `Remote`. What a try told of that failed is taken back."""
        if not self._in_parts(name, source, report, only_new=False):
            self._whole(self._remote.put, name, source, report)

    def create(self, name: str, source: Source, report: Report = unheard) -> None:
        """Store it where there is none; see `Creating`. Where the remote cannot tell, as `put`."""
        if not self._in_parts(name, source, report, only_new=True):
            self._whole(self._create, name, source, report)

    @contextmanager
    def together(self) -> Iterator[Put]:
        """Store files; see `Together`."""
        if not isinstance(self._remote, Together):
            yield self.create
            return
        with self._remote.together() as put:
            yield partial(self._one_of_many, put)

    def _one_of_many(self, put: Put, name: str, source: Source, report: Report = unheard) -> None:
        if not self._in_parts(name, source, report, only_new=False):
            self._whole(put, name, source, report)

    def _whole(self, put: Put, name: str, source: Source, report: Report = unheard) -> None:
        def attempt() -> None:
            report(-tally.bytes)
            tally.bytes = 0
            put(name, source, passing)

        def passing(more: int) -> None:
            tally.report(more)
            report(more)

        tally = Tally()
        self.call(attempt)

    def names(self, prefix: str) -> Iterator[str]:
        """List; see `Remote`. A listing that breaks off begins anew, so it is given only when it is whole."""
        return iter(self.call(lambda: list(self._remote.names(prefix))))

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; see `Erasable`."""
        remote = self._erasable()
        self.call(lambda: remote.remove(names))

    def stored(self, names: Sequence[str]) -> Mapping[str, float]:
        """Give when objects came; see `Erasable`."""
        remote = self._erasable()
        return self.call(lambda: remote.stored(names))

    def _erasable(self) -> Erasable:
        if not isinstance(self._remote, Erasable):
            message = f"{self.url}: objects cannot be removed from this kind of remote"
            raise ConfigError(message, "remove them where the server keeps them, or leave --cloud out")
        return self._remote

    def _in_parts(self, name: str, source: Source, report: Report, *, only_new: bool) -> bool:
        """Store a large file part by part, where the remote can; tell whether that was done."""
        parted = self._parted
        if parted is None or isinstance(source, bytes):
            return False
        upload = parted.upload(name, source, only_new=only_new)
        if upload is not None:
            uploads.send(upload, source, self, report)
        return upload is not None
