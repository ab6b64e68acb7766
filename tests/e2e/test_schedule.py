"""A run on a schedule: imports brought up to date, an issue while it does not hold, a webhook that is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import events, hook
from tests.support.github import FakeGitHub, serving
from tests.support.job import TOKEN, Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.support.environment import Program
    from tests.support.hook import Hook
    from tests.support.job import Outcome
    from tests.support.project import Project

    Nightly = Callable[..., Outcome]

pytestmark = pytest.mark.slow  # GitHub asks for a second between two writes

WORSE = {"params.yaml": "strength: 50\n"}
BROKEN = {"train.sh": "echo about to fail; exit 41\n"}
BETTER = {"params.yaml": "strength: 95\n", "train.sh": ""}
WORKFLOW = {"GITHUB_WORKFLOW_REF": "Codertocat/Hello-World/.github/workflows/nightly.yml@refs/heads/main"}
ISSUE = {"issue": "on", "lock": "leave"}


@pytest.fixture
def host(project: Project) -> Iterator[FakeGitHub]:
    with serving(FakeGitHub(git=project.origin / ".git")) as fake:
        fake.token(TOKEN)
        yield fake


@pytest.fixture
def chat() -> Iterator[Hook]:
    with hook.serving() as one:
        yield one


@pytest.fixture
def nightly(project: Project, host: FakeGitHub, retrain: Program) -> Nightly:
    """Give what runs the job of a schedule on main, after a change of it."""

    def step(files: Mapping[str, str], inputs: Mapping[str, str], exits: int = 0, *, name: str = "schedule") -> Outcome:
        if files:
            project.commit("main", dict(files))
        workspace = project.checkout("refs/heads/main")
        job = Job(workspace, host, name, {"schedule": "17 3 * * *"}, project.rev("main"), "refs/heads/main")
        job.environ = WORKFLOW
        return job.step(retrain, inputs, exits=exits)

    return step


def ended(host: FakeGitHub, *conclusions: str) -> None:
    """Give the host's earlier runs of the workflow, the latest first."""
    like = {"workflow": "nightly.yml", "head_branch": "main", "event": "schedule", "head_sha": "1" * 40}
    host.runs[:] = [
        {**like, "id": 100 - place, "conclusion": conclusion, "created_at": f"2026-01-{20 - place:02}T03:17:00Z"}
        for place, conclusion in enumerate(conclusions)
    ]


def issues(host: FakeGitHub) -> list[dict[str, Any]]:
    return [issue for issue in host.issues.values() if "pull_request" not in issue]


def test_a_gate_that_fails_opens_one_issue_which_is_corrected_and_closed_by_the_run_that_holds(
    nightly: Nightly, host: FakeGitHub
) -> None:
    host.open_issue("Somebody else's", "text", labels=["retrain"])
    ended(host, "success")
    done = nightly(WORSE, ISSUE, exits=1)
    _, issue = issues(host)
    assert issue["title"] == "Retraining does not hold: the model"
    assert "does not pass its gates" in issue["body"]
    assert "0.5" in issue["body"]
    assert [one["name"] for one in issue["labels"]] == ["retrain"]
    assert done.outputs["issue-url"] == issue["html_url"]
    nightly({"params.yaml": "strength: 40\n"}, ISSUE, exits=1)
    assert len(issues(host)) == 2
    assert "0.4" in issue["body"]
    nightly({"params.yaml": "strength: 95\n"}, ISSUE)
    assert issue["state"] == "closed"
    assert "holds again" in host.bodies()[-1]
    assert issues(host)[0]["state"] == "open"


def test_an_issue_is_closed_by_no_run_that_was_about_something_else(
    nightly: Nightly, host: FakeGitHub, project: Project, retrain: Program
) -> None:
    nightly(WORSE, ISSUE, exits=1)
    (issue,) = issues(host)
    assert "on `main` that holds" in issue["body"]
    nightly({}, {**ISSUE, "set-param": "strength=95"}, name="workflow_dispatch")
    assert issue["state"] == "open"
    good = project.commit("better", {"params.yaml": "strength: 95\n"})
    for name, ref in (("push", "refs/heads/better"), ("merge_group", "refs/heads/gh-readonly-queue/main/pr-7")):
        payload = {"before": project.rev("main"), "merge_group": {"head_sha": good, "base_ref": "refs/heads/main"}}
        Job(project.checkout("refs/heads/better"), host, name, payload, good, ref).step(retrain, ISSUE)
        assert issue["state"] == "open"
    nightly({"params.yaml": "strength: 95\n"}, ISSUE)
    assert issue["state"] == "closed"


def test_a_run_that_breaks_is_told_when_the_last_good_one_is_several_runs_ago(
    nightly: Nightly, host: FakeGitHub
) -> None:
    ended(host, "failure", "success")
    done = nightly(BROKEN, ISSUE, exits=3)
    assert issues(host) == []
    assert "2 of the last runs ended badly; an issue is opened at 3" in done.stderr
    ended(host, "failure", "cancelled", "failure", "success", "failure")
    nightly({}, ISSUE, exits=3)
    (issue,) = issues(host)
    assert "3 runs in a row did not hold; the last that did is of 2026-01-17" in issue["body"]


def test_a_run_that_cannot_even_begin_counts_too(nightly: Nightly, host: FakeGitHub) -> None:
    ended(host, "failure", "failure", "failure")
    nightly({"dvc.yaml": "stages: [\n"}, ISSUE, exits=2)
    (issue,) = issues(host)
    assert "none that did is known" in issue["body"]


