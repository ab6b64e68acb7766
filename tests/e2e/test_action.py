"""The action as a process, in jobs as GitHub makes them: what it prints, writes, posts, pushes and answers."""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import events
from tests.support.environment import Program
from tests.support.github import Trouble, refusal
from tests.support.job import RUNTIME, TOKEN, Files, Job, arguments, outcome, with_defaults
from tests.support.project import DATA, GATES, TRAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.github import FakeGitHub
    from tests.support.project import Project

    PullRequest = Callable[..., Job]

BETTER = {"params.yaml": "strength: 95\n"}
WORSE = {"params.yaml": "strength: 50\n"}
BROKEN = {"train.sh": "echo about to fail; exit 41\n"}


# The four outcomes


def test_a_better_model_passes_is_pushed_and_reported(
    pull_request: PullRequest, unhurried: Program, project: Project, github: FakeGitHub
) -> None:
    before = project.objects()
    done = pull_request(BETTER).step(unhurried, {"report-dir": "out"})
    assert project.ran == ["train", "evaluate"]
    assert done.outputs["verdict"] == "passed"
    assert done.outputs["changed"] == "true"
    assert done.outputs["stale-stages"].split("\n") == ["train", "evaluate"]
    assert int(done.outputs["pulled-bytes"]) > 0
    assert int(done.outputs["pushed-bytes"]) > 0
    assert before < project.objects()
    (comment,) = github.bodies()
    assert comment.startswith("<!-- retrain:. head=")
    assert done.outputs["comment-url"] == github.comments[0]["html_url"]
    assert "0.95" in comment
    assert "0.95" in done.summary
    assert done.log.named("error", "warning") == []


def test_the_report_files_are_named_relative_to_the_workspace(pull_request: PullRequest, retrain: Program) -> None:
    job = pull_request(BETTER)
    done = job.step(retrain, {"report-dir": "out"})
    assert [done.outputs[f"report-{kind}"] for kind in ("json", "md", "html")] == [
        "out/report.json",
        "out/report.md",
        "out/report.html",
    ]
    report = json.loads((job.workspace / "out" / "report.json").read_text())
    assert (report["verdict"], report["exit_code"]) == ("passed", 0)
    assert "<html" in (job.workspace / "out" / "report.html").read_text()


