"""Claimed or reproduced: whether a run that is trusted made a metric, or the commit only says that one did. Pure.

A metrics file counts as made where this run ran its stage, or where the record of a run that ended well says exactly
what the lock says. Everything else is the commit's claim: a lock or a file that somebody committed.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from runner.review.measured import Claim
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from runner.pipeline.model import LockEntry, Out, Stage
    from runner.pipeline.pipeline import Pipeline
    from runner.review.sides import Side

Policy = Literal["auto", "accept", "rerun", "fail"]


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is known of how metrics came to be.

    Attributes:
        policy: what the settings say; `auto`: rerun what an event that proposes a change has changed, accept the rest.
        proposes: whether this event proposes a change that nobody has reviewed: a pull request.
        runs: whether stages may be run by this verb.
        done: what became of stages in this run, by address: `ran`, `fresh`, ...
        recorded: whether the record of a run that ended well says exactly what an entry says.

    """

    policy: Policy = "auto"
    proposes: bool = False
    runs: bool = False
    done: Mapping[str, str] = field(default_factory=dict)
    recorded: Callable[[LockEntry], bool] = lambda _: False


def claims(files: Mapping[str, bool], head: Side, base: Side | None, grounds: Grounds) -> tuple[Claim, ...]:
    """Give the metrics files that nobody trusted made.

    Args:
        files: metrics files, and whether a gate reads them.
        head: the candidate.
        base: what it is compared with.
        grounds: what is known.

    """
    found = ((path, gated, _why(path, head, grounds)) for path, gated in files.items())
    return tuple(
        Claim(path, stage, why, gated, _policy(path, (head, base), grounds))
        for path, gated, (stage, why) in found
        if why
    )


def to_rerun(found: Iterable[Claim], head: Side) -> Iterator[str]:
    """Give the stages that have to run so that gated claims are claims no longer."""
    for one in found:
        made = head.pipeline.producer(one.path) if head.pipeline else None
        if one.gated and one.policy == "rerun" and made and _can_run(made[0]):
            yield made[0].address


def _can_run(stage: Stage) -> bool:
    return not (stage.frozen or stage.is_data_source)


def _why(path: str, head: Side, grounds: Grounds) -> tuple[str, str]:
    """Give the stage that makes a metrics file, and why it is only claimed; no reason where it is not."""
    made = head.pipeline.producer(path) if head.pipeline else None
    if made is None:
        return "", "no stage makes it"
    stage, entry = made[0], _entry(head.pipeline, made)
    status = grounds.done.get(stage.address, "")
    if status == "ran" or (_can_run(stage) and entry and grounds.recorded(entry)):
        return stage.address, ""
    if stage.is_data_source:
        return stage.address, f"{stage.file} says what it holds, and no command makes it"
    said = {
        "fresh": "was fresh by its lock",
        "restored": "was restored as its lock says",
        "frozen": "is frozen",
    }
    how = said.get(status, "was not run")
    return stage.address, f"its stage {stage.address} {how}, and no record of a run says the same"


def _entry(pipeline: Pipeline | None, made: tuple[Stage, Out]) -> LockEntry | None:
    return pipeline.entries.get(made[0].address) if pipeline else None


def _policy(path: str, sides: tuple[Side, Side | None], grounds: Grounds) -> Literal["accept", "rerun", "fail"]:
    """Settle what `auto` means for one file.

    What a pull request changed is run again where stages are run; where no stage makes it, and the base had one that
    did, or did not have it frozen, it cannot be and counts for nothing. What was so before was reviewed then.
    """
    if grounds.policy != "auto":
        return grounds.policy
    if not (grounds.proposes and grounds.runs):
        return "accept"
    head, base = sides
    now = head.pipeline.producer(path) if head.pipeline else None
    then = base.pipeline.producer(path) if base and base.pipeline else None
    if now is None or not _can_run(now[0]):
        return "rerun" if then and _can_run(then[0]) else "accept"
    if then is None or base is None:
        return "rerun"
    return "accept" if _same(path, (head, now), (base, then)) else "rerun"


def _same(path: str, now: tuple[Side, tuple[Stage, Out]], then: tuple[Side, tuple[Stage, Out]]) -> bool:
    """Whether the lock says the same of the stage that makes a file, and the file, if git holds it, is the same."""
    (head, made), (base, before) = now, then
    if _entry(head.pipeline, made) != _entry(base.pipeline, before):
        return False
    return made[1].cache or head.files(path) == base.files(path)
