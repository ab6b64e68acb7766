"""How a new lock is offered: on which branch, under which title and text, with which label; and what of it is told."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

from runner import digests, presenting
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from runner.asked import Asked
    from runner.engine.proposal import Change
    from runner.forge.lockpr import Done, Wish
    from runner.forge.repository import Repository
    from runner.git import Entry
    from runner.review.model import Report

logger = logging.getLogger("retrain")
PREFIX: Final = "retrain"
_PLAIN: Final = regex(r"(\w+(/\w+)*)?", re.ASCII)
_ASIDE: Final = "retrain-aside"


@dataclass(frozen=True, slots=True)
class Target:
    """The branch that a lock is meant for.

    Attributes:
        branch: its name.
        tip: its commit.
        tree: what that holds.
        changes: what it does not hold yet.

    """

    branch: str
    tip: str
    tree: dict[str, Entry]
    changes: tuple[Change, ...]


def lock_branch(base: str, prefix: str, wanted: str) -> str:
    """Give the branch on which a project's lock is proposed for `base`.

    Args:
        base: the branch that it is meant for.
        prefix: the project's folder in the repository, ending in `/`; empty at the top.
        wanted: what the settings say; empty: nothing.

    """
    folder = prefix.rstrip("/")
    project = re.sub(r"[^A-Za-z0-9_]+", "-", folder)
    if not _PLAIN.fullmatch(folder):  # two folders must not share a branch
        project = f"{project.strip('-')}-{digests.sha256(folder.encode()).hexdigest()[:6]}"
    return wanted or (f"{PREFIX}/{base}-{project}" if folder else f"{PREFIX}/{base}")


def wish(report: Report, root: Path, asked: Asked, target: Target, branch: str) -> Wish:
    """Give what GitHub is to show of a lock."""
    from runner.forge.lockpr import BODY_LIMIT, Wish  # noqa: PLC0415 - `ci` says why
    from runner.review import message as words  # noqa: PLC0415 - `ci` says why

    chosen = asked.settings
    run = chosen.actions.run if chosen.actions else 0
    return Wish(
        base=target.branch,
        branch=branch,
        title=words.title(presenting.masked(report), target.branch),
        body=presenting.markdown(report, root, BODY_LIMIT),
        message=message(report, asked, target),
        aside=f"{_ASIDE}/{branch.replace('/', '-')}-{run}",
        label=label(report),
        is_draft=report.verdict == "warned" and chosen.auto_merge != "warned",
        reviewers=chosen.lock_reviewers,
        auto_merge=_may_merge(report, asked),
    )


def _may_merge(report: Report, asked: Asked) -> bool:
    """Whether GitHub may be asked to merge: by the gates alone, which must have judged something."""
    wanted = {"off": (), "passed": ("passed",), "warned": ("passed", "warned")}
    return report.verdict in wanted[asked.settings.auto_merge]


def warnings(report: Report, asked: Asked, repository: Repository) -> list[str]:
    """Say what a reader of the pull request would otherwise wonder about."""
    from runner.forge.lockpr import ACTIONS  # noqa: PLC0415 - `ci` says why

    chosen = asked.settings
    notes = []
    if repository.login == ACTIONS:
        notes.append(
            "this pull request is made with the job's own token, and for that GitHub starts no workflows: close and "
            "reopen it to start its checks, or let the token of an app be the input github-token"
        )
    if chosen.auto_merge != "off" and not _may_merge(report, asked):
        notes.append(f"auto-merge is not switched on: {ending(report)}")
    for note in notes:
        logger.info("%s", note)
    return notes


def told(done: Done, target: Target) -> str:
    """Say what became of it."""
    return {
        "proposed": f"proposed for {target.branch} in a new pull request",
        "updated": f"proposed for {target.branch} in its pull request, which is brought up to date",
        "unchanged": f"proposed for {target.branch} already, in its pull request",
        "closed": f"nothing is left to propose for {target.branch}: its pull request is closed",
        "nothing": f"nothing to propose: {target.branch} has the lock as the run left it",
    }[done.status]


def message(report: Report, asked: Asked, target: Target) -> str:
    """Give the commit's message."""
    from runner.engine import proposal  # noqa: PLC0415 - `ci` says why
    from runner.review import message as words  # noqa: PLC0415 - `ci` says why

    content = proposal.digest(proposal.entries(target.changes, target.tree))
    return words.message(presenting.masked(report), target.branch, run(asked), content)


def label(report: Report) -> str:
    """Give the label of the verdict."""
    return f"{PREFIX}:{report.verdict}"


def ending(report: Report) -> str:
    """Say why a run did not hold."""
    return "a stage failed" if report.verdict == "error" else f"the gates say {report.verdict}"


def run(asked: Asked) -> str:
    """Give the page of this run."""
    actions = asked.settings.actions
    return (
        f"{actions.server_url}/{actions.repository}/actions/runs/{actions.run}" if actions and actions.run else "local"
    )
