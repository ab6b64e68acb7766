"""Which commit a candidate is compared with, and how it was found. Never compares with nothing.

The ladder on a pull request: the merge base with the target branch (on a checkout of the merge commit its first
parent, which the merge already contains), else the target's tip, else the last commit of the target on which the
workflow succeeded. On a push the commit before it; on a schedule or a dispatch HEAD itself; on a laptop the merge base
with the default branch.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.errors import GitError
from runner.git import fetching
from runner.review.commit import Commit
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.git import Git

logger = logging.getLogger("retrain")
MERGE_BASE = "merge-base"
_NOBODY = "0" * 40
_COMPARED = frozenset({"pull-request", "fork", "merge-group", "pull-request-target", "command", "command-on-fork"})
"""Kinds of run of a candidate that is to be merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is known of the comparison that is wanted.

    Attributes:
        rev: revision named on the command line; empty: none.
        rule: the gate file's `baseline`: merge-base, target, previous, last-success, or a git revision.
        event: kind of run, as `forge.event` names it; empty or `local` on a laptop.
        target: name of the target branch.
        target_sha: the target branch's tip when the event was sent.
        head_sha: the pull request's own head.
        before: the commit before a push.

    """

    rev: str = ""
    rule: str = MERGE_BASE
    event: str = "local"
    target: str = ""
    target_sha: str = ""
    head_sha: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """What only the code host knows; each is `None` where it cannot be asked.

    Attributes:
        compared: gives the merge base of two commits, for history that cannot be had.
        succeeded: gives the commits of a branch on which this workflow succeeded, the latest first.

    """

    compared: Callable[[str, str], str | None] | None = None
    succeeded: Callable[[str], Sequence[str]] | None = None


NOBODY = Host()


def choose(git: Git, wish: Wish, host: Host = NOBODY) -> Commit | None:
    """Find the commit to compare with, and say how it was found; `None` where there is none.

    Args:
        git: the repository.
        wish: what is known.
        host: what the code host knows.

    """
    if wish.rev:
        return _commit(git, _present(git, wish.rev, f"origin/{wish.rev}") or wish.rev, f"{wish.rev}, as asked")
    return _by_rule(git, wish, host) if _present(git, "HEAD") else None


def _by_rule(git: Git, wish: Wish, host: Host) -> Commit | None:
    match wish.rule:
        case "merge-base":
            return _of_event(git, wish, host)
        case "target":
            return _tip(git, wish)
        case "previous":
            return _parent(git, "the previous commit")
        case "last-success":
            return _last_success(git, wish, host) or _instead(_of_event(git, wish, host))
        case revision:
            return _commit(git, revision, f"{revision}, as the gate file says")


def _last_success(git: Git, wish: Wish, host: Host) -> Commit | None:
    """Give the last commit of the branch on which the workflow succeeded; never the candidate itself."""
    branch = wish.target or git.default_branch()
    known = host.succeeded(branch) if host.succeeded and branch else ()
    ours = {git.head(), wish.head_sha}
    found = next((sha for sha in dict.fromkeys(known) if sha not in ours and _fetched(git, sha)), "")
    return _commit(git, found, f"the last commit of {branch} on which this workflow succeeded") if found else None


def _instead(found: Commit | None) -> Commit | None:
    return replace(found, how=f"{found.how}; no earlier success is known here") if found else None


def _of_event(git: Git, wish: Wish, host: Host) -> Commit | None:
    if wish.event in _COMPARED:
        return _of_pull_request(git, wish, host)
    if wish.event == "push":
        return _of_push(git, wish)
    return _of_branch(git) if wish.event == "local" else _commit(git, "HEAD", "HEAD, the committed state")


def _of_pull_request(git: Git, wish: Wish, host: Host) -> Commit | None:
    # There the base decides where secrets go, and a stranger's branch may hold a merge of any commit with its head.
    parents = git.parents("HEAD") if wish.event != "pull-request-target" else ()
    if len(parents) > 1 and parents[1] == wish.head_sha and _fetched(git, parents[0]):
        return _commit(git, parents[0], f"{wish.target}, which this checkout merges the pull request into")
    target = _present(git, wish.target_sha, f"origin/{wish.target}", wish.target)
    found = _met(git, target or wish.target_sha)
    if found:
        return _commit(git, found, f"merge base with {wish.target}")
    ask = host.compared if wish.target_sha and wish.head_sha else None
    told = ask(wish.target_sha, wish.head_sha) if ask else None
    if told and _fetched(git, told):
        return _commit(git, told, f"merge base with {wish.target}, as the code host says")
    if target:
        return _commit(git, target, f"tip of {wish.target}: no common history here")
    return _last_success(git, wish, host)


def _of_push(git: Git, wish: Wish) -> Commit | None:
    if wish.before and wish.before != _NOBODY and _fetched(git, wish.before):
        return _commit(git, wish.before, "the commit before this push")
    return _parent(git, "the previous commit, as the one before this push is not known")


def _of_branch(git: Git) -> Commit | None:
    """On a laptop: where this branch left the default one; HEAD while there is nothing else."""
    default = git.default_branch()
    tip = _present(git, f"origin/{default}", default) if default else ""
    found = git.merge_base("HEAD", tip) if tip else None
    if found:
        return _commit(git, found, f"merge base with {default}")
    why = f"it has no history in common with {default}" if tip else "there is no default branch to compare with"
    return _commit(git, "HEAD", f"HEAD, as {why}")


def _tip(git: Git, wish: Wish) -> Commit | None:
    known = bool(wish.target_sha) and _fetched(git, wish.target_sha)
    name = wish.target or git.default_branch()
    target = wish.target_sha if known else _present(git, f"origin/{name}", name) if name else ""
    return _commit(git, target, f"tip of {name}") if target else None


def _parent(git: Git, how: str) -> Commit | None:
    parents = git.parents("HEAD")
    if not parents:
        return None
    _fetched(git, parents[0])
    return _commit(git, parents[0], how)


def _present(git: Git, *revisions: str) -> str:
    """Give the first of `revisions` that this clone has."""
    for revision in revisions:
        if revision.strip("/"):
            try:
                return git.resolve(revision)
            except GitError:
                continue
    return ""


def _met(git: Git, target: str) -> str | None:
    """Give the merge base, fetching as little history as it takes; `None` where it cannot be had."""
    if not target:
        return None
    try:
        return fetching.meet(git, git.head(), target, "origin")
    except GitError as error:
        logger.debug("history could not be fetched: %s", error)
        return None


def _fetched(git: Git, sha: str) -> bool:
    """Have a commit, fetched by its id if this clone lacks it."""
    if _present(git, sha):
        return True
    try:
        fetching.deepen(git, "origin", [sha], 1)
    except GitError:
        return False
    return bool(_present(git, sha))


def _commit(git: Git, revision: str, how: str) -> Commit:
    sha = git.resolve(revision)
    return Commit(sha=sha, ref=revision if revision != sha else "", subject=git.subject(sha), how=how)