def test_a_permission_that_is_missing_is_named_and_costs_neither_verdict_nor_report(
    nightly: Nightly, host: FakeGitHub
) -> None:
    host.token(TOKEN, permissions={"contents": "read"})
    done = nightly(WORSE, ISSUE, exits=1)
    assert "issues: " in done.stderr
    assert done.stderr.index("the issue will be missing") < done.stderr.index("> sh train.sh")
    assert done.outputs["verdict"] == "failed"
    assert done.outputs["issue-url"] == ""


def test_without_the_setting_and_on_pull_requests_there_is_no_issue(
    nightly: Nightly, host: FakeGitHub, project: Project, retrain: Program
) -> None:
    nightly(WORSE, {"lock": "leave"}, exits=1)
    head = project.commit("change", {"params.yaml": "strength: 45\n"})
    project.merge_ref("change", 7)
    host.open_pull(head="change", number=7)
    payload = events.pull_request(repository=host.repository, number=7, head=head, base=project.rev("main"))
    workspace = project.checkout("refs/pull/7/merge")
    Job(workspace, host, "pull_request", payload, head, "refs/pull/7/merge").step(retrain, ISSUE, exits=1)
    assert issues(host) == []


def test_the_webhook_is_told_of_what_did_not_hold_in_slacks_words_and_of_nothing_else(
    nightly: Nightly, chat: Hook
) -> None:
    told = {"webhook-url": chat.url, "lock": "leave"}
    done = nightly(WORSE, told, exits=1)
    (message,) = chat.told
    assert set(message) == {"text"}
    assert message["text"].startswith("*Retrain: Failed: accuracy")
    assert "accuracy" in message["text"]
    assert "/actions/runs/4711|The run>" in message["text"]
    assert "secretOfTheHook" not in f"{done.stdout}{done.stderr}{done.summary}"
    nightly({"params.yaml": "strength: 95\n"}, told)
    assert len(chat.told) == 1


def test_a_webhook_that_stumbles_is_told_again_and_one_that_refuses_is_a_warning(nightly: Nightly, chat: Hook) -> None:
    told = {"webhook-url": chat.url, "lock": "leave"}
    chat.statuses = [503]
    nightly(WORSE, told, exits=1)
    assert len(chat.told) == 1
    chat.statuses = [404]
    done = nightly({}, told, exits=1)
    assert "the webhook was not told: 404" in done.stderr
    assert "secretOfTheHook" not in done.stderr
    assert len(chat.told) == 1


def test_a_template_of_the_projects_gives_the_message_and_a_broken_one_does_not_cost_it(
    nightly: Nightly, chat: Hook
) -> None:
    told = {"webhook-url": chat.url, "lock": "leave"}
    place = ".retrain/templates/webhook.json.jinja"
    own = '{"channel": "#models", "verdict": {{ verdict | tojson }}, "why": {{ lines | tojson }}}'
    nightly({**WORSE, place: own}, told, exits=1)
    assert chat.told[0]["channel"] == "#models"
    assert chat.told[0]["verdict"] == "failed"
    assert chat.told[0]["why"]
    done = nightly({place: '{"verdict": {{ verdict }}}'}, told, exits=1)
    assert "does not give JSON" in done.stderr
    assert set(chat.told[1]) == {"text"}


def test_a_strangers_run_tells_no_webhook(project: Project, host: FakeGitHub, retrain: Program, chat: Hook) -> None:
    head = project.commit("change", WORSE)
    project.merge_ref("change", 7)
    payload = events.pull_request(repository=host.repository, number=7, head=head, base=project.rev("main"))
    payload = events.from_fork(payload, "stranger/Hello-World")
    workspace = project.checkout("refs/pull/7/merge")
    job = Job(workspace, host, "pull_request", payload, head, "refs/pull/7/merge")
    job.step(retrain, {"webhook-url": chat.url}, exits=1)
    assert chat.told == []


def imported(tmp_path: Path, project: Project, dvc: Program) -> Path:
    """Make a file outside the project an import of it, in place of its data."""
    source = tmp_path / "source.txt"
    source.write_text("1 2 3\n")
    place = project.origin
    project.git("rm", "-q", "data.txt.dvc", cwd=place)
    (place / "data.txt").unlink(missing_ok=True)
    dvc("import-url", str(source), "data.txt", cwd=place)
    return source


def test_a_schedule_takes_in_what_the_sources_of_imports_hold_by_now(
    nightly: Nightly, project: Project, dvc: Program, tmp_path: Path, retrain: Program
) -> None:
    source = imported(tmp_path, project, dvc)
    retrain("repro", cwd=project.origin)
    retrain("push", cwd=project.origin)
    project.git("add", "-A", cwd=project.origin)
    project.git("commit", "-qm", "Import", cwd=project.origin)
    source.write_text("4 5 6\n")
    assert "up to date" not in nightly({}, {"update-imports": "never", "lock": "leave"}).stderr
    done = nightly({}, {"lock": "leave"})
    assert "1 of 1 imports updated: data.txt.dvc" in done.stderr
    assert "imports brought up to date first" in done.summary
    assert done.outputs["changed"] == "true"
    source.unlink()
    nightly({}, {"lock": "leave"}, exits=4)
