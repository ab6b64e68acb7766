"""What a run is at, posted while it runs, and never in the run's way."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from runner.asked import Asked
from runner.errors import ForgeError
from runner.forge.event import Event
from runner.forge.local import Local
from runner.forge.protocol import RUNNING
from runner.forge.rights import RIGHTS
from runner.live import Live
from runner.review.commit import Commit
from runner.settings import resolve
from tests.support.forge import standing

if TYPE_CHECKING:
    from runner.forge.protocol import Standing

SOON = 0.01
NEVER = threading.Event()


class Host(Local):
    """A host that remembers what it is told, may refuse it, and may be slow."""

    def __init__(self, *refused: str, checks: bool = False) -> None:
        self.said: list[tuple[str, Standing]] = []
        self.refused = refused
        self.checks = checks
        self.heard = threading.Event()
        self.answers = threading.Event()
        self.answers.set()

    def comment(self, standing: Standing) -> str:
        return self._say("comment", standing)

    def check(self, standing: Standing) -> str:
        return self._say("check", standing) if self.checks else ""

    def status(self, standing: Standing) -> None:
        if self.checks:
            self._say("status", standing)

    def texts(self, surface: str) -> list[str]:
        return [standing.render(0) for name, standing in self.said if name == surface]

    def _say(self, surface: str, standing: Standing) -> str:
        self.heard.set()
        assert self.answers.wait(10)
        if surface in self.refused:
            message = f"{surface} is refused"
            raise ForgeError(message)
        self.said.append((surface, standing))
        return "https://example.com"


class Broken(Host):
    """A host with a bug."""

    def comment(self, standing: Standing) -> str:
        self.heard.set()
        raise ZeroDivisionError(standing.title)


def live(host: Host, number: int | None = 7, **flags: str) -> Live:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "o/n", "GITHUB_RUN_ID": "5"}
    asked = Asked(
        settings=resolve({name.replace("_", "-"): text for name, text in flags.items()}, environ, {}),
        event=Event(kind="pull-request", rights=RIGHTS["pull-request"], number=number, head_sha="a" * 40),
        environ={},
        gates=None,
        head=Commit(sha="a" * 40),
        base=None,
        command="retrain run",
    )
    return Live(host, asked, SOON, lambda: datetime(2026, 1, 2, 14, 5, tzinfo=UTC))


def result(stage: str, status: str, seconds: float = 0.0) -> Any:
    return SimpleNamespace(stage=SimpleNamespace(address=stage), status=status, seconds=seconds)


def posted(host: Host, text: str, surface: str = "comment") -> str:
    """Wait until something with `text` in it has been posted; give it."""
    for _ in range(1000):
        for found in host.texts(surface):
            if text in found:
                return found
        NEVER.wait(SOON)
    raise AssertionError(host.texts(surface))


def test_a_run_says_in_the_comment_what_it_is_at_and_then_no_more() -> None:
    host = Host()
    with live(host) as running:
        running.chosen(["prepare", "train", "evaluate"])
        posted(host, "0 of 3 stages done")
        running.ended(result("prepare", "restored"))
        running.began("train")
        posted(host, "| `train` | running since 14:05 UTC |")
        running.ended(result("train", "ran", 200.0))
        last = posted(host, "2 of 3")
    assert running.finished() is host
    assert last.startswith("**Running: 2 of 3 stages done**")
    for part in ("| `prepare` | restored |", "| `train` | ran in 3 min 20 s |", "| `evaluate` | waiting |"):
        assert part in last
    assert "A run for `aaaaaaa`" in last
    assert "[Its log](https://github.com/o/n/actions/runs/5)" in last
    assert {one.verdict for _, one in host.said} == {RUNNING}
    before = len(host.said)
    running.began("evaluate")
    NEVER.wait(5 * SOON)
    assert len(host.said) == before


def test_a_stage_that_is_run_again_is_running_again_and_the_others_stay_as_they_ended() -> None:
    host = Host()
    with live(host) as running:
        running.chosen(["train", "evaluate"])
        for stage in ("train", "evaluate"):
            running.ended(result(stage, "restored"))
        posted(host, "2 of 2")
        running.chosen(["train", "evaluate"])
        running.began("evaluate")
        body = posted(host, "1 of 2")
    running.finished()
    assert "| `train` | restored |" in body
    assert "| `evaluate` | running since 14:05 UTC |" in body


def test_nothing_new_is_not_posted_again() -> None:
    host = Host()
    with live(host) as running:
        running.chosen(["train"])
        posted(host, "0 of 1")
        NEVER.wait(20 * SOON)
    running.finished()
    assert len(host.texts("comment")) == len(set(host.texts("comment")))


def test_with_a_check_the_check_says_it_and_the_comment_is_kept_for_the_report() -> None:
    host = Host(checks=True)
    with live(host, check_run="true", commit_status="true") as running:
        running.chosen(["train"])
        running.began("train")
        posted(host, "running since 14:05 UTC", "check")
    running.finished()
    assert [name for name, _ in host.said][:2] == ["check", "status"]
    assert host.texts("comment") == []


@pytest.mark.parametrize(("number", "flags"), [(None, {}), (7, {"progress": "false"}), (7, {"comment": "off"})])
def test_where_nothing_is_to_be_shown_no_thread_is_started(number: int | None, flags: dict[str, str]) -> None:
    host, before = Host(), threading.active_count()
    with live(host, number, **flags) as running:
        running.chosen(["train"])
        assert threading.active_count() == before
    assert running.finished() is host
    assert host.said == []


def test_on_a_push_a_check_is_begun_and_what_the_run_is_at_is_not_shown() -> None:
    host = Host(checks=True)
    with live(host, None, check_run="true") as running:
        assert host.heard.wait(10)
        running.chosen(["train"])
        NEVER.wait(10 * SOON)
    running.finished()
    assert [name for name, _ in host.said] == ["check", "status"]


def test_a_check_that_is_refused_leaves_the_status_and_the_comment(caplog: pytest.LogCaptureFixture) -> None:
    host = Host("check", checks=True)
    with caplog.at_level("WARNING", "retrain"), live(host, check_run="true") as running:
        running.chosen(["train"])
        posted(host, "0 of 1")
    running.finished()
    assert caplog.text.count("check is refused") == 1
    assert host.texts("status")


def test_a_comment_that_is_refused_is_said_once_and_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    host = Host("comment")
    with caplog.at_level("WARNING", "retrain"), live(host) as running:
        assert host.heard.wait(10)
        running.chosen(["train"])
        NEVER.wait(10 * SOON)
    running.finished()
    assert caplog.text.count("comment is refused") == 1


def test_a_bug_in_what_is_posted_is_no_trouble_of_the_run(caplog: pytest.LogCaptureFixture) -> None:
    host = Broken()
    with caplog.at_level("DEBUG", "retrain"), live(host) as running:
        assert host.heard.wait(10)
    assert running.finished() is host
    assert "ZeroDivisionError" in caplog.text


def test_the_report_waits_for_what_is_on_its_way() -> None:
    host = Host()
    host.answers.clear()
    with live(host) as running:
        assert host.heard.wait(10)
    threading.Timer(5 * SOON, host.answers.set).start()
    running.finished().comment(standing())
    assert [one.verdict for _, one in host.said] == [RUNNING, "passed"]
