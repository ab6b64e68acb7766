"""Which event triggered this job, by what the code host left for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from runner import job
from runner.errors import ConfigError
from runner.forge.event import classify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.forge.event import Event
    from runner.job import Actions


def event_of(environ: Mapping[str, str]) -> Event:
    """Give the event that started a job.

    Raises:
        ConfigError: GitHub's file of it cannot be read.

    """
    actions, gitlab = job.actions_of(environ), job.gitlab_of(environ)
    if gitlab is not None:
        from runner.forge import gitlab_event  # noqa: PLC0415 - few jobs are GitLab's

        return gitlab_event.classify(gitlab)
    return event(actions, payload(actions)) if actions else classify("", {}, sha="", ref="", repository="")


def event(actions: Actions, payload: Mapping[str, object]) -> Event:
    """Say what kind of run this is."""
    return classify(actions.event, payload, sha=actions.sha, ref=actions.ref, repository=actions.repository)


def payload(actions: Actions) -> Mapping[str, object]:
    """Read the event's file; empty where there is none, or where it holds no object.

    Raises:
        ConfigError: it cannot be read.

    """
    if not actions.event_path:
        return {}
    try:
        found = json.loads(Path(actions.event_path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        message = f"the event's file {actions.event_path} cannot be read: {error}"
        raise ConfigError(message, "GITHUB_EVENT_PATH must name the file that GitHub wrote") from error
    return found if isinstance(found, dict) else {}
