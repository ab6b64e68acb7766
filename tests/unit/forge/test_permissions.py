"""What a token may not do is found out by requests that make nothing, and named as the workflow has to name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.forge import permissions
from tests.support.forge import TOKEN
from tests.support.github import DROPPED, Trouble, refusal, secondary_limit

if TYPE_CHECKING:
    from runner.forge.permissions import Lack
    from runner.forge.repository import Repository
    from tests.support.github import Answer, FakeGitHub
    from tests.support.pace import Time


def lacks(repository: Repository) -> list[Lack]:
    return list(permissions.lacks(repository, [permissions.comment(7)]))


NEEDS = {
    "comment": permissions.comment(7),
    "commit": permissions.branch(),
    "pull request": permissions.pull_request(),
    "issue": permissions.issue(),
}


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("need", NEEDS.values(), ids=NEEDS)
@pytest.mark.parametrize(
    ("granted", "lacking"),
    [
        ({"contents": "write", "pull-requests": "write", "issues": "write"}, []),
        ({"contents": "read"}, [NEEDS["comment"], NEEDS["commit"], NEEDS["pull request"], NEEDS["issue"]]),
        ({"contents": "write"}, [NEEDS["comment"], NEEDS["pull request"], NEEDS["issue"]]),
        ({"pull-requests": "write"}, [NEEDS["commit"], NEEDS["issue"]]),
        ({"issues": "write"}, [NEEDS["commit"], NEEDS["pull request"]]),
    ],
)
def test_each_need_is_one_request_that_changes_nothing(  # noqa: PLR0913  fixtures and a row
    fake: FakeGitHub,
    repository: Repository,
    need: permissions.Need,
    granted: dict[str, str],
    lacking: list[permissions.Need],
    *,
    before: bool,
) -> None:
    if before:
        fake.push("main", {"a": b""})
    refs = fake.git.refs()
    fake.token(TOKEN, permissions=granted)
    assert [lack.what for lack in permissions.lacks(repository, [need])] == [need.what] * (need in lacking)
    assert len(fake.received) == 1
    assert (fake.git.refs(), fake.comments, fake.pulls, fake.issues) == (refs, [], {}, {})


@pytest.mark.parametrize("granted", [{"pull-requests": "write"}, {"issues": "write"}, None])
def test_a_token_that_may_lacks_nothing_and_nothing_is_made(
    fake: FakeGitHub, repository: Repository, granted: dict[str, str] | None
) -> None:
    fake.token(TOKEN, permissions=granted)
    assert lacks(repository) == []
    assert [request.method for request in fake.received] == ["POST"]
    assert fake.comments == []


def test_what_is_missing_is_named_by_its_line(fake: FakeGitHub, repository: Repository) -> None:
    fake.token(TOKEN, permissions={"contents": "read", "pull-requests": "read"})
    (lack,) = lacks(repository)
    assert lack.what == "the comment"
    assert "add `pull-requests: write` under `permissions:`" in lack.why


def test_a_locked_conversation_is_found_out_too(fake: FakeGitHub, repository: Repository) -> None:
    fake.open_pull(number=7, sha="a" * 40)
    fake.issues[7]["locked"] = True
    (lack,) = lacks(repository)
    assert "issue is locked" in lack.why


def test_a_wrong_token_is_found_out_too(fake: FakeGitHub, repository: Repository) -> None:
    fake.tokens.clear()
    (lack,) = lacks(repository)
    assert "check the input github-token" in lack.why


@pytest.mark.parametrize(
    "answer", [refusal(502, "Bad Gateway"), refusal(404, "Not Found"), secondary_limit(3600), DROPPED]
)
def test_trouble_of_another_kind_is_no_missing_permission(
    fake: FakeGitHub, repository: Repository, answer: Answer
) -> None:
    fake.troubles.append(Trouble("POST", answer, times=9))
    assert lacks(repository) == []


def test_no_write_waits_for_having_asked(fake: FakeGitHub, repository: Repository, time: Time) -> None:
    lacks(repository)
    repository.reply(7, "held")
    assert time.waits == []
    assert fake.bodies() == ["held"]
