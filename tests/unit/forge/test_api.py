"""Requests to GitHub: paced, tried again where that can do no harm, and refusals explained."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

import pytest
import requests

from runner.errors import Exit, ForgeError
from runner.forge.repository import Repository
from tests.support import forge
from tests.support.forge import TOKEN, mark
from tests.support.github import ACTIONS, DROPPED, Answer, FakeGitHub, Trouble, refusal, secondary_limit, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.forge import Say
    from tests.support.pace import Time

MARKER = mark()


def test_writes_are_a_second_apart(time: Time, say: Say) -> None:
    for body in ("one", "two", "three"):
        say(body)
    assert time.waits == [1.0, 1.0]


def test_a_missing_permission_is_named(fake: FakeGitHub, say: Say) -> None:
    fake.token(TOKEN, read_only=True)
    with pytest.raises(ForgeError) as caught:
        say("held")
    assert "add `pull-requests: write` under `permissions:`" in caught.value.hint
    assert caught.value.exit_code == Exit.FORGE
    assert len(fake.sent("POST")) == 1


@pytest.mark.parametrize(
    ("accepted", "named"),
    [("", "pull-requests: write"), ("issues=write", "issues: write"), ("contents=read,checks=write", "checks: write")],
)
def test_the_permission_named_is_the_one_github_wants(fake: FakeGitHub, say: Say, accepted: str, named: str) -> None:
    answer = refusal(403, "Resource not accessible by personal access token", X_Accepted_GitHub_Permissions=accepted)
    fake.troubles.append(Trouble("POST", answer))
    with pytest.raises(ForgeError) as caught:
        say("held")
    assert named in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "said", "advised"),
    [
        (refusal(401, "Bad credentials"), "401 Bad credentials", "github-token"),
        (refusal(404, "Not Found"), "404 Not Found", "permissions"),
        (refusal(403, "Unable to create comment because issue is locked."), "issue is locked", ""),
        (refusal(410, "Issues are disabled for this repo"), "410 Issues are disabled", ""),
        (Answer(418, b"<html>a proxy</html>"), "GitHub refused POST", ""),
        (Answer(201, b"<html>a proxy</html>"), "not what its API describes", "proxy"),
        (Answer(201, ["a list"]), "not what its API describes", ""),
    ],
)
def test_a_refusal_is_told_in_githubs_words_and_not_tried_again(
    fake: FakeGitHub, say: Say, answer: Answer, said: str, advised: str
) -> None:
    fake.troubles.append(Trouble("POST", answer, times=9))
    with pytest.raises(ForgeError) as caught:
        say("held")
    assert said in caught.value.message
    assert advised in caught.value.hint
    assert len(fake.sent("POST")) == 1


@pytest.mark.parametrize(
    ("limit", "waited"),
    [
        (secondary_limit(17), 17.0),
        (refusal(429, "Too many requests", Retry_After="3"), 3.0),
        (refusal(403, "API rate limit exceeded", X_RateLimit_Remaining="0", X_RateLimit_Reset="1000042"), 42.0),
    ],
)
def test_a_limit_is_waited_for_as_long_as_github_asks(
    fake: FakeGitHub, say: Say, time: Time, limit: Answer, waited: float
) -> None:
    fake.troubles.append(Trouble("POST", limit))
    say("held")
    assert time.waits == [waited]
    assert len(fake.bodies()) == 1


def test_a_limit_that_lasts_longer_than_the_run_should_is_reported_at_once(
    fake: FakeGitHub, say: Say, time: Time
) -> None:
    fake.troubles.append(Trouble("POST", secondary_limit(3600), times=9))
    with pytest.raises(ForgeError, match="secondary rate limit") as caught:
        say("held")
    assert "try again later" in caught.value.hint
    assert time.waits == []


def test_a_limit_that_never_ends_is_given_up(fake: FakeGitHub, say: Say, time: Time) -> None:
    fake.troubles.append(Trouble("POST", secondary_limit(1), times=99))
    with pytest.raises(ForgeError):
        say("held")
    assert len(fake.sent("POST")) == 5
    assert sum(time.waits) < 60


@pytest.mark.parametrize("status", [500, 502, 503])
def test_reading_and_changing_are_tried_again_after_a_server_error(fake: FakeGitHub, say: Say, status: int) -> None:
    fake.say(7, f"{MARKER}\nold", ACTIONS)
    fake.troubles += [Trouble(method, refusal(status, "oh"), times=2) for method in ("GET", "PATCH")]
    say("new")
    assert fake.bodies() == [f"{MARKER}\nnew"]
    assert (len(fake.sent("GET")), len(fake.sent("PATCH"))) == (3, 3)


def test_creating_is_not_tried_again_after_a_server_error_so_no_comment_appears_twice(
    fake: FakeGitHub, say: Say
) -> None:
    fake.troubles.append(Trouble("POST", refusal(502, "Bad Gateway"), done_all_the_same=True))
    with pytest.raises(ForgeError, match="502"):
        say("held")
    assert len(fake.bodies()) == 1


def test_a_host_that_does_not_answer_is_given_up_without_naming_the_token(time: Time) -> None:
    closed = Repository("http://127.0.0.1:1", "a/b", TOKEN, pace=time.pace())
    with pytest.raises(ForgeError, match="did not answer GET /repos/a/b/issues/7/comments: ConnectionError") as caught:
        forge.say(closed, "held")
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert len(time.waits) == 4


def test_the_token_is_in_a_header_and_nowhere_else(
    fake: FakeGitHub, repository: Repository, say: Say, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    os.environ["NETRC"] = str(netrc)
    try:
        say("held")
    finally:
        del os.environ["NETRC"]
    for request in fake.received:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in f"{request.path}{request.query}{request.body}"
    assert TOKEN not in repr(repository)


def test_a_list_that_goes_on_elsewhere_is_not_followed(fake: FakeGitHub, say: Say) -> None:
    elsewhere = Answer(200, [], {"Link": '<https://example.invalid/page2>; rel="next"'})
    fake.troubles.append(Trouble("GET", elsewhere))
    with pytest.raises(ForgeError, match="another address"):
        say("held")


def test_we_ask_who_we_are_also_on_an_enterprise_server(time: Time) -> None:
    with serving(FakeGitHub(), "/api/v3") as fake, requests.Session() as session:
        fake.token(TOKEN, "retrain-app[bot]")
        there = Repository(fake.url, fake.repository, TOKEN, session, time.pace())
        assert there.login == "retrain-app[bot]"
        forge.say(there, "held")
        assert fake.bodies("retrain-app[bot]") == [f"{MARKER}\nheld"]
        assert fake.received[0].path == "/api/graphql"


def test_what_did_not_change_is_read_once_and_costs_nothing_more(fake: FakeGitHub, repository: Repository) -> None:
    fake.open_pull(number=7, sha="a" * 40, labels=["bug"])
    fake.allowance = 2
    assert [repository.pull(7).labels for _ in range(3)] == [{"bug"}] * 3
    assert [request.headers.get("If-None-Match", "") != "" for request in fake.received] == [False, True, True]
    fake.open_pull(number=7, sha="b" * 40)
    assert repository.pull(7).head == "b" * 40
    assert fake.allowance == 0


def test_pages_that_did_not_change_are_given_again(fake: FakeGitHub, repository: Repository) -> None:
    for number in range(150):
        fake.say(7, f"talk {number}")
    path = repository.path("issues/7/comments")
    first = [comment["body"] for comment in repository.api.pages(path)]
    fake.comments[-1]["body"] = "changed"
    again = [comment["body"] for comment in repository.api.pages(path)]
    assert (len(first), again[:-1], again[-1]) == (150, first[:-1], "changed")
    assert len(fake.sent("GET")) == 4


def test_only_some_answers_are_kept(fake: FakeGitHub, repository: Repository) -> None:
    for number in range(1, 40):
        fake.open_pull(number=number, sha="a" * 40)
        repository.pull(number)
    assert len(repository.api._read_before) == 32


@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_that_says_nothing_of_its_end_is_waited_for_a_minute(
    fake: FakeGitHub, say: Say, time: Time, status: int
) -> None:
    fake.troubles.append(Trouble("POST", refusal(status, "You have exceeded a secondary rate limit")))
    say("held")
    assert time.waits == [60.0]


def test_a_server_in_trouble_is_waited_for_as_long_as_it_asks(
    fake: FakeGitHub, repository: Repository, time: Time
) -> None:
    fake.open_pull(number=7, sha="a" * 40)
    fake.troubles.append(Trouble("GET", refusal(503, "Unavailable", Retry_After="7")))
    assert repository.pull(7).number == 7
    assert time.waits == [7.0]


def test_a_server_that_asks_for_longer_than_a_run_should_wait_is_not_waited_for(
    fake: FakeGitHub, repository: Repository, time: Time
) -> None:
    fake.troubles.append(Trouble("GET", refusal(503, "Unavailable", Retry_After="3600")))
    with pytest.raises(ForgeError, match="503 Unavailable"):
        repository.pull(7)
    assert time.waits == []


def test_a_connection_that_ends_without_an_answer_is_tried_again_where_that_cannot_do_harm(
    fake: FakeGitHub, repository: Repository
) -> None:
    fake.open_pull(number=7, sha="a" * 40)
    fake.troubles += [Trouble("GET", DROPPED, times=2), Trouble("POST", DROPPED, done_all_the_same=True)]
    assert repository.pull(7).number == 7
    with pytest.raises(ForgeError, match="did not answer"):
        repository.reply(7, "once")
    assert fake.bodies() == ["once"]
