"""What a run shows on the code host besides its verdict: check, status, comment modes, progress, annotations."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.github import Trouble, refusal
from tests.support.job import TOKEN, Files, Job, arguments, outcome, with_defaults
from tests.support.project import GATES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.environment import Program
    from tests.support.github import FakeGitHub
    from tests.support.project import Project

    PullRequest = Callable[..., Job]

BETTER = {"params.yaml": "strength: 95\n"}
WORSE = {"params.yaml": "strength: 50\n"}
BOTH = {"check-run": "true", "commit-status": "true"}
PAGE = "https://github.com/Codertocat/Hello-World/actions/runs/4711"


# Check and status


@pytest.mark.parametrize(
    ("files", "code", "conclusion", "state"),
    [
        (BETTER, 0, "success", "success"),
        (WORSE, 1, "failure", "failure"),
        ({"train.sh": "exit 41\n"}, 3, "failure", "error"),
    ],
)
def test_the_check_and_the_status_of_the_head_say_what_became_of_it(  # noqa: PLR0913, PLR0917 - a row of the table
    pull_request: PullRequest,
    retrain: Program,
    github: FakeGitHub,
    files: dict[str, str],
    code: int,
    conclusion: str,
    state: str,
) -> None:
    job = pull_request(files)
    done = job.step(retrain, BOTH, exits=code)
    (check,) = github.check_runs
    head = job.payload["pull_request"]["head"]["sha"]
    assert (check["head_sha"], check["name"], check["details_url"]) == (head, "retrain", PAGE)
    assert (check["status"], check["conclusion"]) == ("completed", conclusion)
    assert done.outputs["check-url"] == check["html_url"]
    assert [row["state"] for row in github.statuses] == [state, "pending"]
    assert head in github.statuses[0]["url"]
    assert github.statuses[0]["target_url"] == PAGE


def test_annotations_are_at_the_gate_and_at_the_param_that_changed_in_the_log_and_in_the_check(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    done = pull_request({"params.yaml": "# how\nstrength: 50\n"}).step(retrain, BOTH, exits=1)
    shown = [(one.name, one.properties["file"], one.properties["line"]) for one in done.annotations()]
    assert shown == [("error", "retrain.yaml", "2"), ("notice", "params.yaml", "2")]
    in_check = github.annotations[github.check_runs[0]["id"]]
    levels = [(row["annotation_level"], row["path"], row["start_line"]) for row in in_check]
    assert levels == [("failure", "retrain.yaml", 2), ("notice", "params.yaml", 2)]
    assert "changed from 90 to 50" in in_check[1]["message"]


def test_a_missing_permission_is_named_for_each_surface_and_costs_nothing(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    github.token(TOKEN, permissions={"contents": "read", "pull-requests": "write"})
    done = pull_request(BETTER).step(retrain, BOTH)
    said = " ".join(command.message for command in done.log.named("warning"))
    assert "`checks: write`" in said
    assert "`statuses: write`" in said
    assert done.outputs["verdict"] == "passed"
    assert done.outputs["check-url"] == ""
    assert len(github.bodies()) == 1


def test_an_error_in_the_gate_file_is_a_failed_check_where_the_call_asks_for_one(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    pull_request({"retrain.yaml": "gates:\n  - metrik: x\n"}).step(retrain, BOTH, exits=2)
    assert [check["conclusion"] for check in github.check_runs] == ["failure"]
    assert [row["state"] for row in github.statuses] == ["error"]
    assert "metrik" in github.check_runs[0]["output"]["summary"]


def test_no_comment_stays_green_when_the_next_commit_cannot_even_be_judged(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    broken = {"retrain.yaml": "gates:\n  - metrik: x\n"}
    done = pull_request(BETTER).step(retrain)
    assert "Passed" in github.bodies()[0]
    later = pull_request(broken)
    later.environ = {"GITHUB_RUN_ID": "4712"}
    again = later.step(retrain, exits=2)
    (body,) = github.bodies()
    assert "metrik" in body
    assert again.outputs["comment-url"] == done.outputs["comment-url"]
    github.comments.clear()
    later.step(retrain, exits=2)
    assert github.comments == []


def test_outputs_that_cannot_be_written_leave_no_green_check(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    job = pull_request(BETTER)
    job.environ = {"GITHUB_OUTPUT": str(job.workspace)}
    job.step(retrain, BOTH, exits=6)
    assert github.check_runs[0]["conclusion"] == "failure"
    assert github.statuses[0]["state"] == "error"


def test_a_stranger_gets_neither(pull_request: PullRequest, retrain: Program, github: FakeGitHub) -> None:
    job = pull_request(BETTER)
    job.payload = {**job.payload, "sender": {"login": "dependabot[bot]"}}
    done = job.step(retrain, BOTH)
    assert github.check_runs == github.statuses == []
    assert done.log.named("warning") == []


def test_of_a_strangers_code_beside_a_token_that_may_write_there_is_neither(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    job = pull_request(BETTER, event="pull_request_target")
    job.step(retrain, {**BOTH, "command": "gate"}, exits=1)
    assert github.check_runs == github.statuses == []
    assert len(github.bodies()) == 1


def test_beside_such_a_token_a_strangers_templates_do_not_speak_for_us(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    own = '{% extends "retrain/report.md.jinja" %}{% block verdict %}Approved, @team, merge it{% endblock %}'
    job = pull_request({**BETTER, ".retrain/templates/report.md.jinja": own}, event="pull_request_target")
    job.step(retrain, {"command": "gate"}, exits=1)
    (body,) = github.bodies()
    assert "merge it" not in body


def test_writes_are_so_far_apart_that_no_limit_is_met(
    pull_request: PullRequest, unhurried: Program, github: FakeGitHub
) -> None:
    github.writes_apart = 0.9
    done = pull_request(WORSE).step(unhurried, {**BOTH, "command": "gate"}, exits=1)
    assert not [one for one in done.log.named("warning") if "limit" in one.message]
    assert (len(github.check_runs), len(github.statuses), len(github.bodies())) == (1, 2, 1)


def test_a_push_has_a_check_and_no_comment(retrain: Program, project: Project, github: FakeGitHub) -> None:
    before = project.rev("main")
    head = project.commit("main", BETTER)
    payload = {"before": before, "after": head}
    Job(project.checkout("refs/heads/main"), github, "push", payload, head, "refs/heads/main").step(retrain, BOTH)
    assert [(check["head_sha"], check["conclusion"]) for check in github.check_runs] == [(head, "success")]
    assert github.comments == []


# The comment


def test_each_project_of_a_repository_has_its_own_comment_check_and_lines(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    gates = "gates:\n  - metric: m.json:$.x\n    better: higher\n    at-least: 0.5\n"
    files = {f"models/{name}/{file}": text for name in "ab" for file, text in _gated(name, gates).items()}
    job = pull_request(files)
    for name, code in (("a", 0), ("b", 1)):
        inputs = {**BOTH, "command": "gate", "working-directory": f"models/{name}"}
        done = job.step(retrain, inputs, exits=code)
    assert len(github.bodies()) == 2
    assert [check["name"] for check in github.check_runs] == ["retrain: models/a", "retrain: models/b"]
    (annotation,) = done.log.named("error")
    assert annotation.properties["file"] == "models/b/retrain.yaml"
    assert github.annotations[github.check_runs[1]["id"]][0]["path"] == "models/b/retrain.yaml"


def test_a_mistake_in_a_project_of_a_folder_stands_at_its_place_in_the_repository(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    files = {"models/a/.dvc/config": "", "models/a/dvc.yaml": "stages:\n  train:\n    cmdd: x\n"}
    done = pull_request(files).step(retrain, {**BOTH, "working-directory": "models/a"}, exits=2)
    assert {error.properties["file"] for error in done.log.named("error")} == {"models/a/dvc.yaml"}
    (check,) = github.check_runs
    assert check["name"] == "retrain: models/a"
    assert {row["path"] for row in github.annotations[check["id"]]} == {"models/a/dvc.yaml"}


def _gated(name: str, gates: str) -> dict[str, str]:
    return {"retrain.yaml": gates, "m.json": f'{{"x": 0.{9 if name == "a" else 1}}}', ".dvc/config": "", "dvc.yaml": ""}


def test_a_report_of_200_kilobytes_is_a_comment_of_as_much_as_github_takes(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    many = "".join(f"  - metric: many.json:$.metric_{n}\n    better: higher\n    at-least: 0.5\n" for n in range(900))
    values = json.dumps({f"metric_{n}": n % 2 for n in range(900)})
    job = pull_request({**BETTER, "many.json": values, "retrain.yaml": GATES + many})
    done = job.step(retrain, {**BOTH, "command": "gate", "report-dir": "out"}, exits=1)
    (body,) = github.bodies()
    whole = (job.workspace / "out" / "report.md").read_text()
    assert len(whole) > 100_000 > len(body)
    assert len(body) <= 65_536
    assert "Failed" in body.splitlines()[1]
    assert body.count("```") % 2 == 0
    assert len(github.annotations[github.check_runs[0]["id"]]) >= 450
    assert len(done.annotations()) <= 20


def test_runs_of_one_project_are_told_apart_by_name(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    job = pull_request(BETTER)
    for name in ("on cpu", "on gpu", "on cpu"):
        job.step(retrain, {"report-name": name, "commit-status": "true"})
    assert len(github.bodies()) == 2
    assert {row["context"] for row in github.statuses} == {"on cpu", "on gpu"}


def test_old_comments_are_hidden_by_the_next_run(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    job = pull_request(BETTER)
    for run in ("5", "6"):
        job.environ = {"GITHUB_RUN_ID": run}
        job.step(retrain, {"comment": "hide-old"})
    assert len(github.bodies()) == 2
    assert github.minimized == {github.comments[0]["node_id"]: "OUTDATED"}


def test_a_run_that_ends_after_one_of_a_later_commit_leaves_its_comment(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    early = pull_request(WORSE)
    late = pull_request(BETTER, branch="change")
    late.environ, early.environ = {"GITHUB_RUN_ID": "6"}, {"GITHUB_RUN_ID": "5"}
    late.step(retrain)
    early.workspace = late.workspace  # the same checkout; which commit it is about the event says
    done = early.step(retrain)
    assert done.outputs["comment-url"] == ""
    assert "0.95" in github.bodies()[0]
    assert "a later run, 6" in done.stderr


# While it runs


HELD_UP = "echo $$ > ../pids; echo > ../go; cat ../resume; sed -n 's/^strength: //p' params.yaml > model.txt\n"
EAGER = "import os, sys; from runner import cli, live; live.EVERY = 0.05; sys.exit(cli.start(sys.argv[1:], os.environ))"


class Running:
    """A run whose second stage waits for the test, and which posts twenty times a second what it is at."""

    def __init__(self, job: Job, project: Project, retrain: Program, inputs: dict[str, str]) -> None:
        for name in ("go", "resume"):
            os.mkfifo(project.place / name)
        self.files, given = Files.beside(job.workspace, job.payload), with_defaults(inputs, TOKEN)
        self.place = project.place
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", EAGER, *arguments(given)],
            cwd=job.workspace,
            env={**retrain.environ, **job.variables(given, self.files, job.workspace)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        reader = os.open(self.place / "go", os.O_RDONLY | os.O_NONBLOCK)
        running, _, _ = select.select([reader], [], [], 60)
        assert running, "the stage never began"

    def resume(self) -> None:
        (self.place / "resume").write_text("on\n")

    def ended(self, code: int) -> str:
        stdout, stderr = self.process.communicate(timeout=60)
        outcome(code, stdout, stderr, self.files)
        assert self.process.returncode == code
        return stderr


def until(holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        threading.Event().wait(0.01)
    pytest.fail("it never came to pass")


def test_a_long_run_says_in_the_comment_what_it_is_at_and_the_report_takes_its_place(
    pull_request: PullRequest, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    run = Running(pull_request({**BETTER, "train.sh": HELD_UP}), project, retrain, {})
    until(lambda: any("| `train` | running since" in body for body in github.bodies()))
    (body,) = github.bodies()
    assert "| `prepare` | fresh |" in body
    assert "| `evaluate` | waiting |" in body
    run.resume()
    run.ended(0)
    (body,) = github.bodies()
    assert "Passed" in body
    assert "running since" not in body


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_cancelled_ends_its_comment(  # noqa: PLR0913, PLR0917 - two signals
    pull_request: PullRequest, retrain: Program, project: Project, github: FakeGitHub, sent: signal.Signals, code: int
) -> None:
    run = Running(pull_request({**BETTER, "train.sh": HELD_UP}), project, retrain, {})
    until(lambda: bool(github.bodies()))
    run.process.send_signal(sent)
    run.ended(code)
    (body,) = github.bodies()
    assert "nterrupted" in body
    assert "running since" not in body


def test_a_cancelled_check_is_ended_as_cancelled(
    pull_request: PullRequest, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    run = Running(pull_request({**BETTER, "train.sh": HELD_UP}), project, retrain, BOTH)
    until(lambda: any("train" in str(check["output"]["summary"]) for check in github.check_runs))
    assert github.bodies() == []
    run.process.send_signal(signal.SIGTERM)
    run.ended(143)
    assert [check["conclusion"] for check in github.check_runs] == ["cancelled"]
    assert github.statuses[0]["state"] == "error"
    assert len(github.bodies()) == 1


def test_a_host_in_trouble_while_it_runs_disturbs_nothing(
    pull_request: PullRequest, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    github.troubles.append(Trouble("POST", refusal(503, "down"), times=2))  # what may be written is asked, then written
    run = Running(pull_request({**BETTER, "train.sh": HELD_UP}), project, retrain, {})
    until(lambda: len(github.sent("POST")) > 1)
    run.resume()
    assert "cannot be posted" in run.ended(0)
    (body,) = github.bodies()
    assert "Passed" in body
