"""Issues, comments, reactions and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.support import api_description
from tests.support.github.answers import Answer, Asked, Route, not_found, paged, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.support.github.fake import FakeGitHub

COMMENT_LIMIT = 65_536
_ISSUES = "/repos/{owner}/{repo}/issues"
_ISSUE = f"{_ISSUES}/{{issue_number}}"
_COMMENTS = f"{_ISSUE}/comments"
_COMMENT = f"{_ISSUES}/comments/{{comment_id}}"
_LABELS = f"{_ISSUE}/labels"
_TALK = "issues={}; pull_requests={}"


def person(login: str) -> dict[str, Any]:
    """Give a user, or an app's bot."""
    user: dict[str, Any] = api_description.example("issue-comment")["user"]
    return {**user, "login": login, "type": "Bot" if login.endswith("[bot]") else "User"}


def open_issue(  # noqa: PLR0913  what an issue has
    fake: FakeGitHub,
    title: str,
    body: str,
    login: str,
    *,
    labels: Iterable[str] = (),
    number: int | None = None,
) -> dict[str, Any]:
    number = number or max(fake.issues, default=0) + 1
    issue: dict[str, Any] = api_description.example("issue")
    issue |= {
        "id": fake.identity(),
        "node_id": f"I_{number}",
        "number": number,
        "title": title,
        "body": body,
        "user": person(login),
        "url": f"{fake.url}/repos/{fake.repository}/issues/{number}",
        "html_url": f"https://github.com/{fake.repository}/issues/{number}",
        "state": "open",
        "state_reason": None,
        "locked": False,
        "comments": 0,
        "labels": [label(name) for name in labels],
        "created_at": fake.now(),
        "updated_at": fake.now(),
    }
    issue.pop("pull_request", None)
    fake.issues[number] = issue
    return issue


def say(fake: FakeGitHub, number: int, body: str, login: str) -> dict[str, Any]:
    comment: dict[str, Any] = api_description.example("issue-comment")
    identity = len(fake.comments) + 1
    here = f"{fake.url}/repos/{fake.repository}"
    comment |= {
        "id": identity,
        "node_id": f"IC_{identity}",
        "url": f"{here}/issues/comments/{identity}",
        "issue_url": f"{here}/issues/{number}",
        "html_url": f"https://github.com/{fake.repository}/pull/{number}#issuecomment-{identity}",
        "body": body.rstrip(),
        "user": person(login),
        "created_at": fake.now(),
        "updated_at": fake.now(),
    }
    fake.comments.append(comment)
    return comment


def label(name: str) -> dict[str, Any]:
    like: dict[str, Any] = api_description.example("label-items")[0]
    return {**like, "name": name, "default": False}


def _list_issues(fake: FakeGitHub, asked: Asked) -> Answer:
    query = asked.request.query
    wanted = set(filter(None, query.get("labels", "").split(",")))
    found = [
        issue
        for issue in reversed(fake.issues.values())
        if query.get("state", "open") in (issue["state"], "all")
        and wanted <= {one["name"] for one in issue["labels"]}
        and query.get("creator", issue["user"]["login"]) == issue["user"]["login"]
    ]
    return paged(fake, asked, found)


def _create_issue(fake: FakeGitHub, asked: Asked) -> Answer:
    title = str(asked.body["title"]).strip()
    if not title:
        return refusal(422, "Validation Failed")
    labels = [one if isinstance(one, str) else one["name"] for one in asked.body.get("labels", [])]
    return Answer(201, open_issue(fake, title, asked.body.get("body") or "", asked.login, labels=labels))


def _issue(fake: FakeGitHub, asked: Asked) -> Answer:
    found = fake.issues.get(asked.number)
    return Answer(200, found) if found else not_found()


def _update_issue(fake: FakeGitHub, asked: Asked) -> Answer:
    issue = fake.issues.get(asked.number)
    if issue is None:
        return not_found()
    changes = {**asked.body, "updated_at": fake.now()}
    if "labels" in changes:
        changes["labels"] = [label(one if isinstance(one, str) else one["name"]) for one in changes["labels"]]
    issue |= changes
    pull = fake.pulls.get(asked.number)
    if pull is not None:
        pull |= {name: issue[name] for name in ("title", "body", "state", "labels")}
    return Answer(200, issue)


def _list(fake: FakeGitHub, asked: Asked) -> Answer:
    return paged(fake, asked, [one for one in fake.comments if one["issue_url"].endswith(f"/issues/{asked.number}")])


