"""The second phase of a stranger's pull request: what the first run left as data is checked, rendered and posted.

A fork's run may write nothing, so it keeps report.json in an artifact; the run of `workflow_run` that follows has a
token that may write, and the default branch's code. Nothing of the fork is checked out, executed or believed here: its
figures are called its own, and no check or status is made of them, because one that is green could let it be merged.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from typing import TYPE_CHECKING, Final

from runner import hosting, job, locating, presenting, ruling, telling, triggered
from runner.errors import ConfigError, Exit, ForgeError, Location
from runner.forge.firstrun import first_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.forge.firstrun import FirstRun
    from runner.forge.handover import Handover
    from runner.forge.protocol import Forge, Job
    from runner.forge.repository import Repository
    from runner.job import Actions
    from runner.review.model import Report
    from runner.settings import Settings

logger = logging.getLogger("retrain")
_STRANGERS: Final = "A fork's own run says this of its own code, and nobody here has made these numbers"
_HINT: Final = "a run that Retrain made itself has this right; nothing is posted"


def relay(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> int | None:
    """Say on a stranger's pull request what its run found, if that is what this run is for.

    Args:
        flags: options by input name.
        environ: the process's environment.

    Returns:
        The exit code; `None` where this run follows no pull request's run.

    Raises:
        ConfigError: what the first run left is no report of its commit. Nothing is posted.
        ForgeError: GitHub refused, or did not answer.

    """
    actions = job.actions_of(environ)
    if actions is None or actions.event != "workflow_run":
        return None
    payload = triggered.payload(actions)
    first = first_run(payload, actions.repository)
    if triggered.event(actions, payload).kind != "workflow-run-of-stranger" or first is None:
        return None
    chosen = ruling.settings_alone(flags, environ)
    if why := _nothing_to_do(chosen, first):
        logger.info("nothing is posted: %s", why)
        return Exit.HELD
    return _relayed(chosen, actions, first, hosting.step(environ))


def _nothing_to_do(chosen: Settings, first: FirstRun) -> str:
    if first.could_comment:
        return f"run {first.number} was of this repository's own branch, and could comment itself"
    return "the input comment is off" if chosen.comment == "off" else ""


def _relayed(chosen: Settings, actions: Actions, first: FirstRun, step: Forge) -> int:
    from runner.forge.handover import Handover  # noqa: PLC0415 - few runs need an HTTP client before they know their kind
    from runner.forge.repository import Repository  # noqa: PLC0415 - as above

    if not chosen.token:
        message = "the report of a fork's run cannot be posted: the input github-token is empty"
        raise ForgeError(message, "leave the input out, and give the job `pull-requests: write` and `actions: read`")
    repository = Repository(actions.api_url, actions.repository, chosen.token)
    handover = Handover(repository, first)
    numbers = handover.pull_requests()
    if not numbers:
        logger.warning("no open pull request has %s as its head: nothing is posted", first.head_sha)
        return Exit.HELD
    report = _report(handover, first, chosen.report_artifact)
    if report is None:
        logger.warning(
            "run %d left no artifact called %s: nothing is posted. Give it a report-dir, and upload that folder",
            first.number,
            chosen.report_artifact,
        )
        return Exit.HELD
    jobs = [_job(chosen, actions, first, number) for number in numbers]
    _post(report, chosen, repository, jobs, step)
    return Exit.HELD


def _report(handover: Handover, first: FirstRun, name: str) -> Report | None:
    """Take the first run's report for what it is: well-formed words of a stranger's about one commit."""
    from runner.review import report as rendering  # noqa: PLC0415 - see `_relayed`

    text = handover.report(name)
    if text is None:
        return None
    report = rendering.from_json(text)
    where = Location("report.json")
    if report.head.sha != first.head_sha:
        message = f"the report is about {report.head.sha[:40]!r}, and run {first.number} was about {first.head_sha}"
        raise ConfigError(message, _HINT, where)
    if report.verdict == "accepted" or report.override:
        message = "the report says that its failed gates were accepted, which no run of a fork can know"
        raise ConfigError(message, _HINT, where)
    return presenting.masked(dataclasses.replace(report, notes=(_STRANGERS, *report.notes)))


def _job(chosen: Settings, actions: Actions, first: FirstRun, number: int) -> Job:
    """Give the first run as the one whose report is posted: a later first run's comment is not overwritten."""
    root = locating.root_of(chosen.directory)
    folder = os.path.relpath(root, actions.workspace or root)
    prefix = "" if folder.startswith(os.pardir) or folder == os.curdir else f"{folder}/"
    job = hosting.job_of(triggered.event(actions, {}), actions, prefix, chosen.report_name)
    return dataclasses.replace(
        job, head=first.head_sha, number=number, run=first.number, attempt=first.attempt, url=first.url
    )


def _post(report: Report, chosen: Settings, repository: Repository, jobs: list[Job], step: Forge) -> None:
    from runner.forge.comments import Comments  # noqa: PLC0415 - see `_relayed`

    own = presenting.own_templates(locating.root_of(chosen.directory))
    standing = telling.standing_of(report, Exit.HELD, own)
    step.summary(standing)
    urls = [Comments(repository, job, chosen.comment).write(standing) for job in jobs if chosen.comment != "off"]
    logger.info("posted: %s", ", ".join(filter(None, urls)) or "nothing new")
    step.outputs({"comment-url": urls[-1] if urls else ""})
