"""The parts that a verb works with, built once at the door and handed down; it does nothing itself."""

from __future__ import annotations

import posixpath
from contextlib import ExitStack, nullcontext
from dataclasses import field
from typing import TYPE_CHECKING

from runner.engine.known import Known
from runner.engine.workspace import SCRATCH, refusals
from runner.errors import ConfigError
from runner.git import index
from runner.pipeline.unpack import Unpacking
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from runner.engine.keeping import Keeping
    from runner.engine.objects import Objects
    from runner.engine.runcache import RunCache
    from runner.engine.sources import Sources
    from runner.engine.times import Times
    from runner.engine.workspace import Workspace
    from runner.git import Git
    from runner.pipeline.pipeline import Pipeline
    from runner.store.cache import Cache
    from runner.store.remote import Remote
    from runner.store.state import State


@dataclass(frozen=True, slots=True)
class Place:
    """Where the candidate lies.

    Attributes:
        git: the repository.
        root: the project's folder, or the repository's where there is no DVC project.
        prefix: that folder inside the repository, ending in `/`; empty at the top.

    """

    git: Git
    root: Path
    prefix: str


@dataclass(frozen=True)
class Project:
    """A DVC project in a git repository, opened for one verb.

    Attributes:
        root: the folder that holds `.dvc`.
        git: its repository.
        prefix: the project's folder inside the repository, ending in `/`; empty at the top.
        pipeline: stages, and what the lock says of them.
        workspace: the working tree.
        cache: the local object cache.
        objects: the cache and the remotes.
        runs: the run cache.
        sources: where deps come from that are not in the project.
        state: remembers hashes between runs.
        remote: gives the remote by name; `None` where no default one is configured.
        cwd: the folder, below `root`, from which targets are named.
        unpacking: how templates make options of mappings; the DVC files of other commits are read with it too.
        times: how long earlier runs took.
        read_only: says why the remote of a name is not pushed to; empty: it is.
        held: what is to be let go when the verb ends.
        supposed: puts in place, for a run's duration, what params files are to hold instead of what they do.

    """

    root: Path
    git: Git
    prefix: str
    pipeline: Pipeline
    workspace: Workspace
    cache: Cache
    objects: Objects
    runs: RunCache
    sources: Sources
    state: State
    remote: Callable[[str], Remote | None]
    times: Times
    cwd: str = "."
    unpacking: Unpacking = field(default_factory=Unpacking)
    read_only: Callable[[str], str] = lambda _: ""
    supposed: Callable[[], AbstractContextManager[None]] = nullcontext
    held: ExitStack = field(default_factory=ExitStack)

    def known(self) -> Known:
        """Give a fresh look at the workspace through the lock."""
        return Known(self.pipeline, self.workspace, self.objects, self.sources)

    def keeping(self) -> Keeping:
        """Give the writer of outs and lock entries; git is asked about all outs at once.

        From here on, and until the process ends, no other run writes in this folder.
        """
        from runner.engine.dvclock import DvcLock  # noqa: PLC0415 - as below
        from runner.engine.keeping import Keeping  # noqa: PLC0415 - a plan, and a run with nothing to do, never write

        self.held.enter_context(hold(self.root))
        dvc = DvcLock(self.root)
        dvc.take()
        self.held.callback(dvc.let_go)
        self._sweep()
        outs = [f"{self.prefix}{out.path}" for stage in self.pipeline.stages for out in stage.outs]
        below = len(self.prefix)
        tracked = {path[below:] for path in index.tracked(self.git, outs)}
        ignored = {path[below:] for path in index.ignored(self.git, outs)}
        keeping = Keeping(self.workspace, self.cache, tracked, ignored, dvc)
        keeping.lending.recover(self.pipeline.recorded_at)
        return keeping

    def _sweep(self) -> None:
        """Remove what killed runs left half written beside outs and DVC files; the lock keeps others away."""
        from runner.store import sweeping  # noqa: PLC0415 - see `keeping`

        places = [path for stage in self.pipeline.stages for path in (stage.file, *(out.path for out in stage.outs))]
        folders = {posixpath.dirname(path) for path in places} | {SCRATCH}
        for place in (self.root / SCRATCH).glob("copy-*"):
            import shutil  # noqa: PLC0415 - loads four compressors, and nearly nobody is killed

            shutil.rmtree(place, ignore_errors=True)
        sweeping.sweep((str(self.root / folder) for folder in folders), age=0)


def hold(root: Path) -> AbstractContextManager[object]:
    """Take the lock of the project at `root`, until what this gives is left; again in one process is fine.

    Raises:
        ConfigError: another process has it.

    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - a plan, and a run with nothing to do, never write

    place = root / SCRATCH / "lock"
    with refusals(f"{SCRATCH}/lock", "written"):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            return FileLock(place, is_singleton=True).acquire(blocking=False)
        except Timeout as error:
            message = "another retrain is at work in this folder"
            raise ConfigError(message, "wait until it has ended; the lock ends with its process") from error
