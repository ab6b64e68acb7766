"""What is done with a changed lock: by which settings, at which events; and nothing at all where nothing may be."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from runner import offering, proposing
from runner.asked import Asked
from runner.errors import ConfigError
from runner.forge.event import Event
from runner.forge.rights import RIGHTS
from runner.job import Actions
from runner.review.commit import Commit
from runner.settings import Settings
from tests.support.pipelines import finished

if TYPE_CHECKING:
    from pathlib import Path

    from runner.forge.rights import Kind

ACTIONS = Actions(
    event="schedule",
    event_path="",
    sha="",
    ref="",
    repository="o/n",
    api_url="",
    output="",
    summary="",
    workspace="",
)
ASKED = Asked(
    settings=Settings(directory=None, token="t", actions=ACTIONS),  # type: ignore[arg-type]  # noqa: S106
    event=Event(kind="schedule", rights=RIGHTS["schedule"], branch="main"),
    environ={},
    gates=None,
    head=Commit(sha="a" * 40),
    base=None,
    command="retrain run",
)
MAY = {"pull-request", "push", "schedule", "dispatch", "workflow-run", "command"}


def asked(kind: Kind = "schedule", branch: str = "main", **chosen: Any) -> Asked:
    event = Event(kind=kind, rights=RIGHTS[kind], branch=branch)
    return replace(ASKED, event=event, settings=replace(ASKED.settings, **chosen))


@pytest.mark.parametrize("kind", RIGHTS)
def test_by_itself_a_lock_is_proposed_on_a_schedule_and_when_started_by_hand(kind: Kind) -> None:
    expected = "pull-request" if kind in {"schedule", "dispatch"} else "leave"
    assert proposing.mode_of(asked(kind)) == (expected, "")


@pytest.mark.parametrize("wish", ["commit", "pull-request"])
@pytest.mark.parametrize("kind", RIGHTS)
def test_nothing_is_committed_for_strangers_whatever_the_settings_say(kind: Kind, wish: str) -> None:
    mode, why = proposing.mode_of(asked(kind, lock=wish))
    assert mode == (wish if kind in MAY else "leave")
    assert bool(why) is (kind not in MAY)


@pytest.mark.parametrize("kind", RIGHTS)
@pytest.mark.parametrize("wish", ["leave", "check"])
def test_to_leave_or_to_check_takes_no_rights(kind: Kind, wish: str) -> None:
    assert proposing.mode_of(asked(kind, lock=wish)) == (wish, "")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"actions": None}, "no GitHub job"),
        ({"branch": ""}, "not about a branch"),
        ({"set_param": ("a=1",)}, "for this run alone"),
        ({"token": ""}, "github-token is empty"),
        ({"push": "never"}, "push is set to never"),
    ],
)
def test_what_keeps_a_lock_from_being_proposed_is_said(changes: dict[str, Any], why: str) -> None:
    mode, said = proposing.mode_of(asked(**changes))
    assert mode == "leave"
    assert why in said


def test_rights_that_an_event_lost_are_not_had_by_its_kind() -> None:
    by_dependabot = Event(kind="push", rights=RIGHTS["fork"], branch="main")
    chosen = replace(ASKED.settings, lock="commit")
    assert proposing.mode_of(replace(ASKED, event=by_dependabot, settings=chosen))[0] == "leave"


@pytest.mark.parametrize(
    ("prefix", "wanted", "expected"),
    [
        ("", "", "retrain/main"),
        ("models/digits/", "", "retrain/main-models-digits"),
        ("models/digits/", "bot/lock", "bot/lock"),
        ("models-digits/", "", "retrain/main-models-digits-"),
        ("a b~^/ü/", "", "retrain/main-a-b-"),
    ],
)
def test_each_project_has_a_branch_of_its_own(prefix: str, wanted: str, expected: str) -> None:
    branch = offering.lock_branch("main", prefix, wanted)
    assert branch.startswith(expected)
    assert len(branch) <= len(expected) + 6
    assert re.fullmatch(r"[\w/-]+", branch, re.ASCII)


def test_what_cannot_be_is_refused_before_anything_runs(tmp_path: Path) -> None:
    pipeline = "stages:\n  a:\n    cmd: echo a > a\n    outs: [a]\n"
    made = finished(tmp_path, pipeline)
    with made.opened("run") as opened:
        for wish in ("commit", "pull-request"):
            with pytest.raises(ConfigError, match="github-token is empty"):
                proposing.check(opened.project, asked(lock=wish, token=""))
        proposing.check(opened.project, asked("fork", lock="commit", token=""))
    made.put({".dvc/config": ""})
    with made.opened("run") as opened:
        with pytest.raises(ConfigError, match="no remote is configured"):
            proposing.check(opened.project, asked(lock="pull-request"))
        proposing.check(opened.project, asked())
