"""The loop: every stage in order is decided on again, then restored, run, or left alone; the lock is written at once.

A stage that fails leaves its outs as they were before it ran. What finished before it is kept.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from runner.engine import shell
from runner.engine.decide import Change, Frozen, Reason, Restore, Run, decide
from runner.engine.known import outs_of, recorded_as
from runner.engine.outcome import StageFailed, StageResult
from runner.engine.taking_in import TakingIn
from runner.errors import ConfigError, Corrupt, ObjectMissing
from runner.hashes import LEGACY, MD5
from runner.pipeline import params
from runner.pipeline.model import LockEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from runner.engine.decide import Content, Decision, Now
    from runner.engine.executor import Executor
    from runner.engine.keeping import Keeping
    from runner.engine.known import Known
    from runner.engine.objects import Objects
    from runner.engine.outcome import Status
    from runner.engine.runcache import RunCache
    from runner.engine.sources import Sources
    from runner.engine.workspace import Workspace
    from runner.hashes import Hash
    from runner.log import StageOutput
    from runner.pipeline.model import Dep, Out, Stage
    from runner.store.transfer import Moved


logger = logging.getLogger("retrain")


@dataclass(frozen=True, slots=True)
class _Needs:
    """A stage cannot go on before these have run again: nobody has their objects any more."""

    producers: Mapping[str, Reason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An out that has to be put in place: whose it is, what it has to hold, and the entry that says so."""

    stage: Stage
    out: Out
    name: Hash
    entry: LockEntry

    @property
    def isexec(self) -> bool:
        """Whether it is an executable file."""
        recorded = self.entry.out(self.out.spelled)
        return bool(recorded and recorded.isexec)


