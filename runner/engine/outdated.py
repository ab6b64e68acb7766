"""Which stages are out of date for certain: what they wrote was made from something else than what is here now.

For who judges without running: a number of such a stage is none of this candidate's. What cannot be told is no proof: a
stage that always runs, a dep that this machine does not have, what a source outside of the project holds by now.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner.engine.decide import differences
from runner.engine.decision import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from runner.engine.decision import Reason
    from runner.engine.known import Known
    from runner.engine.project import Project
    from runner.pipeline.model import Stage
    from runner.pipeline.pipeline import Pipeline

_NO_PROOF: Final = frozenset({Change.ALWAYS, Change.CALLBACK, Change.OUT_DELETED, Change.DEP_DELETED})
_TOLD: Final = 3
"""Reasons named of one stage."""


def outdated(project: Project, paths: Iterable[str], had: Callable[[str], bool]) -> dict[str, str]:
    """Give the stages behind `paths` that are out of date, by address, and what shows it; asks no remote for objects.

    Args:
        project: the project.
        paths: outs, or files in them, that are to be judged.
        had: whether git has, or had at the base, what lies at a path: then a dep that is gone was taken away.

    """
    found: dict[str, str] = {}
    known = project.known()
    for stage in _behind(project.pipeline, paths):
        reasons = [reason for reason in _reasons(stage, known) if reason.change not in _NO_PROOF or _gone(reason, had)]
        above = [] if stage.frozen else [one.address for one in project.pipeline.upstream(stage)]
        stale = next((address for address in above if address in found), "")
        if reasons:
            found[stage.address] = ", ".join(_said(reasons))
        elif stale:
            found[stage.address] = f"it reads what {stale} writes, which is stale"
    return found


def _behind(pipeline: Pipeline, paths: Iterable[str]) -> list[Stage]:
    """Give the stages that make `paths`, and all that those need, producers first; tracked data is no stage."""
    wanted = {made[0].address for path in paths if (made := pipeline.producer(path))}
    for stage in reversed(pipeline.in_order()):
        if stage.address in wanted and not stage.frozen:
            wanted.update(upper.address for upper in pipeline.upstream(stage))
    return [stage for stage in pipeline.in_order() if stage.address in wanted and not stage.is_data_source]


def _reasons(stage: Stage, known: Known) -> tuple[Reason, ...]:
    local = replace(stage, deps=() if stage.frozen else stage.local_deps, params=() if stage.frozen else stage.params)
    entry, now = known.entry(stage), known.now(local, ())
    found = differences(local, entry, now)
    return tuple(reason for reason in found if reason.change is Change.OUT_MODIFIED) if stage.frozen else found


def _gone(reason: Reason, had: Callable[[str], bool]) -> bool:
    return reason.change is Change.DEP_DELETED and had(reason.path)


def _said(reasons: list[Reason]) -> Iterator[str]:
    yield from (f"{reason.change.value} {reason.path}".rstrip() for reason in reasons[:_TOLD])
    if len(reasons) > _TOLD:
        yield f"and {len(reasons) - _TOLD} more"
