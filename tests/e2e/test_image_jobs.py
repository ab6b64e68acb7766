"""The jobs that teams run, in the real image: each verdict, forks in two runs, schedules, what a host refuses."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import container, events
from tests.support.container import OWNER, owned
from tests.support.github import FakeGitHub, serving
from tests.support.job import TOKEN, Job
from tests.support.project import GATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.environment import Program
    from tests.support.job import Outcome
    from tests.support.project import Project

    PullRequest = Callable[..., Job]
    Nightly = Callable[..., Outcome]

pytestmark = pytest.mark.slow

BETTER = {"params.yaml": "strength: 95\n"}
FORK = "stranger/Hello-World"


@pytest.fixture
def step(podman: Program, project: Project) -> Callable[..., Outcome]:
    """Give what runs a job in the image, in a workspace that belongs to the user of GitHub's machines."""

    def ran(job: Job, inputs: Mapping[str, str] | None = None, exits: int = 0) -> Outcome:
        for place in (job.workspace, project.remote):
            owned(place)
        for place in (project.place, *project.place.glob("*.log")):  # where stages write down that they ran
            os.chown(place, OWNER, OWNER)
        return container.run(podman, job, project, dict(inputs or {}), exits)

    return ran


MISSING = f"{GATES}  - metric: metrics.json:$.recall\n    better: higher\n    allow-drop: 1%\n"
WARNING = {
    "params.yaml": "strength: 89\n",
    "retrain.yaml": GATES.replace("allow-drop", "warn-drop: 0.005\n    allow-drop"),
}
VERDICTS: dict[str, tuple[dict[str, str], int]] = {
    "passed": (BETTER, 0),
    "failed": ({"retrain.yaml": MISSING}, 1),
    "warned": (WARNING, 0),
    "error": ({"train.sh": "exit 3\n"}, 3),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_has_its_exit_code_its_comment_and_its_output(
    step: Callable[..., Outcome], pull_request: PullRequest, github: FakeGitHub, verdict: str
) -> None:
    files, code = VERDICTS[verdict]
    done = step(pull_request(files), exits=code)
    assert done.outputs["verdict"] == verdict
    assert len(github.bodies()) == 1


def test_what_cannot_be_measured_is_not_green(step: Callable[..., Outcome], pull_request: PullRequest) -> None:
    first = {"evaluate.sh": 'printf \'{"accuracy": 0.95, "recall": 0.5}\\n\' > metrics.json\n'}
    done = step(pull_request({**first, "retrain.yaml": MISSING}), exits=1)
    assert done.outputs["verdict"] == "unmeasured"


def test_a_forks_run_and_the_one_that_follows_it(
    step: Callable[..., Outcome], pull_request: PullRequest, project: Project, github: FakeGitHub
) -> None:
    first = pull_request(BETTER)
    first.payload = events.from_fork(dict(first.payload), FORK)
    first.token = github.token("ghs_readsOnly0123456789", read_only=True)
    head = first.payload["pull_request"]["head"]
    github.open_pull(number=7, head=head["ref"], sha=head["sha"], head_repository=FORK)
    before = project.objects()
    assert step(first, {"report-dir": "out"}).outputs["verdict"] == "passed"
    assert (project.objects(), github.bodies()) == (before, [])
    github.upload(4711, "retrain-report", {"report.json": (first.workspace / "out" / "report.json").read_bytes()})
    payload = events.workflow_run(dict(first.payload), run=4711, repository=github.repository)
    workspace = project.checkout("refs/heads/main")
    second = Job(workspace, github, "workflow_run", payload, project.rev("main"), "refs/heads/main")
    step(second)
    (comment,) = github.bodies()
    assert "A fork's own run says this" in comment


@pytest.fixture
def host(project: Project) -> Iterator[FakeGitHub]:
    with serving(FakeGitHub(git=project.origin / ".git")) as fake:
        fake.token(TOKEN)
        yield fake


@pytest.fixture
def nightly(step: Callable[..., Outcome], project: Project, host: FakeGitHub) -> Nightly:
    def run(files: dict[str, str], exits: int = 0) -> Outcome:
        if files:
            project.commit("main", files)
        workspace = project.checkout("refs/heads/main")
        job = Job(workspace, host, "schedule", {"schedule": "17 3 * * *"}, project.rev("main"), "refs/heads/main")
        return step(job, exits=exits)

    return run


def proposed(host: FakeGitHub) -> list[dict[str, Any]]:
    return [pull for pull in host.pulls.values() if pull["state"] == "open"]


def test_a_schedule_proposes_a_change_and_without_one_nothing(nightly: Nightly, host: FakeGitHub) -> None:
    assert nightly({}).outputs["changed"] == "false"
    assert proposed(host) == []
    done = nightly(BETTER)
    (pull,) = proposed(host)
    assert done.outputs["pull-request-url"] == pull["html_url"]


def test_a_lock_branch_that_somebody_moved_meanwhile_is_left_alone(nightly: Nightly, host: FakeGitHub) -> None:
    nightly(BETTER)
    (pull,) = proposed(host)
    branch = pull["head"]["ref"]
    theirs = host.push(branch, {"notes.txt": b"mine\n"}, "octocat")
    nightly({"params.yaml": "strength: 97\n"}, exits=6)
    assert host.git.tip(branch) == theirs


def test_a_comment_that_is_forbidden_or_too_long_costs_no_verdict(
    step: Callable[..., Outcome], pull_request: PullRequest, github: FakeGitHub
) -> None:
    many = json.dumps({"accuracy": 0.95, "by_class": {f"class-{number:05}": number / 4000 for number in range(4000)}})
    job = pull_request({"evaluate.sh": f"cat > metrics.json <<'END'\n{many}\nEND\n"})
    done = step(job)
    (comment,) = github.bodies()
    assert len(comment) <= 65_536
    assert len(done.summary) > 200_000
    github.token(TOKEN, permissions={"contents": "read"})
    refused = step(job)
    assert refused.outputs["verdict"] == "passed"
    assert "pull-requests: write" in refused.stderr