def test_a_worse_model_fails_the_gate_and_nothing_is_pushed(
    pull_request: PullRequest, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    before = project.objects()
    done = pull_request(WORSE).step(retrain, exits=1)
    assert project.ran == ["train", "evaluate"]
    assert done.outputs["verdict"] == "failed"
    assert done.outputs["pushed-bytes"] == "0"
    assert project.objects() == before
    (annotation,) = done.log.named("error")
    assert (annotation.properties["file"], annotation.properties["line"]) == ("retrain.yaml", "2")
    assert "0.5" in annotation.message
    assert "0.85" in github.bodies()[0]


def test_what_was_computed_once_is_restored_in_the_next_clone_and_no_command_runs(
    pull_request: PullRequest, retrain: Program, project: Project
) -> None:
    job = pull_request(BETTER)
    job.step(retrain)
    assert project.ran == ["train", "evaluate"]
    job.workspace = project.checkout(job.ref)
    done = job.step(retrain)
    assert project.ran == []
    assert done.outputs["verdict"] == "passed"
    assert json.loads((job.workspace / "metrics.json").read_text()) == {"accuracy": 0.95}


def test_a_stage_that_fails_is_reported_with_its_last_lines(
    pull_request: PullRequest, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    before = project.objects()
    done = pull_request(BROKEN).step(retrain, exits=3)
    assert "about to fail" in done.summary
    assert "about to fail" in github.bodies()[0]
    assert done.outputs["verdict"] == "error"
    assert done.log.named("error")
    assert project.objects() == before


@pytest.mark.parametrize("depth", [1, 2])
def test_a_checkout_without_history_fetches_what_the_comparison_needs(
    pull_request: PullRequest, retrain: Program, depth: int
) -> None:
    done = pull_request({"params.yaml": "strength: 88\n"}, depth=depth).step(retrain, exits=1)
    assert done.outputs["verdict"] == "failed"
    assert "0.9" in done.summary


# The comment


def test_the_comment_is_updated_by_the_next_run(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    pull_request(WORSE).step(retrain, exits=1)
    first = github.comments[0]["html_url"]
    done = pull_request(BETTER, branch="change").step(retrain)
    (comment,) = github.bodies()
    assert "0.95" in comment
    assert done.outputs["comment-url"] == first


def test_a_comment_that_is_forbidden_is_said_and_fails_nothing(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    github.token(TOKEN, read_only=True)
    done = pull_request(BETTER).step(retrain)
    assert github.bodies() == []
    (warning,) = done.log.named("warning")
    assert "the comment will be missing" in warning.message
    assert "pull-requests: write" in warning.message
    assert done.stderr.index("pull-requests: write") < done.stderr.index("train")
    assert "0.95" in done.summary
    assert done.outputs["comment-url"] == ""


def test_a_code_host_in_trouble_fails_nothing_and_gets_one_comment(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub
) -> None:
    github.troubles += [Trouble("GET", refusal(502, "Bad Gateway")), Trouble("POST", refusal(500, "no"), times=9)]
    done = pull_request(BETTER).step(retrain)
    assert github.bodies() == []
    assert done.log.named("warning")
    assert done.outputs["verdict"] == "passed"


def test_comment_off_posts_nothing(pull_request: PullRequest, retrain: Program, github: FakeGitHub) -> None:
    pull_request(BETTER).step(retrain, {"comment": "off"})
    assert github.sent("POST") == []


# Events


@pytest.mark.parametrize("started_by", ["fork", "dependabot"])
def test_a_stranger_gets_a_verdict_but_no_push_and_no_comment(
    pull_request: PullRequest, retrain: Program, project: Project, github: FakeGitHub, started_by: str
) -> None:
    before = project.objects()
    job = pull_request(BETTER)
    if started_by == "fork":
        job.payload = events.from_fork(dict(job.payload), "stranger/Hello-World")
    else:
        job.payload = {**job.payload, "sender": {"login": "dependabot[bot]"}}
    github.token(TOKEN, read_only=True)
    done = job.step(retrain, {"push": "always"})
    assert done.outputs["verdict"] == "passed"
    assert "0.95" in done.summary
    assert project.objects() == before
    assert github.sent("POST") == []


def test_what_a_strangers_run_made_is_written_down_nowhere_and_a_later_run_makes_it_itself(
    pull_request: PullRequest, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    before = project.objects()
    job = pull_request(BETTER)
    own = dict(job.payload)
    job.payload = events.from_fork(own, "stranger/Hello-World")
    github.token(TOKEN, read_only=True)
    job.step(retrain, {"push": "always"})
    assert project.ran == ["train", "evaluate"]
    assert project.objects() == before
    # A machine of one's own, whose caches outlive the job and the checkout.
    for name in ("cache", "tmp"):
        (job.workspace / ".dvc" / name).rename(project.place / name)
    assert [*(project.place / "cache").glob("runs/*/*/*"), *(project.place / "cache").glob("retrain/*/*")] == []
    job.workspace = project.checkout(job.ref)
    for name in ("cache", "tmp"):
        (project.place / name).rename(job.workspace / ".dvc" / name)
    job.payload = own
    github.token(TOKEN)
    done = job.step(retrain, {"push": "always"})
    assert project.ran == ["train", "evaluate"]
    assert done.outputs["verdict"] == "passed"
    assert any(name.startswith("runs/") for name in project.objects() - before)


def test_pull_request_target_runs_no_stage(pull_request: PullRequest, retrain: Program, project: Project) -> None:
    done = pull_request(BETTER, event="pull_request_target").step(retrain, exits=2)
    assert project.ran == []
    assert any("pull_request_target" in command.message for command in done.log.named("error"))


def test_a_pull_request_cannot_move_the_remote(pull_request: PullRequest, retrain: Program, project: Project) -> None:
    elsewhere = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../elsewhere\n"
    pull_request({**BETTER, ".dvc/config": elsewhere}).step(retrain)
    assert not (project.place / "elsewhere").exists()


def test_a_pull_request_cannot_move_the_remote_by_a_local_config_it_commits(
    pull_request: PullRequest, retrain: Program, project: Project
) -> None:
    elsewhere = "['remote \"storage\"']\n    url = ../../elsewhere\n"
    pull_request({**BETTER, ".dvc/.gitignore": "/cache\n/tmp\n", ".dvc/config.local": elsewhere}).step(retrain)
    assert not (project.place / "elsewhere").exists()


def test_what_a_pull_request_says_of_its_own_base_and_remote_does_not_count(
    pull_request: PullRequest, retrain: Program, project: Project
) -> None:
    elsewhere = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../elsewhere\n"
    gates = f"base: HEAD\nbaseline: HEAD\npush: always\n{GATES}"
    done = pull_request({**WORSE, ".dvc/config": elsewhere, "retrain.yaml": gates}).step(retrain, exits=1)
    assert done.outputs["verdict"] == "failed"
    assert done.outputs["pushed-bytes"] == "0"
    assert not (project.place / "elsewhere").exists()


def test_without_a_base_a_pull_request_has_no_remote(
    pull_request: PullRequest, retrain: Program, project: Project
) -> None:
    elsewhere = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../elsewhere\n"
    job = pull_request({**BETTER, ".dvc/config": elsewhere}, depth=1)
    project.origin.rename(project.place / "gone")
    done = job.step(retrain, {"push": "always"}, exits=4)
    assert not (project.place / "elsewhere").exists()
    assert "no remote is used" in done.stderr


def test_a_stage_gets_no_token_whatever_the_checkout_says(
    pull_request: PullRequest, retrain: Program, project: Project
) -> None:
    names = "pass-env: INPUT_GITHUB-TOKEN GITHUB_TOKEN GITHUB_OUTPUT ACTIONS_RUNTIME_TOKEN\n"
    train = TRAIN + "env > ../seen.log\n"
    job = pull_request({**BETTER, "retrain.yaml": names + GATES, "train.sh": train})
    job.step(retrain, {"pass-env": "INPUT_GITHUB-TOKEN GITHUB_TOKEN GITHUB_OUTPUT ACTIONS_RUNTIME_TOKEN"})
    seen = (project.place / "seen.log").read_text(encoding="utf-8")
    assert "DVC_STAGE=train" in seen
    assert not any(word in seen for word in ("INPUT_", "TOKEN", "GITHUB_OUTPUT"))


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch"])
def test_reviewed_code_is_judged_and_pushed_without_a_comment(
    retrain: Program, project: Project, github: FakeGitHub, event: str
) -> None:
    before = project.rev("main")
    head = project.commit("main", BETTER)
    payload = {"before": before, "after": head} if event == "push" else {"schedule": "0 4 * * 1"}
    job = Job(project.checkout("refs/heads/main"), github, event, payload, head, "refs/heads/main")
    done = job.step(retrain, {"lock": "leave"})
    assert project.ran == ["train", "evaluate"]
    assert done.outputs["verdict"] == "passed"
    assert int(done.outputs["pushed-bytes"]) > 0
    assert done.outputs["comment-url"] == ""
    assert github.sent("POST") == []


def test_a_push_that_makes_the_model_worse_is_judged_against_the_commit_before(
    retrain: Program, project: Project, github: FakeGitHub
) -> None:
    before = project.rev("main")
    head = project.commit("main", {"params.yaml": "strength: 88\n"})
    payload = {"before": before, "after": head}
    job = Job(project.checkout("refs/heads/main"), github, "push", payload, head, "refs/heads/main")
    done = job.step(retrain, exits=1)
    (annotation,) = done.log.named("error")
    assert "0.02" in annotation.message or "0.01" in annotation.message


# Every exit code


def test_a_plan_says_what_is_stale_and_runs_nothing(
    pull_request: PullRequest, retrain: Program, project: Project
) -> None:
    done = pull_request(BETTER).step(retrain, {"command": "plan"})
    assert project.ran == []
    assert done.outputs["changed"] == "true"
    assert "train" in done.outputs["stale-stages"].split("\n")


def test_a_stale_project_ends_a_checking_plan_with_10(pull_request: PullRequest, retrain: Program) -> None:
    job = pull_request(BETTER)
    retrain("plan", "--check", cwd=job.workspace, exits=10)


def test_a_fresh_project_ends_a_checking_plan_with_0(project: Project, retrain: Program) -> None:
    retrain("plan", "--check", cwd=project.checkout("refs/heads/main"), exits=0)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"retrain.yaml": "gates:\n  - metric: metrics.json:$.accuracy\n    bettr: higher\n"}, ("retrain.yaml", "3")),
        ({"dvc.yaml": "stages:\n  train:\n    cmdd: x\n"}, ("dvc.yaml", "3")),
        ({"dvc.lock": "schema: '2.0'\nstages:\n<<<<<<< ours\n"}, ("dvc.lock", "3")),
    ],
)
def test_a_wrong_file_ends_with_2_and_the_line_at_fault(
    pull_request: PullRequest, retrain: Program, project: Project, files: dict[str, str], place: tuple[str, str]
) -> None:
    done = pull_request(files).step(retrain, exits=2)
    named = [(error.properties.get("file"), error.properties.get("line")) for error in done.log.named("error")]
    assert place in named
    assert project.ran == []


@pytest.mark.parametrize("inputs", [{"jobs": "many"}, {"push": "maybe"}, {"config": "nowhere.yaml"}, {"command": "rn"}])
def test_a_wrong_input_ends_with_2_and_says_what_is_right(
    pull_request: PullRequest, retrain: Program, inputs: dict[str, str]
) -> None:
    done = pull_request(BETTER).step(retrain, inputs, exits=2)
    assert next(iter(inputs.values())) in done.log.named("error")[0].message


def test_an_input_that_does_not_exist_is_said(pull_request: PullRequest, retrain: Program) -> None:
    job = pull_request(BETTER)
    job.environ = {"INPUT_REMTOE": "other"}
    done = job.step(retrain)
    assert any("INPUT_REMTOE" in command.message for command in done.log.named("warning"))


def test_a_missing_object_ends_with_4(pull_request: PullRequest, retrain: Program, project: Project) -> None:
    name = hashlib.md5(DATA.encode()).hexdigest()
    (project.remote / "files" / "md5" / name[:2] / name[2:]).unlink()
    pipeline = (project.origin / "dvc.yaml").read_text().replace("cat data.txt", "sort data.txt")
    done = pull_request({"dvc.yaml": pipeline}).step(retrain, exits=4)
    assert "data.txt" in done.log.named("error")[0].message
    assert done.outputs["verdict"] == "error"
    assert project.ran == []


def test_an_unknown_revision_ends_with_5(pull_request: PullRequest, retrain: Program) -> None:
    done = pull_request(BETTER).step(retrain, {"base": "no-such-branch"}, exits=5)
    assert "no-such-branch" in done.log.named("error")[0].message


def test_outputs_that_cannot_be_written_end_with_6(pull_request: PullRequest, retrain: Program) -> None:
    job = pull_request(BETTER)
    job.environ = {"GITHUB_OUTPUT": str(job.workspace)}
    done = job.step(retrain, exits=6)
    assert "outputs" in done.log.named("error")[-1].message


def test_a_bug_ends_with_70_and_a_traceback_in_a_fold(pull_request: PullRequest, environ: dict[str, str]) -> None:
    door = "sys.exit(cli.start(sys.argv[1:], os.environ))"
    broken = f"import os, sys; from runner import cli, opening; del opening.open_call; {door}"
    done = pull_request(BETTER).step(Program((sys.executable, "-I", "-c", broken), environ), exits=70)
    assert [command.name for command in done.log.named("group", "endgroup")] == ["group", "endgroup"]
    assert "AttributeError" in done.stderr


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_cancelled_job_ends_in_time_leaves_nobody_behind_and_pushes_nothing(
    pull_request: PullRequest, retrain: Program, project: Project, sent: signal.Signals, code: int
) -> None:
    script = "trap '' INT TERM; sleep 300 & echo $$ $! > ../pids; echo > ../go; wait; sleep 300\n"
    job = pull_request({"train.sh": script})
    os.mkfifo(project.place / "go")
    before = project.objects()
    files = Files.beside(job.workspace, job.payload)
    given = with_defaults({}, TOKEN)
    process = subprocess.Popen(
        [*retrain.argv, *arguments(given)],
        cwd=job.workspace,
        env={**retrain.environ, **job.variables(given, files, job.workspace)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    reader = os.open(project.place / "go", os.O_RDONLY | os.O_NONBLOCK)
    running, _, _ = select.select([reader], [], [], 60)
    assert running, "the stage never began"
    started = time.monotonic()
    process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=60)
    assert time.monotonic() - started < 7.5
    assert process.returncode == code
    for pid in (project.place / "pids").read_text().split():
        assert not alive(int(pid))
    assert project.objects() == before
    outcome(code, stdout, stderr, files)


def alive(pid: int) -> bool:
    """Whether a process still runs; one that is dead and waits to be collected does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# The fence


def test_a_stage_sees_no_secret_and_issues_no_command(pull_request: PullRequest, retrain: Program) -> None:
    script = """\
env
echo "::set-output name=verdict::forged"
echo "::add-mask::accuracy"
echo "##[error]forged"
echo "::error::forged" >&2
sed -n 's/^strength: //p' params.yaml > model.txt
"""
    job = pull_request({"train.sh": script, **BETTER})
    job.environ = {"AWS_SECRET_ACCESS_KEY": "aws-secret-0123456789", "HARMLESS": "x", "NAMED": "given-to-stages"}
    done = job.step(retrain, {"pass-env": "NAMED"})
    assert "NAMED=given-to-stages" in done.stderr
    for name in (*RUNTIME, "INPUT_GITHUB-TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_OUTPUT", "GITHUB_ENV", "HARMLESS"):
        assert f"\n{name}=" not in done.stderr
    assert done.outputs["verdict"] == "passed"
    assert done.annotations() == []


def test_a_repository_with_a_runner_package_of_its_own_does_not_replace_ours(
    pull_request: PullRequest, retrain: Program
) -> None:
    theirs = "raise SystemExit('this is the wrong program')\n"
    files = {"runner/__init__.py": theirs, "runner/__main__.py": theirs, "click.py": theirs, **BETTER}
    assert pull_request(files).step(retrain).outputs["verdict"] == "passed"


def test_each_stage_that_runs_is_one_group(pull_request: PullRequest, retrain: Program) -> None:
    done = pull_request(BETTER).step(retrain)
    groups = done.log.named("group", "endgroup")
    assert [command.name for command in groups] == ["group", "endgroup"] * 2
    assert ["train" in groups[0].message, "evaluate" in groups[2].message] == [True, True]
