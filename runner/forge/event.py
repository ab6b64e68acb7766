"""What kind of run this is, whether its code is trusted, and what it may therefore do. Pure.

Everything follows from the event, never from the checkout: what a pull request changes cannot widen its own
rights. An event that is not in the table of `rights` gets the least of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner.forge.rights import BY_DEPENDABOT, RIGHTS
from runner.values import dataclass

if TYPE_CHECKING:
    from runner.forge.rights import Kind, Rights


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody said on an issue or a pull request.

    Attributes:
        id: GitHub's number of it.
        author: who said it.
        body: what was said.
        at: when, in ISO 8601.
        is_new: it was said just now; otherwise it was changed or deleted.

    """

    id: int
    author: str
    body: str
    at: str
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request as it is now.

    Attributes:
        number: counted from 1.
        is_open: neither closed nor merged.
        head: the commit that is to be merged.
        branch: its branch.
        repository: where that branch lies; empty for a fork that was deleted.
        base_ref: the branch it is to be merged into.
        base_sha: that branch's commit.
        labels: by name.

    """

    number: int
    is_open: bool
    head: str
    branch: str
    repository: str
    base_ref: str
    base_sha: str
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One run's event.

    Attributes:
        kind: the row of `RIGHTS`.
        rights: what this run may do; never more than its row.
        number: the pull request, if there is one to write on.
        sha: the commit that is checked out; on a pull request usually the merge of head into base.
        head_sha: the commit the report is about.
        base_ref: the branch the head is compared with, without `refs/heads/`; empty where none follows.
        base_sha: that branch's commit when the event happened; empty where the payload has none.
        before: the commit a pushed branch had before; empty for a new branch.
        branch: the branch whose code runs and that a new lock is meant for; empty where there is none, or another
            repository has it.
        label: the label that was just put on the pull request, which is what happened; empty: something else did.
        actor: who did that, or gave the command.
        comment: what was said, where that is what happened.

    """

    kind: Kind
    rights: Rights
    number: int | None = None
    sha: str = ""
    head_sha: str = ""
    base_ref: str = ""
    base_sha: str = ""
    before: str = ""
    branch: str = ""
    label: str = ""
    actor: str = ""
    comment: Comment | None = None

    @property
    def trusted(self) -> bool:
        """Whether somebody with write access wrote or reviewed the code that runs."""
        return self.rights.trusted

    @property
    def why(self) -> str:
        """The reason for the rights, in one sentence."""
        return self.rights.why

    @property
    def may_run(self) -> bool:
        """Whether stages may be run."""
        return self.rights.may_run

    @property
    def may_push(self) -> bool:
        """Whether the remote may be written."""
        return self.rights.may_push

    @property
    def may_comment(self) -> bool:
        """Whether there is a pull request that may be written on."""
        return self.rights.may_comment and self.number is not None

    @property
    def may_propose(self) -> bool:
        """Whether there is a branch that a new lock may be committed to, or proposed for."""
        return self.rights.may_propose and bool(self.branch)

    @property
    def base_remote(self) -> bool:
        """Whether the remote's address is read from the base commit."""
        return self.rights.base_remote


def classify(name: str, payload: Mapping[str, object], *, sha: str, ref: str, repository: str) -> Event:
    """Say what kind of run an event starts.

    Args:
        name: GITHUB_EVENT_NAME; empty where there is no event.
        payload: the parsed file of GITHUB_EVENT_PATH, of any shape: what is absent gives no rights.
        sha: GITHUB_SHA.
        ref: GITHUB_REF, for example `refs/heads/main` or `refs/pull/7/merge`.
        repository: GITHUB_REPOSITORY, `owner/name`.

    Returns:
        The event; its rights are those of its row, less where Dependabot started it.

    """
    if name in ("pull_request", "pull_request_review", "pull_request_review_comment", "pull_request_target"):
        return _of_pull_request(name, payload, sha, repository)
    if name == "push":
        return _of_push(payload, sha, ref)
    if name == "merge_group":
        return _of_merge_group(payload, sha)
    if name == "workflow_run":
        return _of_workflow_run(payload, sha, ref, repository)
    if name == "issue_comment":
        return _of_comment(payload, sha)
    kind = _PLAIN.get(name, "other")
    return Event(kind=kind, rights=RIGHTS[kind], sha=sha, head_sha=sha, branch=_branch(ref))


_PLAIN: Final[Mapping[str, Kind]] = {
    "": "local",
    "schedule": "schedule",
    "workflow_dispatch": "dispatch",
    "repository_dispatch": "dispatch",
    "release": "release",
}
_REVIEWED: Final = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch", "release", "merge_group"})
_NO_COMMIT: Final = "0" * 40
_DEPENDABOT: Final = "dependabot[bot]"


