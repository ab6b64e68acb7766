"""Check runs with their annotations, and commit statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.support import api_description
from tests.support.github import talk
from tests.support.github.answers import Answer, Asked, Route, not_found, paged, refusal
from tests.support.github.bare import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.github.fake import FakeGitHub

_REPOSITORY = "/repos/{owner}/{repo}"
_RUNS = f"{_REPOSITORY}/check-runs"
_RUN = f"{_RUNS}/{{check_run_id}}"
_OF_COMMIT = f"{_REPOSITORY}/commits/{{ref}}"
_DESCRIPTION_LIMIT = 140


def known(fake: FakeGitHub, sha: str) -> bool:
    """Tell whether there is such a commit; in a repository that has none yet, any but forty zeros."""
    return fake.git.resolve(sha) is not None if fake.has_commits else sha != NOTHING


def _create(fake: FakeGitHub, asked: Asked) -> Answer:
    if not asked.login.endswith("[bot]"):
        return refusal(403, "You must authenticate via a GitHub App.")
    if not known(fake, asked.body["head_sha"]):
        return refusal(422, f"No commit found for SHA: {asked.body['head_sha']}")
    identity = fake.identity()
    run: dict[str, Any] = api_description.example("check-run")
    run |= {"id": identity, "node_id": f"CR_{identity}", "external_id": "", "details_url": "", "pull_requests": []}
    run |= {"url": f"{fake.url}/repos/{fake.repository}/check-runs/{identity}", "status": "queued", "conclusion": None}
    run |= {"html_url": f"https://github.com/{fake.repository}/runs/{identity}", "completed_at": None}
    run |= {"started_at": fake.now()}
    run["output"] = {
        "title": None,
        "summary": None,
        "text": None,
        "annotations_count": 0,
        "annotations_url": run["url"],
    }
    fake.check_runs.append(run)
    return Answer(201, _changed(fake, run, asked.body))


def _update(fake: FakeGitHub, asked: Asked) -> Answer:
    run = next((one for one in fake.check_runs if str(one["id"]) == asked.arguments["check_run_id"]), None)
    return Answer(200, _changed(fake, run, asked.body)) if run else not_found()


def _changed(fake: FakeGitHub, run: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Take in what a request says: annotations are added to those there, everything else replaces."""
    output = dict(given.get("output", {}))
    fake.annotations[run["id"]] += output.pop("annotations", [])
    output.pop("images", None)
    run["output"] |= {**output, "annotations_count": len(fake.annotations[run["id"]])}
    run |= {name: to for name, to in given.items() if name not in ("output", "actions")}
    if "conclusion" in given:
        run |= {"status": "completed", "completed_at": given.get("completed_at") or fake.now()}
    return run


def _of_commit(fake: FakeGitHub, asked: Asked) -> Answer:
    query, ref = asked.request.query, asked.arguments["ref"]
    sha = (fake.git.resolve(ref) if fake.has_commits else None) or ref
    found = [
        run
        for run in reversed(fake.check_runs)
        if run["head_sha"] == sha and query.get("check_name", run["name"]) == run["name"]
    ]
    return paged(fake, asked, found, "check_runs")


def _set_status(fake: FakeGitHub, asked: Asked) -> Answer:
    sha = asked.arguments["sha"]
    if not known(fake, sha):
        return refusal(422, f"No commit found for SHA: {sha}")
    if len(asked.body.get("description") or "") > _DESCRIPTION_LIMIT:
        return refusal(422, "Validation Failed: description is too long (maximum is 140 characters)")
    row: dict[str, Any] = api_description.example("status")
    row |= {"id": fake.identity(), "description": "", "target_url": "", "context": "default", **asked.body}
    row |= {"url": f"{fake.url}/repos/{fake.repository}/statuses/{sha}", "creator": talk.person(asked.login)}
    fake.statuses.insert(0, row)
    return Answer(201, row)


def _statuses(fake: FakeGitHub, asked: Asked) -> Answer:
    return paged(fake, asked, [row for row in fake.statuses if row["url"].endswith(asked.arguments["ref"])])


ROUTES: Final[Mapping[tuple[str, str], Route]] = {
    ("POST", _RUNS): Route(_create, "checks=write"),
    ("PATCH", _RUN): Route(_update, "checks=write"),
    ("GET", f"{_OF_COMMIT}/check-runs"): Route(_of_commit, "checks=read"),
    ("POST", f"{_REPOSITORY}/statuses/{{sha}}"): Route(_set_status, "statuses=write"),
    ("GET", f"{_OF_COMMIT}/statuses"): Route(_statuses, "statuses=read"),
}
