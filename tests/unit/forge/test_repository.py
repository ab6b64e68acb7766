"""What is asked of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ForgeError
from tests.support.forge import TOKEN
from tests.support.github import Trouble, refusal

if TYPE_CHECKING:
    from runner.forge.repository import Repository
    from tests.support.github import FakeGitHub


def test_an_answer_without_a_viewer_is_an_error(fake: FakeGitHub, repository: Repository) -> None:
    fake.tokens[TOKEN] = None  # type: ignore[assignment]  # what GraphQL says of a token that is no user's
    with pytest.raises(ForgeError, match="whose the token is"):
        _ = repository.login


def test_the_merge_base_comes_from_the_compare_api_and_names_may_hold_slashes(
    fake: FakeGitHub, repository: Repository
) -> None:
    fake.merge_bases["main...feature/x"] = "a" * 40
    assert repository.merge_base("main", "feature/x") == "a" * 40
    assert repository.merge_base("main", "unknown") is None


def test_a_merge_base_that_cannot_be_read_is_an_error_and_not_an_absence(
    fake: FakeGitHub, repository: Repository
) -> None:
    fake.troubles.append(Trouble("GET", refusal(403, "Resource not accessible by integration")))
    with pytest.raises(ForgeError):
        repository.merge_base("main", "x")


@pytest.mark.parametrize(
    ("permission", "may"), [("admin", True), ("write", True), ("read", False), ("none", False), ("", False)]
)
def test_who_may_write_is_asked_of_github(
    permission: str, fake: FakeGitHub, repository: Repository, *, may: bool
) -> None:
    if permission:
        fake.permissions["octocat"] = permission
    assert repository.may_write("octocat") == may


def test_a_pull_request_stands_with_its_head_and_its_labels(fake: FakeGitHub, repository: Repository) -> None:
    fake.open_pull(number=7, sha="a" * 40, labels=["bug", "accept-regression"])
    assert repository.standing(7) == ("a" * 40, frozenset({"bug", "accept-regression"}))
    with pytest.raises(ForgeError):
        repository.standing(8)


def test_the_last_successes_are_those_of_the_branch_and_not_of_a_fork_that_calls_its_own_so(
    fake: FakeGitHub, repository: Repository
) -> None:
    like = {"workflow": "ci.yml", "head_branch": "main", "event": "push", "conclusion": "success"}
    for sha, change in {
        "1": {"event": "pull_request"},
        "2": {"conclusion": "failure"},
        "3": {"head_branch": "other"},
        "4": {"workflow": "nightly.yml"},
        "5": {},
        "6": {"event": "schedule"},
    }.items():
        fake.runs.append({**like, **change, "head_sha": sha * 40})
    assert repository.successes("ci.yml", "main") == ["5" * 40, "6" * 40]
