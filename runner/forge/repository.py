"""What only GitHub knows: whose a token is, where histories part, how a pull request stands, who may write."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import requests

from runner.errors import STOPPED, ForgeError
from runner.forge.api import REAL_TIME, Api, Pace
from runner.forge.event import Pull
from runner.forge.protocol import RUNNING

if TYPE_CHECKING:
    from runner.forge.protocol import Standing

_WRITERS: Final = frozenset({"admin", "maintain", "write"})
_OF_BRANCHES: Final = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch", "merge_group"})


class Repository:
    """One repository on one GitHub, asked."""

    def __init__(
        self,
        api_url: str,
        repository: str,
        token: str,
        session: requests.Session | None = None,
        pace: Pace = REAL_TIME,
    ) -> None:
        """Connect nothing yet.

        Args:
            api_url: GITHUB_API_URL, for example `https://api.github.com`.
            repository: `owner/name`.
            token: what GitHub made for this job, or a personal or app token.
            session: the connections to use.
            pace: how time passes.

        """
        self.api = Api(api_url, token, session or requests.Session(), pace)
        self._hasty = self.api.hasty()
        self.name = repository

    def __repr__(self) -> str:
        """Name the place, not the token."""
        return f"{type(self).__name__}({self.name!r}, {self.api!r})"

    @cached_property
    def login(self) -> str:
        """The login under which the token writes, for example `github-actions[bot]`.

        `GET /user` refuses the tokens of apps and of Actions; GraphQL's viewer answers for all of them.
        """
        match self.api.graphql("query { viewer { login } }"):
            case {"data": {"viewer": {"login": str(login)}}}:
                return login
        msg = "GitHub does not say whose the token is"
        raise ForgeError(msg, "check the input github-token")

    def merge_base(self, base: str, head: str) -> str | None:
        """Give the commit where two revisions parted, or None where GitHub knows of none.

        For clones too shallow to say: https://docs.github.com/rest/commits/commits#compare-two-commits
        """
        path = self.path(f"compare/{quote(base, safe='')}...{quote(head, safe='')}")
        match self.api.find(path, {"per_page": "1"}):
            case {"merge_base_commit": {"sha": str(sha)}}:
                return sha
        return None

    def pull(self, number: int) -> Pull:
        """Give a pull request as it is now."""
        match self.api.get(self.path(f"pulls/{number}")):
            case {
                "state": str(state),
                "labels": list(labels),
                "head": {"sha": str(head), "ref": str(branch)} as side,
                "base": {"sha": str(base_sha), "ref": str(base_ref)},
            }:
                return Pull(
                    number=number,
                    is_open=state == "open",
                    head=head,
                    branch=branch,
                    repository=_full_name(side.get("repo")),
                    base_ref=base_ref,
                    base_sha=base_sha,
                    labels=frozenset(str(label["name"]) for label in labels if isinstance(label, dict)),
                )
        message = f"GitHub does not say how pull request {number} stands"
        raise ForgeError(message)

    def pushed(self, branch: str) -> tuple[str, str] | None:
        """Give the commit that was pushed to a branch last, and when, in ISO 8601; `None` where that is not known.

        A commit's own dates are what its author says; this is when GitHub got it.
        https://docs.github.com/rest/repos/repos#list-repository-activities
        """
        match self.api.get(self.path("activity"), {"ref": f"refs/heads/{branch}", "per_page": "1"}):
            case [{"after": str(sha), "timestamp": str(at)}, *_]:
                return sha, at
        return None

    def react(self, comment: int, feeling: str) -> None:
        """Put a reaction under a comment: `eyes`, `confused`, ..."""
        self.api.create(self.path(f"issues/comments/{comment}/reactions"), {"content": feeling})

    def reply(self, number: int, body: str) -> None:
        """Write a new comment on an issue or a pull request."""
        self.api.create(self.path(f"issues/{number}/comments"), {"body": body})

    def may_write(self, login: str) -> bool:
        """Whether somebody may write here. Who may only triage sets labels too, and is told apart from those who may.

        https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        match self.api.find(self.path(f"collaborators/{quote(login, safe='')}/permission")):
            case {"permission": str(permission)}:
                return permission in _WRITERS
        return False

    def successes(self, workflow: str, branch: str) -> list[str]:
        """Give the commits of a branch on which a workflow succeeded, the latest run first.

        Runs of pull requests are left out: a fork's branch may bear any name.
        https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
        """
        query = {"branch": branch, "status": "success", "per_page": "50"}
        match self.api.get(self.path(f"actions/workflows/{quote(workflow, safe='')}/runs"), query):
            case {"workflow_runs": list(runs)}:
                return [str(run["head_sha"]) for run in runs if run.get("event") in _OF_BRANCHES]
        return []

    def api_for(self, standing: Standing) -> Api:
        """Give the API for what is posted. What a run is at the next post will say; one that is stopped has seconds."""
        in_haste = standing.verdict == RUNNING or standing.exit_code in STOPPED
        return self._hasty if in_haste else self.api

    def path(self, rest: str) -> str:
        """Give the API's path of something in this repository."""
        return f"/repos/{self.name}/{rest}"


def _full_name(repository: object) -> str:
    match repository:
        case {"full_name": str(name)}:
            return name
    return ""
