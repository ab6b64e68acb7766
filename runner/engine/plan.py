"""The plan: one decision a stage, in order, and the objects each will need. Runs nothing, fetches only listings."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from runner.engine.decide import decide
from runner.engine.decision import Change, Frozen, Reason, Restore, Run, Wait
from runner.engine.inputs import inputs
from runner.engine.modes import PLAIN
from runner.engine.recorded import outs_of
from runner.errors import RemoteError
from runner.hashes import Names
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runner.engine.decision import Decision
    from runner.engine.homes import Wanted
    from runner.engine.known import Known
    from runner.engine.modes import Modes
    from runner.engine.objects import Objects
    from runner.engine.runcache import RunCache
    from runner.hashes import Hash, Sizes
    from runner.pipeline.model import Stage

logger = logging.getLogger("retrain")


@dataclass(frozen=True, slots=True)
class Pull:
    """Objects to be fetched: how many, and how many bytes."""

    objects: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What a plan says of one stage."""

    stage: Stage
    decision: Decision
    pull: Pull = Pull()

    @property
    def is_stale(self) -> bool:
        """Whether the lock does not say what the stage's command, inputs and outs say."""
        if isinstance(self.decision, (Restore, Frozen)):
            return self.decision.is_stale
        return isinstance(self.decision, (Run, Wait))


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in the order they will be taken, and all they pull together (an object wanted twice counts once)."""

    steps: tuple[Step, ...]
    pull: Pull


def plan(
    stages: Sequence[Stage], known: Callable[[], Known], objects: Objects, runs: RunCache, modes: Modes = PLAIN
) -> Plan:
    """Decide over `stages`, producers first.

    A stage whose recorded out is needed and exists nowhere any more is planned to run again.

    Args:
        stages: what to plan, in order.
        known: gives a fresh look at the project (a plan assumes what restored stages will hold).
        objects: where wanted objects are counted.
        runs: the run cache.
        modes: what is forced, and what is overlooked.

    """
    lost: dict[str, Reason] = {}
    while True:
        view = known()
        steps = decisions(stages, view, runs, lost, modes)
        unsettled = _unsettled(steps)
        wanted = {step.stage.address: needs(step, view, unsettled) for step in steps}
        try:
            absent = objects.absent(pair for pairs in wanted.values() for pair in pairs)
            sizes = objects.sizes(absent, partial(_recorded_size, view))
        except RemoteError as error:
            logger.warning("the remote could not be asked, so sizes are the lock's: %s", error)
            return _estimated(steps, wanted, view, objects)
        found = _lost(stages, view, wanted, Names.united(absent.values()) - sizes.names)
        if found.keys() <= lost.keys():
            return _counted(steps, wanted, objects, absent, sizes)
        lost.update(found)


def decisions(
    stages: Sequence[Stage], known: Known, runs: RunCache, lost: Mapping[str, Reason], modes: Modes = PLAIN
) -> tuple[Step, ...]:
    """Decide over `stages` in order; `lost` are those that must run again whatever their inputs say."""
    unsettled: set[str] = set()
    steps = []
    for stage in stages:
        now = known.now(stage, unsettled)
        decision: Decision
        if stage.address in lost:
            decision = Run((lost[stage.address],))
        else:
            decision = decide(stage, known.entry(stage), now, partial(runs.lookup, stage, now), modes)
        if isinstance(decision, Restore):
            known.settle(stage, decision.entry, in_place=False)
        elif isinstance(decision, (Run, Wait)) and not stage.is_tracked:
            unsettled.add(stage.address)
        steps.append(Step(stage, decision))
    return tuple(steps)


def needs(step: Step, known: Known, unsettled: set[str]) -> list[Wanted]:
    """Give the objects that a step will want: a run's absent deps and params, what a restored stage's outs lack."""
    stage, decision = step.stage, step.decision
    if isinstance(decision, Restore):
        return [(out, name) for out, name in outs_of(stage, decision.entry) if not known.is_in_place(out, name)]
    if not isinstance(decision, (Run, Wait)) or stage.is_tracked:
        return []
    return [(one.out, one.name) for one in inputs(known, stage) if one.stage.address not in unsettled]


def _unsettled(steps: Sequence[Step]) -> set[str]:
    return {
        step.stage.address for step in steps if isinstance(step.decision, (Run, Wait)) and not step.stage.is_tracked
    }


def _lost(
    stages: Sequence[Stage], known: Known, wanted: Mapping[str, list[Wanted]], nowhere: Names
) -> dict[str, Reason]:
    """Find the stages that could make again what a later one needs and nobody has."""
    if not nowhere:
        return {}
    chosen = {stage.address for stage in stages}
    needed = dict.fromkeys((out.path, name) for pairs in wanted.values() for out, name in pairs)
    found: dict[str, Reason] = {}
    for path, name in needed:
        stage, _ = known.pipeline.producer(path) or (None, None)
        if stage is None or stage.address not in chosen or stage.is_data_source or stage.frozen:
            continue
        if name in nowhere or nowhere & known.members(name):
            found.setdefault(stage.address, Reason(Change.MISSING_OBJECT, path, was=name.value))
    return found


def _counted(
    steps: Sequence[Step],
    wanted: Mapping[str, list[Wanted]],
    objects: Objects,
    absent: Mapping[str, Names],
    sizes: Sizes,
) -> Plan:
    """Count each absent object for the first step that wants it."""
    everything = left = Names.united(absent.values())
    counted = []
    for step in steps:
        pairs = wanted[step.stage.address] if left else []
        mine = Names.united(objects.absent(pairs).values()) & left
        left -= mine
        counted.append(replace(step, pull=Pull(len(mine), sizes.total(mine))))
    return Plan(tuple(counted), Pull(len(everything), sizes.total(everything)))


def _estimated(steps: Sequence[Step], wanted: Mapping[str, list[Wanted]], known: Known, objects: Objects) -> Plan:
    """Count by what the lock says, for a plan made where the remote cannot be reached."""
    left = set(objects.cache.missing(name for pairs in wanted.values() for _, name in pairs))
    counted = []
    for step in steps:
        mine = {name for _, name in wanted[step.stage.address]} & left
        left -= mine
        counted.append(replace(step, pull=_sum(known.footprint(name) for name in mine)))
    return Plan(tuple(counted), _sum((step.pull.objects, step.pull.bytes) for step in counted))


def _recorded_size(known: Known, name: Hash) -> int:
    return known.footprint(name)[1]


def _sum(footprints: Iterable[tuple[int, int]]) -> Pull:
    pairs = list(footprints)
    return Pull(sum(objects for objects, _ in pairs), sum(size for _, size in pairs))
