"""Room 9 of the walk: what was made goes to the remote, if gates, settings and trust allow it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.engine import exchange
from runner.errors import Exit, RemoteError
from runner.review import rows
from runner.store.moved import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.asked import Asked
    from runner.engine.outcome import StageResult
    from runner.engine.project import Project
    from runner.engine.sending import Sending
    from runner.review.model import Report
    from runner.store.moved import Moved


def check(project: Project, asked: Asked) -> None:
    """Refuse a push that cannot be before hours are spent on what it would send."""
    if asked.settings.push != "never" and asked.event.may_push:
        exchange.check_pushable(project, asked.settings.targets)


def sending(project: Project, asked: Asked) -> Sending | None:
    """Give what sends outs while stages run, where nothing that is found later can forbid it."""
    if asked.settings.push != "always" or not asked.event.may_push or not project.remote(""):
        return None
    from runner.engine.sending import Sending  # noqa: PLC0415 - few runs send anything before the verdict

    return Sending(project.objects.push)


def kept(
    report: Report,
    project: Project,
    asked: Asked,
    results: Sequence[StageResult],
    sent: Callable[[], Moved] | None = None,
) -> Report:
    """Room 9: push if gates, settings and trust allow it; some of it may have been `sent` already."""
    why_not = _why_not_pushed(report, project, asked)
    if asked.settings.push == "always" and project.remote("") is None and asked.event.may_push:
        message = "push is set to always, and no remote is configured"
        raise RemoteError(message, "name one: `dvc remote add -d storage URL`, or --remote NAME")
    if why_not:
        return replace(report, push=f"not pushed: {why_not}")
    ahead = sent() if sent else NOTHING
    moved = ahead + exchange.keep(project, results)
    return replace(report, pushed=rows.traffic(moved), push="pushed, and found in the remote by name and size")


def _why_not_pushed(report: Report, project: Project, asked: Asked) -> str:
    if asked.settings.push == "never":
        return "push is set to never"
    if not asked.event.may_push:
        return asked.event.why
    if asked.settings.push == "passed" and report.exit_code != Exit.HELD:
        return "a stage failed" if report.verdict == "error" else f"the gates say {report.verdict}"
    return "" if project.remote("") else "no remote is configured"
