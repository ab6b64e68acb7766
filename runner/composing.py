"""What a run's report tells besides its verdict: stages, logs, data, plots, times, what was left, what ended it.

Nothing that goes wrong here costs the verdict. The walk itself is `ci`.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner import __version__, log
from runner.engine.workspace import SCRATCH
from runner.errors import Exit, Interrupted, RunnerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.asked import Asked
    from runner.engine.objects import Objects
    from runner.engine.outcome import StageResult
    from runner.engine.project import Project
    from runner.review.judging import Case
    from runner.review.model import Report

    Results = Mapping[str, StageResult]
    """What became of stages, by their addresses."""

logger = logging.getLogger("retrain")
LOGS: Final = f"{SCRATCH}/logs"
"""Where all that a stage printed is kept, compressed, until it runs again."""


def as_left(project: Project, results: Results) -> Project:
    """Give the project with the lock entries as the run left them."""
    entries = {address: result.entry for address, result in results.items() if result.entry}
    return replace(project, pipeline=replace(project.pipeline, entries={**project.pipeline.entries, **entries}))


def illustrated(report: Report, case: Case, objects: Objects | None) -> Report:
    """Add what changed of the data, and the plots. They explain the verdict, which nothing that is wrong here costs."""
    from runner.review import plots, provenance  # noqa: PLC0415 - `ci` says why

    head, base = case.head, case.base
    try:
        listing = objects.listing if objects else lambda _: None
        traced = provenance.traced(report, head.pipeline, base.pipeline if base else None, listing)
        return replace(traced, plots=plots.gathered(head, base))
    except Interrupted:
        raise
    except Exception as error:
        logger.debug("the plots cannot be drawn", exc_info=error)
        return replace(report, notes=(*report.notes, f"plots and lineage are left out: {error}"))


def timed(report: Report, case: Case) -> Report:
    """Add how long stages took, here and at the base, as far as it was written down."""
    from runner.review import provenance  # noqa: PLC0415 - `ci` says why

    head, base = case.head.pipeline, case.base.pipeline if case.base else None
    return provenance.timed(report, head, base, case.times.lookup) if head and case.times else report


def with_left(report: Report, project: Project, results: Results) -> Report:
    """Count what was left where it is; none where it cannot be counted, which is no reason to lose the report."""
    from runner.engine import exchange  # noqa: PLC0415 - `ci` says why
    from runner.review.model import Traffic  # noqa: PLC0415 - `ci` says why

    try:
        objects, size = exchange.left(as_left(project, results))
    except Interrupted as error:
        return ended(report, error)
    except Exception as error:
        logger.debug("what is left cannot be counted", exc_info=error)
        return report
    return replace(report, left=Traffic(objects, size))


def with_stages(report: Report, project: Project, results: Results) -> Report:
    """Add a row for each stage the run came to."""
    from runner.review import provenance, rows  # noqa: PLC0415 - `ci` says why

    stages = [rows.row(result) for result in results.values()]
    return provenance.with_stages(report, stages, as_left(project, results).pipeline)


def logs(project: Project, results: Results) -> list[str]:
    """Say where all is kept that stages printed which failed."""
    failed = (address for address, result in results.items() if result.status == "failed" and result.seconds)
    places = {address: f"{LOGS}/{log.file_of(address)}" for address in failed}
    return [f"all that {one} printed is in {place}" for one, place in places.items() if (project.root / place).exists()]


def ended(report: Report, error: Exception) -> Report:
    """Give the report of a walk that `error` ended."""
    from runner.review import rows  # noqa: PLC0415 - `ci` says why

    code = error.exit_code if isinstance(error, RunnerError) else Exit.BUG
    first, *others = rows.problems(error)
    return replace(report, verdict="error", exit_code=code, error=first, notes=(*report.notes, *map(rows.note, others)))


def blank(asked: Asked) -> Report:
    """Give the report of a walk that has not begun."""
    from runner.review.model import Report  # noqa: PLC0415 - `ci` says why

    return Report(
        version=__version__,
        verdict="ungated",
        exit_code=Exit.HELD,
        command=asked.command,
        head=asked.head,
        base=asked.base,
        notes=asked.notes,
    )
