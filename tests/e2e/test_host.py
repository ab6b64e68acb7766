"""host/action.yml as GitHub runs a composite action: its step in bash, with the job's own tools, from the lock."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support import environment
from tests.support.job import Files, Job, action, outcome, with_defaults
from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.support.github import FakeGitHub
    from tests.support.job import Outcome
    from tests.support.project import Project

    PullRequest = Callable[..., Job]

pytestmark = pytest.mark.slow
HOST = "host/action.yml"


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give what GitHub downloads of the action, and nothing else of this repository."""
    place = tmp_path_factory.mktemp("actions") / "retrain"
    shutil.copytree(ROOT / "host", place / "host")
    shutil.copytree(ROOT / "runner", place / "runner", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.lock", place)
    return place


@pytest.fixture(scope="session")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the temporary folder of one job, whose steps share the installation."""
    return tmp_path_factory.mktemp("runner-temp")


@pytest.fixture
def host(fetched: Path, temporary: Path, session_environment: dict[str, str]) -> Callable[..., Outcome]:
    bash = require("bash", "runs the steps of a composite action")

    def step(job: Job, inputs: Mapping[str, str] | None = None, exits: int = 0, **variables: str) -> Outcome:
        given = with_defaults(inputs or {}, job.token, HOST)
        (run,) = action(HOST)["runs"]["steps"]
        files = Files.beside(job.workspace, job.payload)
        environ = job.variables({}, files, job.workspace)
        environ |= {name: _evaluated(text, given) for name, text in run["env"].items()}
        environ |= {"GITHUB_ACTION_PATH": str(fetched / "host"), "RUNNER_TEMP": str(temporary)}
        # Settings of pip that aim elsewhere do not move the installation.
        environ |= {"PIP_TARGET": str(temporary / "elsewhere"), "PIP_REQUIRE_VIRTUALENV": "1", **variables}
        script = temporary / "step.sh"
        script.write_text(run["run"])
        shell = environment.Program((str(bash), "--noprofile", "--norc", "-eo", "pipefail"), session_environment)
        done = shell(str(script), cwd=job.workspace, env=environ, exits=exits)
        assert not (temporary / "elsewhere").exists()
        return outcome(done.returncode, done.stdout, done.stderr, files)

    return step


def _evaluated(text: str, inputs: Mapping[str, str]) -> str:
    """Evaluate the one kind of expression that the file uses."""
    return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda match: inputs.get(match[1], ""), text)


def test_the_host_action_does_the_same_job_with_the_jobs_own_tools(
    host: Callable[..., Outcome], pull_request: PullRequest, github: FakeGitHub, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    tool = tools / "only-here"
    tool.write_text("#!/bin/sh\necho the tool of this job\n")
    tool.chmod(0o755)
    script = """\
only-here
python3 -c 'import obstore' 2>&1 | tail -n 1
env | grep -o -E "^(GITHUB_TOKEN|ACTIONS_|INPUT_|RUNNER_TEMP|RETRAIN_PYTHON)[^=]*" | sed "s,^,leaked ,"
sed -n 's/^strength: //p' params.yaml > model.txt
"""
    job = pull_request({"params.yaml": "strength: 95\n", "train.sh": script})
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    done = host(job, {"report-dir": "out"}, PATH=path)
    assert done.outputs["verdict"] == "passed"
    assert int(done.outputs["pushed-bytes"]) > 0
    assert (job.workspace / "out" / "report.json").exists()
    assert "0.95" in github.bodies()[0]
    said = done.stderr.splitlines()
    assert "the tool of this job" in said
    assert "ModuleNotFoundError: No module named 'obstore'" in said
    assert [line for line in said if line.startswith("leaked")] == []


def test_the_host_action_fails_where_the_gate_does(
    host: Callable[..., Outcome], pull_request: PullRequest, project: Project
) -> None:
    before = project.objects()
    done = host(pull_request({"params.yaml": "strength: 50\n"}), exits=1)
    assert done.outputs["verdict"] == "failed"
    assert project.objects() == before


def test_a_second_step_of_a_job_installs_nothing(host: Callable[..., Outcome], pull_request: PullRequest) -> None:
    job = pull_request({"params.yaml": "strength: 95\n"})
    host(job, {"command": "plan"})
    again = host(job, {"command": "plan"}, PIP_INDEX_URL="http://127.0.0.1:9/nowhere")
    assert not [one for one in again.log.named("group") if one.message.startswith("Install")]


def test_a_python_that_is_too_old_or_not_there_is_refused_by_name(
    host: Callable[..., Outcome], pull_request: PullRequest
) -> None:
    done = host(pull_request({"params.yaml": "strength: 95\n"}), {"python": "python2.7"}, exits=2)
    (error,) = done.annotations()
    assert error.message == "python: 'python2.7' is no Python 3.11 or later with venv and pip"
