"""The comment, the merge base and the step's files, against a GitHub that remembers and refuses."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Exit, ForgeError
from runner.forge.api import Pace
from runner.forge.github import (
    COMMENT_LIMIT,
    SUMMARY_LIMIT,
    GitHub,
    append_summary,
    hidden_marker,
    write_outputs,
)
from tests.support.github import ACTIONS, Answer, FakeGitHub, Trouble, refusal, secondary_limit, serving
from tests.support.outputs import parse_outputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "ghs_notARealTokenButLongEnough"  # noqa: S105
MARKER = hidden_marker("retrain.yaml")


@dataclass
class Time:
    """Time that passes only when somebody waits."""

    now: float = 1_000_000.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if seconds:
            self.waits.append(seconds)

    def pace(self) -> Pace:
        return Pace(lambda: self.now, self.sleep)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with serving(FakeGitHub()) as running:
        running.token(TOKEN)
        yield running


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def github(fake: FakeGitHub, time: Time) -> Iterator[GitHub]:
    with requests.Session() as session:
        yield GitHub(fake.url, fake.repository, TOKEN, session, time.pace())


def test_the_first_report_is_a_new_comment(fake: FakeGitHub, github: GitHub) -> None:
    address = github.upsert_comment(7, MARKER, "held")
    assert fake.bodies() == [f"{MARKER}\nheld"]
    assert address == fake.comments[0]["html_url"]


def test_the_next_report_replaces_it_in_place(fake: FakeGitHub, github: GitHub) -> None:
    first = github.upsert_comment(7, MARKER, "held")
    assert github.upsert_comment(7, MARKER, "failed") == first
    assert fake.bodies() == [f"{MARKER}\nfailed"]


@pytest.mark.parametrize("body", ["held", "held\n\n", "held\r\nlines"])
def test_the_same_report_again_writes_nothing(fake: FakeGitHub, github: GitHub, body: str) -> None:
    first = github.upsert_comment(7, MARKER, body)
    assert github.upsert_comment(7, MARKER, body) == first
    assert (len(fake.sent("POST")), fake.sent("PATCH")) == (1, [])


def test_our_comment_is_found_on_the_last_of_many_pages(fake: FakeGitHub, github: GitHub) -> None:
    for number in range(250):
        fake.say(7, f"talk {number}")
    fake.say(7, f"{MARKER}\nold", ACTIONS)
    github.upsert_comment(7, MARKER, "new")
    assert fake.bodies() == [f"{MARKER}\nnew"]
    assert len(fake.sent("GET")) == 3


@pytest.mark.parametrize(
    ("login", "body"),
    [
        ("mallory", f"{MARKER}\nall is well"),
        (ACTIONS, f"quoting {MARKER}"),
        (ACTIONS, f"first line\n{MARKER}\n"),
        (ACTIONS, f"{hidden_marker('other')}\nheld"),
    ],
)
def test_a_comment_with_our_marker_but_not_ours_is_left_alone(
    fake: FakeGitHub, github: GitHub, login: str, body: str
) -> None:
    theirs = fake.say(7, body, login)
    github.upsert_comment(7, MARKER, "held")
    assert theirs["body"] == body.rstrip()
    assert fake.comments[-1]["body"] == f"{MARKER}\nheld"


def test_a_comment_of_an_unknown_author_is_left_alone(fake: FakeGitHub, github: GitHub) -> None:
    fake.say(7, f"{MARKER}\nx", ACTIONS)["user"] = None
    github.upsert_comment(7, MARKER, "held")
    assert fake.comments[0]["body"] == f"{MARKER}\nx"


def test_mode_new_always_adds_and_off_never_asks(fake: FakeGitHub, github: GitHub) -> None:
    assert github.upsert_comment(7, MARKER, "held", "off") == ""
    assert fake.received == []
    for _ in range(2):
        github.upsert_comment(7, MARKER, "held", "new")
    assert len(fake.bodies()) == 2


def test_writes_are_a_second_apart(time: Time, github: GitHub) -> None:
    for body in ("one", "two", "three"):
        github.upsert_comment(7, MARKER, body)
    assert time.waits == [1.0, 1.0]


def test_a_report_larger_than_github_takes_is_refused_before_it_is_sent(fake: FakeGitHub, github: GitHub) -> None:
    room = COMMENT_LIMIT - len(MARKER) - 1
    github.upsert_comment(7, MARKER, "x" * room)
    with pytest.raises(ForgeError, match="65,537 characters"):
        github.upsert_comment(7, MARKER, "x" * (room + 1))
    assert len(fake.sent("POST")) == 1


def test_a_missing_permission_is_named(fake: FakeGitHub, github: GitHub) -> None:
    fake.token(TOKEN, read_only=True)
    with pytest.raises(ForgeError) as caught:
        github.upsert_comment(7, MARKER, "held")
    assert "add `pull-requests: write` under `permissions:`" in caught.value.hint
    assert caught.value.exit_code == Exit.FORGE
    assert len(fake.sent("POST")) == 1


@pytest.mark.parametrize(
    ("accepted", "named"),
    [("", "pull-requests: write"), ("issues=write", "issues: write"), ("contents=read,checks=write", "checks: write")],
)
def test_the_permission_named_is_the_one_github_wants(
    fake: FakeGitHub, github: GitHub, accepted: str, named: str
) -> None:
    answer = refusal(403, "Resource not accessible by personal access token", X_Accepted_GitHub_Permissions=accepted)
    fake.troubles.append(Trouble("POST", answer))
    with pytest.raises(ForgeError) as caught:
        github.upsert_comment(7, MARKER, "held")
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
    fake: FakeGitHub, github: GitHub, answer: Answer, said: str, advised: str
) -> None:
    fake.troubles.append(Trouble("POST", answer, times=9))
    with pytest.raises(ForgeError) as caught:
        github.upsert_comment(7, MARKER, "held")
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
    fake: FakeGitHub, github: GitHub, time: Time, limit: Answer, waited: float
) -> None:
    fake.troubles.append(Trouble("POST", limit))
    github.upsert_comment(7, MARKER, "held")
    assert time.waits == [waited]
    assert len(fake.bodies()) == 1


def test_a_limit_that_lasts_longer_than_the_run_should_is_reported_at_once(
    fake: FakeGitHub, github: GitHub, time: Time
) -> None:
    fake.troubles.append(Trouble("POST", secondary_limit(3600), times=9))
    with pytest.raises(ForgeError, match="secondary rate limit") as caught:
        github.upsert_comment(7, MARKER, "held")
    assert "try again later" in caught.value.hint
    assert time.waits == []


def test_a_limit_that_never_ends_is_given_up(fake: FakeGitHub, github: GitHub, time: Time) -> None:
    fake.troubles.append(Trouble("POST", secondary_limit(1), times=99))
    with pytest.raises(ForgeError):
        github.upsert_comment(7, MARKER, "held")
    assert len(fake.sent("POST")) == 5
    assert sum(time.waits) < 60


@pytest.mark.parametrize("status", [500, 502, 503])
def test_reading_and_changing_are_tried_again_after_a_server_error(
    fake: FakeGitHub, github: GitHub, status: int
) -> None:
    fake.say(7, f"{MARKER}\nold", ACTIONS)
    fake.troubles += [Trouble(method, refusal(status, "oh"), times=2) for method in ("GET", "PATCH")]
    github.upsert_comment(7, MARKER, "new")
    assert fake.bodies() == [f"{MARKER}\nnew"]
    assert (len(fake.sent("GET")), len(fake.sent("PATCH"))) == (3, 3)


def test_creating_is_not_tried_again_after_a_server_error_so_no_comment_appears_twice(
    fake: FakeGitHub, github: GitHub
) -> None:
    fake.troubles.append(Trouble("POST", refusal(502, "Bad Gateway"), done_all_the_same=True))
    with pytest.raises(ForgeError, match="502"):
        github.upsert_comment(7, MARKER, "held")
    assert len(fake.bodies()) == 1


def test_a_host_that_does_not_answer_is_given_up_without_naming_the_token(time: Time) -> None:
    github = GitHub("http://127.0.0.1:1", "a/b", TOKEN, pace=time.pace())
    with pytest.raises(ForgeError, match="did not answer POST /graphql: ConnectionError") as caught:
        github.upsert_comment(7, MARKER, "held")
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert len(time.waits) == 4


def test_the_token_is_in_a_header_and_nowhere_else(fake: FakeGitHub, github: GitHub, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    os.environ["NETRC"] = str(netrc)
    try:
        github.upsert_comment(7, MARKER, "held")
    finally:
        del os.environ["NETRC"]
    for request in fake.received:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in f"{request.path}{request.query}{request.body}"
    assert TOKEN not in repr(github)


def test_a_list_that_goes_on_elsewhere_is_not_followed(fake: FakeGitHub, github: GitHub) -> None:
    elsewhere = Answer(200, [], {"Link": '<https://example.invalid/page2>; rel="next"'})
    fake.troubles.append(Trouble("GET", elsewhere))
    with pytest.raises(ForgeError, match="another address"):
        github.upsert_comment(7, MARKER, "held")


def test_we_ask_who_we_are_also_on_an_enterprise_server(time: Time) -> None:
    with serving(FakeGitHub(), "/api/v3") as fake, requests.Session() as session:
        fake.token(TOKEN, "retrain-app[bot]")
        github = GitHub(fake.url, fake.repository, TOKEN, session, time.pace())
        assert github.whoami() == "retrain-app[bot]"
        github.upsert_comment(7, MARKER, "held")
        assert fake.bodies("retrain-app[bot]") == [f"{MARKER}\nheld"]
        assert fake.received[0].path == "/api/graphql"


def test_an_answer_without_a_viewer_is_an_error(fake: FakeGitHub, github: GitHub) -> None:
    fake.tokens[TOKEN] = None  # type: ignore[assignment]  # what GraphQL says of a token that is no user's
    with pytest.raises(ForgeError, match="whose the token is"):
        github.whoami()


def test_the_merge_base_comes_from_the_compare_api_and_names_may_hold_slashes(fake: FakeGitHub, github: GitHub) -> None:
    fake.merge_bases["main...feature/x"] = "a" * 40
    assert github.merge_base("main", "feature/x") == "a" * 40
    assert github.merge_base("main", "unknown") is None


def test_a_merge_base_that_cannot_be_read_is_an_error_and_not_an_absence(fake: FakeGitHub, github: GitHub) -> None:
    fake.troubles.append(Trouble("GET", refusal(403, "Resource not accessible by integration")))
    with pytest.raises(ForgeError):
        github.merge_base("main", "x")


@pytest.mark.parametrize(
    ("permission", "may"), [("admin", True), ("write", True), ("read", False), ("none", False), ("", False)]
)
def test_who_may_write_is_asked_of_github(permission: str, fake: FakeGitHub, github: GitHub, *, may: bool) -> None:
    if permission:
        fake.permissions["octocat"] = permission
    assert github.may_write("octocat") == may


def test_a_pull_request_stands_with_its_head_and_its_labels(fake: FakeGitHub, github: GitHub) -> None:
    fake.open_pull(number=7, sha="a" * 40, labels=["bug", "accept-regression"])
    assert github.standing(7) == ("a" * 40, frozenset({"bug", "accept-regression"}))
    with pytest.raises(ForgeError):
        github.standing(8)


def test_the_last_successes_are_those_of_the_branch_and_not_of_a_fork_that_calls_its_own_so(
    fake: FakeGitHub, github: GitHub
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
    assert github.successes("ci.yml", "main") == ["5" * 40, "6" * 40]


@pytest.mark.parametrize("project", ["retrain.yaml", "a/b.yaml", "--> <script>", "-- x --", ""])
def test_a_marker_is_one_hidden_line_whatever_the_project_is_called(project: str) -> None:
    marker = hidden_marker(project)
    assert marker.startswith("<!-- retrain:")
    assert marker.endswith(" -->")
    assert marker.count("--") == 2
    assert len(marker.splitlines()) == 1


@given(st.dictionaries(st.from_regex(r"[a-z][a-z-]{0,8}", fullmatch=True), st.text(alphabet="ab=<\n\r:_"), max_size=4))
def test_outputs_come_back_as_they_were_given(
    tmp_path_factory: pytest.TempPathFactory, outputs: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("outputs") / "file"
    write_outputs(path, outputs)
    assert parse_outputs(path) == outputs


def test_outputs_are_added_to_those_of_others(tmp_path: Path) -> None:
    path = tmp_path / "outputs"
    path.write_text("theirs=1\n")
    write_outputs(path, {"verdict": "passed", "stale-stages": "a\nb"})
    assert parse_outputs(path) == {"theirs": "1", "verdict": "passed", "stale-stages": "a\nb"}


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\n", "1"])
def test_a_name_that_would_break_the_file_of_outputs_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name for an output"):
        write_outputs(tmp_path / "outputs", {"verdict": "x", name: "y"})
    assert not (tmp_path / "outputs").exists()


def test_a_summary_is_added_up_to_what_github_shows(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    append_summary(path, "# one\n")
    append_summary(path, "x" * (SUMMARY_LIMIT - 7))
    assert path.stat().st_size == SUMMARY_LIMIT
    with pytest.raises(ForgeError, match="1,048,578 bytes"):
        append_summary(path, "y")
    assert path.stat().st_size == SUMMARY_LIMIT


def test_files_that_cannot_be_written_are_the_forges_error(tmp_path: Path) -> None:
    with pytest.raises(ForgeError, match="Is a directory"):
        append_summary(tmp_path, "x")
    with pytest.raises(ForgeError, match="Is a directory"):
        write_outputs(tmp_path, {"verdict": "x"})
