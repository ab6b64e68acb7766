"""The loop: every stage in order is decided on again, then restored, run, or left alone; the lock is written at once.

What finished before a stage that fails is kept.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from runner.engine.bringing import Bringing
from runner.engine.decide import Change, Frozen, Reason, Restore, Run, decide
from runner.engine.known import outs_of, recorded_as
from runner.engine.making import Making
from runner.engine.modes import PLAIN
from runner.engine.outcome import StageFailed, StageResult
from runner.engine.taking_in import TakingIn
from runner.errors import Exit, ObjectMissing
from runner.hashes import LEGACY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from runner.engine.again import Again
    from runner.engine.decide import Decision, Now
    from runner.engine.executor import Executor
    from runner.engine.keeping import Keeping
    from runner.engine.known import Known
    from runner.engine.modes import Modes
    from runner.engine.objects import Objects
    from runner.engine.outcome import Status
    from runner.engine.runcache import RunCache
    from runner.engine.sources import Sources
    from runner.engine.workspace import Workspace
    from runner.log import StageOutput
    from runner.pipeline.model import LockEntry, Stage


@dataclass(frozen=True, slots=True)
class _Needs:
    """A stage cannot go on before these have run again: nobody has their objects any more."""

    producers: Mapping[str, Reason] = field(default_factory=dict)


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
        modes: what is forced or overlooked, and whether the loop goes on after a failure.
        again: runs each command a second time, to compare; `None`: nothing is run twice.

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
    modes: Modes = PLAIN
    again: Again | None = None

    @cached_property
    def bringing(self) -> Bringing:
        """What fetches outs and puts them in place."""
        return Bringing(self.known, self.workspace, self.objects, lambda: self.keeping)

    @cached_property
    def making(self) -> Making:
        """What runs commands."""
        parts = (self.executor, self.output, self.environment, self.setup, self.again)
        return Making(self.known, self.workspace, lambda: self.keeping, *parts)

    @cached_property
    def taking_in(self) -> TakingIn:
        """What takes in the data that no command writes."""
        return TakingIn(self.known, self.workspace, self.sources, self.keeping)

    @cached_property
    def keeping(self) -> Keeping:
        """The writer of outs and lock entries; a run with nothing to do never makes it."""
        return self.keep()

    def reproduce(self, stages: Sequence[Stage]) -> Iterator[StageResult]:
        """Make `stages` (in order) fresh; give a result for each as soon as it is known.

        Ends at the first failure, unless it is to keep going: then only what depends on the failed stage is skipped.
        """
        queue = deque(stages)
        chosen = {stage.address for stage in stages}
        forced: dict[str, Reason] = {}
        done: set[str] = set()
        broken: set[str] = set()
        last: Stage | None = None
        commands: list[Stage] = []
        while queue:
            stage = queue[0]
            outcome = self._attempt(stage, forced.get(stage.address), broken, chosen)
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
            commands += [stage] if outcome.status in {"ran", "failed"} else []
            broken |= {stage.address} if outcome.status in {"failed", "skipped"} else set()
            if broken and not self.modes.keep_going:
                yield from (StageResult(later, "skipped") for later in queue if later.address not in done)
                return
        why = self._tampered(done, after=last if commands[-1:] == [last] else None) if last else ""
        if last and why:
            yield StageResult(last, "failed", why=why, exit_code=Exit.STAGE)

    def _attempt(
        self, stage: Stage, forced: Reason | None, broken: Collection[str], chosen: Collection[str]
    ) -> StageResult | _Needs:
        """Take a step, unless what it depends on is broken; what nobody has fails it alone, if the loop keeps going."""
        if (
            broken
            and not stage.frozen
            and any(upper.address in broken for upper in self.known.pipeline.upstream(stage))
        ):
            return StageResult(stage, "skipped")
        try:
            outcome = self._step(stage, forced)
            if isinstance(outcome, _Needs):
                _check_chosen(stage, outcome, chosen)
        except ObjectMissing as error:
            if not self.modes.keep_going:
                raise
            return StageResult(stage, "failed", why=f"{error.message}; {error.hint}", exit_code=error.exit_code)
        return outcome

    def _tampered(self, done: Collection[str], after: Stage | None) -> str:
        """Look again at what stages wrote: a command may have changed an out that is not its own.

        What the stage wrote `after` which no other command was run was hashed when it had ended.
        """
        self.workspace.forget(".")
        for stage in self.known.pipeline.stages:
            is_open = stage.address in done and not stage.frozen and stage is not after
            entry = self.known.entry(stage) if is_open else None
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
            decision = decide(stage, self.known.entry(stage), now, lambda: self.runs.lookup(stage, now), self.modes)
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
            return StageResult(
                stage,
                "failed",
                reasons,
                failure.seconds,
                failure.code,
                failure.why,
                failure.tail,
                exit_code=Exit.STAGE,
            )
        status: Status = "frozen" if isinstance(decision, Frozen) else "fresh"
        return StageResult(stage, status, decision.reasons, entry=self.known.entry(stage))

    def _restore(self, stage: Stage, decision: Restore, now: Now) -> StageResult | None:
        """Put in place what an earlier run wrote; `None` where an object turned out to be gone."""
        pulled = self.bringing.bring(self.bringing.outs(stage, decision.entry))
        if pulled.failed:
            return None
        entry = self._named_anew(stage, decision.entry)
        is_news = entry != decision.entry and self.keeping.may_remember(stage, now)
        records = (self.runs.remember(entry),) if is_news else ()
        self._settle(stage, entry)
        return StageResult(stage, "restored", decision.reasons, pulled=pulled, entry=entry, records=records)

    def _named_anew(self, stage: Stage, past: LockEntry) -> LockEntry:
        """Name the outs that a past run of DVC 2 wrote as a run would now: an old name stays only where it was one."""
        if past is self.known.entry(stage) or not any(name.name == LEGACY for _, name in outs_of(stage, past)):
            return past
        outs = []
        for out in stage.outs:
            content = self.making.out(stage, out)
            self.keeping.add(out, content)
            outs.append(recorded_as(out.spelled, content))
        return replace(past, outs=tuple(outs))

    def _settle(self, stage: Stage, entry: LockEntry) -> None:
        if self.known.entry(stage) != entry:
            self.keeping.record(stage, entry)
        self.known.settle(stage, entry, in_place=True)

    def _take_in(self, stage: Stage, decision: Run, now: Now) -> StageResult | _Needs:
        """Make data that no command writes what is recorded: what lies in the workspace, or at an import's source."""
        wanted = list(self.bringing.inputs(stage)) if stage.is_import else []
        pulled = self.bringing.bring(wanted)
        if pulled.failed:
            return _Needs(self.bringing.makers_of_lost(stage, wanted, pulled))
        if stage.is_import:
            entry = (self.taking_in.first if stage.frozen else self.taking_in.imported)(stage)
        else:
            entry = self.taking_in.tracked(stage, now)
        self._settle(stage, entry)
        return StageResult(stage, "recorded", decision.reasons, pulled=pulled, entry=entry)

    def _make(self, stage: Stage, decision: Run) -> StageResult | _Needs:
        wanted = list(self.bringing.inputs(stage))
        pulled = self.bringing.bring(wanted)
        if pulled.failed:
            return _Needs(self.bringing.makers_of_lost(stage, wanted, pulled))
        before = self.making.inputs(stage)
        self.keeping.check_untracked(stage)
        entry, seconds = self.making.run(stage, before)
        # Before the lock: once that says it, nobody would run the stage again to have it remembered.
        records = (self.runs.remember(entry),) if self.keeping.may_remember(stage, before) else ()
        self._settle(stage, entry)
        return StageResult(stage, "ran", decision.reasons, seconds, pulled=pulled, entry=entry, records=records)


def _check_chosen(stage: Stage, needs: _Needs, chosen: Collection[str]) -> None:
    """Refuse to make stages that were not asked for."""
    for address, reason in needs.producers.items():
        if address not in chosen:
            message = f"{reason.path} ({address}), which stage {stage.address} needs, is in no remote"
            raise ObjectMissing(message, f"make it: `retrain repro {address}`")
