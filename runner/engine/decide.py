"""Which stages are stale, and why: one pure function from what was, is and may yet be to one of five answers.

The rules are DVC's (`dvc status`, `dvc repro`), with the deliberate differences of docs/dvc-compatibility.md: an
object that is only absent from the local cache is no reason to run, and an out that is nowhere on this machine
takes its hash from the lock. `plan` and the loop that runs stages ask this same function, so they cannot drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.engine.decision import (
    Absent,
    Change,
    Content,
    Decision,
    Fresh,
    Frozen,
    Now,
    Reason,
    Restore,
    Run,
    Wait,
)
from runner.engine.modes import PLAIN
from runner.pipeline import lock, params
from runner.pipeline.model import LockEntry
from runner.pipeline.source import REV

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.engine.modes import Modes
    from runner.hashes import Hash
    from runner.pipeline.model import Dep, LockedPath, Out, Param, Stage

_MISSING = frozenset({Change.DEP_DELETED, Change.OUT_DELETED})


def decide(
    stage: Stage, entry: LockEntry | None, now: Now, past: Callable[[], LockEntry | None], modes: Modes = PLAIN
) -> Decision:
    """Say what has to happen to `stage`.

    Args:
        stage: the stage as its DVC file says.
        entry: what the lock (or the `.dvc` file itself) records of it.
        now: what its deps, params and outs hold.
        past: looks up the run cache; asked only when nothing else can spare the run.
        modes: what is forced, and what is overlooked.

    """
    if stage.frozen:
        lacking = () if modes.allow_missing else _never_made(stage, entry, now)
        frozen = (*lacking, *_checksum(stage, entry), *_outs(stage, entry, now))
        return Run(frozen) if stage.is_import and entry and not _all_recorded(stage, entry) else Frozen(frozen)
    inputs = _counted(_inputs(stage, entry, now), modes)
    outs = _counted(_outs(stage, entry, now), modes)
    if (modes.force or stage.address in modes.forced) and not stage.is_tracked:
        return Run((*inputs, *outs, Reason(Change.FORCED)))
    if now.upstream:
        return Run(inputs + outs) if inputs else Wait(now.upstream, outs)
    if not inputs + outs:
        return Fresh()
    known = _known(stage, entry, inputs, outs) or _past(stage, past, modes)
    return Restore(known, inputs + outs) if known else Run(inputs + outs)


def differences(stage: Stage, entry: LockEntry | None, now: Now) -> tuple[Reason, ...]:
    """Name everything that is not as recorded, one by one; of a stage that never ran everything is new."""
    was = entry or LockEntry(stage.cmd)
    return (*_inputs(stage, was, now), *_outs(stage, was, now))


def _counted(reasons: Iterator[Reason], modes: Modes) -> tuple[Reason, ...]:
    """Leave out what is merely not there, where that is allowed."""
    return tuple(reason for reason in reasons if not (modes.allow_missing and reason.change in _MISSING))


def _past(stage: Stage, past: Callable[[], LockEntry | None], modes: Modes) -> LockEntry | None:
    return past() if modes.run_cache and _may_be_remembered(stage) else None


def _known(stage: Stage, entry: LockEntry | None, inputs: Sequence[Reason], outs: Sequence[Reason]) -> LockEntry | None:
    """Give the entry that still says what the stage would write; changed data that is only tracked is news."""
    if inputs or entry is None or not _all_recorded(stage, entry):
        return None
    if stage.is_tracked and any(reason.change is not Change.OUT_DELETED for reason in outs):
        return None
    return entry


def _inputs(stage: Stage, entry: LockEntry | None, now: Now) -> Iterator[Reason]:
    """Compare the command, the deps and the params."""
    if entry is None:
        yield Reason(Change.NEVER_RUN)
        return
    if not stage.is_data_source and not _same_cmd(stage, entry.cmd):
        yield Reason(Change.CMD, was=entry.cmd, now=stage.cmd)
    yield from _checksum(stage, entry)
    if stage.always_changed:
        yield Reason(Change.ALWAYS)
    if stage.is_callback:
        yield Reason(Change.CALLBACK)
    for dep in stage.deps:
        if dep.spelled in now.deps:
            yield from _compared(dep, entry.dep(dep.spelled), now.deps[dep.spelled])
    for param in stage.params:
        if param.spelled in now.params:
            yield from _params(param, entry.params.get(param.spelled, {}), now.params[param.spelled])


def _never_made(stage: Stage, entry: LockEntry | None, now: Now) -> Iterator[Reason]:
    """Tell a frozen stage of which nothing is recorded, and something is missing: nobody can put it there."""
    if stage.cmd and entry is None and any(isinstance(content, Absent) for content in now.outs.values()):
        yield Reason(Change.NEVER_RUN)


def _checksum(stage: Stage, entry: LockEntry | None) -> Iterator[Reason]:
    """Tell an import whose file was edited by hand, or merged: it says something else than its md5."""
    if entry and entry.checksum is not None:
        yield Reason(Change.CHECKSUM, stage.file, was=entry.checksum or None)


def _same_cmd(stage: Stage, was: str | tuple[str, ...] | None) -> bool:
    """Compare the command as text and, because a lock's folded lines can lose blanks, as the lock gives it back."""
    return was == stage.cmd or (stage.cmd is not None and was == lock.cmd_read_back(stage.cmd))


