"""GitHub: one sticky comment on a pull request, the step's summary and outputs, and what only GitHub knows of commits.

Renders nothing: what it posts was rendered by somebody else.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

import requests

from runner.errors import ForgeError
from runner.forge.api import NOT_FOUND, Api, Pace, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMENT_LIMIT: Final = 65_536
"""Characters of a comment, the marker's line included."""
SUMMARY_LIMIT: Final = 1_048_576
"""Bytes of a step's summary; a larger one is dropped by GitHub without failing the step."""

Mode = Literal["update", "new", "off"]

_REAL_TIME: Final = Pace()
_WRITERS: Final = frozenset({"admin", "maintain", "write"})
_OF_BRANCHES: Final = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch", "merge_group"})
_OUTPUT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class GitHub:
    """One repository on one GitHub."""

    def __init__(
        self,
        api_url: str,
        repository: str,
        token: str,
        session: requests.Session | None = None,
        pace: Pace = _REAL_TIME,
    ) -> None:
        """Connect nothing yet.

        Args:
            api_url: GITHUB_API_URL, for example `https://api.github.com`.
            repository: `owner/name`.
            token: what GitHub made for this job, or a personal or app token.
            session: the connections to use.
            pace: how time passes.

        """
        self._api = Api(api_url, token, session or requests.Session(), pace)
        self._repository = repository

    def __repr__(self) -> str:
        """Name the place, not the token."""
        return f"{type(self).__name__}({self._repository!r}, {self._api!r})"

    def whoami(self) -> str:
        """Give the login under which the token writes, for example `github-actions[bot]`.

        `GET /user` refuses the tokens of apps and of Actions; GraphQL's viewer answers for all of them.
        """
        match self._api.graphql("query { viewer { login } }"):
            case {"data": {"viewer": {"login": str(login)}}}:
                return login
        msg = "GitHub does not say whose the token is"
        raise ForgeError(msg, "check the input github-token")

    def upsert_comment(self, number: int, marker: str, body: str, mode: Mode = "update") -> str:
        """Write the one comment that begins with `marker`, or another one.

        Args:
            number: the pull request.
            marker: the hidden first line by which the comment is found again; see `hidden_marker`.
            body: Markdown; with the marker's line at most `COMMENT_LIMIT` characters.
            mode: `update` the comment that has the marker and is ours, always a `new` one, or `off`.

        Returns:
            The comment's web address; empty where the mode is `off`.

        Raises:
            ForgeError: refused; names the permission that is missing, if that is why.

        """
        if mode == "off":
            return ""
        whole = f"{marker}\n{body}"
        if len(whole) > COMMENT_LIMIT:
            msg = f"a comment of {len(whole):,} characters is more than GitHub takes ({COMMENT_LIMIT:,})"
            raise ForgeError(msg, "the whole report is in the step summary")
        ours = self._find(number, marker) if mode == "update" else None
        if ours is None:
            ours = self._api.create(self._path(f"issues/{number}/comments"), {"body": whole})
        elif _as_stored(ours.get("body")) != _as_stored(whole):
            ours = self._api.update(self._path(f"issues/comments/{ours['id']}"), {"body": whole})
        return str(ours.get("html_url", ""))

    def merge_base(self, base: str, head: str) -> str | None:
        """Give the commit where two revisions parted, or None where GitHub knows of none.

        For clones too shallow to say: https://docs.github.com/rest/commits/commits#compare-two-commits
        """
        path = self._path(f"compare/{quote(base, safe='')}...{quote(head, safe='')}")
        try:
            compared = self._api.get(path, {"per_page": "1"})
        except RefusedError as refused:
            if refused.status == NOT_FOUND:
                return None
            raise
        match compared:
            case {"merge_base_commit": {"sha": str(sha)}}:
                return sha
        return None

    def standing(self, number: int) -> tuple[str, frozenset[str]]:
        """Give a pull request's head and its labels, as they are now."""
        match self._api.get(self._path(f"pulls/{number}")):
            case {"head": {"sha": str(sha)}, "labels": list(labels)}:
                return sha, frozenset(str(label["name"]) for label in labels if isinstance(label, dict))
        message = f"GitHub does not say what the head of pull request {number} is"
        raise ForgeError(message)

    def may_write(self, login: str) -> bool:
        """Whether somebody may write here. Who may only triage sets labels too, and is told apart from those who may.

        https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        try:
            found = self._api.get(self._path(f"collaborators/{quote(login, safe='')}/permission"))
        except RefusedError as refused:
            if refused.status == NOT_FOUND:
                return False
            raise
        match found:
            case {"permission": str(permission)}:
                return permission in _WRITERS
        return False

    def successes(self, workflow: str, branch: str) -> list[str]:
        """Give the commits of a branch on which a workflow succeeded, the latest run first.

        Runs of pull requests are left out: a fork's branch may bear any name.
        https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
        """
        query = {"branch": branch, "status": "success", "per_page": "50"}
        match self._api.get(self._path(f"actions/workflows/{quote(workflow, safe='')}/runs"), query):
            case {"workflow_runs": list(runs)}:
                return [str(run["head_sha"]) for run in runs if run.get("event") in _OF_BRANCHES]
        return []

    def _find(self, number: int, marker: str) -> Mapping[str, object] | None:
        """Find our comment: its first line is the marker, and we wrote it. All pages are read."""
        login = self.whoami()
        for comment in self._api.pages(self._path(f"issues/{number}/comments")):
            match comment:
                case {"user": {"login": author}, "body": str(body)} if author == login:
                    if body.splitlines()[:1] == [marker]:
                        return comment
        return None

    def _path(self, rest: str) -> str:
        return f"/repos/{self._repository}/{rest}"


def hidden_marker(project: str) -> str:
    """Give the first line of a sticky comment: invisible when rendered, and one for each `project`."""
    return f"<!-- retrain:{re.sub(r'[^A-Za-z0-9_/]+', '-', project).strip('-')} -->"


def append_summary(path: Path, markdown: str) -> None:
    """Add to the step's summary, the file of GITHUB_STEP_SUMMARY.

    Raises:
        ForgeError: it would be larger than GitHub shows (`SUMMARY_LIMIT`), or cannot be written.

    """
    added = f"{markdown.rstrip()}\n".encode()
    try:
        size = len(added) + (path.stat().st_size if path.exists() else 0)
        if size > SUMMARY_LIMIT:
            msg = f"a step summary of {size:,} bytes is more than GitHub shows ({SUMMARY_LIMIT:,})"
            raise ForgeError(msg)
        with path.open("ab") as summary:
            summary.write(added)
    except OSError as error:
        msg = f"the step summary cannot be written: {error.strerror}"
        raise ForgeError(msg) from error


def write_outputs(path: Path, outputs: Mapping[str, str]) -> None:
    """Add to the step's outputs, the file of GITHUB_OUTPUT. A value of several lines cannot end early.

    Raises:
        ForgeError: the file cannot be written.

    """
    lines = [_output(name, value) for name, value in outputs.items()]
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
    except OSError as error:
        msg = f"the outputs cannot be written: {error.strerror}"
        raise ForgeError(msg) from error


def _output(name: str, value: str) -> str:
    if not _OUTPUT_NAME.fullmatch(name):
        msg = f"{name!r} is no name for an output"
        raise ValueError(msg)
    if "\n" not in value and "\r" not in value:
        return f"{name}={value}\n"
    # Nothing that could be known when the value was made.
    delimiter = f"end_{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _as_stored(body: object) -> str:
    """Give a body as GitHub keeps it: CRLF becomes LF, and the end is trimmed."""
    return str(body).replace("\r\n", "\n").rstrip()
