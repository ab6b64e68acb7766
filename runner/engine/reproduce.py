"""The loop: every stage is decided on again, then restored, run, or left alone (`attempting`), as its turn comes.

Stages that do not depend on each other go side by side, as many as there is room for. What finished before a stage
that fails is kept, and what runs then is let end.
"""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from runner.engine import appended
from runner.engine.attempting import Attempts, Needs
from runner.engine.bringing import Bringing
from runner.engine.courses import Courses
from runner.engine.making import Making
from runner.engine.modes import PLAIN
from runner.engine.outcome import StageResult
from runner.engine.recorded import outs_of
from runner.engine.schedule import Schedule
from runner.errors import Exit, ObjectMissing, RunnerError
from runner.pipeline.wishes import Resources
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from runner.engine.again import Again
    from runner.engine.courses import Course
    from runner.engine.decision import Reason
    from runner.engine.executor import Executor
    from runner.engine.keeping import Keeping
    from runner.engine.known import Known
    from runner.engine.modes import Modes
    from runner.engine.objects import Objects
    from runner.engine.runcache import RunCache
    from runner.engine.sources import Sources
    from runner.engine.workers import Done
    from runner.engine.workspace import Workspace
    from runner.log import StageOutput
    from runner.pipeline.model import LockEntry, Stage
    from runner.pipeline.wishes import Wishes

ONE_AT_A_TIME: Final = Resources()