def _create(fake: FakeGitHub, asked: Asked) -> Answer:
    issue = fake.issues.get(asked.number)
    if issue and issue["locked"]:
        return refusal(403, "Unable to create comment because issue is locked.")
    if not asked.body["body"].strip():
        return refusal(422, "Validation Failed")
    if len(asked.body["body"]) > COMMENT_LIMIT:
        return refusal(422, "Body is too long (maximum is 65536 characters)")
    return Answer(201, say(fake, asked.number, asked.body["body"], asked.login))


def _comment(fake: FakeGitHub, asked: Asked) -> Answer:
    found = _found(fake, asked)
    return Answer(200, found) if found else not_found()


def _update(fake: FakeGitHub, asked: Asked) -> Answer:
    comment = _found(fake, asked)
    if comment is None:
        return not_found()
    if len(asked.body["body"]) > COMMENT_LIMIT:
        return refusal(422, "Body is too long (maximum is 65536 characters)")
    comment |= {"body": asked.body["body"].rstrip(), "updated_at": fake.now()}
    return Answer(200, comment)


def _delete(fake: FakeGitHub, asked: Asked) -> Answer:
    comment = _found(fake, asked)
    if comment is None:
        return not_found()
    fake.comments.remove(comment)
    return Answer(204)


def _react(fake: FakeGitHub, asked: Asked) -> Answer:
    comment = _found(fake, asked)
    if comment is None:
        return not_found()
    felt = (int(comment["id"]), str(asked.body["content"]), asked.login)
    known = felt in fake.reactions
    if not known:
        fake.reactions.append(felt)
    like = api_description.example("reaction")
    return Answer(200 if known else 201, {**like, "content": felt[1], "user": person(asked.login)})


def _found(fake: FakeGitHub, asked: Asked) -> dict[str, Any] | None:
    return next((one for one in fake.comments if str(one["id"]) == asked.arguments["comment_id"]), None)


def _list_labels(fake: FakeGitHub, asked: Asked) -> Answer:
    issue = fake.issues.get(asked.number)
    return paged(fake, asked, issue["labels"]) if issue else not_found()


def _add_labels(fake: FakeGitHub, asked: Asked) -> Answer:
    return _relabel(fake, asked, keep=True)


def _set_labels(fake: FakeGitHub, asked: Asked) -> Answer:
    return _relabel(fake, asked, keep=False)


def _relabel(fake: FakeGitHub, asked: Asked, *, keep: bool) -> Answer:
    issue = fake.issues.get(asked.number)
    if issue is None:
        return not_found()
    given = asked.request.body if isinstance(asked.request.body, list) else asked.body["labels"]
    names = [one if isinstance(one, str) else one["name"] for one in given]
    kept = [one["name"] for one in issue["labels"]] if keep else []
    # In place: the pull request of that number has the same list.
    issue["labels"][:] = [label(name) for name in dict.fromkeys([*kept, *names])]
    return Answer(200, issue["labels"])


def _remove_label(fake: FakeGitHub, asked: Asked) -> Answer:
    issue = fake.issues.get(asked.number)
    left = [one for one in issue["labels"] if one["name"] != asked.arguments["name"]] if issue else []
    if issue is None or len(left) == len(issue["labels"]):
        return refusal(404, "Label does not exist")
    issue["labels"][:] = left
    return Answer(200, left)


_READ, _WRITE = _TALK.format("read", "read"), _TALK.format("write", "write")
ROUTES: Final[Mapping[tuple[str, str], Route]] = {
    ("GET", _ISSUES): Route(_list_issues, "issues=read"),
    ("POST", _ISSUES): Route(_create_issue, "issues=write"),
    ("GET", _ISSUE): Route(_issue, _READ),
    ("PATCH", _ISSUE): Route(_update_issue, _WRITE),
    ("GET", _COMMENTS): Route(_list, _READ),
    ("POST", _COMMENTS): Route(_create, _WRITE),
    ("GET", _COMMENT): Route(_comment, _READ),
    ("PATCH", _COMMENT): Route(_update, _WRITE),
    ("DELETE", _COMMENT): Route(_delete, _WRITE),
    ("POST", f"{_COMMENT}/reactions"): Route(_react, _WRITE),
    ("GET", _LABELS): Route(_list_labels, _READ),
    ("POST", _LABELS): Route(_add_labels, _WRITE),
    ("PUT", _LABELS): Route(_set_labels, _WRITE),
    ("DELETE", f"{_LABELS}/{{name}}"): Route(_remove_label, _WRITE),
}
