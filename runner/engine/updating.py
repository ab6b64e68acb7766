"""Imports brought up to date: each source is asked, and what changed is taken in and recorded, as `dvc update` does."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.engine.outcome import StageFailed
from runner.engine.taking_in import TakingIn
from runner.errors import ConfigError, Interrupted, ObjectMissing, RunnerError
from runner.pipeline.model import LockedPath, LockEntry
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.engine.known import Known
    from runner.engine.project import Project
    from runner.pipeline.model import Stage
    from runner.pipeline.source import Repo


@dataclass(frozen=True, slots=True)
class Update:
    """What became of one import.

    Attributes:
        stage: the import.
        was: what its source was known by; empty where it was never taken in.
        now: what it is known by now; empty where it could not be told.
        changed: whether the `.dvc` file was written.
        error: why it could not be brought up to date.

    """

    stage: Stage
    was: str
    now: str = ""
    changed: bool = False
    error: RunnerError | None = None


def update(project: Project, targets: Sequence[str], rev: str = "", *, download: bool = True) -> list[Update]:
    """Bring imports up to date; one that cannot be is told, and the others are done all the same.

    An import whose source did not change is left as it is, its data too: that costs one request.

    Args:
        project: the project.
        targets: `.dvc` files of imports, or their outs; none: every import.
        rev: branch, tag or commit that imports from git repositories follow from now on; empty: the one they followed.
        download: take the data in; otherwise only what the source is known by is recorded, and old data goes.

    Raises:
        ConfigError: a target that is no import, or a revision for one that is in no git repository.

    """
    stages = _imports(project, targets)
    if rev:
        _refuse_outside_repositories(stages if targets else ())
        stages = [_following(stage, rev) for stage in stages if _repo(stage)]
    known = project.known()
    project.sources.look_at_all((stage.deps[0], _recorded(known, stage)) for stage in stages)
    updating = _Updating(project, known, rev, download=download)
    return [updating.update(stage) for stage in stages]


def _imports(project: Project, targets: Sequence[str]) -> list[Stage]:
    """Find the imports that targets name; producers come first, as one may import what another makes."""
    pipeline = project.pipeline
    wanted = {stage.address: stage for target in targets for stage in _named(project, target)}
    for stage in wanted.values():
        if not stage.is_import:
            message = f"{stage.address} is no import"
            raise ConfigError(message, "name the .dvc file of an import, or none: that is all of them")
    return [stage for stage in pipeline.in_order() if stage.is_import and (stage.address in wanted or not targets)]


def _named(project: Project, target: str) -> Sequence[Stage]:
    made = project.pipeline.producer(posixpath.normpath(posixpath.join(project.cwd, target)))
    return (made[0],) if made else project.pipeline.named(target, project.cwd)


def _repo(stage: Stage) -> Repo | None:
    source = stage.deps[0].source
    return source.repo if source else None


def _refuse_outside_repositories(stages: Sequence[Stage]) -> None:
    for stage in stages:
        if _repo(stage) is None:
            message = f"{stage.address} is imported from no git repository, so it can follow no revision"
            raise ConfigError(message, "leave --rev out")


def _following(stage: Stage, rev: str) -> Stage:
    """Give an import that follows `rev` from now on."""
    dep = stage.deps[0]
    assert dep.source  # noqa: S101 - only imports from repositories come here; mypy cannot know
    assert dep.source.repo  # noqa: S101 - as above
    return replace(stage, deps=(replace(dep, source=replace(dep.source, repo=replace(dep.source.repo, rev=rev))),))


def _recorded(known: Known, stage: Stage) -> LockedPath | None:
    entry = known.entry(stage)
    return entry.dep(stage.deps[0].spelled) if entry else None


class _Updating:
    """Brings one import after the other up to date."""

    def __init__(self, project: Project, known: Known, rev: str, *, download: bool) -> None:
        self._known = known
        self._rev = rev
        self._download = download
        self._keeping = project.keeping()
        self._taking_in = TakingIn(known, project.workspace, project.sources, self._keeping)

    def update(self, stage: Stage) -> Update:
        """Ask one import's source, and take in what changed; whatever stops that is in the result."""
        recorded = _recorded(self._known, stage)
        was = recorded.hash.value if recorded and recorded.hash else ""
        try:
            source = self._taking_in.source(stage)
            entry = self._changed(stage, recorded, source)
            if entry:
                self._keeping.recording.record(stage, entry, self._rev)
                self._known.settle(stage, entry, in_place=True)
        except StageFailed as failure:
            return Update(stage, was, error=ObjectMissing(str(failure), "check the source, or remove the import"))
        except RunnerError as error:
            if isinstance(error, Interrupted):
                raise
            return Update(stage, was, error=error)
        return Update(stage, was, source.hash.value if source.hash else "", changed=entry is not None)

    def _changed(self, stage: Stage, recorded: LockedPath | None, source: LockedPath) -> LockEntry | None:
        """Give the new entry of an import that changed, its data taken in."""
        entry = self._known.entry(stage)
        before = self._known.pipeline.stage(stage.address)
        is_whole = not self._download or bool(entry and entry.outs and entry.outs[0].hash)
        if entry and entry.checksum is None and is_whole and stage == before and _same(stage, recorded, source):
            return None
        if self._download:
            return self._taking_in.imported(stage)
        with self._keeping.aside(stage) as dropped:
            dropped()
        return LockEntry(None, (source,), outs=(LockedPath(stage.outs[0].spelled, None),))


def _same(stage: Stage, recorded: LockedPath | None, source: LockedPath) -> bool:
    """Whether a source is what is recorded of it; its version counts where versions are followed."""
    if recorded is None or recorded.hash != source.hash:
        return False
    origin, version = stage.deps[0].source, "version_id"
    return not (origin and origin.versioned) or recorded.extra.get(version) == source.extra.get(version)