@dataclass(frozen=True)
class Reproduction:
    """Everything the loop works with; one for a run.

    Attributes:
        known: the workspace seen through the lock.
        workspace: the working tree.
        objects: cache and remotes.
        runs: the run cache.
        sources: where data comes from that is imported.
        keep: gives the writer of outs and lock entries; asked for when something is to be written.
        executor: runs commands.
        output: opens the place where a stage's output goes.
        environment: gives a stage's environment.
        setup: shell text to run once, before the first command; empty: none.

    """

    known: Known
    workspace: Workspace
    objects: Objects
    runs: RunCache
    sources: Sources
    keep: Callable[[], Keeping]
    executor: Executor
    output: Callable[[Stage], AbstractContextManager[StageOutput]]
    environment: Callable[[Stage], Mapping[str, str]]
    setup: str = ""

    @cached_property
    def taking_in(self) -> TakingIn:
        """What takes in the data that no command writes."""
        return TakingIn(self.known, self.workspace, self.sources, self.keeping)

    @cached_property
    def keeping(self) -> Keeping:
        """The writer of outs and lock entries; a run with nothing to do never makes it."""
        return self.keep()

    def reproduce(self, stages: Sequence[Stage]) -> Iterator[StageResult]:
        """Make `stages` (in order) fresh; give a result for each as soon as it is known. Stops at the first failure."""
        queue = deque(stages)
        forced: dict[str, Reason] = {}
        done: set[str] = set()
        last: Stage | None = None
        while queue:
            stage = queue[0]
            outcome = self._step(stage, forced.get(stage.address))
            if isinstance(outcome, _Needs):
                forced.update(outcome.producers)
                queue.extendleft(reversed(self._again(outcome.producers, done)))
                continue
            queue.popleft()
            forced.pop(stage.address, None)
            if stage.address not in done or outcome.status not in {"fresh", "frozen"}:
                yield outcome
            done.add(stage.address)
            last = stage if outcome.status == "ran" else last
            if outcome.status == "failed":
                yield from (StageResult(later, "skipped") for later in queue if later.address not in done)
                return
        why = self._tampered(done) if last else ""
        if last and why:
            yield StageResult(last, "failed", why=why)

    def _tampered(self, done: Collection[str]) -> str:
        """Look again at what stages wrote: a command may have changed an out that is not its own."""
        self.workspace.forget(".")
        for stage in self.known.pipeline.stages:
            entry = self.known.entry(stage) if stage.address in done and not stage.frozen else None
            for out, name in outs_of(stage, entry) if entry else ():
                content = self.workspace.observe_out(out.path, name.name)
                if content and content.hash != name:
                    return f"{out.path}, written by {stage.address}, was changed by the command of a later stage"
        return ""

    def _again(self, producers: Collection[str], done: Collection[str]) -> list[Stage]:
        """Give, in order, `producers` and what is `done` downstream of them: they may write something else now."""
        pipeline = self.known.pipeline
        found: dict[str, Stage] = {}
        for stage in pipeline.in_order():
            follows = stage.address in done and any(upper.address in found for upper in pipeline.upstream(stage))
            if follows or stage.address in producers:
                found[stage.address] = stage
        return list(found.values())

    def _step(self, stage: Stage, forced: Reason | None) -> StageResult | _Needs:
        now = self.known.now(stage, ())
        decision: Decision
        if forced:
            decision = Run((forced,))
        else:
            decision = decide(stage, self.known.entry(stage), now, lambda: self.runs.lookup(stage, now))
        try:
            if isinstance(decision, Restore):
                restored = self._restore(stage, decision, now)
                if restored:
                    return restored
                decision = Run((*decision.reasons, Reason(Change.MISSING_OBJECT)))
            if isinstance(decision, Run):
                return self._take_in(stage, decision, now) if stage.is_data_source else self._make(stage, decision)
        except StageFailed as failure:
            reasons = decision.reasons if isinstance(decision, Run) else ()
            return StageResult(stage, "failed", reasons, failure.seconds, failure.code, failure.why, failure.tail)
        status: Status = "frozen" if isinstance(decision, Frozen) else "fresh"
        return StageResult(stage, status, decision.reasons, entry=self.known.entry(stage))

    def _restore(self, stage: Stage, decision: Restore, now: Now) -> StageResult | None:
        """Put in place what an earlier run wrote; `None` where an object turned out to be gone."""
        recorded = [_Wanted(stage, out, name, decision.entry) for out, name in outs_of(stage, decision.entry)]
        pulled = self._bring([one for one in recorded if not self.known.is_in_place(one.out, one.name)])
        if pulled.failed:
            return None
        entry = self._named_anew(stage, decision.entry)
        self._settle(stage, entry)
        is_news = entry != decision.entry and self.keeping.may_remember(stage, now)
        records = (self.runs.remember(entry),) if is_news else ()
        return StageResult(stage, "restored", decision.reasons, pulled=pulled, entry=entry, records=records)

    def _named_anew(self, stage: Stage, past: LockEntry) -> LockEntry:
        """Name the outs that a past run of DVC 2 wrote as a run would now: an old name stays only where it was one."""
        if past is self.known.entry(stage) or not any(name.name == LEGACY for _, name in outs_of(stage, past)):
            return past
        outs = []
        for out in stage.outs:
            content = self._out(stage, out)
            self.keeping.add(out, content)
            outs.append(recorded_as(out.spelled, content))
        return replace(past, outs=tuple(outs))

    def _bring(self, wanted: Sequence[_Wanted]) -> Moved:
        """Fetch outs and put them in place; what nobody has is in `failed`, and then nothing is put in place.

        An object that turns out broken in the cache is fetched anew, once.

        Raises:
            RemoteError: the remote refused, could not be reached, or holds other bytes.

        """
        pulled = self._fetch(wanted)
        try:
            self._put(wanted if not pulled.failed else ())
        except Corrupt as error:
            logger.warning("%s; it is fetched anew", error.message)
            again = self._fetch(wanted)
            self._put(wanted if not again.failed else ())
            return pulled + again
        return pulled

    def _fetch(self, wanted: Sequence[_Wanted]) -> Moved:
        moved = self.objects.fetch([(one.out, one.name) for one in wanted])
        _raise_unless_missing(moved)
        return moved

    def _put(self, wanted: Sequence[_Wanted]) -> None:
        for one in wanted:
            if self.known.is_in_place(one.out, one.name):
                continue
            content = self.workspace.observe_out(one.out.path)
            if content:
                self.keeping.rescue(one.out, content)
            self.keeping.put(one.out, one.name, isexec=one.isexec)
            if one.out.cache:
                self.keeping.ignore(one.stage, one.out)

    def _settle(self, stage: Stage, entry: LockEntry) -> None:
        if self.known.entry(stage) != entry:
            self.keeping.record(stage, entry)
        self.known.settle(stage, entry, in_place=True)

    def _take_in(self, stage: Stage, decision: Run, now: Now) -> StageResult | _Needs:
        """Make data that no command writes what is recorded: what lies in the workspace, or at an import's source."""
        wanted = list(self._absent(stage)) if stage.is_import else []
        pulled = self._bring(wanted)
        if pulled.failed:
            return self._producers_of_lost(stage, wanted, pulled)
        if stage.is_import:
            entry = (self.taking_in.first if stage.frozen else self.taking_in.imported)(stage)
        else:
            entry = self.taking_in.tracked(stage, now)
        self._settle(stage, entry)
        return StageResult(stage, "recorded", decision.reasons, pulled=pulled, entry=entry)

    def _make(self, stage: Stage, decision: Run) -> StageResult | _Needs:
        wanted = list(self._absent(stage))
        pulled = self._bring(wanted)
        if pulled.failed:
            return self._producers_of_lost(stage, wanted, pulled)
        before = self._inputs(stage)
        self.keeping.check_untracked(stage)
        entry, seconds = self._run(stage, before)
        self._settle(stage, entry)
        records = (self.runs.remember(entry),) if self.keeping.may_remember(stage, before) else ()
        return StageResult(stage, "ran", decision.reasons, seconds, pulled=pulled, entry=entry, records=records)

    def _absent(self, stage: Stage) -> Iterator[_Wanted]:
        """Give what has to be put in place before `stage` can run."""
        absent = {out.path: (producer, out) for path in stage.reads for producer, out in self.known.absent(path)}
        for producer, out in absent.values():
            entry = self.known.entry(producer)
            recorded = entry.out(out.spelled) if entry else None
            if entry and recorded and recorded.hash:
                yield _Wanted(producer, out, recorded.hash, entry)

    def _producers_of_lost(self, stage: Stage, wanted: Sequence[_Wanted], pulled: Moved) -> _Needs:
        """Find who can make again what nobody has; a data source cannot, and that ends the walk."""
        lost = {failure.name for failure in pulled.failed}
        producers: dict[str, Reason] = {}
        for one in wanted:
            producer, out, name = one.stage, one.out, one.name
            if lost.isdisjoint({name.key, *(member.key for member in self.known.members(name))}):
                continue
            if producer.is_data_source or producer.frozen:
                message = f"{out.path} ({producer.address}), which stage {stage.address} needs, is in no remote"
                raise ObjectMissing(message, f"push it from where it was made: `dvc push {producer.address}`")
            producers[producer.address] = Reason(Change.MISSING_OBJECT, out.path, was=name.value)
        return _Needs(producers)

    def _inputs(self, stage: Stage) -> Now:
        """Look at what the stage reads, all of it in place now; what is missing fails it before anything is touched."""
        now = self.known.now(stage, ())
        for dep in stage.deps:
            if dep.dataset and now.deps[dep.spelled] is None:
                message = f"dvc.lock does not say what {dep.spelled} is now; `dvc ds update {dep.dataset}` writes it"
                raise StageFailed(message)
            if (now.deps[dep.spelled] if dep.source else self.workspace.observe(dep.path)) is None:
                message = f"dependency {dep.path!r} does not exist"
                raise StageFailed(message)
        for param in stage.params:
            values = now.params[param.spelled]
            absent = params.missing(param, values or {})
            if absent or values is None:
                message = f"params {', '.join(absent) or 'file'} are missing from {param.path}"
                raise StageFailed(message)
        return now

    def _run(self, stage: Stage, before: Now) -> tuple[LockEntry, float]:
        """Run the command with the outs out of the way; they come back if it fails."""
        with self.keeping.aside(stage) as committed, self.output(stage) as output:
            command = shell.Command(
                shell.lines_of(stage.cmd or ()), self.workspace.path(stage.wdir), self.environment(stage)
            )
            self._set_up(command, output)
            try:
                ran = self.executor.run(command, output)
            except (OSError, ValueError) as error:
                message = f"the command could not be started: {error}"
                raise StageFailed(message) from error
            if ran.code:
                message = f"the command ended with exit code {ran.code}" if ran.code > 0 else _signalled(-ran.code)
                raise StageFailed(message, code=ran.code, seconds=ran.seconds, tail=output.tail)
            try:
                entry = self._written(stage, before)
            except (StageFailed, ConfigError) as failure:
                raise StageFailed(failure.args[0], seconds=ran.seconds, tail=output.tail) from failure
            committed()
        return entry, ran.seconds

    @cached_property
    def _ready(self) -> list[str]:
        """Setup texts that have run."""
        return []

    def _set_up(self, command: shell.Command, output: StageOutput) -> None:
        """Run the setup before the first command of this run: one script of /bin/sh, which ends at its first error."""
        if not self.setup or self._ready:
            return
        env = {name: text for name, text in command.env.items() if name != "SHELL"}
        script = shell.Command((f"set -e\n{self.setup}",), self.workspace.root, env)
        ran = self.executor.run(script, output)
        if ran.code:
            message = f"the setup ended with exit code {ran.code}"
            raise StageFailed(message, code=ran.code, seconds=ran.seconds, tail=output.tail)
        self._ready.append(self.setup)

    def _written(self, stage: Stage, before: Now) -> LockEntry:
        """Hash what the stage wrote and take it into the cache; check that it left its inputs alone."""
        self._check_inputs(stage, before)
        outs = []
        for out in stage.outs:
            self.workspace.forget(out.path)
            content = self._out(stage, out)
            if out.cache or (self.keeping.may_remember(stage, before) and (out.metric or out.plot)):
                self.keeping.add(out, content)
            if out.cache:
                self.keeping.ignore(stage, out)
            outs.append(recorded_as(out.spelled, content))
        contents = ((dep.spelled, before.deps[dep.spelled]) for dep in stage.deps)
        deps = tuple(recorded_as(spelled, content) for spelled, content in contents if content)
        values = {param.spelled: dict(before.params[param.spelled] or {}) for param in stage.params}
        return LockEntry(stage.cmd, deps, values, tuple(outs))

    def _out(self, stage: Stage, out: Out) -> Content:
        content = self.known.written(stage, out)
        if content is None:
            message = f"output {out.path!r} does not exist after the command"
            raise StageFailed(message)
        return content

    def _check_inputs(self, stage: Stage, before: Now) -> None:
        """Fail a stage that changed what it reads. Deps may overlap: all are noted before one is forgotten."""
        old = {dep.path: self._files(dep, before) for dep in stage.local_deps}
        for dep in stage.local_deps:
            self.workspace.forget(dep.path)
        for dep in stage.local_deps:
            was = before.deps[dep.spelled]
            now = self.workspace.observe(dep.path, was.hash.name) if was else None
            if not (was and now and was.hash == now.hash):
                raise StageFailed(_changed(dep, old[dep.path], self._files(dep, before)))
        self.known.reread()
        for param in stage.params:
            if not _same(before.params[param.spelled], self.known.values(param)):
                message = (
                    f"params in {param.path!r} were changed by the command itself; let a stage before it write them"
                )
                raise StageFailed(message)

    def _files(self, dep: Dep, before: Now) -> dict[str, str]:
        """Give the files of a directory, by path inside it, hashed as before the run; none for a file."""
        was = before.deps[dep.spelled]
        kind = was.hash.name if was else MD5
        content = self.workspace.observe(dep.path, kind)
        return dict(self.workspace.tree(dep.path, kind).files) if content and content.hash.is_dir else {}


def _changed(dep: Dep, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))[:3]
    inside = f" ({', '.join(changed)})" if changed else ""
    return (
        f"dependency {dep.path!r} was changed by the command itself{inside}; declare it as an out, "
        "or name what it writes there in .dvcignore"
    )


def _same(was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    """Compare as DVC does, except that what was not a number (NaN) and still is not has not changed."""
    return params.equal(was, now) or repr(was) == repr(now)


def _raise_unless_missing(moved: Moved) -> None:
    """Pass on what is not simply an absent object: refused, unavailable or corrupt storage ends the walk."""
    for failure in moved.failed:
        if not isinstance(failure.error, ObjectMissing):
            raise failure.error


def _signalled(number: int) -> str:
    return f"the command was ended by signal {number}"
