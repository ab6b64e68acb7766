"""GitHub's own example events (npm @octokit/webhooks-examples), and small changes to them."""

from __future__ import annotations

import copy
import functools
import json
from typing import Any

from tests.support.tools import require

_FILE = "tests/node_modules/@octokit/webhooks-examples/api.github.com/index.json"


@functools.cache
def _all() -> dict[str, list[dict[str, Any]]]:
    listed = json.loads(require(_FILE, "GitHub's own example events; npm ci --prefix tests").read_text())
    return {event["name"]: event["examples"] for event in listed}


def examples(name: str) -> list[dict[str, Any]]:
    """Give every example of an event, to be changed at will."""
    return copy.deepcopy(_all()[name])


def names() -> list[str]:
    return sorted(_all())


def pull_request(*, action: str = "synchronize", repository: str, number: int, head: str, base: str) -> dict[str, Any]:
    """Give GitHub's example of a pull request's event, moved to `repository` and its commits."""
    payload = next(example for example in examples("pull_request") if example["action"] == action)
    payload["number"] = payload["pull_request"]["number"] = number
    payload["pull_request"]["head"]["sha"] = head
    payload["pull_request"]["base"] |= {"sha": base, "ref": "main"}
    for place in (payload, payload["pull_request"]["head"], payload["pull_request"]["base"]):
        found = place.get("repo") or place["repository"]
        found["full_name"] = repository
    return payload


def comment(  # noqa: PLR0913  what a comment has, each by its name
    body: str, *, repository: str, number: int, identity: int, author: str, at: str
) -> dict[str, Any]:
    """Give GitHub's example of a new comment, moved to a pull request of `repository`."""
    payload = next(example for example in examples("issue_comment") if example["action"] == "created")
    payload["issue"] |= {"number": number, "pull_request": {"url": f"https://api.github.com/pulls/{number}"}}
    payload["comment"] |= {"id": identity, "body": body, "created_at": at}
    payload["comment"]["user"]["login"] = payload["sender"]["login"] = author
    payload["repository"]["full_name"] = repository
    return payload


def from_fork(payload: dict[str, Any], fork: str | None) -> dict[str, Any]:
    """Move the head of a pull request into another repository, or into one that was deleted."""
    moved = copy.deepcopy(payload)
    moved["pull_request"]["head"]["repo"] = {"full_name": fork, "fork": True} if fork else None
    return moved


def workflow_run(payload: dict[str, Any], *, run: int, repository: str, actor: str = "stranger") -> dict[str, Any]:
    """Give the event that follows the run of a pull request's event, in the repository that it was opened in."""
    follows = next(one for one in examples("workflow_run") if one["action"] == "completed")
    head = payload["pull_request"]["head"]
    follows["repository"]["full_name"] = repository
    follows["workflow_run"] |= {
        "id": run,
        "run_attempt": 1,
        "event": "pull_request",
        "html_url": f"https://github.com/{repository}/actions/runs/{run}",
        "head_sha": head["sha"],
        "head_branch": head["ref"],
        "head_repository": {"full_name": head["repo"]["full_name"]} if head["repo"] else None,
        "actor": {"login": actor},
        "pull_requests": [],
    }
    return follows
