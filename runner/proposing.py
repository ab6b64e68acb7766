"""Room 9, its last step: what is done with a lock that the run changed. After the push, and after its proof.

`forge.lockpr` and `forge.branches` speak to GitHub; `engine.proposal` says what may be committed at all.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from runner import composing, offering
from runner.errors import ConfigError, Exit, ForgeError, Interrupted, RunnerError, StaleError
from runner.git import worktree
from runner.offering import Target

if TYPE_CHECKING:
    from runner.asked import Asked
    from runner.engine.project import Project
    from runner.engine.proposal import Proposal, Scope
    from runner.forge.branches import Branches
    from runner.forge.repository import Repository
    from runner.git import Entry
    from runner.review.model import Report

    Tree = dict[str, Entry]

logger = logging.getLogger("retrain")
Mode = Literal["leave", "check", "commit", "pull-request"]
_BY_ITSELF: Final = frozenset({"schedule", "dispatch"})
"""The kinds of run whose lock is proposed where nobody says otherwise."""


class BaseMovedError(ForgeError):
    """The branch that the lock is meant for has other code or data by now than the run saw.

    Attributes:
        tip: its commit.

    """

    def __init__(self, branch: str, tip: str, paths: str) -> None:
        """Say what is otherwise there."""
        message = f"the lock was made from other files than {branch} has at {tip[:12]}: {paths}"
        super().__init__(message, f"run again on {branch} as it is now; what was computed is in the run cache")
        self.tip = tip


def mode_of(asked: Asked) -> tuple[Mode, str]:
    """Give what is to be done with a changed lock, and why no more is, where more is wanted."""
    wish = asked.settings.lock
    if wish == "auto":
        wish = "pull-request" if asked.event.kind in _BY_ITSELF else "leave"
    why_not = _why_not(asked) if wish in {"commit", "pull-request"} else ""
    return ("leave" if why_not else wish), why_not


def _why_not(asked: Asked) -> str:
    """Say why nothing can be committed here, whatever the settings say; empty: it can."""
    chosen, event = asked.settings, asked.event
    if chosen.actions is None:
        return "this is no GitHub job"
    if not event.rights.may_propose or not event.trusted:
        return event.why
    if not event.branch:
        return "the run is not about a branch"
    if chosen.set_param:
        return "params were set for this run alone"
    if not chosen.token and chosen.lock == "auto":
        return "the input github-token is empty"
    return "" if chosen.push != "never" or chosen.lock != "auto" else "push is set to never"


def check(project: Project, asked: Asked) -> None:
    """Refuse what the settings demand and cannot be done, before hours are spent; say it where they only allow it.

    Raises:
        ConfigError: no token, or no remote that could hold what the lock will name.
        ForgeError: the token may not do it.

    """
    chosen, mode = asked.settings, mode_of(asked)[0]
    if mode not in {"commit", "pull-request"} or asked.restores_only:
        return
    is_demanded = chosen.lock != "auto"
    if is_demanded and not chosen.token:
        message = f"lock is set to {chosen.lock}, and the input github-token is empty"
        raise ConfigError(message, "leave it out: the job's own token is the default")
    if is_demanded and not _has_remotes(project):
        message = f"lock is set to {chosen.lock}, and no remote is configured"
        raise ConfigError(message, "no lock is proposed unless a remote has all it names: `dvc remote add -d NAME URL`")
    forbidden = _forbidden(asked, mode)
    if forbidden and is_demanded:
        raise forbidden
    if forbidden:
        logger.warning("%s", forbidden)


def _forbidden(asked: Asked, mode: Mode) -> ForgeError | None:
    """Ask GitHub whether the token may do what will be wanted of it; give why not."""
    from runner.forge import lockpr, permissions  # noqa: PLC0415 - `ci` says why

    needs = [permissions.branch(), *([permissions.pull_request()] if mode == "pull-request" else [])]
    lacks = list(permissions.lacks(_repository(asked), needs))
    if not lacks:
        return None
    message = f"the token may not do what the setting lock: {mode} takes: {', '.join(lack.what for lack in lacks)}"
    why = {lockpr.SWITCH if lockpr.is_switched_off(lack.refused) else lack.why: None for lack in lacks}
    return ForgeError(message, "; ".join(why))


def _has_remotes(project: Project) -> bool:
    """Whether there is a remote for every out that is to be in one."""
    named = {out.remote for stage in project.pipeline.stages for out in stage.outs if out.cache and out.push}
    return all(project.remote(name) for name in named)


def proposed(report: Report, project: Project, asked: Asked) -> Report:
    """Do with the lock, as the run left it, what the settings say; give the report with what was done.

    Raises:
        StaleError: it is to be committed already, and is not.
        ConfigError: it depends on files that nobody else has, or holds what cannot be committed.
        RemoteError: an object that it names is not in the remote.
        BaseMovedError: the branch it is meant for has other code by now.
        ForgeError: GitHub refused.

    """
    mode, why = mode_of(asked)
    if mode == "pull-request" and asked.settings.lock == "auto" and not _has_remotes(project):
        mode, why = "leave", "no remote is configured that could hold what it names"
    if mode == "leave":
        return _with(report, f"the lock is left as it is: {why}") if why else report
    if mode == "check":
        return _checked(report, project, asked)
    repository = _repository(asked)
    if report.exit_code != Exit.HELD:
        report = _with(report, f"the new lock is offered to nobody: {offering.ending(report)}")
        return _put_down(report, project, asked, repository) if mode == "pull-request" else report
    from runner.engine import exchange, proposal  # noqa: PLC0415 - `ci` says why
    from runner.forge.branches import Branches  # noqa: PLC0415 - `ci` says why

    scope = _scope(project, asked)
    found = proposal.gathered(project.git, scope)
    if found.changes:
        exchange.prove(project)
    branches = Branches(repository)
    report = _with_left(report, found)
    try:
        target = _target(project, asked, branches, scope, found)
    except BaseMovedError as moved:
        return _made_again(report, asked, moved)
    if mode == "commit":
        return _committed(report, asked, branches, target)
    return _in_pull_request(report, project, asked, repository, target)


def _checked(report: Report, project: Project, asked: Asked) -> Report:
    """See that the lock is committed as the run left it; a run that failed already has worse to say."""
    from runner.engine import proposal  # noqa: PLC0415 - `ci` says why

    parted = proposal.sorted_out(worktree.changed(project.git), _scope(project, asked))
    changed = (*parted.proposed, *parted.refused)
    if not changed:
        return _with(report, "the lock is committed as the run left it")
    report = _with(report, f"the lock is not committed: {proposal.few(changed)}")
    if report.exit_code != Exit.HELD:
        return report
    message = f"the run left what is not committed: {proposal.few(changed)}"
    return composing.ended(report, StaleError(message, "run `retrain repro`, and commit what it writes"))


def _put_down(report: Report, project: Project, asked: Asked, repository: Repository) -> Report:
    """Let nobody merge what an earlier run proposed: this one does not hold what that one promised."""
    from runner.forge.branches import Branches  # noqa: PLC0415 - `ci` says why
    from runner.forge.lockpr import LockPulls  # noqa: PLC0415 - `ci` says why

    why = f"A later run ended otherwise: {report.verdict}. {offering.run(asked)}"
    try:
        base = _branch(project, asked)
        branch = offering.lock_branch(base, project.prefix, asked.settings.lock_branch)
        url = LockPulls(repository, Branches(repository)).put_down(base, branch, offering.label(report), why)
    except ForgeError as error:
        logger.warning("%s", error)
        return report
    return replace(report, lock=replace(report.lock, url=url)) if report.lock else report


def _target(project: Project, asked: Asked, branches: Branches, scope: Scope, found: Proposal) -> Target:
    """Look at the branch as it is now.

    Raises:
        BaseMovedError: what matters is otherwise there.

    """
    from runner.engine import proposal  # noqa: PLC0415 - `ci` says why
    from runner.forge.branches import NOWHERE  # noqa: PLC0415 - `ci` says why

    branch, head = _branch(project, asked), project.git.head()
    tip = branches.tip(branch)
    if tip == NOWHERE:
        message = f"GitHub has no branch {branch!r} that a lock could be meant for"
        raise ForgeError(message, "push it, or set lock to leave")
    ours = project.git.tree(head)
    theirs = ours if tip == head else branches.tree(tip)
    clashing = proposal.conflicts(found.changes, scope, ours, theirs)
    if clashing:
        raise BaseMovedError(branch, tip, proposal.few(clashing))
    return Target(branch, tip, theirs, proposal.missing_from(found.changes, theirs))


def _made_again(report: Report, asked: Asked, moved: BaseMovedError) -> Report:
    """Make the lock anew on the branch as it is now, of what is in the run cache: nothing is run for it."""
    if asked.again is None:
        raise moved
    logger.warning("%s; it is made again there, from the run cache", moved.message)
    try:
        made = asked.again(moved.tip)
    except Interrupted:
        raise
    except RunnerError as error:
        logger.warning("it cannot be made again there: %s", error)
        raise moved from error
    if made.lock is None or (made.exit_code != Exit.HELD and not made.lock.commit):
        logger.warning("made again at %s, it ended otherwise: %s", moved.tip[:12], _ending(made))
        raise moved
    done = f"{made.lock.done} (made again at {moved.tip[:12]}, from the run cache)"
    notes = (*report.notes, *(note for note in made.notes if note not in report.notes))
    report = replace(report, lock=replace(made.lock, done=done), notes=notes)
    return replace(report, verdict="error", exit_code=made.exit_code, error=made.error) if made.error else report


def _ending(report: Report) -> str:
    if report.error:
        return report.error.message
    failed = [f"{row.stage}: {row.why}" for row in report.stages if row.decision == "failed"]
    return "; ".join(failed) or f"the gates say {report.verdict}"


def _committed(report: Report, asked: Asked, branches: Branches, target: Target) -> Report:
    """Put one commit on the branch itself."""
    if not target.changes:
        return _with(report, f"nothing to commit: {target.branch} has the lock as the run left it")
    from runner.forge.branches import NewCommit  # noqa: PLC0415 - `ci` says why

    text = offering.message(report, asked, target)
    sha = branches.commit_on(target.branch, NewCommit(target.tip, text, target.changes))
    logger.info("committed the lock to %s as %s", target.branch, sha)
    return _with(report, f"committed to {target.branch} as {sha[:12]}", commit=sha)


def _in_pull_request(report: Report, project: Project, asked: Asked, repository: Repository, target: Target) -> Report:
    """Propose it, or take back what is proposed already."""
    from runner.forge.branches import Branches  # noqa: PLC0415 - `ci` says why
    from runner.forge.lockpr import LockPulls  # noqa: PLC0415 - `ci` says why

    branch = offering.lock_branch(target.branch, project.prefix, asked.settings.lock_branch)
    if target.branch == branch or target.branch.startswith(f"{offering.PREFIX}/"):
        return _with(report, f"no lock is proposed for {target.branch}, on which one is proposed itself")
    if target.changes:
        report = replace(report, notes=(*report.notes, *offering.warnings(report, asked, repository)))
    wish = offering.wish(report, project.root, asked, target, branch)
    done = LockPulls(repository, Branches(repository)).propose(wish, target.tip, target.tree, target.changes)
    report = _with(report, offering.told(done, target), url=done.url, commit=done.sha)
    logger.info("%s%s", report.lock.done if report.lock else "", f": {done.url}" if done.url else "")
    return composing.ended(report, done.refused) if done.refused else report


def _branch(project: Project, asked: Asked) -> str:
    """Give the branch whose code ran: a pull request's own, otherwise the one checked out."""
    if asked.event.number is not None:
        return asked.event.branch
    return project.git.branch() or asked.event.branch


def _scope(project: Project, asked: Asked) -> Scope:
    from runner.engine import proposal  # noqa: PLC0415 - `ci` says why

    gate_file = f"{project.prefix}{asked.settings.config}"
    return proposal.scope_of(project.pipeline, project.prefix, gate_file, project.workspace.hiding)


def _repository(asked: Asked) -> Repository:
    from runner.forge.repository import Repository  # noqa: PLC0415 - `ci` says why

    actions = asked.settings.actions
    if actions is None:
        message = "this is no GitHub job"
        raise ForgeError(message)
    return Repository(actions.api_url, actions.repository, asked.settings.token)


def _with_left(report: Report, found: Proposal) -> Report:
    from runner.engine import proposal  # noqa: PLC0415 - `ci` says why

    if not found.left:
        return report
    note = f"left out of the lock's commit, because a run does not write them there: {proposal.few(found.left)}"
    logger.warning("%s", note)
    return replace(report, notes=(*report.notes, note))


def _with(report: Report, done: str, *, url: str = "", commit: str = "") -> Report:
    from runner.review.model import LockRow  # noqa: PLC0415 - `ci` says why

    return replace(report, lock=LockRow(done, url, commit))
