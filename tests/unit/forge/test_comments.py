"""The comment on a pull request: found again, written over, hidden, and left alone where a later run wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ForgeError
from runner.forge.comments import LIMIT
from tests.support.forge import mark
from tests.support.github import ACTIONS

if TYPE_CHECKING:
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


def test_a_report_larger_than_github_takes_is_refused_before_it_is_sent(fake: FakeGitHub, say: Say) -> None:
    room = LIMIT - len(MARKER) - 1
    say("x" * room)
    with pytest.raises(ForgeError, match="65,537 characters"):
        say("x" * (room + 1))
    assert len(fake.sent("POST")) == 1