@dataclass
class _SoFar:
    """Where a run stands.

    Attributes:
        schedule: what is to come.
        places: each stage's place in the order.
        forced: stages that have to run, and why.
        done, ran, broken: stages that have ended; those whose command ran; those that failed, or depend on one.
        is_over: whether nothing more is to begin.
        commands: stages that have ended and whose command was run, or may have been, in the order of their ends.
        skipped: stages that were given up.
        errors: what ends the walk when nothing is under way any more.

    """

    schedule: Schedule
    places: Mapping[str, int]
    forced: dict[str, Reason] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    commands: list[Stage] = field(default_factory=list)
    is_over: bool = False
    skipped: list[Stage] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)


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
        environment: gives a stage's environment; the GPUs that are its alone are given by name.
        setup: shell text to run once, before the first command; empty: none.
        modes: what is forced or overlooked, and whether the loop goes on after a failure.
        again: runs each command a second time, to compare; `None`: nothing is run twice.
        room: what commands share that run at once; the usual is one at a time.
        gpus: the names of the GPUs among that.
        wishes: what stages ask for, by address.

    """

    known: Known
    workspace: Workspace
    objects: Objects
    runs: RunCache
    sources: Sources
    keep: Callable[[], Keeping]
    executor: Executor
    output: Callable[[Stage], AbstractContextManager[StageOutput]]
    environment: Callable[[Stage, Sequence[str]], Mapping[str, str]]
    setup: str = ""
    modes: Modes = PLAIN
    again: Again | None = None
    room: Resources = ONE_AT_A_TIME
    gpus: Sequence[str] = ()
    wishes: Mapping[str, Wishes] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)

    @cached_property
    def attempts(self) -> Attempts:
        """What is done with each stage."""

        def keep() -> Keeping:
            return self.keeping

        bringing = Bringing(self.known, self.workspace, self.objects, keep)
        parts = (self.executor, self.output, self.environment, self.setup, self.again)
        making = Making(self.known, self.workspace, keep, *parts)
        given = (self.known, self.workspace, self.runs, self.sources)
        return Attempts(*given, keep, bringing, making, self.modes, self.wishes)

    @cached_property
    def keeping(self) -> Keeping:
        """The writer of outs and lock entries; a run with nothing to do never makes it."""
        made = self.keep()
        made.recording.follow(self._places, several=self._most_underway > 1)
        return made

    def reproduce(self, stages: Sequence[Stage]) -> Generator[StageResult]:
        """Make `stages` (in order) fresh; give a result for each as soon as it is known.

        Ends at the first failure, when what runs beside it has ended, unless it is to keep going: then only what
        depends on the failed stage is skipped. Close it if it is not taken to its end: commands may be running.

        Raises:
            RunnerError: the walk cannot go on; given when what runs has ended.

        """
        self._places.update((stage.address, place) for place, stage in enumerate(stages))
        if self.workspace.lends or self.workspace.path(appended.PLACE).exists():
            self._put_right()
        so_far = _SoFar(Schedule(stages, self._related), self._places)
        try:
            with Courses(self.room, self.executor.stop, self.gpus) as courses:
                self._begin(so_far, courses)
                while done := courses.ended():
                    yield from self._taken(done, so_far, courses)
                    self._begin(so_far, courses)
            if so_far.errors:
                raise min(so_far.errors.items(), key=lambda error: so_far.places[error[0]])[1]
            yield from (StageResult(stage, "skipped") for stage in self._in_order(so_far.skipped))
            yield from self._judged(stages, so_far)
            if "keeping" in vars(self) and not so_far.broken:
                self.keeping.recording.whole()
        finally:
            if "keeping" in vars(self):
                try:
                    self._close()
                except BaseException:  # a signal: first the files, then the end
                    self._close()
                    raise

    def _close(self) -> None:
        """End what is for the length of a run."""
        try:
            self.keeping.lending.take_all_back()
        finally:
            self.keeping.recording.sync()

    def _put_right(self) -> Keeping:
        """Have put right what a killed run has left, though nothing may be to do: who keeps does that first."""
        return self.keeping

    def _related(self, stage: Stage) -> list[Stage]:
        pipeline = self.known.pipeline
        related = (*pipeline.upstream(stage), *pipeline.downstream(stage))
        return [other for other in related if other.address in self._places]

    def _in_order(self, stages: Collection[Stage]) -> list[Stage]:
        return sorted(stages, key=lambda stage: self._places[stage.address])

    def _begin(self, so_far: _SoFar, courses: Courses) -> None:
        """Take up what may begin: so much that what follows is fetched while commands run, if several may."""
        while not so_far.is_over and len(so_far.schedule.underway) < self._most_underway:
            stage = so_far.schedule.begin()
            if stage is None:
                return
            course = self._attempt(stage, so_far.forced.get(stage.address), so_far.broken)
            courses.begin(stage.address, so_far.places[stage.address], course)

    @property
    def _most_underway(self) -> int:
        slots = -(-self.room.cpu // ONE_AT_A_TIME.cpu)
        return 2 * slots if slots > 1 else 1

    def _taken(self, done: Done, so_far: _SoFar, courses: Courses) -> Iterator[StageResult]:
        """Note what became of a stage; give the result, if it is one."""
        stage = self.known.pipeline.stage(done.key)
        if isinstance(done.answer, Needs) and not so_far.is_over:
            so_far.forced.update(done.answer.producers)
            begun = so_far.done | so_far.schedule.underway
            so_far.schedule.postpone(stage, self._again(done.answer.producers, begun - {stage.address}))
            return
        so_far.schedule.end(stage)
        if isinstance(done.error, RunnerError):
            so_far.errors[stage.address] = done.error
        elif done.error:
            raise done.error
        elif isinstance(done.answer, Needs):
            so_far.skipped.append(stage)
        else:
            yield from self._noted(done.answer, so_far)
        if (so_far.broken and not self.modes.keep_going) or so_far.errors:
            self._give_up(so_far, courses)

    def _noted(self, result: StageResult, so_far: _SoFar) -> Iterator[StageResult]:
        address = result.stage.address
        so_far.forced.pop(address, None)
        if address not in so_far.done or result.status not in {"fresh", "frozen"}:
            yield result
        so_far.done.add(address)
        so_far.ran |= {address} if result.status == "ran" else set()
        so_far.commands += [result.stage] if result.status in {"ran", "failed"} else []
        so_far.broken |= {address} if result.status in {"failed", "skipped"} else set()

    def _give_up(self, so_far: _SoFar, courses: Courses) -> None:
        """Start nothing more; what has had its turn is let end."""
        so_far.is_over = True
        dismissed = [self.known.pipeline.stage(address) for address in courses.dismiss()]
        for stage in dismissed:
            so_far.schedule.end(stage)
        left = (*dismissed, *so_far.schedule.give_up())
        so_far.skipped += [stage for stage in left if stage.address not in so_far.done]

    def _judged(self, stages: Sequence[Stage], so_far: _SoFar) -> Iterator[StageResult]:
        """Look again at what stages read and wrote, if a command ran and nothing failed that ends the run."""
        if so_far.is_over:
            return
        ran = [stage for stage in stages if stage.address in so_far.ran]
        alone = self._most_underway == 1 or len(so_far.commands) == 1
        is_last = alone and so_far.commands[-1:] == ran[-1:]
        whole = so_far.done - so_far.broken
        whose, why = self._tampered(whole, after=ran[-1] if is_last else None) if ran else (None, "")
        if why:
            later = _ended_after(whose, so_far.commands)
            failed = later[0] if len(later) == 1 else whose or ran[-1]
            yield StageResult(failed, "failed", why=why, exit_code=Exit.STAGE)

    def _attempt(self, stage: Stage, forced: Reason | None, broken: Collection[str]) -> Course[StageResult | Needs]:
        """Take a step, unless what it depends on is broken; what nobody has fails it alone, if the loop keeps going."""
        if (
            broken
            and not stage.frozen
            and any(upper.address in broken for upper in self.known.pipeline.upstream(stage))
        ):
            return StageResult(stage, "skipped")
        try:
            outcome = yield from self.attempts.attempt(stage, forced)
            if isinstance(outcome, Needs):
                _check_chosen(stage, outcome, self._places)
        except ObjectMissing as error:
            if not self.modes.keep_going:
                raise
            return StageResult(stage, "failed", why=f"{error.message}; {error.hint}", exit_code=error.exit_code)
        return outcome

    def _tampered(self, done: Collection[str], after: Stage | None) -> tuple[Stage | None, str]:
        """Look again at what stages read and wrote; name the stage that has something else now, and what.

        Of the stage `after` which no other command was run, both were hashed when it had ended.
        """
        self.workspace.forget(".")
        for stage in self.known.pipeline.stages:
            is_open = stage.address in done and not stage.frozen and stage is not after
            entry = self.known.entry(stage) if is_open else None
            changed = self._changed(stage, entry) if entry else ""
            if changed:
                return stage, f"{changed} was changed by the command of another stage"
        strayed = self.keeping.lending.strayed()
        return None, f"{strayed}, of which stages read files, was changed by the command of a stage" if strayed else ""

    def _changed(self, stage: Stage, entry: LockEntry) -> str:
        """Name an out or a dep that is not what `entry` says. What is absent is whatever the lock says of it."""
        for out, name in outs_of(stage, entry):
            content = self.workspace.observe_out(out.path, name.name)
            if content and content.hash != name:
                return f"{out.path}, written by {stage.address},"
        for dep in stage.local_deps:
            recorded = entry.dep(dep.spelled)
            was = recorded.hash if recorded else None
            content = self.known.at(dep.path, was.name) if was else None
            if content and content.hash != was:
                return f"dependency {dep.path!r} of stage {stage.address}"
        return ""

    def _again(self, producers: Collection[str], begun: Collection[str]) -> list[Stage]:
        """Give, in order, `producers` and what has `begun` downstream of them: they may write something else now."""
        pipeline = self.known.pipeline
        found: dict[str, Stage] = {}
        for stage in pipeline.in_order():
            follows = stage.address in begun and any(upper.address in found for upper in pipeline.upstream(stage))
            if follows or stage.address in producers:
                found[stage.address] = stage
        return list(found.values())


def _check_chosen(stage: Stage, needs: Needs, chosen: Collection[str]) -> None:
    """Refuse to make stages that were not asked for."""
    for address, reason in needs.producers.items():
        if address not in chosen:
            message = f"{reason.path} ({address}), which stage {stage.address} needs, is in no remote"
            raise ObjectMissing(message, f"make it: `retrain repro {address}`")


def _ended_after(stage: Stage | None, commands: Sequence[Stage]) -> Sequence[Stage]:
    """Give those of `commands`, in the order of their ends, that may have changed what `stage` has recorded."""
    return commands[commands.index(stage) + 1 :] if stage in commands else commands
