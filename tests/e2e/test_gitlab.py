"""In a job of GitLab's: the note, the status, the reports; and the example as a runner of GitLab's files runs it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.support.environment import Program
from tests.support.gitlab import BOT, FakeGitLab, serving
from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

    from tests.support.project import Project

    MergeRequest = Callable[..., "GitLabJob"]

TOKEN = "glpat-0123456789abcdefghij"  # noqa: S105
EXAMPLE = ROOT / "examples" / "gitlab" / ".gitlab-ci.yml"


@dataclass
class GitLabJob:
    """A job of a pipeline, with GitLab's own variables."""

    workspace: Path
    variables: dict[str, str]
    token: str = TOKEN
    more: dict[str, str] = field(default_factory=dict)

    def environ(self) -> dict[str, str]:
        return {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_PROJECT_DIR": str(self.workspace),
            "GITLAB_TOKEN": self.token,
            "CI_JOB_TOKEN": "glcbt-64_0123456789",
            **self.variables,
            **self.more,
        }

    def run(self, retrain: Program, *arguments: str, exits: int = 0) -> CompletedProcess[str]:
        done = retrain("run", "--report-dir", "out", *arguments, cwd=self.workspace, env=self.environ(), exits=exits)
        assert TOKEN not in f"{done.stdout}{done.stderr}"
        return done


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    with serving(FakeGitLab(tokens={TOKEN: BOT})) as fake:
        yield fake


@pytest.fixture
def merge_request(project: Project, gitlab: FakeGitLab) -> MergeRequest:
    """Give what opens a merge request with changed files, and checks its head out as a runner of GitLab's does."""

    def opened(files: dict[str, str], pipeline: int = 100) -> GitLabJob:
        base = project.rev("main")
        head = project.commit("change", files)
        workspace = project.checkout("refs/heads/change")
        variables = {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_PIPELINE_ID": str(pipeline),
            "CI_JOB_URL": f"{gitlab.url}/team/model/-/jobs/{pipeline}1",
            "CI_SERVER_URL": gitlab.url,
            "CI_API_V4_URL": f"{gitlab.url}/api/v4",
            "CI_PROJECT_ID": "1",
            "CI_PROJECT_PATH": "team/model",
            "CI_COMMIT_SHA": head,
            "CI_DEFAULT_BRANCH": "main",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "change",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        }
        return GitLabJob(workspace, variables)

    return opened


BETTER = {"params.yaml": "strength: 95\n"}


def test_a_merge_request_is_run_judged_pushed_and_reported_in_one_note(
    merge_request: MergeRequest, retrain: Program, project: Project, gitlab: FakeGitLab
) -> None:
    job = merge_request(BETTER)
    for number in range(150):
        gitlab.say(f"Comment {number}", "octocat")
    before = project.objects()
    done = job.run(retrain, "--commit-status")
    assert project.ran == ["train", "evaluate"]
    (note,) = gitlab.bodies()
    assert "**✅ Passed" in note
    assert "0.95" in note
    assert before < project.objects()
    assert [one["state"] for one in gitlab.statuses] == ["running", "success"]
    assert {one["sha"] for one in gitlab.statuses} == {job.variables["CI_COMMIT_SHA"]}
    assert "pull-request: a pull request from this repository" in done.stderr
    variables = dict(line.split("=", 1) for line in (job.workspace / "out" / "retrain.env").read_text().splitlines())
    assert variables["RETRAIN_VERDICT"] == "passed"
    assert variables["RETRAIN_STALE_STAGES"] == "train,evaluate"
    assert variables["RETRAIN_COMMENT_URL"] == f"{gitlab.url}/team/model/-/merge_requests/7#note_151"
    assert variables["RETRAIN_REPORT_JSON"] == "out/report.json"
    again = merge_request({"params.yaml": "strength: 96\n"}, pipeline=101)
    again.run(retrain)
    assert len(gitlab.bodies()) == 1
    assert "0.96" in gitlab.bodies()[0]


def test_an_earlier_pipeline_that_ends_late_leaves_the_note_of_a_later_one_alone(
    merge_request: MergeRequest, retrain: Program, gitlab: FakeGitLab
) -> None:
    late = merge_request(BETTER, pipeline=99)
    gitlab.say(f"<!-- retrain:. head={'1' * 40} run=100.1 -->\nlater", BOT)
    assert "left alone" in late.run(retrain).stderr
    assert gitlab.bodies()[0].endswith("later")


def test_a_run_that_cannot_begin_corrects_the_note_that_is_there_and_writes_none(
    merge_request: MergeRequest, retrain: Program, gitlab: FakeGitLab
) -> None:
    broken = {"dvc.yaml": "stages: {\n"}
    merge_request(broken).run(retrain, exits=2)
    assert gitlab.bodies() == []
    gitlab.say(f"<!-- retrain:. head={'1' * 40} run=50.1 -->\n**Passed**", BOT)
    merge_request({"note.txt": "again\n"}, pipeline=101).run(retrain, exits=2)
    assert "**Passed**" not in gitlab.bodies()[0]


def test_a_worse_model_fails_the_job(merge_request: MergeRequest, retrain: Program, gitlab: FakeGitLab) -> None:
    merge_request({"params.yaml": "strength: 50\n"}).run(retrain, "--commit-status", exits=1)
    assert gitlab.statuses[-1]["state"] == "failed"
    assert "❌" in gitlab.bodies()[0]


