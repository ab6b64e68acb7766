"""Which stage may begin next: pure, and the same whatever takes how long.

Two stages of which one reads what the other writes follow each other as they stand in the order. Of those that may
begin, the first in the order does; so with one at a time the order is the order.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from runner.pipeline.model import Stage


class Schedule:
    """Stages that are still to be taken, and those that are under way."""

    def __init__(self, stages: Sequence[Stage], related: Callable[[Stage], Iterable[Stage]]) -> None:
        """Take `stages` in their order; `related` gives the direct producers and consumers of one."""
        self._related = related
        self._pending = {stage.address for stage in stages}
        self._underway: dict[str, Stage] = {}
        self._arrange(stages)

    def _arrange(self, order: Sequence[Stage]) -> None:
        """Count what each has to wait for. Looks at every stage, so it is for the start and for rare turns."""
        self._order = tuple(order)
        self._places = {stage.address: place for place, stage in enumerate(order)}
        self._waits = {stage.address: self._awaited(stage) for stage in order if stage.address in self._pending}
        self._ready = [self._places[address] for address, count in self._waits.items() if not count]

    def _circle(self, stage: Stage) -> set[str]:
        """Give the addresses of what must not be under way beside `stage`: itself too."""
        return {stage.address, *(other.address for other in self._related(stage))}

    def _awaited(self, stage: Stage) -> int:
        """Count what comes before `stage`: what is under way already, and what stands before it in the order."""
        place, circle = self._places[stage.address], self._circle(stage)
        before = sum(self._places[other] < place for other in circle & self._pending)
        return before + len(circle & self._underway.keys())

    @property
    def underway(self) -> frozenset[str]:
        """The addresses of what has begun and not ended."""
        return frozenset(self._underway)

    def begin(self) -> Stage | None:
        """Give the first stage that may begin, which is under way from here on; `None` where none may."""
        if not self._ready:
            return None
        stage = self._order[heapq.heappop(self._ready)]
        self._pending.discard(stage.address)
        self._underway[stage.address] = stage
        return stage

    def end(self, stage: Stage) -> None:
        """Let begin what waited for `stage` alone."""
        del self._underway[stage.address]
        for address in self._circle(stage) & self._pending:
            self._waits[address] -= 1
            if not self._waits[address]:
                heapq.heappush(self._ready, self._places[address])

    def postpone(self, stage: Stage, until: Sequence[Stage]) -> None:
        """Take `stage`, which is under way, back; it comes after `until`, taken again, and they where it stood."""
        del self._underway[stage.address]
        moved = {stage.address, *(other.address for other in until)}
        place = self._places[stage.address]
        live = self._pending | self._underway.keys()
        others = [(at, other) for at, other in enumerate(self._order) if other.address in live - moved]
        earlier = [other for at, other in others if at < place]
        self._pending |= moved
        self._arrange([*earlier, *until, stage, *(other for at, other in others if at > place)])

    def give_up(self) -> tuple[Stage, ...]:
        """Let nothing more begin; give what would have, in order."""
        left = tuple(stage for stage in self._order if stage.address in self._pending)
        self._pending.clear()
        self._ready.clear()
        return left
