"""Which name a metrics file had at the base, where it has another one now: compared with that, and not with nothing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from runner.errors import GitError
from runner.git import worktree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.engine.project import Place
    from runner.pipeline.model import Stage
    from runner.pipeline.pipeline import Pipeline
    from runner.review.sides import Side


def finder(place: Place, base_sha: str, head: Side, base: Side) -> Callable[[str], str]:
    """Give what finds the name that a metrics file of the candidate had at the base; empty where it had none.

    The stage decides: where it wrote one metrics file that is gone, and writes one that is new, they are the same one.
    A file in git is looked up among git's renames otherwise.
    """

    @cache
    def renamed() -> Mapping[str, str]:
        try:
            return worktree.renames(place.git, base_sha)
        except GitError:
            return {}

    def find(path: str) -> str:
        by_stage = _by_stage(path, head.pipeline, base.pipeline)
        old = renamed().get(f"{place.prefix}{path}", "")
        if by_stage:
            return by_stage
        return old.removeprefix(place.prefix) if old.startswith(place.prefix) else ""

    return find


def _by_stage(path: str, head: Pipeline | None, base: Pipeline | None) -> str:
    made = head.producer(path) if head else None
    if not made or not head or not base or made[1].path != path:
        return ""
    stage = made[0]
    before = next((one for one in base.stages if one.address == stage.address), None)
    if before is None:
        return ""
    now, then = _metrics(stage), _metrics(before)
    gone = then - now
    return next(iter(gone)) if now - then == {path} and len(gone) == 1 else ""


def _metrics(stage: Stage) -> set[str]:
    return {out.path for out in stage.outs if out.metric}
