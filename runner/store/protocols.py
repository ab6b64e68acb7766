"""What remotes stream into, and what some of them can do beyond `Remote`: each a narrow protocol, asked for by name.

A wrapper passes on what it wraps: `Retrying` uses these where they are there, and does without where not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from runner.errors import RemoteError
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from runner.store.arriving import Arriving, Coming
    from runner.store.meter import Report

    Source = Path | bytes
    """What is stored: a file, or all bytes of a small one, which had to be read to be hashed."""

    Put = Callable[[str, Source, Report], None]
    """Stores something under a name; see `Remote.put`."""


class Sink(Protocol):
    """Where `get` writes. A retry calls `restart` first, so nothing of the broken try stays."""

    def write(self, chunk: bytes, /) -> object:
        """Take the next bytes; what holds them may be used again afterwards."""

    def restart(self) -> None:
        """Forget everything written so far."""


@runtime_checkable
class Resumable(Sink, Protocol):
    """A sink that may have the first bytes of a large object from an earlier run."""

    def resume(self) -> int:
        """Take up what an earlier run left of the object; give how many of its first bytes are there, hashed anew.

        Asked before anything is written. From then on a part that arrived is kept when the transfer fails.
        """


@dataclass(frozen=True, slots=True)
class Version:
    """One state of an object.

    Attributes:
        size: in bytes; `None` where the server does not say.
        pin: what no other state has, an ETag or a generation; empty where the server gives nothing of that kind.

    """

    size: int | None
    pin: str = ""


class Changed(RemoteError):
    """The object is no longer the version that was asked for."""


class Unranged(RemoteError):
    """The server sends whole objects only."""


@runtime_checkable
class Ranged(Protocol):
    """A remote that can read a part of an object."""

    def begin(self, name: str, /) -> tuple[Version, Coming]:
        """Ask for an object; give which version it is, and all of its bytes, as they come or whole.

        Raises:
            ObjectMissing, Denied, Unavailable: as `Remote.get`; so does taking the bytes.

        """

    def read(self, name: str, version: Version, start: int, stop: int, /) -> Arriving:
        """Give the bytes from `start` up to `stop` of that version as they arrive.

        Raises:
            Changed: the object is another now, or gone.
            Unranged: whole objects only.
            Denied, Unavailable: as `Remote.get`.

        """


@runtime_checkable
class Creating(Protocol):
    """A remote that can store an object only where there is none."""

    def create(self, name: str, source: Source, report: Report = ..., /) -> None:
        """Store `source` as `put` does, unless an object of its size has that name already.

        Raises:
            Denied, Unavailable: it was not stored.

        """


@runtime_checkable
class Together(Protocol):
    """A remote that stores many objects at a lower price than one by one."""

    def together(self) -> AbstractContextManager[Put]:
        """Give what stores objects, as `put` does; each is there, whole and for good, when the block has ended.

        Raises:
            Denied, Unavailable: at the end of the block; some of them are not there.

        """


@runtime_checkable
class Erasable(Protocol):
    """A remote that can also forget. Only garbage collection asks for it."""

    def stored(self, names: Sequence[str]) -> Mapping[str, float]:
        """Give when objects came, in seconds since 1970 by the remote's clock; what is not there is left out.

        Raises:
            Denied, Unavailable: it could not be told.

        """

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects for good, in any order; one that is not there is fine. No names: only say whether it can.

        Raises:
            ConfigError: this kind of remote cannot.
            Denied, Unavailable: some of them may still be there.

        """


class _Putting(Protocol):
    def put(self, name: str, source: Source, report: Report = ..., /) -> None: ...


def creating(remote: _Putting) -> Put:
    """Give what stores a file unless an object of its size is there already; where `remote` cannot tell, its `put`."""
    return remote.create if isinstance(remote, Creating) else remote.put


class Upload(Protocol):
    """A large object on its way into a remote; nobody sees it before `finish`.

    Attributes:
        place: the object's, in full: what tells it from every other upload of the same file.
        parts: where each part starts and stops, in bytes, in order; `begin` may find that there is nothing to send.
        at_once: how many parts may be under way.

    """

    place: str
    parts: list[tuple[int, int]]
    at_once: int

    def begin(self, earlier: str, /) -> str:
        """Begin, or go on with what an earlier process began if it is still there; again after `Unavailable`.

        Args:
            earlier: what `begin` gave to that process, which has ended; empty: none did. Nothing it sent is believed.

        Returns:
            What a later process needs to go on with this one; empty where none can.

        Raises:
            Denied, Unavailable: nothing was begun.

        """

    def send(self, number: int, /) -> None:
        """Have the remote hold the part of that number, counted from 0: send it unless it does.

        Again after `Unavailable`, from different threads.

        Raises:
            Denied, Unavailable: it was not stored.

        """

    def finish(self) -> None:
        """Make an object of the parts, which have all been sent; again after `Unavailable`."""

    def abort(self) -> None:
        """Give up: have the remote remove the parts, if it can be reached."""


@runtime_checkable
class Parted(Protocol):
    """A remote that takes large objects part by part."""

    def upload(self, name: str, source: Path, /, *, only_new: bool) -> Upload | None:
        """Prepare to store the file `source`; `None` where it is so small that `put` or `create` is one request.

        Args:
            name: the object's.
            source: the file.
            only_new: as `create` does, else as `put` does.

        """
