"""`/retrain` on a pull request: who is heard, which commit is run, what is answered, and what never happens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import events
from tests.support.github import Trouble, refusal
from tests.support.job import TOKEN, Job

if TYPE_CHECKING:
    from tests.support.environment import Program
    from tests.support.github import FakeGitHub
    from tests.support.project import Project

NUMBER = 7
NOON = 1_767_268_800.0
"""2026-01-01, 12:00."""


class Desk:
    """A pull request from `change` on which somebody says something."""

    def __init__(self, project: Project, github: FakeGitHub) -> None:
        self.project = project
        self.github = github
        self.head = project.commit("change", {"params.yaml": "strength: 95\n"})
        self.github.clock = lambda: NOON
        self.github.pushed("change", self.head)
        self.github.permissions["octocat"] = "write"
        self.pull = github.open_pull(number=NUMBER, head="change", sha=self.head)
        self.pull["base"]["sha"] = project.rev("main")

    def says(
        self,
        body: str,
        *,
        author: str = "octocat",
        after: float = 60.0,
        checkout: str = "refs/heads/change",
        **changes: Any,
    ) -> Job:
        """Comment so many seconds after noon; the workflow then checks out `checkout`."""
        self.github.clock = lambda: NOON + after
        comment = self.github.say(NUMBER, body, author)
        at = datetime.fromtimestamp(NOON + after, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = events.comment(
            body, repository=self.github.repository, number=NUMBER, identity=comment["id"], author=author, at=at
        )
        main = self.project.rev("main")
        workspace = self.project.checkout(checkout)
        return Job(workspace, self.github, "issue_comment", {**payload, **changes}, main, "refs/heads/main")


@pytest.fixture
def desk(project: Project, github: FakeGitHub) -> Desk:
    return Desk(project, github)


def answers(github: FakeGitHub) -> list[str]:
    """Give what was written to the comment's author, the report aside."""
    return [body for body in github.bodies() if not body.startswith("<!-- retrain:")]


def test_a_writers_command_runs_the_head_and_answers_in_the_report(
    desk: Desk, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    before = project.objects()
    done = desk.says("/retrain").step(retrain)
    assert project.ran == ["train", "evaluate"]
    assert done.outputs["verdict"] == "passed"
    assert before < project.objects()
    assert [(feeling, who) for _, feeling, who in github.reactions] == [("eyes", "github-actions[bot]")]
    (report,) = github.bodies()
    assert "octocat asked for it in a comment: /retrain" in report
    assert desk.head[:7] in report
    assert "0.95" in report


def test_stages_and_params_of_the_command_are_those_of_the_run(
    desk: Desk, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    job = desk.says("/retrain train strength=99\nbecause I say so")
    job.step(retrain, {"targets": "evaluate"}, exits=1)  # the metric that is gated is of a stage left out
    assert project.ran == ["train"]
    assert (job.workspace / "params.yaml").read_text() == "strength: 95\n"
    assert "strength=99" in github.bodies()[0]


def test_with_params_that_the_head_has_not_there_is_no_check_and_no_status_of_the_head(
    desk: Desk, retrain: Program, github: FakeGitHub
) -> None:
    both = {"check-run": "true", "commit-status": "true"}
    desk.says("/retrain strength=99").step(retrain, both)
    assert github.check_runs == github.statuses == []
    assert "strength=99" in github.bodies()[0]
    desk.says("/retrain").step(retrain, both)
    assert [check["conclusion"] for check in github.check_runs] == ["success"]


def test_params_of_the_workflow_and_of_the_comment_go_together(desk: Desk, retrain: Program, project: Project) -> None:
    done = desk.says("/retrain").step(retrain, {"set-param": "strength=97"})
    assert project.ran == ["train", "evaluate"]
    assert "0.97" in done.summary


@pytest.mark.parametrize("permission", ["read", "triage", "none", ""])
def test_a_stranger_is_not_heard_and_costs_one_request(
    desk: Desk, retrain: Program, project: Project, github: FakeGitHub, permission: str
) -> None:
    if permission:
        github.permissions["mallory"] = permission
    done = desk.says("/retrain", author="mallory").step(retrain)
    assert (done.outputs["verdict"], done.outputs["changed"]) == ("ignored", "false")
    assert "mallory may not write here" in done.summary
    assert done.annotations() == []
    assert project.ran == []
    assert [request.method for request in github.received] == ["GET"]


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ("looks good to me", {}),
        ("see /retrain", {}),
        ("/retrain", {"action": "edited"}),
        ("/retrain", {"action": "deleted"}),
        ("/retrain", {"issue": {"number": NUMBER}}),
        ("/retrain", {"comment": None}),
        ("/retrain", {"comment": {"id": "5", "body": "/retrain", "user": {"login": "octocat"}}}),
    ],
)
def test_what_is_no_command_asks_nothing_of_anybody(  # noqa: PLR0913, PLR0917  fixtures and a row
    desk: Desk, retrain: Program, project: Project, github: FakeGitHub, body: str, changes: dict[str, Any]
) -> None:
    done = desk.says(body, **changes).step(retrain)
    assert done.outputs["verdict"] == "ignored"
    assert project.ran == []
    assert github.received == []


