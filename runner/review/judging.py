"""Room 8: both sides' metrics and params, and what the gates say of them, into the report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.errors import Exit
from runner.review import gate, metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.review.gate import Gate
    from runner.review.model import Change, Report
    from runner.review.sides import Side


def judged(report: Report, gates: Sequence[Gate], event: str, head: Side, base: Side | None) -> Report:
    """Give the report with metrics, params, verdicts and the exit code that follows.

    Args:
        report: what is known so far.
        gates: the gate file's rules.
        event: GitHub's name of the event, for gates that are judged at some events only; empty: all are judged.
        head: the candidate.
        base: what it is compared with; `None` where there is nothing.

    """
    paths = sorted({*(one.file for one in gates), *head.metrics_files(), *(base.metrics_files() if base else ())})
    now = head.documents(paths)
    before = base.documents(paths) if base else None
    verdicts = gate.judge(gates, now, before, event)
    return replace(
        report,
        verdict=gate.overall(verdicts),
        exit_code=Exit.GATE if any(verdict.exits for verdict in verdicts) else Exit.HELD,
        gates=verdicts,
        metrics=metrics.compare(before, now),
        params=_params(head, base),
    )


def _params(head: Side, base: Side | None) -> tuple[Change, ...]:
    paths = sorted({*head.params_files(), *(base.params_files() if base else ())})
    return metrics.compare(base.documents(paths) if base else None, head.documents(paths), lists=True)
