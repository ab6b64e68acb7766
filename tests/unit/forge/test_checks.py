"""The check run of a commit, and its status."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runner.errors import ForgeError, Location
from runner.forge.checks import LIMIT, Checks
from runner.forge.protocol import RUNNING, Annotation
from runner.forge.statuses import Statuses
from tests.support.forge import HEAD, TOKEN, job, standing

if TYPE_CHECKING:
    from runner.forge.repository import Repository
    from tests.support.github import FakeGitHub


@pytest.fixture
def checks(repository: Repository) -> Checks:
    return Checks(repository, job())


@pytest.fixture
def statuses(repository: Repository) -> Statuses:
    return Statuses(repository, job())


def rows(count: int) -> list[Annotation]:
    return [
        Annotation(level="error", message=f"m{n}", where=Location("retrain.yaml", n + 1, 3), title="t")
        for n in range(count)
    ]


def test_a_check_is_begun_changed_and_ended_in_one_place(fake: FakeGitHub, checks: Checks) -> None:
    address = checks.tell(standing("stages are run", RUNNING))
    (run,) = fake.check_runs
    assert (run["status"], run["conclusion"], run["head_sha"]) == ("in_progress", None, HEAD)
    assert (run["name"], run["details_url"]) == ("retrain", job().url)
    assert checks.tell(standing("one is left", RUNNING)) == address
    assert (run["status"], run["output"]["summary"]) == ("in_progress", "one is left")
    assert checks.tell(standing("all held")) == address == run["html_url"]
    assert (run["status"], run["conclusion"], run["output"]["summary"]) == ("completed", "success", "all held")
    assert len(fake.check_runs) == 1


@pytest.mark.parametrize(
    ("verdict", "code", "conclusion", "state"),
    [
        ("passed", 0, "success", "success"),
        ("warned", 0, "neutral", "success"),
        ("accepted", 0, "neutral", "success"),
        ("ungated", 0, "neutral", "success"),
        ("failed", 1, "failure", "failure"),
        ("failed", 0, "failure", "failure"),
        ("unmeasured", 1, "failure", "failure"),
        ("unmeasured", 0, "failure", "failure"),
        ("error", 3, "failure", "error"),
        ("error", 0, "failure", "error"),
        ("error", 70, "failure", "error"),
        ("error", 130, "cancelled", "error"),
        ("error", 143, "cancelled", "error"),
        ("passed", 2, "failure", "error"),
        ("ungated", 10, "failure", "error"),
        ("what nobody knows yet", 0, "failure", "error"),
    ],
)
def test_nothing_is_green_but_what_held(  # noqa: PLR0913, PLR0917 - a row of the table
    fake: FakeGitHub, checks: Checks, statuses: Statuses, verdict: str, code: int, conclusion: str, state: str
) -> None:
    checks.tell(standing("x", verdict, code))
    statuses.set(standing("x", verdict, code))
    assert fake.check_runs[0]["conclusion"] == conclusion
    assert fake.statuses[0]["state"] == state


@pytest.mark.parametrize("count", [0, 1, 50, 51, 120])
def test_every_annotation_is_there_when_the_check_is_ended(fake: FakeGitHub, checks: Checks, count: int) -> None:
    checks.tell(standing("x", "failed", 1, rows(count)))
    (run,) = fake.check_runs
    assert [one["message"] for one in fake.annotations[run["id"]]] == [f"m{n}" for n in range(count)]
    assert run["conclusion"] == "failure"
    assert [request.body.get("conclusion") for request in fake.sent("PATCH")][:-1] == [None] * max(0, (count - 1) // 50)


def test_an_annotation_without_a_line_stands_at_the_first_and_one_without_a_file_is_left_to_the_summary(
    fake: FakeGitHub, checks: Checks
) -> None:
    strange = [
        Annotation(level="error", message="nowhere"),
        Annotation(level="notice", message="x" * 100_000, where=Location("train.py"), title="y" * 300),
    ]
    checks.tell(standing("x", "failed", 1, strange))
    (row,) = fake.annotations[fake.check_runs[0]["id"]]
    assert (row["path"], row["start_line"], row["end_line"], row["annotation_level"]) == ("train.py", 1, 1, "notice")
    assert len(row["message"].encode()) < 64 << 10
    assert len(row["title"]) == 255


def test_a_check_gives_the_report_the_room_that_github_gives_a_check(fake: FakeGitHub, checks: Checks) -> None:
    asked: list[int] = []

    def render(budget: int) -> str:
        asked.append(budget)
        return "x" * budget

    checks.tell(replace(standing(), render=render))
    assert asked == [LIMIT]
    assert len(fake.check_runs[0]["output"]["summary"]) == LIMIT


@pytest.mark.parametrize(("surface", "line"), [("checks", "checks: write"), ("statuses", "statuses: write")])
def test_the_permission_that_is_missing_is_named(
    fake: FakeGitHub, checks: Checks, statuses: Statuses, surface: str, line: str
) -> None:
    fake.token(TOKEN, permissions={"contents": "read", "pull-requests": "write"})
    tell = checks.tell if surface == "checks" else statuses.set
    with pytest.raises(ForgeError) as caught:
        tell(standing("x", RUNNING))
    assert f"add `{line}`" in caught.value.hint


def test_a_personal_token_is_told_that_it_can_make_no_check(fake: FakeGitHub, checks: Checks) -> None:
    fake.token(TOKEN, "octocat")
    with pytest.raises(ForgeError) as caught:
        checks.tell(standing("x", RUNNING))
    assert "commit-status" in caught.value.hint
    assert checks.tell(standing("y", RUNNING)) == ""
    assert len(fake.sent("POST")) == 1


def test_a_check_that_could_not_be_begun_is_still_ended(fake: FakeGitHub, checks: Checks) -> None:
    fake.token(TOKEN, permissions={})
    with pytest.raises(ForgeError):
        checks.tell(standing("x", RUNNING))
    fake.token(TOKEN)
    checks.tell(standing("x", "failed", 1))
    assert [run["conclusion"] for run in fake.check_runs] == ["failure"]


def test_a_status_is_pending_then_what_became_of_the_run(fake: FakeGitHub, statuses: Statuses) -> None:
    statuses.set(standing("x", RUNNING))
    statuses.set(standing("x", "failed", 1))
    assert [(row["state"], row["context"]) for row in fake.statuses] == [("failure", "retrain"), ("pending", "retrain")]
    assert fake.statuses[0]["target_url"] == job().url
    assert HEAD in fake.statuses[0]["url"]


def test_a_status_has_the_first_140_characters(fake: FakeGitHub, repository: Repository) -> None:
    long = standing("x", "w" * 200)
    Statuses(repository, job()).set(long)
    assert len(fake.statuses[0]["description"]) == 140
    assert fake.statuses[0]["description"].endswith("…")
