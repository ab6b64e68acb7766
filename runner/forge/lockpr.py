"""The pull request that brings a new lock: one branch, one pull request, kept up to date, closed when empty.

It is found again by its branch and base. What somebody else committed to the branch is never written over, and nothing
is ever merged here: at most GitHub is asked to merge what it will find good itself.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from runner.engine import proposal
from runner.engine.proposal import CONTENT, VERDICT
from runner.errors import ForgeError
from runner.forge.answers import FORBIDDEN, RefusedError
from runner.forge.branches import NOWHERE, Branches, Move, NewCommit
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.engine.proposal import Change
    from runner.forge.repository import Repository
    from runner.git import Entry

    Pull = Mapping[str, Any]

logger = logging.getLogger("retrain")
BODY_LIMIT: Final = 65_536
"""Characters of a pull request's text."""
LABEL: Final = "retrain"
ACTIONS: Final = "github-actions[bot]"
"""Who writes with the token that GitHub makes for a job."""
SWITCH: Final = (
    "Settings, Actions, General: allow GitHub Actions to create and approve pull requests; "
    "or give github-token the token of an app"
)
"""What to do where `is_switched_off`."""
Status = Literal["proposed", "updated", "unchanged", "closed", "nothing"]
_UNPROCESSABLE: Final = 422


def _mutation(name: str) -> str:
    """Give GraphQL for a mutation, of whose answer nothing is wanted."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    return f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ clientMutationId }} }}"


_DRAFT: Final = _mutation("convertPullRequestToDraft")
_READY: Final = _mutation("markPullRequestReadyForReview")
_AUTO: Final = _mutation("enablePullRequestAutoMerge")
_NO_AUTO: Final = _mutation("disablePullRequestAutoMerge")
_FOREIGN: Final = "merge its pull request, or delete the branch: the next run makes it anew"


class ForeignError(ForgeError):
    """The branch holds what somebody else committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be proposed, and how.

    Attributes:
        base: the branch it is meant for.
        branch: the branch it is on.
        title, body: the pull request's.
        message: the commit's.
        aside: a branch for the time that a commit is made; see `Branches.replace`.
        label: of the verdict: `retrain:passed`.
        is_draft: the verdict is not good enough to be merged without a look.
        reviewers: logins, and teams as `team` of `organization/team`.
        auto_merge: GitHub is asked to merge it when all that it requires holds.

    """

    base: str
    branch: str
    title: str
    body: str
    message: str
    aside: str
    label: str
    is_draft: bool = False
    reviewers: Sequence[str] = ()
    auto_merge: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What became of it.

    Attributes:
        status: in one word.
        url: the pull request's page; empty where there is none.
        sha: the commit that it proposes; empty likewise.
        refused: what GitHub refused though everything else is done; `None`: nothing.

    """

    status: Status
    url: str = ""
    sha: str = ""
    refused: ForgeError | None = None