def test_a_forks_merge_request_runs_without_rights(
    merge_request: MergeRequest, retrain: Program, project: Project, gitlab: FakeGitLab
) -> None:
    job = merge_request(BETTER)
    job.variables["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"] = "2"
    before = project.objects()
    done = job.run(retrain)
    assert "a stranger's code" in done.stderr
    assert gitlab.asked == []
    assert project.objects() == before


@pytest.mark.parametrize(("token", "said"), [("wrong", "401"), ("reader", "403")])
def test_a_token_that_may_not_write_is_said_and_costs_neither_report_nor_verdict(
    token: str, said: str, merge_request: MergeRequest, retrain: Program, gitlab: FakeGitLab
) -> None:
    gitlab.tokens["reader"] = "somebody"
    gitlab.readers.add("somebody")
    job = merge_request(BETTER)
    job.token = token
    done = job.run(retrain)
    assert said in done.stderr
    assert "GITLAB_TOKEN needs the scope api" in done.stderr
    assert (job.workspace / "out" / "report.json").exists()


def test_a_limit_is_waited_for(merge_request: MergeRequest, retrain: Program, gitlab: FakeGitLab) -> None:
    gitlab.limited = 2
    merge_request(BETTER).run(retrain)
    assert len(gitlab.bodies()) == 1


def test_no_line_of_a_note_is_an_order_to_gitlab(
    merge_request: MergeRequest, retrain: Program, gitlab: FakeGitLab
) -> None:
    job = merge_request({"train.sh": "echo /merge; echo '  /approve'; exit 3\n"})
    job.run(retrain, exits=3)
    (note,) = gitlab.bodies()
    assert "/merge" in note
    assert not [line for line in note.splitlines() if line.lstrip(" >").startswith("/")]


def test_stages_see_no_token_of_gitlabs(merge_request: MergeRequest, retrain: Program) -> None:
    job = merge_request({"train.sh": "env >&2\nsed -n 's/^strength: //p' params.yaml > model.txt\n"})
    done = job.run(retrain)
    assert "DVC_STAGE=train" in done.stderr
    assert "GITLAB_TOKEN" not in done.stderr
    assert "CI_JOB_TOKEN" not in done.stderr


def test_metrics_are_readable_as_openmetrics(merge_request: MergeRequest, retrain: Program) -> None:
    job = merge_request(BETTER)
    job.run(retrain)
    text = (job.workspace / "out" / "metrics.txt").read_text()
    families = list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    samples = {(one.name, one.labels.get("key", "")): one.value for family in families for one in family.samples}
    assert 0.95 in samples.values()
    assert {family.type for family in families} == {"gauge"}


def test_what_would_be_posted_can_be_had_as_files(merge_request: MergeRequest, retrain: Program) -> None:
    job = merge_request(BETTER)
    done = retrain("run", "--report-dir", "out", "--forge", "file", cwd=job.workspace)
    assert "passed" in done.stdout
    posted = job.workspace / "out" / "posted"
    assert {path.name for path in posted.iterdir()} == {
        *("check.json", "comment.md", "outputs.env", "status.json", "summary.md")
    }
    assert "0.95" in (posted / "comment.md").read_text()


def test_a_shell_that_sources_the_outputs_runs_nothing_of_them(merge_request: MergeRequest, retrain: Program) -> None:
    named = "$(touch pwned)`touch pwned`x"
    stage = {"foreach": {named: 1}, "do": {"cmd": "echo 1 > named.txt", "outs": ["named.txt"]}}
    job = merge_request({"more/dvc.yaml": json.dumps({"stages": {"more": stage}})})
    retrain("run", "--report-dir", "out", "--forge", "file", cwd=job.workspace)
    shell = Program(("sh", "-c"), dict(retrain.environ))
    done = shell('. ./out/posted/outputs.env && printf %s "$RETRAIN_STALE_STAGES"', cwd=job.workspace)
    assert done.stdout == f"more/dvc.yaml:more@{named}"
    assert not (job.workspace / "pwned").exists()


def test_with_params_that_the_commit_has_not_there_is_no_status(
    merge_request: MergeRequest, retrain: Program, gitlab: FakeGitLab
) -> None:
    merge_request(BETTER).run(retrain, "--commit-status", "--set-param", "strength=99")
    assert gitlab.statuses == []
    assert len(gitlab.bodies()) == 1


def test_the_example_is_what_a_runner_of_gitlabs_files_can_run(
    merge_request: MergeRequest, retrain: Program, gitlab: FakeGitLab, tmp_path: Path
) -> None:
    require("rsync", "copies the checkout for the next line's program")
    runner = require("tests/node_modules/.bin/gitlab-ci-local", "runs .gitlab-ci.yml; npm ci --prefix tests")
    job = merge_request(BETTER)
    shutil.copy(EXAMPLE, job.workspace)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "retrain"
    command.write_text(f'#!/bin/sh\nexec {" ".join(retrain.argv)} "$@"\n')
    command.chmod(0o755)
    ours = {"GITLAB_CI": "true", "GITLAB_TOKEN": TOKEN, **job.variables}
    variables = [part for name, value in ours.items() for part in ("--variable", f"{name}={value}")]
    done = Program((str(runner),), retrain.environ)(
        *("--force-shell-executor", "--shell-isolation=false", "--no-artifacts-to-source", *variables, "retrain"),
        cwd=job.workspace,
        env={"PATH": f"{bin_folder}:{retrain.environ['PATH']}"},
        exits=None,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert len(gitlab.bodies()) == 1, f"{done.stdout}{done.stderr}"
