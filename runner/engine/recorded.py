"""Between what a lock records and what paths hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.engine.decision import Content
from runner.pipeline.model import LockedPath

if TYPE_CHECKING:
    from runner.hashes import Hash
    from runner.pipeline.model import LockEntry, Out, Stage


def outs_of(stage: Stage, entry: LockEntry) -> list[tuple[Out, Hash]]:
    """Give the outs of `stage` that `entry` records, with their hashes."""
    pairs = ((out, entry.out(out.spelled)) for out in stage.outs)
    return [(out, recorded.hash) for out, recorded in pairs if recorded and recorded.hash]


def content_of(recorded: LockedPath) -> Content | None:
    """Give what a lock's item says its path holds."""
    if recorded.hash is None:
        return None
    return Content(recorded.hash, recorded.size, recorded.nfiles, recorded.isexec)


def recorded_as(spelled: str, content: Content) -> LockedPath:
    """Give the lock's item for a path that holds `content`."""
    return LockedPath(spelled, content.hash, content.size, content.nfiles, content.isexec, content.extra)
