"""The words of a commit, or a pull request, that brings a new lock: what changed, the verdict, trailers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.engine.proposal import CONTENT, RUN, VERDICT
from runner.review import figures, words
from runner.review.escape import clean, unlinked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.review.measured import Change
    from runner.review.model import Report, StageRow

_LONGEST_TITLE: Final = 100
_LONGEST: Final = 200
_MOST: Final = 20
_MOST_NAMED: Final = 3
_LEFT_ALONE: Final = frozenset({"fresh", "frozen", "skipped"})


def title(report: Report, branch: str) -> str:
    """Say in one line what a new lock of `branch` brings, and how it was judged."""
    what = _metric(_changed(report)[0]) if _changed(report) else _named([row.stage for row in _made(report)])
    verdict = report.verdict
    told = unlinked(f"Retrain {branch}: {what or 'the lock'}", _LONGEST_TITLE - len(verdict) - 3)
    return f"{told} ({verdict})"


def message(report: Report, branch: str, run: str, content: str) -> str:
    """Give the message of a commit that holds a new lock.

    Args:
        report: of the run that made it.
        branch: whose lock it is.
        run: what tells the run apart, its page where it has one.
        content: a digest of what the commit changes, by which it is known again.

    """
    parts = [title(report, branch)]
    parts += _section("Stages", map(_stage, _made(report)))
    parts += _section("Metrics", map(_metric, _changed(report)))
    return "\n\n".join([*parts, "\n".join(_trailers(report, run, content))]) + "\n"


def _trailers(report: Report, run: str, content: str) -> list[str]:
    accepted = [unlinked(report.override.trailer, _LONGEST)] if report.override else []
    return [f"{RUN}: {clean(run)}", f"{VERDICT}: {report.verdict}", *accepted, f"{CONTENT}: {content}"]


def _section(heading: str, rows: Iterable[str]) -> list[str]:
    lines = list(rows)
    more = [f"- and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    shown = [f"- {unlinked(line, _LONGEST)}" for line in lines[:_MOST]]
    return ["\n".join([f"{heading}:", *shown, *more])] if lines else []


def _made(report: Report) -> list[StageRow]:
    return [row for row in report.stages if row.decision not in _LEFT_ALONE]


def _stage(row: StageRow) -> str:
    reasons = ", ".join(f"{reason.change} {reason.path}".strip() for reason in row.reasons[:_MOST_NAMED])
    return f"{row.stage}: {words.outcome(row.decision)}{f' ({reasons})' if reasons else ''}"


def _changed(report: Report) -> list[Change]:
    """Give the metrics that changed, those that a gate judges first."""
    gated = {(row.metric, row.key) for row in report.gates}
    changed = [row for row in report.metrics if row.changed]
    return sorted(changed, key=lambda row: (row.path, row.key) not in gated)


def _metric(row: Change) -> str:
    base, head = figures.pair(row.base, row.head)
    return f"{row.path} {row.key} {base} \u2192 {head}".replace("  ", " ")


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
