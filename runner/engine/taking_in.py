"""Data that no command writes: what lies in the workspace, or at an import's source, becomes what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.engine.outcome import StageFailed
from runner.engine.recorded import recorded_as
from runner.pipeline.model import LockedPath, LockEntry, Out

if TYPE_CHECKING:
    from runner.engine.decision import Content, Now
    from runner.engine.keeping import Keeping
    from runner.engine.known import Known
    from runner.engine.sources import Sources
    from runner.engine.workspace import Workspace
    from runner.pipeline.model import Dep, Stage


class TakingIn:
    """Takes data into the cache, puts copies in place, and gives the entries that say so; it writes no entry."""

    def __init__(self, known: Known, workspace: Workspace, sources: Sources, keeping: Keeping) -> None:
        """Take data in for the project in `workspace`."""
        self._known = known
        self._workspace = workspace
        self._sources = sources
        self._keeping = keeping

    def tracked(self, stage: Stage, now: Now) -> LockEntry:
        """Do for a data source what DVC does: data that changed in the workspace becomes what is recorded.

        Raises:
            StageFailed: there is no data, or only a part of a directory that was brought here without the others.

        """
        if stage.name:
            message = "its cmd is empty, and the lock has no form for that: write a command, or `dvc add` the data"
            raise StageFailed(message)
        contents = {out.spelled: self._known.written(stage, out) for out in stage.outs}
        absent = [out.path for out in stage.outs if contents[out.spelled] is None]
        if absent:
            message = f"data that {stage.address} tracks is missing: {', '.join(absent)}"
            raise StageFailed(message)
        outs = []
        for out in stage.outs:
            content = contents[out.spelled]
            if content:
                self._check_whole(stage, out, content)
                self._keeping.add(out, content)
                outs.append(recorded_as(out.spelled, content))
        self._keeping.check_untracked(stage)
        deps = (recorded_as(spelled, content) for spelled, content in now.deps.items() if content)
        return LockEntry(None, tuple(deps), outs=tuple(outs))

    def _check_whole(self, stage: Stage, out: Out, content: Content) -> None:
        """Refuse to take a part of a directory for all of it, as after a pull of one file. DVC records the part."""
        recorded = self._known.recorded(stage, out)
        lacking = self._keeping.never_here(out, content, recorded.hash) if recorded and recorded.hash else 0
        if lacking:
            message = (
                f"{out.path} lacks {lacking} of the files that {stage.address} records, and they were never on this "
                f"machine: bring them (`retrain pull {out.path}`), or record the rest alone (`dvc add {out.path}`)"
            )
            raise StageFailed(message)

    def first(self, stage: Stage) -> LockEntry:
        """Bring for the first time what a frozen import names: the commit or version that it is frozen at, if any."""
        source = stage.deps[0].source
        recorded = self._recorded(stage)
        if recorded and recorded.hash and source and (source.repo or source.versioned):
            return self._imported(stage, recorded)
        return self.imported(stage)

    def imported(self, stage: Stage) -> LockEntry:
        """Bring what an import's source holds now, and put it in place.

        Raises:
            StageFailed: the source holds nothing.
            RemoteError, GitError, ConfigError: it could not be had; the workspace is as it was.

        """
        return self._imported(stage, self.source(stage))

    def source(self, stage: Stage) -> LockedPath:
        """Give what is to be recorded of an import's source as it is now.

        Raises:
            StageFailed: it holds nothing.

        """
        dep = stage.deps[0]
        found = self._sources.look(dep, self._recorded(stage)) if dep.source else self._known.at(dep.path)
        if found is None:
            message = f"the source {dep.path!r} does not exist"
            raise StageFailed(message)
        return recorded_as(dep.spelled, found)

    def brought(self, stage: Stage) -> Content:
        """Bring what an import's source held when it was recorded; for data that is not kept anywhere else.

        Raises:
            RemoteError, GitError, ConfigError: it could not be had, or the source holds something else now.

        """
        return self._brought(stage.deps[0], self._recorded(stage) or LockedPath(stage.deps[0].spelled, None))

    def put(self, stage: Stage, content: Content) -> None:
        """Put data in place that is in the cache; what lay there and is in no cache goes there first."""
        out = stage.outs[0]
        there = self._workspace.observe_out(out.path)
        if there and there.hash == content.hash:
            return
        if there:
            self._keeping.rescue(out, there)
        self._keeping.put(out, content.hash, isexec=content.isexec)
        if out.cache:
            self._keeping.recording.ignore(stage, out)

    def _imported(self, stage: Stage, source: LockedPath) -> LockEntry:
        self._keeping.check_untracked(stage)
        content = self._brought(stage.deps[0], source)
        self.put(stage, content)
        return LockEntry(None, (source,), outs=(recorded_as(stage.outs[0].spelled, content),))

    def _recorded(self, stage: Stage) -> LockedPath | None:
        entry = self._known.entry(stage)
        return entry.dep(stage.deps[0].spelled) if entry else None

    def _brought(self, dep: Dep, recorded: LockedPath) -> Content:
        if dep.source:
            return self._sources.bring(dep, recorded)
        content = self._workspace.observe(dep.path)
        if content is None or content.hash != recorded.hash:
            message = f"the source {dep.path!r} does not hold what is recorded of it any more"
            raise StageFailed(message)
        self._keeping.add(Out(dep.path, dep.spelled, cache=False), content)
        return content
