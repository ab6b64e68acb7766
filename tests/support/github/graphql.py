"""GraphQL, for what REST lacks: executed by graphql-core over GitHub's own schema (npm @octokit/graphql-schema).

A query that does not fit the schema is a violation, as a request is that does not fit the description.
"""

from __future__ import annotations

import base64
import functools
from typing import TYPE_CHECKING, Any, NoReturn

from graphql import GraphQLError, build_ast_schema, graphql_sync, parse, validate

from tests.support.github import gitdata, pulls, talk
from tests.support.github.answers import Answer
from tests.support.github.bare import NOTHING, Entry, GitSays
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import GraphQLResolveInfo, GraphQLSchema

    from tests.support.github.fake import FakeGitHub

    Info = GraphQLResolveInfo[Any]

_FILE = "tests/node_modules/@octokit/graphql-schema/schema.graphql"
WHO = {"query": "query { viewer { login } }"}
_NOT_ACCESSIBLE = "Resource not accessible by integration"


class Refused(GraphQLError):
    """What GitHub answers beside 200: a message and a type, and `data` without what was asked for."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    @property
    def formatted(self) -> Any:
        return {**super().formatted, "type": self.kind}


def refuse(kind: str, message: str) -> NoReturn:
    raise Refused(kind, message)


def answer(fake: FakeGitHub, body: Any, login: str, grants: Mapping[str, str] | None) -> tuple[Answer, list[str]]:
    """Answer a query or mutation; also gives what breaks the schema."""
    query, variables = body["query"], body.get("variables") or {}
    try:
        # Most queries of most tests ask who we are, and the schema takes half a second to read.
        broken = [] if body == WHO else [error.message for error in validate(_schema(), parse(query))]
    except GraphQLError as error:
        broken = [error.message]
    if broken:
        return Answer(200, {"errors": [{"message": message} for message in broken]}), broken
    if body == WHO:
        return Answer(200, {"data": {"viewer": {"login": login}}}), []
    done = graphql_sync(_schema(), query, _Root(fake, login, grants), variable_values=variables)
    errors = [_told(error) for error in done.errors or []]
    unexpected = [str(error["message"]) for error in errors if "type" not in error]
    return Answer(200, {"data": done.data, **({"errors": errors} if errors else {})}), unexpected


def _told(error: GraphQLError) -> dict[str, Any]:
    kind = {"type": error.original_error.kind} if isinstance(error.original_error, Refused) else {}
    kind = {"type": error.kind} if isinstance(error, Refused) else kind
    return {**error.formatted, **kind}


@functools.cache
def _schema() -> GraphQLSchema:
    text = require(_FILE, "GitHub's GraphQL schema; npm ci --prefix tests").read_text()
    return build_ast_schema(parse(text, no_location=True), assume_valid=True, assume_valid_sdl=True)


class _Root:
    """The fields of `Query` and `Mutation`, by their names in the schema."""

    def __init__(self, fake: FakeGitHub, login: str, grants: Mapping[str, str] | None) -> None:
        self._fake = fake
        self._login = login
        self._grants = grants

    def __getattr__(self, name: str) -> NoReturn:
        """Say what the schema has and the fake has not."""
        message = f"{name} is not built: see tests/support/github/graphql.py"
        raise GraphQLError(message)

    def _need(self, permission: str) -> None:
        if self._grants is not None and self._grants.get(permission) != "write":
            refuse("FORBIDDEN", _NOT_ACCESSIBLE)

    def viewer(self, _info: Info) -> Any:
        return {"login": self._login}

    def repository(self, _info: Info, owner: str, name: str, **_: object) -> Any:
        if f"{owner}/{name}".lower() != self._fake.repository.lower():
            refuse("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return {
            "id": "R_1",
            "nameWithOwner": self._fake.repository,
            "autoMergeAllowed": self._fake.allow_auto_merge,
            "defaultBranchRef": self._ref(f"refs/heads/{self._fake.default_branch}"),
            "ref": lambda _info, qualifiedName: self._ref(qualifiedName),  # noqa: N803  the schema's own names
            "pullRequest": lambda _info, number: self._pull_row(self._fake.pulls.get(number)),
        }

    def node(self, _info: Info, id: str) -> Any:  # noqa: A002
        for comment in self._fake.comments:
            if comment["node_id"] == id:
                return self._comment_row(comment)
        return self._pull_row(self._pull(id)) if id.startswith("PR_") else None

    def nodes(self, info: Info, ids: list[str]) -> Any:
        return [self.node(info, identity) for identity in ids]

    def minimizeComment(self, _info: Info, input: Any) -> Any:  # noqa: A002, N802
        self._need("issues" if self._may("issues") else "pull_requests")
        comment = self._comment(input["subjectId"])
        self._fake.minimized[comment["node_id"]] = input["classifier"]
        return {"minimizedComment": self._comment_row(comment)}

    def unminimizeComment(self, _info: Info, input: Any) -> Any:  # noqa: A002, N802
        self._need("issues" if self._may("issues") else "pull_requests")
        comment = self._comment(input["subjectId"])
        self._fake.minimized.pop(comment["node_id"], None)
        return {"unminimizedComment": self._comment_row(comment)}

    def createCommitOnBranch(self, _info: Info, input: Any) -> Any:  # noqa: A002, N802
        self._need("contents")
        git, branch = self._fake.git, input["branch"]["branchName"].removeprefix("refs/heads/")
        of = input["branch"].get("repositoryNameWithOwner", self._fake.repository)
        tip, expected = git.tip(branch), input["expectedHeadOid"]
        if tip is None or of.lower() != self._fake.repository.lower():
            refuse("NOT_FOUND", f"No branch named '{branch}' found on {of}")
        if tip != expected:
            refuse("STALE_DATA", f'Expected branch to point to "{expected}" but it did not.  Pull and try again.')
        changes = input.get("fileChanges") or {}
        entries = [Entry(one["path"], git.blob(base64.b64decode(one["contents"]))) for one in changes["additions"]]
        entries += [Entry(one["path"], None) for one in changes["deletions"]]
        message = "\n\n".join(filter(None, (input["message"]["headline"], input["message"].get("body"))))
        sha = git.record(git.tree(entries, tip), [tip], message)
        git.move(f"refs/heads/{branch}", sha, tip)
        self._fake.signed.add(sha)
        gitdata.record_push(self._fake, f"refs/heads/{branch}", tip, sha, self._login)
        return {"commit": self._commit_row(sha), "ref": self._ref(f"refs/heads/{branch}")}

    def updateRefs(self, _info: Info, input: Any) -> Any:  # noqa: A002, N802
        """Move refs, all of them or none; forty zeros stand for a ref that is not there."""
        self._need("contents")
        found = [(one, self._fake.git.refs(one["name"]).get(one["name"])) for one in input["refUpdates"]]
        for update, was in found:
            name, after = update["name"], update["afterOid"]
            stale = "beforeOid" in update and update["beforeOid"] != (was or NOTHING)
            backwards = was and not update.get("force") and not self._fake.git.has_ancestor(was, after)
            if stale or backwards:
                refuse("UNPROCESSABLE", f"{name} could not be updated: it moved or is no fast forward")
        for update, was in found:
            name, after = update["name"], update["afterOid"]
            try:
                self._fake.git.move(name, after)
            except GitSays as refused:
                refuse("UNPROCESSABLE", str(refused))
            gitdata.record_push(self._fake, name, was, None if after == NOTHING else after, self._login)
        return {"clientMutationId": input.get("clientMutationId")}

    def enablePullRequestAutoMerge(self, _info: Info, input: Any) -> Any:  # noqa: A002, N802
        self._need("pull_requests")
        self._need("contents")
        pull = self._pull(input["pullRequestId"])
        if not self._fake.allow_auto_merge:
            refuse("UNPROCESSABLE", "Auto merge is not allowed for this repository")
        if input.get("expectedHeadOid") not in (None, pulls.fresh(self._fake, pull)["head"]["sha"]):
            refuse("UNPROCESSABLE", "Head sha didn't match expected value.")
        if pull["draft"]:
            refuse("UNPROCESSABLE", "Pull request Pull request is in draft")
        self._fake.auto_merges[pull["number"]] = dict(input)
        method = input.get("mergeMethod", "MERGE").lower()
        pull["auto_merge"] = {"enabled_by": talk.person(self._login), "merge_method": method}
        pull["auto_merge"] |= {"commit_title": "", "commit_message": ""}
        return {"pullRequest": self._pull_row(pull), "actor": {"__typename": "Bot", "login": self._login}}

    def disablePullRequestAutoMerge(self, _info: Info, input: Any) -> Any:  # noqa: A002, N802
        self._need("pull_requests")
        pull = self._pull(input["pullRequestId"])
        if self._fake.auto_merges.pop(pull["number"], None) is None:
            refuse("UNPROCESSABLE", "Can't disable auto-merge for this pull request.")
        pull["auto_merge"] = None
        return {"pullRequest": self._pull_row(pull)}

    def convertPullRequestToDraft(self, _info: Info, input: Any) -> Any:  # noqa: A002, N802
        return self._drafted(input["pullRequestId"], draft=True)

    def markPullRequestReadyForReview(self, _info: Info, input: Any) -> Any:  # noqa: A002, N802
        return self._drafted(input["pullRequestId"], draft=False)

    def _drafted(self, identity: str, *, draft: bool) -> Any:
        self._need("pull_requests")
        pull = self._pull(identity)
        pull["draft"] = draft
        if draft:
            self._fake.auto_merges.pop(pull["number"], None)  # GitHub switches it off
            pull["auto_merge"] = None
        return {"pullRequest": self._pull_row(pull)}

    def _may(self, permission: str) -> bool:
        return self._grants is None or self._grants.get(permission) == "write"

    def _comment(self, identity: str) -> dict[str, Any]:
        for comment in self._fake.comments:
            if comment["node_id"] == identity:
                return comment
        refuse("NOT_FOUND", f"Could not resolve to a node with the global id of '{identity}'")

    def _pull(self, identity: str) -> dict[str, Any]:
        for pull in self._fake.pulls.values():
            if pull["node_id"] == identity:
                return pull
        refuse("NOT_FOUND", f"Could not resolve to a node with the global id of '{identity}'")

    def _comment_row(self, comment: Mapping[str, Any]) -> Any:
        why = self._fake.minimized.get(comment["node_id"])
        row = {"__typename": "IssueComment", "id": comment["node_id"], "databaseId": comment["id"]}
        reason = why.lower().replace("_", "-") if why else None
        return {**row, "body": comment["body"], "isMinimized": why is not None, "minimizedReason": reason}

    def _pull_row(self, pull: dict[str, Any] | None) -> Any:
        if pull is None:
            return None
        pull = pulls.fresh(self._fake, pull)
        row = {"__typename": "PullRequest", "id": pull["node_id"], "number": pull["number"], "isDraft": pull["draft"]}
        row |= {"headRefOid": pull["head"]["sha"], "headRefName": pull["head"]["ref"], "url": pull["html_url"]}
        row |= {"baseRefName": pull["base"]["ref"], "state": pull["state"].upper(), "title": pull["title"]}
        auto = self._fake.auto_merges.get(pull["number"])
        return {**row, "autoMergeRequest": {"mergeMethod": auto.get("mergeMethod", "MERGE")} if auto else None}

    def _ref(self, name: str) -> Any:
        full = name if name.startswith("refs/") else f"refs/heads/{name}"
        sha = self._fake.git.refs(full).get(full)
        return {"id": f"REF_{full}", "name": full.split("/", 2)[2], "target": self._commit_row(sha)} if sha else None

    def _commit_row(self, sha: str) -> Any:
        url = f"https://github.com/{self._fake.repository}/commit/{sha}"
        return {"__typename": "Commit", "id": f"C_{sha}", "oid": sha, "url": url}