def _of_pull_request(name: str, payload: Mapping[str, object], sha: str, repository: str) -> Event:
    """Tell a writer's pull request from a stranger's: where the head lies decides."""
    head_repository = _text(payload, "pull_request", "head", "repo", "full_name")
    kind: Kind = "pull-request" if _same(head_repository, repository) else "fork"
    rights = RIGHTS[kind]
    if name == "pull_request_target":
        kind, rights = "pull-request-target", RIGHTS["pull-request-target"]
    elif _text(payload, "sender", "login") == _DEPENDABOT:
        kind, rights = "fork", BY_DEPENDABOT
    labelled = _text(payload, "action") == "labeled"
    return Event(
        kind=kind,
        rights=rights,
        label=_text(payload, "label", "name") if labelled else "",
        actor=_text(payload, "sender", "login") if labelled else "",
        number=_number(payload, "pull_request", "number"),
        sha=sha,
        head_sha=_text(payload, "pull_request", "head", "sha") or sha,
        base_ref=_text(payload, "pull_request", "base", "ref"),
        base_sha=_text(payload, "pull_request", "base", "sha"),
        branch=_text(payload, "pull_request", "head", "ref") if kind == "pull-request" else "",
    )


def _of_push(payload: Mapping[str, object], sha: str, ref: str) -> Event:
    before = _text(payload, "before")
    by_dependabot = _text(payload, "sender", "login") == _DEPENDABOT
    return Event(
        kind="push",
        rights=BY_DEPENDABOT if by_dependabot else RIGHTS["push"],
        sha=sha,
        head_sha=sha,
        base_ref=_branch(ref),
        branch=_branch(ref),
        before="" if before == _NO_COMMIT else before,
    )


def _of_merge_group(payload: Mapping[str, object], sha: str) -> Event:
    return Event(
        kind="merge-group",
        rights=RIGHTS["merge-group"],
        sha=sha,
        head_sha=_text(payload, "merge_group", "head_sha") or sha,
        base_ref=_text(payload, "merge_group", "base_ref").removeprefix("refs/heads/"),
        base_sha=_text(payload, "merge_group", "base_sha"),
    )


def _of_workflow_run(payload: Mapping[str, object], sha: str, ref: str, repository: str) -> Event:
    """Trust what follows a run of this repository's own reviewed code; a pull request's run is not that."""
    first = _text(payload, "workflow_run", "event")
    ours = _same(_text(payload, "workflow_run", "head_repository", "full_name"), repository)
    by_dependabot = _text(payload, "workflow_run", "actor", "login") == _DEPENDABOT
    if ours and first in _REVIEWED and not by_dependabot:
        return Event(kind="workflow-run", rights=RIGHTS["workflow-run"], sha=sha, head_sha=sha, branch=_branch(ref))
    kind: Kind = "workflow-run-of-stranger"
    return Event(kind=kind, rights=RIGHTS[kind], sha=sha, head_sha=_text(payload, "workflow_run", "head_sha") or sha)


def _of_comment(payload: Mapping[str, object], sha: str) -> Event:
    """Keep what was said; that alone gives no rights."""
    identity = _number(payload, "comment", "id")
    comment = Comment(
        id=identity or 0,
        author=_text(payload, "comment", "user", "login"),
        body=_text(payload, "comment", "body"),
        at=_text(payload, "comment", "created_at"),
        is_new=_text(payload, "action") == "created",
    )
    return Event(
        kind="comment",
        rights=RIGHTS["comment"],
        number=_number(payload, "issue", "number") if _at(payload, "issue", "pull_request") else None,
        sha=sha,
        head_sha=sha,
        comment=comment if identity and comment.author else None,
    )


def commanded(event: Event, pull: Pull, repository: str) -> Event:
    """Give the run that a comment starts, once GitHub has said that its author may write here.

    Args:
        event: the comment's.
        pull: the pull request it was made on.
        repository: GITHUB_REPOSITORY, `owner/name`.

    """
    ours = _same(pull.repository, repository)
    kind: Kind = "command" if ours else "command-on-fork"
    return replace(
        event,
        kind=kind,
        rights=RIGHTS[kind],
        sha=pull.head,
        head_sha=pull.head,
        base_ref=pull.base_ref,
        base_sha=pull.base_sha,
        branch=pull.branch if ours else "",
        actor=event.comment.author if event.comment else "",
    )


def _branch(ref: str) -> str:
    """Give the branch that a ref is; empty for a tag, or a pull request's ref."""
    return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else ""


def _same(one: str, other: str) -> bool:
    """Compare repositories as GitHub does; an unknown one (a deleted fork) is never ours."""
    return bool(one) and one.lower() == other.lower()


def _at(payload: object, *path: str) -> object:
    for key in path:
        payload = payload.get(key) if isinstance(payload, Mapping) else None
    return payload


def _text(payload: Mapping[str, object], *path: str) -> str:
    found = _at(payload, *path)
    return found if isinstance(found, str) else ""


def _number(payload: Mapping[str, object], *path: str) -> int | None:
    found = _at(payload, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None
