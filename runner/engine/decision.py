"""What can be said of a stage: what it names as it is, what differs, and what has to happen. Pure values."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from runner.hashes import Hash
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.pipeline.model import LockEntry


class Change(StrEnum):
    """What kind of thing differs from the last run."""

    NEVER_RUN = "not in lock"
    CMD = "cmd"
    DEP_NEW = "dep new"
    DEP_MODIFIED = "dep modified"
    DEP_DELETED = "dep deleted"
    OUT_OF_SYNC = "dataset not in sync"
    PARAM_NEW = "param new"
    PARAM_MODIFIED = "param modified"
    PARAM_DELETED = "param deleted"
    OUT_NEW = "out new"
    OUT_MODIFIED = "out modified"
    OUT_DELETED = "out deleted"
    SOURCE = "source changed"
    UPDATE = "update available"
    CHECKSUM = "changed checksum"
    ALWAYS = "always changed"
    CALLBACK = "no deps and no outs"
    MISSING_OBJECT = "missing object"
    FORCED = "forced"


@dataclass(frozen=True, slots=True)
class Reason:
    """One difference: what changed, where (a path, or `params.yaml:key`), from what, to what."""

    change: Change
    path: str = ""
    was: Any = None
    now: Any = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a path holds.

    Attributes:
        hash: the name of its bytes.
        size: bytes; `None` where only the hash is known (a file inside a directory that is not here).
        nfiles: number of files of a directory.
        isexec: whether a single file is executable.
        extra: what else is recorded of a source: its version, or those of its files; of a dataset, what it is.

    """

    hash: Hash
    size: int | None = None
    nfiles: int | None = None
    isexec: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)


UNTRACKABLE = Content(Hash("untrackable"))
"""What an out holds that cannot be hashed: a pipe, a broken link. It equals nothing that a lock records."""


@dataclass(frozen=True, slots=True)
class Absent:
    """An out that is not in the workspace; `at_hand` where the local cache holds what the lock records."""

    at_hand: bool = False


@dataclass(frozen=True, slots=True)
class Now:
    """What a stage names, as it is.

    Attributes:
        deps: by dep as spelled; `None` where there is nothing and nothing is recorded.
        params: by params file as spelled, the values of the stage's keys; `None` where the file is missing.
        outs: by out as spelled.
        upstream: addresses of producers that have yet to run; what they write is in neither `deps` nor `params`.

    """

    deps: Mapping[str, Content | None] = field(default_factory=dict)
    params: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    outs: Mapping[str, Content | Absent] = field(default_factory=dict)
    upstream: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fresh:
    """Everything is as the lock says."""

    word = "fresh"
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Frozen:
    """Its dependencies are not looked at; it is never run."""

    word = "frozen"
    reasons: tuple[Reason, ...] = ()

    @property
    def is_stale(self) -> bool:
        """Whether an out is there and is not what the lock says, or is missing and the lock says nothing."""
        return differ(self.reasons)

    @property
    def is_lacking(self) -> bool:
        """Whether an out is missing that only the command could make."""
        return any(reason.change is Change.NEVER_RUN for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Restore:
    """What it would write is known: from the lock, or from the run cache. Its outs are put in place."""

    word = "restore"
    entry: LockEntry
    reasons: tuple[Reason, ...]

    @property
    def is_stale(self) -> bool:
        """Whether more than absent outs differ: then the lock does not say what the stage's inputs say."""
        return differ(self.reasons)


@dataclass(frozen=True, slots=True)
class Run:
    """Its command runs (or, for a data source, its data is taken in)."""

    word = "run"
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Whether it is stale depends on what stages upstream of it will write."""

    word = "wait"
    upstream: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()


def differ(reasons: Sequence[Reason]) -> bool:
    """Whether any of `reasons` is more than an out that is merely not in its place."""
    return any(reason.change is not Change.OUT_DELETED for reason in reasons)


Decision = Fresh | Frozen | Restore | Run | Wait
