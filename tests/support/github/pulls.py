"""Pull requests, who reviews them, and what people may do here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.support import api_description
from tests.support.github import talk
from tests.support.github.answers import Answer, Asked, Route, not_found, paged, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.support.github.fake import FakeGitHub

_REPOSITORY = "/repos/{owner}/{repo}"
_PULLS = f"{_REPOSITORY}/pulls"
_PULL = f"{_PULLS}/{{pull_number}}"
_OF_COMMIT = f"{_REPOSITORY}/commits/{{commit_sha}}/pulls"
_PERMISSION = f"{_REPOSITORY}/collaborators/{{username}}/permission"


def open_pull(  # noqa: PLR0913  what a pull request has, each by its name
    fake: FakeGitHub,
    *,
    head: str = "topic",
    base: str = "main",
    sha: str = "",
    title: str = "A change",
    body: str = "",
    login: str = "octocat",
    labels: Iterable[str] = (),
    number: int | None = None,
    head_repository: str | None = "",
    draft: bool = False,
) -> dict[str, Any]:
    """Open a pull request.

    Args:
        fake: where.
        head: the branch that is to be merged.
        base: the branch it is to be merged into.
        sha: the head's commit, where the git repository does not have the branch.
        title: the title.
        body: the text.
        login: who opens it.
        labels: labels by name.
        number: its number; the next free one where it is not given.
        head_repository: where the head lies; None: in a fork that was deleted.
        draft: whether it is one.

    """
    issue = talk.open_issue(fake, title, body, login, labels=labels, number=number)
    number = int(issue["number"])
    pull: dict[str, Any] = api_description.example("pull-request")
    here = f"{fake.url}/repos/{fake.repository}"
    page = f"https://github.com/{fake.repository}/pull/{number}"
    owner = (head_repository or fake.repository).split("/")[0]
    pull |= {name: issue[name] for name in ("id", "number", "title", "body", "user", "state", "labels", "created_at")}
    pull |= {"node_id": f"PR_{number}", "url": f"{here}/pulls/{number}", "html_url": page, "draft": draft}
    pull |= {"requested_reviewers": [], "requested_teams": [], "auto_merge": None, "merged": False, "closed_at": None}
    pull |= {"merged_at": None, "updated_at": issue["updated_at"], "comments": 0}
    pull["head"] |= {"ref": head, "label": f"{owner}:{head}", "sha": sha or pull["head"]["sha"]}
    pull["base"] |= {"ref": base, "label": f"{fake.repository.split('/')[0]}:{base}"}
    pull["base"]["repo"]["full_name"] = fake.repository
    if head_repository is None:
        pull["head"]["repo"] = None
    else:
        fork = head_repository.lower() not in ("", fake.repository.lower())
        pull["head"]["repo"] |= {"full_name": head_repository or fake.repository, "fork": fork}
    issue["html_url"] = page
    issue["node_id"] = pull["node_id"]
    issue["pull_request"] = {"url": pull["url"], "html_url": page, "diff_url": page, "patch_url": page}
    fake.pulls[number] = pull
    return fresh(fake, pull)


def fresh(fake: FakeGitHub, pull: dict[str, Any]) -> dict[str, Any]:
    """Bring a pull request up to its branches."""
    ours = pull["head"]["repo"] and pull["head"]["repo"]["full_name"] == fake.repository
    for side in ("head", "base") if ours and pull["state"] == "open" else ("base",):
        tip = fake.git.tip(pull[side]["ref"]) if fake.has_commits else None
        pull[side]["sha"] = tip or pull[side]["sha"]
    return pull


def branch_moved(fake: FakeGitHub, branch: str) -> None:
    """Close what GitHub closes: a pull request without its branch, or with nothing left to merge."""
    for pull in fake.pulls.values():
        ours = pull["head"]["repo"] and pull["head"]["repo"]["full_name"] == fake.repository
        if ours and pull["state"] == "open" and pull["head"]["ref"] == branch:
            tip = fake.git.tip(branch)
            if tip is None or tip == fake.git.tip(pull["base"]["ref"]):
                close(fake, pull)


def close(fake: FakeGitHub, pull: dict[str, Any]) -> None:
    fresh(fake, pull)
    for one in (pull, fake.issues[pull["number"]]):
        one |= {"state": "closed", "closed_at": fake.now()}


def _list(fake: FakeGitHub, asked: Asked) -> Answer:
    query = asked.request.query
    found = [
        fresh(fake, pull)
        for pull in reversed(fake.pulls.values())
        if query.get("state", "open") in (pull["state"], "all")
        and query.get("head", pull["head"]["label"]) in (pull["head"]["label"], pull["head"]["ref"])
        and query.get("base", pull["base"]["ref"]) == pull["base"]["ref"]
    ]
    return paged(fake, asked, found)


def _create(fake: FakeGitHub, asked: Asked) -> Answer:
    given = asked.body
    head, base = given["head"].split(":")[-1], given["base"]
    if asked.login == "github-actions[bot]" and not fake.actions_may_open_pulls:
        return refusal(403, "GitHub Actions is not permitted to create or approve pull requests.")
    tips = [fake.git.tip(branch) for branch in (head, base)]
    if None in tips:
        return refusal(422, f"Validation Failed: {'head' if tips[0] is None else 'base'} is invalid")
    if tips[0] == tips[1]:
        return refusal(422, f"Validation Failed: No commits between {base} and {head}")
    label = f"{fake.repository.split('/')[0]}:{head}"
    if any(one["state"] == "open" and one["head"]["label"] == label for one in fake.pulls.values()):
        return refusal(422, f"Validation Failed: A pull request already exists for {label}.")
    said = {"title": given["title"], "body": given.get("body") or "", "draft": given.get("draft", False)}
    return Answer(201, open_pull(fake, head=head, base=base, login=asked.login, **said))


def _pull(fake: FakeGitHub, asked: Asked) -> Answer:
    found = fake.pulls.get(asked.number)
    return Answer(200, fresh(fake, found)) if found else not_found()


def _update(fake: FakeGitHub, asked: Asked) -> Answer:
    pull = fake.pulls.get(asked.number)
    if pull is None:
        return not_found()
    if asked.body.get("state") == "closed" and pull["state"] == "open":
        close(fake, pull)
    if asked.body.get("state") == "open" and pull["state"] == "closed" and not fake.git.tip(pull["head"]["ref"]):
        return refusal(422, "Validation Failed: state cannot be changed. The branch was deleted.")
    changes: dict[str, Any] = {name: to for name, to in asked.body.items() if name in ("title", "body", "state")}
    pull |= {**changes, "updated_at": fake.now()}
    if "base" in asked.body:
        pull["base"]["ref"] = asked.body["base"]
    fake.issues[asked.number] |= changes
    return Answer(200, fresh(fake, pull))


def _review(fake: FakeGitHub, asked: Asked) -> Answer:
    pull = fake.pulls.get(asked.number)
    if pull is None:
        return not_found()
    wanted = asked.body.get("reviewers", [])
    if pull["user"]["login"] in wanted:
        return refusal(422, "Review cannot be requested from pull request author.")
    if any(login not in fake.permissions for login in wanted):
        return refusal(422, "Reviews may only be requested from collaborators. One or more of the users is not.")
    known = [one["login"] for one in pull["requested_reviewers"]]
    pull["requested_reviewers"] = [talk.person(login) for login in dict.fromkeys([*known, *wanted])]
    like = api_description.example("team-items")[0]
    pull["requested_teams"] += [
        {"type": "organization", **like, "slug": slug} for slug in asked.body.get("team_reviewers", [])
    ]
    return Answer(201, fresh(fake, pull))


def _of_commit(fake: FakeGitHub, asked: Asked) -> Answer:
    sha = asked.arguments["commit_sha"]
    # Those of forks too, as far as GitHub knows the commit.
    ours = [pull for pull in fake.pulls.values() if fresh(fake, pull)["head"]["sha"] == sha]
    return paged(fake, asked, ours)


def _repository(fake: FakeGitHub, _asked: Asked) -> Answer:
    whole = api_description.example("full-repository-default-response")
    owner, name = fake.repository.split("/")
    whole |= {"full_name": fake.repository, "name": name, "default_branch": fake.default_branch}
    whole["owner"]["login"] = owner
    for inner in (whole, whole["source"], whole["parent"], whole["template_repository"]):
        inner["language"] = None  # which the example lacks, and the description demands
    return Answer(200, {**whole, "node_id": "R_1", "allow_auto_merge": fake.allow_auto_merge})


def _permission(fake: FakeGitHub, asked: Asked) -> Answer:
    login = asked.arguments["username"]
    if login not in fake.permissions:
        return refusal(404, f"{login} is not a user")
    name = "repository-collaborator-permission-response-if-user-has-admin-permissions"
    role = fake.permissions[login]
    # GitHub's `permission` knows no maintain and no triage: they are write and read; `role_name` tells them apart.
    legacy = {"maintain": "write", "triage": "read"}.get(role, role)
    answer = {**api_description.example(name), "permission": legacy, "role_name": role, "user": None}
    return Answer(200, answer)  # without the example's user, who lacks what the description demands


_READ, _WRITE = "pull_requests=read", "pull_requests=write"
ROUTES: Final[Mapping[tuple[str, str], Route]] = {
    ("GET", _PULLS): Route(_list, _READ),
    ("POST", _PULLS): Route(_create, _WRITE),
    ("GET", _PULL): Route(_pull, _READ),
    ("PATCH", _PULL): Route(_update, _WRITE),
    ("POST", f"{_PULL}/requested_reviewers"): Route(_review, _WRITE),
    ("GET", _OF_COMMIT): Route(_of_commit, _READ),
    ("GET", _REPOSITORY): Route(_repository, "metadata=read"),
    ("GET", _PERMISSION): Route(_permission, "metadata=read"),
}
