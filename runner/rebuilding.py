"""A run made again on another commit, from the run cache alone: for a lock whose branch has moved on meanwhile.

It is the same walk, in a work tree of its own beside the checkout: read, decided, restored, judged, proved, proposed.
Nothing is run for it, and the checkout stays as it is.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from runner import ci, opening
from runner.engine.workspace import SCRATCH
from runner.git import Git
from runner.git.configuring import with_token
from runner.git.fetching import deepen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.asked import Asked
    from runner.opening import Opened
    from runner.review.model import Report

logger = logging.getLogger("retrain")
_TRIES: Final = 3
_REMOTE: Final = "origin"


def ready(opened: Opened, flags: Mapping[str, str | None]) -> Opened:
    """Give what a run starts from, with the way to make it again where its branch moves on."""
    return replace(opened, asked=replace(opened.asked, again=_on(opened, flags, _TRIES)))


def _on(opened: Opened, flags: Mapping[str, str | None], tries: int) -> Callable[[str], Report] | None:
    return partial(_again, opened, flags, tries) if tries else None


def _again(opened: Opened, flags: Mapping[str, str | None], tries: int, sha: str) -> Report:
    """Walk on the commit `sha`; if the branch moves on once more, as often as `tries` says."""
    _fetch(opened.asked, opened.git, sha)
    place = (
        opened.root / SCRATCH / f"copy-again-{os.getpid()}-{tries}"
    )  # what a killed run leaves is swept as other copies are
    place.parent.mkdir(parents=True, exist_ok=True)
    with opened.git.work_tree(sha, place):
        there = {**flags, "working-directory": str(place / opened.prefix / _inside(opened))}
        asked = opened.asked
        other = opening.open_call(
            there, asked.environ, asked.command, compares=True, judges=True, home=opened.home or opened.root
        )
        try:
            return ci.run(other.project, _restoring(other, _on(other, flags, tries - 1)))
        finally:
            other.close()


def _restoring(other: Opened, again: Callable[[str], Report] | None) -> Asked:
    """Give what is asked for there: the same, but that nothing is run."""
    asked = other.asked
    chosen = replace(asked.settings, force=False, check_determinism="off")
    head = replace(asked.head, sha=other.git.head())
    return replace(asked, settings=chosen, head=head, restores_only=True, again=again)


def _inside(opened: Opened) -> str:
    """Give the folder of the project from which targets are named."""
    return os.path.relpath(opened.asked.settings.directory, opened.root)


def _fetch(asked: Asked, git: Git, sha: str) -> None:
    """Bring a commit that this clone does not have, by the job's token, for this one call."""
    actions = asked.settings.actions
    token, environ = asked.settings.token, asked.environ
    with Git(git.root, with_token(environ, actions.server_url, token) if actions and token else environ) as telling:
        deepen(telling, _REMOTE, (sha,), 1)
