"""The comment on a pull request: found again, written over, hidden, and left alone where a later run wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ForgeError
from runner.forge.comments import LIMIT, Comments, Mark
from tests.support.forge import job, mark, standing
from tests.support.github import ACTIONS, Answer, Trouble

if TYPE_CHECKING:
    from runner.forge.comments import Mode
    from runner.forge.repository import Repository
    from tests.support.forge import Say
    from tests.support.github import FakeGitHub


MARKER = mark()


def test_the_first_report_is_a_new_comment(fake: FakeGitHub, say: Say) -> None:
    address = say("held")
    assert fake.bodies() == [f"{MARKER}\nheld"]
    assert address == fake.comments[0]["html_url"]


def test_the_next_report_replaces_it_in_place(fake: FakeGitHub, say: Say) -> None:
    first = say("held")
    assert say("failed") == first
    assert fake.bodies() == [f"{MARKER}\nfailed"]


def test_an_answer_that_is_not_githubs_is_an_error_that_says_so(fake: FakeGitHub, say: Say) -> None:
    fake.troubles.append(Trouble("POST", Answer(201, {"ok": True}), path="comments"))
    with pytest.raises(ForgeError, match="has no 'id'") as raised:
        say("held")
    assert "does a proxy answer in its place?" in raised.value.hint


@pytest.mark.parametrize("body", ["held", "held\n\n", "held\r\nlines"])
def test_the_same_report_again_writes_nothing(fake: FakeGitHub, say: Say, body: str) -> None:
    first = say(body)
    assert say(body) == first
    assert (len(fake.sent("POST")), fake.sent("PATCH")) == (1, [])


def test_our_comment_is_found_on_the_last_of_many_pages(fake: FakeGitHub, say: Say) -> None:
    for number in range(250):
        fake.say(7, f"talk {number}")
    fake.say(7, f"{MARKER}\nold", ACTIONS)
    say("new")
    assert fake.bodies() == [f"{MARKER}\nnew"]
    assert len(fake.sent("GET")) == 3


@pytest.mark.parametrize(
    ("login", "body"),
    [
        ("mallory", f"{MARKER}\nall is well"),
        (ACTIONS, f"quoting {MARKER}"),
        (ACTIONS, f"first line\n{MARKER}\n"),
        (ACTIONS, f"{mark('other')}\nheld"),
    ],
)
def test_a_comment_with_our_marker_but_not_ours_is_left_alone(
    fake: FakeGitHub, say: Say, login: str, body: str
) -> None:
    theirs = fake.say(7, body, login)
    say("held")
    assert theirs["body"] == body.rstrip()
    assert fake.comments[-1]["body"] == f"{MARKER}\nheld"


def test_a_comment_of_an_unknown_author_is_left_alone(fake: FakeGitHub, say: Say) -> None:
    fake.say(7, f"{MARKER}\nx", ACTIONS)["user"] = None
    say("held")
    assert fake.comments[0]["body"] == f"{MARKER}\nx"


def test_mode_new_always_adds(fake: FakeGitHub, say: Say) -> None:
    assert say("held", "new") != say("held", "new")
    assert len(fake.bodies()) == 2
    assert fake.minimized == {}


def test_mode_correct_writes_over_what_is_there_and_nothing_where_there_is_none(fake: FakeGitHub, say: Say) -> None:
    assert say("broken", "correct") == ""
    assert fake.bodies() == []
    first = say("held")
    assert say("broken", "correct", run=6, head="b" * 40) == first
    assert [body.splitlines()[1] for body in fake.bodies()] == ["broken"]


@pytest.mark.slow
def test_mode_hide_old_folds_up_what_earlier_runs_wrote_once_and_nothing_else(fake: FakeGitHub, say: Say) -> None:
    fake.say(7, "a remark")
    fake.say(7, f"{mark('other')}\nanother project", ACTIONS)
    for run in (5, 6, 7):
        say(f"run {run}", "hide-old", run=run)
    assert [body.splitlines()[-1] for body in fake.bodies()] == ["another project", "run 5", "run 6", "run 7"]
    assert fake.minimized == {"IC_3": "OUTDATED", "IC_4": "OUTDATED"}
    assert sum("minimizeComment" in request.body["query"] for request in fake.received if request.graphql) == 2


@pytest.mark.slow
def test_an_old_comment_that_cannot_be_hidden_is_said_and_the_new_one_stays(
    fake: FakeGitHub, repository: Repository, say: Say, caplog: pytest.LogCaptureFixture
) -> None:
    say("old", "hide-old")
    assert repository.login == ACTIONS
    refused = Answer(200, {"data": None, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible"}]})
    fake.troubles.append(Trouble("POST", refused, path="graphql"))
    with caplog.at_level("WARNING", "retrain"):
        assert say("new", "hide-old", run=6) == fake.comments[1]["html_url"]
    assert "cannot be hidden" in caplog.text
    assert "pull-requests: write" in caplog.text
    assert fake.minimized == {}


@pytest.mark.slow
def test_a_second_comment_that_a_race_left_is_folded_up_and_the_last_one_is_kept(fake: FakeGitHub, say: Say) -> None:
    for text in ("one", "two"):
        fake.say(7, f"{MARKER}\n{text}", ACTIONS)
    say("three")
    assert fake.bodies() == [f"{MARKER}\none", f"{MARKER}\nthree"]
    assert fake.minimized == {"IC_1": "OUTDATED"}


@pytest.mark.slow
def test_each_project_has_its_own_also_where_names_are_nearly_alike(fake: FakeGitHub, repository: Repository) -> None:
    projects = [".", "a b", "a-b", "a.b", "a/b", "a--b", "a-->", "é", ".:gpu"]
    for _ in range(2):
        for project in projects:
            Comments(repository, job(project), "update").write(standing(f"of {project}"))
    assert [body.splitlines()[1] for body in fake.bodies()] == [f"of {project}" for project in projects]


@pytest.mark.parametrize("mode", ["update", "hide-old"])
def test_a_run_that_ends_late_leaves_what_a_run_of_a_later_commit_wrote(
    fake: FakeGitHub, say: Say, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    say("of the later commit", mode, run=6, head="b" * 40)
    with caplog.at_level("INFO", "retrain"):
        assert say("of the earlier commit", mode, run=5) == ""
    assert [body.splitlines()[1] for body in fake.bodies()] == ["of the later commit"]
    assert fake.minimized == {}
    assert "left alone: a later run, 6" in caplog.text


def test_a_run_that_is_overtaken_while_it_runs_leaves_the_comment_it_began(
    fake: FakeGitHub, repository: Repository, say: Say
) -> None:
    early = Comments(repository, job(run=5), "update")
    early.write(standing("under way"))
    say("of the later commit", run=6, head="b" * 40)
    assert early.write(standing("done")) == ""
    assert [body.splitlines()[1] for body in fake.bodies()] == ["of the later commit"]


@pytest.mark.parametrize(
    ("there", "ours", "later"),
    [
        (("a", 6, 1), ("a", 5, 1), True),
        (("b", 6, 1), ("a", 5, 1), True),
        (("b", 6, 1), ("a", 5, 2), True),
        (("a", 6, 1), ("a", 5, 2), False),
        (("a", 5, 2), ("a", 5, 1), True),
        (("a", 5, 1), ("a", 5, 1), False),
        (("a", 5, 1), ("a", 5, 2), False),
        (("b", 4, 9), ("a", 5, 1), False),
    ],
)
def test_what_a_later_run_is_follows_from_commit_run_and_attempt(
    there: tuple[str, int, int], ours: tuple[str, int, int], *, later: bool
) -> None:
    one, other = (Mark("x", *mark) for mark in (there, ours))
    assert one.is_later_than(other) == later


@pytest.mark.parametrize("mode", ["update", "new", "hide-old"])
def test_what_a_run_wrote_first_it_writes_over_in_every_mode(
    fake: FakeGitHub, repository: Repository, say: Say, mode: Mode
) -> None:
    say("earlier", "new", run=4)
    comments = Comments(repository, job(), mode)
    first = comments.write(standing("under way"))
    assert comments.write(standing("done")) == first
    assert fake.bodies()[-1] == f"{MARKER}\ndone"
    assert len(fake.bodies()) == (1 if mode == "update" else 2)


def test_a_comment_that_somebody_removed_meanwhile_is_written_anew(fake: FakeGitHub, repository: Repository) -> None:
    comments = Comments(repository, job(), "update")
    comments.write(standing("under way"))
    fake.comments.clear()
    assert comments.write(standing("done")) == fake.comments[0]["html_url"]
    assert fake.bodies() == [f"{MARKER}\ndone"]


def test_a_comment_that_somebody_edited_is_put_right_and_one_without_its_first_line_is_left_to_them(
    fake: FakeGitHub, say: Say
) -> None:
    say("held")
    fake.comments[0]["body"] = f"{MARKER}\r\nheld, says Bob\r\n"
    say("held")
    assert fake.bodies() == [f"{MARKER}\nheld"]
    fake.comments[0]["body"] = "mine now"
    say("held")
    assert fake.bodies() == ["mine now", f"{MARKER}\nheld"]


def test_the_same_words_of_another_commit_are_written_and_of_another_run_are_not(fake: FakeGitHub, say: Say) -> None:
    say("held", run=5)
    say("held", run=6)
    assert fake.bodies() == [f"{MARKER}\nheld"]
    say("held", run=7, head="b" * 40)
    assert fake.bodies() == [f"{mark(run=7, head='b' * 40)}\nheld"]


def test_a_report_larger_than_github_takes_is_refused_before_it_is_sent(fake: FakeGitHub, say: Say) -> None:
    room = LIMIT - len(MARKER) - 1
    say("x" * room)
    with pytest.raises(ForgeError, match="65,537 characters"):
        say("x" * (room + 1))
    assert len(fake.sent("POST")) == 1