class LockPulls:
    """The pull requests of one repository that bring locks. Every method raises `ForgeError`."""

    def __init__(self, repository: Repository, branches: Branches) -> None:
        """Ask nothing yet."""
        self._repository = repository
        self._api = repository.api
        self._branches = branches

    def propose(self, wish: Wish, tip: str, tree: Mapping[str, Entry], changes: Sequence[Change]) -> Done:
        """Bring the branch and its pull request up to date; without changes, close it.

        Args:
            wish: what is to be there.
            tip: the base's commit.
            tree: what that holds.
            changes: what it does not hold yet.

        Raises:
            MovedError: the branch moved while this was going on.
            ForgeError: it holds what is not ours, or GitHub refused.

        """
        there = self._branches.tip(wish.branch)
        if not changes and there == NOWHERE:
            return Done("nothing")
        try:
            same = self._is_same(wish, there, tip, tree)
        except ForeignError as foreign:
            if changes:
                raise
            logger.warning("%s", foreign)
            return Done("nothing")
        pull = self._find(wish)
        if not changes:
            return self._closed(wish, there, pull)
        if pull and wish.is_draft:
            self._hold(pull)
        elif pull and not same and not wish.auto_merge:
            self._disarm(pull)
        sha = (
            there
            if same
            else self._branches.replace(wish.branch, there, NewCommit(tip, wish.message, changes), wish.aside)
        )
        if pull:
            status: Status = "unchanged" if same else "updated"
            pull = self._updated(pull, wish)
        else:
            status, pull = "proposed", self._created(wish)
        return self._dressed(Done(status, str(pull["html_url"]), sha), pull, wish)

    def put_down(self, base: str, branch: str, label: str, why: str) -> str:
        """Let nobody merge what an earlier run proposed, now that the gates say otherwise; give its page, if any."""
        pull = self._find_at(base, branch) if self._branches.tip(branch) != NOWHERE else None
        if pull is None:
            return ""
        if label not in _labels(pull):
            self._say(pull, why)
        self._hold(pull)
        self._label(pull, label)
        return str(pull["html_url"])

    # The branch

    def _is_same(self, wish: Wish, there: str, tip: str, tree: Mapping[str, Entry]) -> bool:
        """Whether the branch is what it is to be; refuses one that holds what is not ours.

        Ours is one commit on top of one of the base's, that changes exactly what its own message says it does, or that
        the base has by now. A branch that the base has overtaken may still be somebody's to work on.
        """
        if there == NOWHERE:
            return False
        ahead = self._branches.ahead(tip, there)
        commit = self._branches.commit(there)
        said = proposal.trailers(commit.message)
        parent = commit.parents[0] if commit.parents else ""
        if ahead == 0 and CONTENT in said:
            return False  # it was merged as it is, and nobody removed the branch
        if ahead == 1 and CONTENT in said and parent:
            before = tree if parent == tip else self._branches.tree(parent)
            if proposal.digest(proposal.difference(before, self._branches.tree(there))) == said[CONTENT]:
                wanted = proposal.trailers(wish.message)
                return parent == tip and all(said.get(name) == wanted.get(name) for name in (CONTENT, VERDICT))
        message = (
            f"the branch {wish.branch} leads to a commit that is not this runner's, {there[:12]}: it is left alone"
        )
        raise ForeignError(message, _FOREIGN)

    def _closed(self, wish: Wish, there: str, pull: Pull | None) -> Done:
        """Close what proposes nothing any more, and remove its branch."""
        self._branches.move([Move(wish.branch, there, NOWHERE)])
        if pull:
            self._say(pull, "Nothing is left to propose: the base branch has all of it.")
            self._api.update(self._path(f"pulls/{pull['number']}"), {"state": "closed"})
        return Done("closed" if pull else "nothing", str(pull["html_url"]) if pull else "")

    # The pull request

    def _find(self, wish: Wish) -> Pull | None:
        return self._find_at(wish.base, wish.branch)

    def _find_at(self, base: str, branch: str) -> Pull | None:
        """Find the open pull request by its branch and base; the branch of a fork that has the same name is another."""
        owner = self._repository.name.partition("/")[0]
        path = f"pulls?state=open&head={quote(f'{owner}:{branch}', safe='')}&base={quote(base, safe='')}"
        return next(iter(self._api.pages(self._path(path))), None)

    def _created(self, wish: Wish) -> Pull:
        made = {"title": wish.title, "body": wish.body, "head": wish.branch, "base": wish.base, "draft": wish.is_draft}
        try:
            return self._api.create(self._path("pulls"), made)
        except RefusedError as refused:
            if "already exists" in refused.message and (other := self._find(wish)):
                return self._updated(other, wish)
            if wish.is_draft and "raft" in refused.message and refused.status == _UNPROCESSABLE:
                logger.warning("this repository has no drafts: the pull request is an ordinary one")
                return self._api.create(self._path("pulls"), {**made, "draft": False})
            raise _explained(refused) from refused

    def _updated(self, pull: Pull, wish: Wish) -> Pull:
        """Bring title and text up to date; a pull request that we made a draft is one no longer when all is well."""
        if (pull.get("title"), pull.get("body")) != (wish.title, wish.body):
            pull = self._api.update(self._path(f"pulls/{pull['number']}"), {"title": wish.title, "body": wish.body})
        ours = any(label.startswith(f"{LABEL}:") and label != wish.label for label in _labels(pull))
        if pull.get("draft") and not wish.is_draft and ours:
            self._api.mutate(_READY, input={"pullRequestId": pull["node_id"]})
        return pull

    def _hold(self, pull: Pull) -> None:
        """Make it a draft, which nobody can merge by mistake, before it holds anything that is not good enough."""
        try:
            if not pull.get("draft"):
                self._api.mutate(_DRAFT, input={"pullRequestId": pull["node_id"]})
        except RefusedError as refused:
            logger.warning("the pull request cannot be made a draft: %s", refused.message)
            self._without_auto_merge(pull)

    def _disarm(self, pull: Pull) -> None:
        """Take back our own word that GitHub may merge it, before it holds what that was not said of."""
        match pull.get("auto_merge"):
            case {"enabled_by": {"login": self._repository.login}}:
                self._api.mutate(_NO_AUTO, input={"pullRequestId": pull["node_id"]})

    def _without_auto_merge(self, pull: Pull) -> None:
        try:
            self._api.mutate(_NO_AUTO, input={"pullRequestId": pull["node_id"]})
        except RefusedError as refused:
            logger.debug("auto-merge is not switched off: %s", refused.message)

    def _dressed(self, done: Done, pull: Pull, wish: Wish) -> Done:
        """Add labels, reviewers and auto-merge; only the last is worth an error, because somebody relies on it."""
        self._label(pull, wish.label)
        if done.status == "proposed" and wish.reviewers:
            self._ask_for_review(pull, wish.reviewers)
        if not wish.auto_merge:
            return done
        try:
            asked = {"pullRequestId": pull["node_id"], "expectedHeadOid": done.sha, "mergeMethod": self._method()}
            self._api.mutate(_AUTO, "contents=write, pull_requests=write", input=asked)
        except RefusedError as refused:
            message = f"GitHub does not switch auto-merge on: {refused.message}"
            hint = "allow it in the repository's settings, and let the branch require a check; or set auto-merge: off"
            return replace(done, refused=RefusedError(message, hint, refused.status))
        return done

    def _method(self) -> str:
        """Give a way of merging that the repository allows."""
        match self._api.get(self._path("").rstrip("/")):
            case {"allow_merge_commit": True}:
                return "MERGE"
            case {"allow_squash_merge": True}:
                return "SQUASH"
            case {"allow_rebase_merge": True}:
                return "REBASE"
        return "MERGE"

    def _label(self, pull: Pull, verdict: str) -> None:
        """Set the label of the verdict in place of the last one; what people have labelled stays."""
        kept = [name for name in _labels(pull) if not name.startswith(f"{LABEL}:")]
        wanted = list(dict.fromkeys([*kept, LABEL, verdict]))
        if set(wanted) == set(_labels(pull)):
            return
        try:
            self._api.update(self._path(f"issues/{pull['number']}"), {"labels": wanted})
        except RefusedError as refused:
            logger.warning("the labels cannot be set: %s", refused)

    def _ask_for_review(self, pull: Pull, reviewers: Sequence[str]) -> None:
        teams = [name.rpartition("/")[2] for name in reviewers if "/" in name]
        people = [name for name in reviewers if "/" not in name]
        asked = {"reviewers": people, **({"team_reviewers": teams} if teams else {})}
        try:
            self._api.create(self._path(f"pulls/{pull['number']}/requested_reviewers"), asked)
        except RefusedError as refused:
            logger.warning("nobody is asked for a review: %s", refused)

    def _say(self, pull: Pull, text: str) -> None:
        self._api.create(self._path(f"issues/{pull['number']}/comments"), {"body": text})

    def _path(self, rest: str) -> str:
        return self._repository.path(rest)


def _labels(pull: Pull) -> list[str]:
    return [str(label["name"]) for label in pull.get("labels") or ()]


def is_switched_off(refused: RefusedError) -> bool:
    """Whether GitHub Actions may not make pull requests here, which is a setting and no permission."""
    return refused.status == FORBIDDEN and "not permitted to create" in refused.message


def _explained(refused: RefusedError) -> RefusedError:
    """Say what to do where GitHub Actions may not make pull requests."""
    if is_switched_off(refused):
        hint = f"{SWITCH}. The branch is there: a pull request can be opened by hand"
        return RefusedError(refused.message, hint, refused.status)
    return refused