def _compared(dep: Dep, recorded: LockedPath | None, content: Content | None) -> Iterator[Reason]:
    if dep.dataset:
        return _dataset(dep.path, recorded, content)
    if dep.source:
        return _source(dep.path, recorded, content, versioned=dep.source.versioned)
    return _dep(dep.path, recorded, content)


def _source(path: str, recorded: LockedPath | None, content: Content | None, *, versioned: bool) -> Iterator[Reason]:
    """Compare a source by what its storage knows it by; of a repository or a versioned one there is an update."""
    was = recorded.hash if recorded else None
    if content is None:
        yield Reason(Change.DEP_DELETED, path, was=was and was.value)
    elif recorded is None or was is None:
        yield Reason(Change.DEP_NEW, path, now=content.hash.value)
    elif versioned and (version := content.extra.get("version_id")) != (old := recorded.extra.get("version_id")):
        yield Reason(Change.UPDATE, path, old, version)
    elif was != content.hash and content.hash.name == REV:
        yield Reason(Change.UPDATE, path, was.value, content.hash.value)
    elif was != content.hash:
        yield Reason(Change.SOURCE, path, f"{was.name} {was.value}", f"{content.hash.name} {content.hash.value}")


def _dataset(path: str, recorded: LockedPath | None, content: Content | None) -> Iterator[Reason]:
    """Compare a dataset by what the dvc.lock beside its dvc.yaml records; that may be nothing, or of another spec."""
    yield from _dep(path, recorded, content) if content else (Reason(Change.OUT_OF_SYNC, path),)


def _dep(path: str, recorded: LockedPath | None, content: Content | None) -> Iterator[Reason]:
    was = recorded.hash if recorded else None
    if content is None:
        yield Reason(Change.DEP_DELETED, path, was=was and was.value)
    elif was is None:
        yield Reason(Change.DEP_NEW, path, now=content.hash.value)
    elif was != content.hash:
        yield Reason(Change.DEP_MODIFIED, path, was.value, content.hash.value)


def _params(param: Param, was: Mapping[str, Any], now: Mapping[str, Any] | None) -> Iterator[Reason]:
    """Compare values as DVC does: Python equality, so 1, 1.0 and true are one value and NaN is never itself."""
    if now is None:
        yield Reason(Change.PARAM_DELETED, param.path)
        return
    for key in param.keys or dict.fromkeys((*was, *now)):
        where = f"{param.path}:{key}"
        if key not in now:
            yield Reason(Change.PARAM_DELETED, where, was=was.get(key))
        elif key not in was:
            yield Reason(Change.PARAM_NEW, where, now=now[key])
        elif not params.equal(was[key], now[key]):
            yield from _leaves(where, was[key], now[key])


def _leaves(where: str, was: Any, now: Any) -> Iterator[Reason]:  # noqa: ANN401 - any value of a params file
    """Name what differs inside a mapping, key by key, so that nobody has to compare two long texts."""
    if not (isinstance(was, dict) and isinstance(now, dict)):
        yield Reason(Change.PARAM_MODIFIED, where, was, now)
        return
    for key in dict.fromkeys((*was, *now)):
        inner = f"{where}.{key}"
        if key not in now:
            yield Reason(Change.PARAM_DELETED, inner, was=was[key])
        elif key not in was:
            yield Reason(Change.PARAM_NEW, inner, now=now[key])
        elif not params.same(was[key], now[key]):
            yield from _leaves(inner, was[key], now[key])


def _outs(stage: Stage, entry: LockEntry | None, now: Now) -> Iterator[Reason]:
    for out in stage.outs:
        recorded = entry.out(out.spelled) if entry else None
        was = recorded.hash if recorded else None
        if was is None:
            if entry is not None:
                yield Reason(Change.OUT_NEW, out.path)
        else:
            yield from _out(stage, out, was, now.outs[out.spelled])


def _out(stage: Stage, out: Out, was: Hash, content: Content | Absent) -> Iterator[Reason]:
    """Compare one out; an absent cached one is worth a word only where it can be put back without asking anybody."""
    if isinstance(content, Content):
        if content.hash != was:
            yield Reason(Change.OUT_MODIFIED, out.path, was.value, content.hash.value)
    elif content.at_hand or not (out.cache or stage.is_data_source):
        yield Reason(Change.OUT_DELETED, out.path, was=was.value)


def _all_recorded(stage: Stage, entry: LockEntry) -> bool:
    return all((recorded := entry.out(out.spelled)) and recorded.hash for out in stage.outs)


def _may_be_remembered(stage: Stage) -> bool:
    """DVC's rule for the run cache: a command with inputs of the project, and outs, none of which outlives the run."""
    inputs = bool(stage.cmd) and bool(stage.reads) and not any(dep.source for dep in stage.deps)
    return inputs and bool(stage.outs) and not stage.always_changed and not any(out.persist for out in stage.outs)
