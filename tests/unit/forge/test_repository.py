"""What is asked of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ForgeError
from tests.support.forge import TOKEN
from tests.support.github import Answer, Trouble, refusal

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


def test_a_pull_request_is_as_github_says(fake: FakeGitHub, repository: Repository) -> None:
    fake.open_pull(number=7, sha="a" * 40, head="topic", labels=["bug", "accept-regression"])
    pull = repository.pull(7)
    assert (pull.number, pull.head, pull.branch, pull.base_ref, pull.is_open) == (7, "a" * 40, "topic", "main", True)
    assert pull.labels == {"bug", "accept-regression"}
    assert pull.repository == fake.repository
    fake.pulls[7]["state"] = "closed"
    assert not repository.pull(7).is_open
    with pytest.raises(ForgeError):
        repository.pull(8)


@pytest.mark.parametrize(("fork", "named"), [("mallory/Hello-World", "mallory/Hello-World"), (None, "")])
def test_a_pull_requests_head_may_lie_elsewhere_or_nowhere(
    fake: FakeGitHub, repository: Repository, fork: str | None, named: str
) -> None:
    fake.open_pull(number=7, sha="a" * 40, head_repository=fork)
    assert repository.pull(7).repository == named


def test_an_answer_that_is_no_pull_request_is_an_error(fake: FakeGitHub, repository: Repository) -> None:
    fake.troubles.append(Trouble("GET", Answer(200, {"state": "open"})))
    with pytest.raises(ForgeError, match="how pull request 7 stands"):
        repository.pull(7)


def test_when_a_branch_was_pushed_to_is_githubs_word(fake: FakeGitHub, repository: Repository) -> None:
    assert repository.pushed("topic") is None
    first = fake.push("main", {"a": b"1"})
    fake.clock = lambda: 1_700_000_000.0
    sha = fake.push("topic", {"a": b"2"}, parent=first)
    fake.push_to_fork("mallory/Hello-World", "topic", "b" * 40)
    assert repository.pushed("topic") == (sha, "2023-11-14T22:13:20Z")


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
