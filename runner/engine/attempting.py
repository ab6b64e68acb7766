"""One stage: decided on again, then restored, run, taken in, or left alone, and written into the lock at once."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from runner.engine.decide import decide
from runner.engine.decision import Change, Frozen, Reason, Restore, Run
from runner.engine.outcome import StageFailed, StageResult
from runner.engine.recorded import outs_of, recorded_as
from runner.engine.taking_in import TakingIn
from runner.errors import Exit
from runner.hashes import LEGACY
from runner.pipeline import wishes
from runner.store.moved import NOTHING
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.engine.bringing import Bringing
    from runner.engine.courses import Course
    from runner.engine.decision import Decision, Now
    from runner.engine.inputs import Wanted
    from runner.engine.keeping import Keeping
    from runner.engine.known import Known
    from runner.engine.making import Making
    from runner.engine.modes import Modes
    from runner.engine.outcome import Status
    from runner.engine.runcache import RunCache
    from runner.engine.sources import Sources
    from runner.engine.workspace import Workspace
    from runner.pipeline.model import LockEntry, Stage
    from runner.pipeline.wishes import Wishes
    from runner.store.moved import Moved


@dataclass(frozen=True, slots=True)
class Needs:
    """A stage cannot go on before these have run again: nobody has their objects any more."""

    producers: Mapping[str, Reason]


@dataclass(frozen=True)
class Attempts:
    """What is done with each stage; one for a run.

    Attributes:
        known: the workspace seen through the lock.
        workspace: the working tree.
        runs: the run cache.
        sources: where data comes from that is imported.
        keep: gives the writer of outs and lock entries; asked for when something is to be written.
        bringing: what fetches outs and puts them in place.
        making: what runs commands.
        modes: what is forced or overlooked.
        wishes: what stages ask for, by address.

    """

    known: Known
    workspace: Workspace
    runs: RunCache
    sources: Sources
    keep: Callable[[], Keeping]
    bringing: Bringing
    making: Making
    modes: Modes
    wishes: Mapping[str, Wishes]

    def attempt(self, stage: Stage, forced: Reason | None) -> Course[StageResult | Needs]:
        """Decide on a stage, and do what that says; `forced` says why it has to run whatever is decided."""
        now = self.known.now(stage, ())
        decision: Decision
        if forced:
            decision = Run((forced,))
        else:
            decision = decide(stage, self.known.entry(stage), now, lambda: self.runs.lookup(stage, now), self.modes)
        try:
            if isinstance(decision, Restore):
                restored = yield from self._restore(stage, decision, now)
                if restored:
                    return restored
                decision = Run((*decision.reasons, Reason(Change.MISSING_OBJECT)))
            if isinstance(decision, Run):
                making = self._take_in(stage, decision, now) if stage.is_data_source else self._make(stage, decision)
                return (yield from making)
            _check_there(decision)
        except StageFailed as failure:
            reasons = decision.reasons if isinstance(decision, (Run, Frozen)) else ()
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

    def _restore(self, stage: Stage, decision: Restore, now: Now) -> Course[StageResult | None]:
        """Put in place what an earlier run wrote; `None` where an object turned out to be gone."""
        pulled = yield from self._brought(self.bringing.outs(stage, decision.entry))
        if pulled.failed:
            return None
        entry = self._named_anew(stage, decision.entry)
        is_news = self.runs.remembers and entry != decision.entry and self.keep().may_remember(stage, now)
        records = (self.runs.remember(entry),) if is_news else ()
        self._settle(stage, entry, 0)
        return StageResult(stage, "restored", decision.reasons, pulled=pulled, entry=entry, records=records)

    def _named_anew(self, stage: Stage, past: LockEntry) -> LockEntry:
        """Name the outs that a past run of DVC 2 wrote as a run would now: an old name stays only where it was one."""
        if past is self.known.entry(stage) or not any(name.name == LEGACY for _, name in outs_of(stage, past)):
            return past
        outs = []
        for out in stage.outs:
            content = self.making.out(stage, out)
            self.keep().add(out, content)
            outs.append(recorded_as(out.spelled, content))
        return replace(past, outs=tuple(outs))

    def _settle(self, stage: Stage, entry: LockEntry, seconds: float = math.inf) -> None:
        """Record what would take so many seconds to make again."""
        if self.known.entry(stage) != entry:
            self.keep().recording.record(stage, entry, seconds=seconds)
        self.known.settle(stage, entry, in_place=True)

    def _take_in(self, stage: Stage, decision: Run, now: Now) -> Course[StageResult | Needs]:
        """Make data that no command writes what is recorded: what lies in the workspace, or at an import's source."""
        wanted = self.bringing.inputs(stage, lends=False) if stage.is_import else []
        pulled = yield from self._brought(wanted)
        if pulled.failed:
            return Needs(self.bringing.makers_of_lost(stage, wanted, pulled))
        taking_in = TakingIn(self.known, self.workspace, self.sources, self.keep())
        if stage.is_import:
            entry = (taking_in.first if stage.frozen else taking_in.imported)(stage)
        else:
            entry = taking_in.tracked(stage, now)
        self._settle(stage, entry)
        return StageResult(stage, "recorded", decision.reasons, pulled=pulled, entry=entry)

    def _make(self, stage: Stage, decision: Run) -> Course[StageResult | Needs]:
        for out in stage.outs:
            self.keep().lending.take_back(out.path)
        wanted = self.bringing.inputs(stage, lends=True)
        pulled = yield from self._brought(wanted)
        if pulled.failed:
            return Needs(self.bringing.makers_of_lost(stage, wanted, pulled))
        made = yield from self.making.make(stage, self.wishes.get(stage.address, wishes.PLAIN))
        # Before the lock: once that says it, nobody would run the stage again to have it remembered.
        is_kept = self.runs.remembers and self.keep().may_remember(stage, made.before)
        records = (self.runs.remember(made.entry),) if is_kept else ()
        self._settle(stage, made.entry, made.seconds)
        return StageResult(
            stage, "ran", decision.reasons, made.seconds, pulled=pulled, entry=made.entry, records=records
        )

    def _brought(self, wanted: Sequence[Wanted]) -> Course[Moved]:
        """Fetch beside what else goes on, then put in place."""
        ahead = (yield partial(self.bringing.ahead, wanted)) if wanted else NOTHING
        return self.bringing.bring(wanted, ahead)


def _check_there(decision: Decision) -> None:
    """Fail a frozen stage that would have to run."""
    if isinstance(decision, Frozen) and decision.is_lacking:
        message = "it is frozen and was never run, and an out is missing; unfreeze it, or bring what belongs there"
        raise StageFailed(message)
