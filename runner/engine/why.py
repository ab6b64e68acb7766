"""Why a stage is decided on as it is: each reason with the commit it came with, and the earlier run that came nearest.

Reads history, the lock as commits had it, and the run cache; runs nothing.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from runner.engine.decide import differences
from runner.engine.decision import Change, Fresh, Frozen, Restore, Run, Wait
from runner.engine.history import History
from runner.engine.recorded import outs_of
from runner.errors import ConfigError, RemoteError
from runner.git.history import touching
from runner.hashes import Names
from runner.pipeline import lock
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.engine.decision import Decision, Now, Reason
    from runner.engine.history import Since
    from runner.engine.plan import Step
    from runner.engine.project import Project
    from runner.pipeline.model import LockEntry, Stage

_MOST_LOCKS = 200
_OF_OUTS = frozenset({Change.OUT_NEW, Change.OUT_MODIFIED, Change.OUT_DELETED})


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier run of a stage.

    Attributes:
        where: `run cache`, `remote`, or `dvc.lock`.
        name: its record in the run cache, or the commit whose dvc.lock recorded it.
        differs: what the stage reads now that it did not; empty: it matches.
        lacking: paths of its outs whose objects are neither in the cache nor in the remote.

    """

    where: str
    name: str
    differs: tuple[Reason, ...]
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """A decision explained.

    Attributes:
        stage: the stage.
        decision: what was decided.
        reasons: its reasons, each with the commit it came with; `None` where commits cannot tell.
        recorded: the commit whose dvc.lock first recorded the last run; empty: none has; `None`: no run is recorded.
        earlier: the run that matches or comes nearest; `None` where there is none, or none was looked for.
        upstream: the same of the stages that have to run first.

    """

    stage: Stage
    decision: Decision
    reasons: tuple[tuple[Reason, Since | None], ...]
    recorded: str | None
    earlier: Earlier | None
    upstream: tuple[Why, ...] = ()


def explain(project: Project, steps: Sequence[Step], address: str) -> Why:
    """Explain what was decided of the stage at `address`, and of those it waits for.

    Args:
        project: the project.
        steps: the plan that the stage is part of.
        address: of the stage.

    """
    by_address = {step.stage.address: step for step in steps}
    return _explained(project, steps, by_address, by_address[address])


def _explained(project: Project, steps: Sequence[Step], by_address: Mapping[str, Step], step: Step) -> Why:
    stage, decision = step.stage, step.decision
    history = History(project, stage)
    past = list(_locked(project, stage))
    now = _now(project, steps, stage)
    entry = project.pipeline.entries.get(stage.address)
    upstream = decision.upstream if isinstance(decision, Wait) else ()
    return Why(
        stage,
        decision,
        tuple((reason, history.since(reason)) for reason in decision.reasons),
        None if entry is None or not stage.name else _recorded(past, entry),
        None if isinstance(decision, (Fresh, Frozen)) else _nearest(project, stage, now, past),
        tuple(_explained(project, steps, by_address, by_address[name]) for name in upstream if name in by_address),
    )


def _now(project: Project, steps: Sequence[Step], stage: Stage) -> Now:
    """Look at the stage as the plan did: with what is restored before it, without what stages have yet to write."""
    known = project.known()
    unsettled: set[str] = set()
    for step in steps:
        if step.stage.address == stage.address:
            break
        if isinstance(step.decision, Restore):
            known.settle(step.stage, step.decision.entry, in_place=False)
        elif isinstance(step.decision, (Run, Wait)) and not step.stage.is_tracked:
            unsettled.add(step.stage.address)
    return known.now(stage, unsettled)


def _locked(project: Project, stage: Stage) -> Iterator[tuple[str, LockEntry]]:
    """Give what the lock recorded of a stage, commit by commit, newest first."""
    if not stage.name:
        return
    path = f"{project.prefix}{stage.file.removesuffix('dvc.yaml')}dvc.lock"
    for commit in islice(touching(project.git, [path]), _MOST_LOCKS):
        text = (project.git.show(commit, path) or b"").decode("utf-8", "replace")
        try:
            entry = lock.parse(text, path).entries.get(stage.name)
        except ConfigError:  # one that nobody can read recorded nothing
            entry = None
        if entry:
            yield commit, entry


def _recorded(past: Sequence[tuple[str, LockEntry]], entry: LockEntry) -> str:
    """Give the first commit, up to HEAD, that records `entry`."""
    found = ""
    for commit, then in past:
        if then != entry:
            break
        found = commit
    return found


def _nearest(project: Project, stage: Stage, now: Now, past: Sequence[tuple[str, LockEntry]]) -> Earlier | None:
    """Choose the run that differs least: of the cache before the remote's before the lock's, then the first by name."""
    if not stage.cmd:
        return None
    known = [("remote" if run.remote else "run cache", run.record, run.entry) for run in project.runs.every(stage)]
    known += [("dvc.lock", commit, entry) for commit, entry in reversed(past)]
    best = None
    for where, name, entry in known:
        differs = tuple(reason for reason in differences(stage, entry, now) if reason.change not in _OF_OUTS)
        if best is None or len(differs) < len(best[0]):
            best = differs, where, name, entry
    if best is None:
        return None
    differs, where, name, entry = best
    return Earlier(where, name, differs, () if differs else _lacking(project, stage, entry))


def _lacking(project: Project, stage: Stage, entry: LockEntry) -> tuple[str, ...]:
    """Name the outs of a run that nobody has any more."""
    pairs = outs_of(stage, entry)
    absent = project.objects.absent(pairs)
    nowhere = Names.united(absent.values())
    with suppress(RemoteError):
        nowhere -= project.objects.sizes(absent).names
    return tuple(out.path for out, name in pairs if name in nowhere)