def refused(desk: Desk, job: Job, retrain: Program, exits: int = 2) -> str:
    """Have a command refused; gives the answer."""
    job.step(retrain, exits=exits)
    assert desk.project.ran == []
    assert desk.github.reactions[-1][1] == "confused"
    (answer,) = answers(desk.github)
    assert answer.startswith("@octocat: ")
    return answer


@pytest.mark.parametrize("after", [0.0, -1.0])
def test_a_head_that_was_pushed_after_the_comment_is_not_run(desk: Desk, retrain: Program, after: float) -> None:
    assert "was not there yet" in refused(desk, desk.says("/retrain", after=after), retrain)


def test_a_commit_with_an_old_date_that_was_pushed_late_is_not_run(
    desk: Desk, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    job = desk.says("/retrain", after=60)
    late = project.commit("change", {"train.sh": "echo stolen\n"})
    github.clock = lambda: NOON + 61
    github.pushed("change", late)
    desk.pull["head"]["sha"] = late
    job.workspace = project.checkout("refs/heads/change")
    assert "was not there yet" in refused(desk, job, retrain)


def test_a_head_that_moved_between_checkout_and_run_is_not_run(
    desk: Desk, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    job = desk.says("/retrain", after=60)
    github.clock = lambda: NOON + 61
    desk.pull["head"]["sha"] = project.commit("change", {"train.sh": "echo stolen\n"})
    assert "and the head of pull request 7 is" in refused(desk, job, retrain)


def test_a_head_of_which_nobody_knows_when_it_was_pushed_is_not_run(
    desk: Desk, retrain: Program, github: FakeGitHub
) -> None:
    github.activity.clear()
    assert "does not say when the head" in refused(desk, desk.says("/retrain"), retrain)


def test_the_default_branch_is_not_taken_for_the_pull_request(desk: Desk, retrain: Program) -> None:
    answer = refused(desk, desk.says("/retrain", checkout="refs/heads/main"), retrain)
    assert "ref: refs/pull/7/head" in answer


def test_a_closed_pull_request_is_not_run(desk: Desk, retrain: Program) -> None:
    desk.pull["state"] = "closed"
    assert "pull request 7 is closed" in refused(desk, desk.says("/retrain"), retrain)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("/retrain --force", "option"),
        ("/retrain strenght=1", "strenght"),
        ("/retrain nothing.yaml:a=1", "nothing.yaml"),
        ("/retrain a=[1,2", "a=\\[1"),
    ],
)
def test_a_command_that_cannot_be_followed_is_answered_with_the_reason(
    desk: Desk, retrain: Program, body: str, said: str
) -> None:
    assert said in refused(desk, desk.says(body), retrain)


def test_a_misspelt_stage_is_told_in_the_report(
    desk: Desk, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    done = desk.says("/retrain trian").step(retrain, exits=2)
    assert done.outputs["verdict"] == "error"
    assert "trian" in github.bodies()[0]
    assert project.ran == []


def test_on_a_forks_pull_request_nothing_is_run_whoever_asks(
    desk: Desk, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    desk.pull["head"]["repo"]["full_name"] = "mallory/Hello-World"
    before = project.objects()
    done = desk.says("/retrain").step(retrain, exits=2)
    assert project.ran == []
    assert project.objects() == before
    assert done.outputs["verdict"] == "error"
    assert "a comment's job has secrets: no stage is run" in github.bodies()[0]


def test_what_the_answer_says_cannot_notify_or_shape_anything(desk: Desk, retrain: Program) -> None:
    answer = refused(desk, desk.says("/retrain --@everyone[x](http://evil.example)<img>"), retrain)
    assert "@everyone" not in answer
    assert "<img>" not in answer
    assert "\\](http:\u200b//" in answer


def test_a_token_that_may_only_read_costs_the_answer_and_nothing_else(
    desk: Desk, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    github.token(TOKEN, read_only=True)
    done = desk.says("/retrain").step(retrain)
    assert project.ran == ["train", "evaluate"]
    assert done.outputs["verdict"] == "passed"
    assert any("the comment is not answered" in one.message for one in done.annotations())


def test_without_a_token_nobody_is_heard_and_that_is_an_error(desk: Desk, retrain: Program, project: Project) -> None:
    job = desk.says("/retrain")
    done = job.step(retrain, {"github-token": ""}, exits=2)
    assert "without a token" in done.stderr
    assert project.ran == []


def test_a_github_that_does_not_say_who_may_write_is_an_error(
    desk: Desk, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    github.troubles.append(Trouble("GET", refusal(403, "Resource not accessible by integration"), times=9))
    desk.says("/retrain").step(retrain, exits=6)
    assert project.ran == []
    assert github.reactions == []


@pytest.mark.parametrize("verb", ["plan", "gate"])
def test_other_verbs_follow_the_same_rule(desk: Desk, retrain: Program, github: FakeGitHub, verb: str) -> None:
    done = desk.says("/retrain", author="mallory").step(retrain, {"command": verb})
    assert done.outputs["verdict"] == "ignored"
    assert len(github.received) == 1
