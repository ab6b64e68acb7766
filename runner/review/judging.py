"""Room 8: both sides' metrics and params, and what the gates say of them, into the report."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from runner.errors import Exit
from runner.review import gate, metrics
from runner.review.metrics import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.review.gate import Gate
    from runner.review.model import Change, Report
    from runner.review.sides import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is judged.

    Attributes:
        gates: the gate file's rules.
        event: GitHub's name of the event, for gates that are judged at some events only; empty: all are judged.
        head: the candidate.
        base: what it is compared with; `None` where there is nothing.
        doubtful: outs whose content no stage of this run vouches for, and why: their metrics count as unreadable.

    """

    gates: Sequence[Gate]
    event: str
    head: Side
    base: Side | None
    doubtful: Mapping[str, str] = field(default_factory=dict)


def judged(report: Report, case: Case) -> Report:
    """Give the report with metrics, params, verdicts and the exit code that follows."""
    head, base = case.head, case.base
    paths = sorted({*(one.file for one in case.gates), *head.metrics_files(), *(base.metrics_files() if base else ())})
    now = {**head.documents(paths), **_doubted(paths, case.doubtful)}
    before = base.documents(paths) if base else None
    verdicts = gate.judge(case.gates, now, before, case.event)
    return replace(
        report,
        verdict=gate.overall(verdicts),
        exit_code=Exit.GATE if any(verdict.exits for verdict in verdicts) else Exit.HELD,
        gates=verdicts,
        metrics=metrics.compare(base.shown(before) if base and before else before, head.shown(now)),
        params=_params(head, base),
    )


def _doubted(paths: Sequence[str], doubtful: Mapping[str, str]) -> dict[str, Unreadable]:
    return {
        path: Unreadable(why)
        for path in paths
        for out, why in doubtful.items()
        if path == out or path.startswith(f"{out}/")
    }


def _params(head: Side, base: Side | None) -> tuple[Change, ...]:
    return metrics.compare(base.params() if base else None, head.params(), others=metrics.as_json)


def gone(case: Case) -> tuple[str, ...]:
    """Name what the base has and the head lacks: stages, and stages behind a gate's metrics.

    What nobody runs any more, nobody vouches for either: such a metric is a number that somebody committed.
    """
    if not (case.base and case.base.pipeline):
        return ()
    head, base = case.head.pipeline, case.base.pipeline
    now = {stage.address for stage in head.stages} if head else set()
    lost = [stage.address for stage in base.stages if stage.address not in now]
    unmade = [
        f"no stage writes {path} any more, which {made[0].address} of the base wrote: its values are only claimed"
        for path in dict.fromkeys(one.file for one in case.gates)
        if (made := base.producer(path)) and not (head and head.producer(path))
    ]
    return (*(f"the stage {address} of the base is gone" for address in lost), *unmade)
