"""Which host stands behind a run, and which of its surfaces may and shall be used; see `forge.protocol`.

The HTTP client is imported where something is posted: a run that posts nothing does not pay for it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner import job, locating, settings, triggered
from runner.errors import RunnerError
from runner.forge.github import GitHub
from runner.forge.local import Local
from runner.forge.protocol import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.asked import Asked
    from runner.forge import gitlab
    from runner.forge.comments import Mode
    from runner.forge.event import Event
    from runner.forge.issues import Schedule
    from runner.forge.permissions import Need
    from runner.forge.protocol import Forge
    from runner.forge.repository import Repository
    from runner.job import Actions
    from runner.settings import Settings

logger = logging.getLogger("retrain")
_NAME = "retrain"


def forge_of(asked: Asked, prefix: str) -> Forge:
    """Open the host of one run; nothing is asked of it yet.

    Args:
        asked: settings and event.
        prefix: the project's folder in the repository, ending in `/`; empty at the top.

    """
    chosen = asked.settings
    return _opened(chosen, asked.event, prefix, None if chosen.comment == "off" else chosen.comment)


def permitted(forge: Forge, asked: Asked) -> Forge:
    """Give the host without the surfaces that the token may not write to; each is named, before anything is run."""
    if not isinstance(forge, GitHub):
        return forge
    from runner.forge import permissions  # noqa: PLC0415 - see the top

    number = asked.event.number
    if forge.comments and number is not None and _lacks(forge.comments.repository, permissions.comment(number)):
        forge = replace(forge, comments=None)
    if forge.issues and _lacks(forge.issues.repository, permissions.issue()):
        forge = replace(forge, issues=None)
    return forge


def _lacks(repository: Repository, need: Need) -> bool:
    """Whether the token may not do something, which is said."""
    from runner.forge import permissions  # noqa: PLC0415 - see the top

    lacking = list(permissions.lacks(repository, [need]))
    for lack in lacking:
        logger.warning("%s will be missing: %s; the report is in the step summary", lack.what, lack.why)
    return bool(lacking)


def early(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Forge:
    """Open the host of a run that was stopped before it was known what it was asked for.

    What the call itself says counts. A comment is corrected where an earlier run wrote one, so that none stays green;
    the gate file, which nobody has read, may want none.
    """
    try:
        chosen = settings.resolve(flags, environ, {})
        prefix = locating.folder(flags, environ)
        return _opened(chosen, triggered.event_of(environ), prefix, None if chosen.comment == "off" else "correct")
    except RunnerError as error:
        logger.debug("no check and no status can be posted: %s", error)
        return step(environ)


def _opened(chosen: Settings, event: Event, prefix: str, mode: Mode | None) -> Forge:
    actions = chosen.actions
    if chosen.forge == "file":
        from runner.forge.folder import Folder  # noqa: PLC0415 - see the top

        place = chosen.directory / chosen.report_dir / "posted"
        return Folder(place=place, job=_job(event, prefix, chosen.report_name))
    if chosen.gitlab is not None:
        return _gitlab(chosen, event, prefix, chosen.gitlab, "correct" if mode == "correct" else None)
    if actions is None:
        return Local()
    surfaces = _surfaces(chosen, event, job_of(event, actions, prefix, chosen.report_name), mode)
    return GitHub(**surfaces, **_step_files(actions))


def step(environ: Mapping[str, str]) -> Forge:
    """Give the host as far as it hands values on and shows a summary: for what needs no event."""
    actions = job.actions_of(environ)
    return GitHub(**_step_files(actions)) if actions else Local()


def job_of(event: Event, actions: Actions, prefix: str, name: str) -> Job:
    """Give the run whose report is posted."""
    return _job(event, prefix, name, run=actions.run, attempt=actions.attempt, url=actions.page)


def _job(event: Event, prefix: str, name: str, **run: Any) -> Job:  # noqa: ANN401 - fields of `Job`
    folder = prefix.rstrip("/")
    project = ":".join(filter(None, (folder or ".", name)))
    here = f"{_NAME}: {folder}" if folder else _NAME
    return Job(project=project, title=name or here, head=event.head_sha, number=event.number, **run)


def _gitlab(
    chosen: Settings, event: Event, prefix: str, variables: Mapping[str, str], mode: gitlab.Mode | None
) -> Forge:
    """Open GitLab as far as settings and event let it write there; why something is not written is said."""
    from runner.forge.gitlab import CommitStatus, GitLab, Notes, connect  # noqa: PLC0415 - see the top

    pipeline = variables.get("CI_PIPELINE_ID", "")
    url = variables.get("CI_JOB_URL", "")
    job = _job(event, prefix, chosen.report_name, run=int(pipeline) if pipeline.isdigit() else 0, url=url)
    file = chosen.directory / chosen.report_dir / "retrain.env" if chosen.report_dir else None
    comments = chosen.comment != "off" and event.number is not None
    status = chosen.commit_status and not chosen.set_param
    if chosen.commit_status and not status:
        logger.info("no status: params were set for this run alone")
    if not comments and not status:
        return GitLab(variables=file)
    if not event.rights.may_comment or not chosen.token:
        why = event.why if not event.rights.may_comment else "GITLAB_TOKEN is not set"
        logger.info("nothing is posted: %s", why)
        return GitLab(variables=file)
    client = connect(variables.get("CI_SERVER_URL", ""), chosen.token, variables.get("CI_SERVER_TLS_CA_FILE", ""))
    target = variables.get("CI_MERGE_REQUEST_PROJECT_ID", "")
    mode = mode or ("new" if chosen.comment == "new" else "update")
    return GitLab(
        notes=Notes(client, target, job, mode) if comments else None,
        commit=CommitStatus(client, variables.get("CI_PROJECT_ID", ""), job) if status else None,
        variables=file,
    )


def _step_files(actions: Actions) -> Mapping[str, Any]:
    return {
        "step_summary": Path(actions.summary) if actions.summary else None,
        "step_output": Path(actions.output) if actions.output else None,
    }


def _surfaces(chosen: Settings, event: Event, job: Job, mode: Mode | None) -> Mapping[str, Any]:
    """Give what writes to GitHub, as far as settings and event let it; why something does not is said.

    A check or a status that is green may let a branch be merged: none is made of code that nobody here has seen, and
    none of params that the commit has not.
    """
    actions, comments = chosen.actions, mode is not None and event.number is not None
    as_committed = event.trusted and not chosen.set_param
    checks, statuses = chosen.check_run and as_committed, chosen.commit_status and as_committed
    issues = chosen.issue == "on" and as_committed and event.number is None and bool(event.branch)
    if chosen.set_param and (chosen.check_run or chosen.commit_status or chosen.issue == "on"):
        logger.info("no check, no status and no issue: params were set for this run alone")
    if actions is None or not (comments or chosen.check_run or chosen.commit_status or issues):
        return {}
    if not event.rights.may_comment or not chosen.token:
        why = "the input github-token is empty" if event.rights.may_comment else event.why
        logger.info("nothing is posted: %s; the report is in the step summary", why)
        return {}
    from runner.forge.checks import Checks  # noqa: PLC0415 - see the top
    from runner.forge.comments import Comments  # noqa: PLC0415 - see the top
    from runner.forge.issues import Issues  # noqa: PLC0415 - see the top
    from runner.forge.repository import Repository  # noqa: PLC0415 - see the top
    from runner.forge.statuses import Statuses  # noqa: PLC0415 - see the top

    repository = Repository(actions.api_url, actions.repository, chosen.token)
    return {
        "comments": Comments(repository, job, mode) if mode and comments else None,
        "checks": Checks(repository, job) if checks else None,
        "statuses": Statuses(repository, job) if statuses else None,
        "issues": Issues(repository, job, _schedule(chosen, event, actions)) if issues else None,
    }


def _schedule(chosen: Settings, event: Event, actions: Actions) -> Schedule:
    from runner.forge.issues import Schedule  # noqa: PLC0415 - see the top

    return Schedule(workflow=actions.workflow, event=actions.event, branch=event.branch, after=chosen.issue_after)
