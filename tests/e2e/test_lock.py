"""What becomes of a new lock: left, checked, committed, proposed; on the code host's own git repository."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support import events
from tests.support.github import FakeGitHub, Meanwhile, serving
from tests.support.job import TOKEN, Job
from tests.support.project import EVALUATE, GATES, PIPELINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.environment import Program
    from tests.support.job import Outcome
    from tests.support.project import Project

    Step = Callable[..., Outcome]

LOCK = "retrain/main"
BETTER = {"params.yaml": "strength: 95\n"}
WORSE = {"params.yaml": "strength: 50\n"}
WARNING = {
    "params.yaml": "strength: 89\n",
    "retrain.yaml": GATES.replace("allow-drop", "warn-drop: 0.005\n    allow-drop"),
}

pytestmark = pytest.mark.slow  # GitHub asks for a second between two writes


@pytest.fixture
def host(project: Project) -> Iterator[FakeGitHub]:
    """Give a GitHub whose repository is the project's origin."""
    with serving(FakeGitHub(git=project.origin / ".git")) as fake:
        fake.token(TOKEN)
        yield fake


@pytest.fixture
def nightly(project: Project, host: FakeGitHub, retrain: Program) -> Step:
    """Give a function that runs the job of a schedule on main as it is, and answers what it left."""

    def step(
        inputs: Mapping[str, str] | None = None,
        exits: int = 0,
        environ: Mapping[str, str] | None = None,
        depth: int = 0,
    ) -> Outcome:
        workspace = project.checkout("refs/heads/main", depth=depth)
        job = Job(workspace, host, "schedule", {"schedule": "17 3 * * *"}, project.rev("main"), "refs/heads/main")
        job.environ = environ or {}
        return job.step(retrain, inputs, exits=exits)

    return step


@pytest.fixture
def reviewed(project: Project, host: FakeGitHub, retrain: Program) -> Step:
    """Give a function that runs the job of a pull request, on its merge commit or on its head."""

    def step(
        files: dict[str, str], inputs: Mapping[str, str], exits: int = 0, *, on: str = "merge", fork: bool = False
    ) -> Outcome:
        head = project.commit("change", files) if files else project.rev("change")
        merge = project.merge_ref("change", 7)
        host.open_pull(head="change", number=7)
        payload = events.pull_request(repository=host.repository, number=7, head=head, base=project.rev("main"))
        payload["pull_request"]["head"]["ref"] = "change"
        payload = events.from_fork(payload, "stranger/fork") if fork else payload
        workspace = project.checkout("refs/pull/7/merge" if on == "merge" else "refs/heads/change")
        job = Job(workspace, host, "pull_request", payload, merge, "refs/pull/7/merge")
        return job.step(retrain, inputs, exits=exits)

    return step


@pytest.fixture
def see_fresh(project: Project, retrain: Program, dvc: Program) -> Callable[[str], None]:
    """Give a function that sees that a clone of a commit has nothing to do, as we say and as real DVC says."""

    def see(rev: str) -> None:
        place = project.place / f"clone-{rev[:12]}"
        project.git("clone", "-q", str(project.origin), str(place), cwd=project.place)
        project.git("checkout", "-q", rev, cwd=place)
        retrain("plan", "--check", cwd=place)
        dvc("pull", "-q", cwd=place)
        assert dvc("status", cwd=place).stdout.strip() == "Data and pipelines are up to date."

    return see


def written(host: FakeGitHub) -> list[str]:
    """Give what was written to the host, beside comments, and questions that nothing can fulfil."""
    posts = [one for one in host.received if one.method not in {"GET", "HEAD"} and "/comments" not in one.path]
    asks = [
        one for one in posts if "viewer" in str(one.body) or "0" * 40 in str(one.body) or "'head': ''" in str(one.body)
    ]
    return [one.path for one in posts if one not in asks or "updateRefs" in str(one.body)]


def test_a_schedule_proposes_what_it_made_brings_it_up_to_date_and_takes_it_back(
    nightly: Step, project: Project, host: FakeGitHub, see_fresh: Callable[[str], None]
) -> None:
    before = project.commit("main", BETTER)
    done = nightly({"report-dir": "out"})
    assert project.ran == ["train", "evaluate"]
    (pull,) = host.pulls.values()
    assert done.outputs["pull-request-url"] == pull["html_url"]
    proposed = done.outputs["lock-commit"]
    assert (project.rev(LOCK), project.rev("main")) == (proposed, before)
    assert pull["title"] == "Retrain main: metrics.json accuracy 0.9 → 0.95 (passed)"
    assert "0.95" in pull["body"]
    assert "GitHub starts no workflows" in pull["body"]
    message = project.git("log", "-1", "--format=%B", proposed, cwd=project.origin).stdout
    assert "- train: ran (param modified params.yaml:strength)" in message
    assert (
        "Retrain-Run: https://github.com/Codertocat/Hello-World/actions/runs/4711\nRetrain-Verdict: passed\n" in message
    )
    changed = project.git("diff", "--name-only", "main", LOCK, cwd=project.origin).stdout.split()
    assert changed == ["dvc.lock", "metrics.json"]
    see_fresh(proposed)

    host.received.clear()
    again = nightly()
    assert project.ran == []
    assert again.outputs["lock-commit"] == proposed
    assert [path for path in written(host) if "pulls" not in path] == []

    project.git("update-ref", "refs/heads/main", proposed, cwd=project.origin)
    last = nightly()
    assert pull["state"] == "closed"
    assert last.outputs["lock-commit"] == ""
    assert not project.git("branch", "--list", LOCK, cwd=project.origin).stdout


def test_with_warnings_it_is_a_draft_and_auto_merge_is_not_asked_for(
    nightly: Step, project: Project, host: FakeGitHub
) -> None:
    project.commit("main", WARNING)
    done = nightly({"auto-merge": "passed", "lock-branch": "bot/lock"})
    (pull,) = host.pulls.values()
    assert (pull["draft"], pull["head"]["ref"]) == (True, "bot/lock")
    assert {label["name"] for label in pull["labels"]} == {"retrain", "retrain:warned"}
    assert host.auto_merges == {}
    assert "auto-merge is not switched on: the gates say warned" in done.summary


def test_a_run_that_fails_its_gates_proposes_nothing_and_puts_down_what_was_proposed(
    nightly: Step, project: Project, host: FakeGitHub
) -> None:
    project.commit("main", BETTER)
    nightly({"auto-merge": "passed"})
    (pull,) = host.pulls.values()
    proposed = project.rev(LOCK)
    assert host.auto_merges
    project.commit("main", WORSE)
    done = nightly(exits=1)
    assert done.outputs["verdict"] == "failed"
    assert done.outputs["lock-commit"] == ""
    assert project.rev(LOCK) == proposed
    assert pull["draft"]
    assert host.auto_merges == {}


def test_no_lock_is_proposed_whose_objects_are_not_all_in_the_remote(
    nightly: Step, project: Project, host: FakeGitHub
) -> None:
    project.commit("main", {"params.yaml": "strength: 95\n", "extra.txt.dvc": EXTRA, ".gitignore": IGNORED})
    done = nightly(exits=4)
    assert "extra.txt is named by the lock, but is neither here nor whole in the remote" in done.summary
    assert written(host) == []


def test_by_itself_no_lock_is_proposed_where_no_remote_could_hold_what_it_names(
    nightly: Step, project: Project, host: FakeGitHub
) -> None:
    moved = PIPELINE.replace("cat data.txt", "echo data").replace("    deps:\n    - data.txt\n", "", 1)
    project.git("rm", "-q", "data.txt.dvc", cwd=project.origin)
    project.commit("main", {".dvc/config": "", "dvc.yaml": moved})
    done = nightly()
    assert "no remote is configured" in done.summary
    assert written(host) == []


EXTRA = "outs:\n- md5: 0123456789abcdef0123456789abcdef\n  size: 3\n  hash: md5\n  path: extra.txt\n"
IGNORED = "/data.txt\n/prepared.txt\n/model.txt\n/extra.txt\n"


@pytest.mark.parametrize(
    ("granted", "named"),
    [({"contents": "read", "pull-requests": "write"}, "contents: write"), ({"contents": "write"}, "pull-requests: ")],
)
def test_what_github_refuses_is_said_first_and_fails_the_job_after_the_report_is_told(
    nightly: Step, project: Project, host: FakeGitHub, granted: dict[str, str], named: str
) -> None:
    project.commit("main", BETTER)
    host.token(TOKEN, permissions={"metadata": "read", **granted})
    done = nightly({"report-dir": "out"}, exits=6)
    assert done.stderr.index(named) < done.stderr.index("train")
    assert named in done.summary
    assert "0.95" in done.summary
    assert json.loads((project.place / "workspace" / "out" / "report.json").read_text())["exit_code"] == 6
    assert project.ran == ["train", "evaluate"]
    assert named in nightly({"lock": "pull-request"}, exits=6).summary
    assert project.ran == []


@pytest.mark.parametrize(
    ("granted", "named"),
    [
        (
            {"contents": "read"},
            ["the lock's commit, the lock's pull request", "contents: write", "pull-requests: write"],
        ),
        (None, ["the lock's pull request", "allow GitHub Actions to create and approve pull requests"]),
    ],
)
def test_all_that_a_demanded_lock_lacks_is_said_at_once_before_anything_is_run(
    nightly: Step, project: Project, host: FakeGitHub, granted: dict[str, str] | None, named: list[str]
) -> None:
    project.commit("main", BETTER)
    host.actions_may_open_pulls = granted is not None
    host.token(TOKEN, permissions={"metadata": "read", **granted} if granted else None)
    (error,) = nightly({"lock": "pull-request"}, exits=6).log.named("error")
    assert [part for part in named if part not in error.message] == []
    assert project.ran == []
    assert written(host) == []


def test_a_base_that_moved_where_it_matters_has_the_lock_made_again_from_the_run_cache(
    nightly: Step, project: Project, host: FakeGitHub, retrain: Program, see_fresh: Callable[[str], None]
) -> None:
    project.commit("main", BETTER)
    other = (
        PIPELINE + "  other:\n    cmd: cat evaluate.sh > other.txt\n    deps: [evaluate.sh]\n    outs: [other.txt]\n"
    )
    moved: list[str] = []

    def somebody_moves_on() -> None:
        files = {"dvc.yaml": other, ".gitignore": "/data.txt\n/prepared.txt\n/model.txt\n/other.txt\n"}
        clone = project.checkout("refs/heads/main", name="elsewhere")
        for name, text in files.items():
            (clone / name).write_text(text)
        retrain("repro", "--single-item", "other", cwd=clone)
        retrain("push", "other", cwd=clone)
        moved.append(project.commit("main", {**files, "dvc.lock": (clone / "dvc.lock").read_text()}))

    host.meanwhile.append(Meanwhile("GET", "git/ref/heads/main", somebody_moves_on))
    done = nightly(depth=1)  # as actions/checkout does where nothing else is said
    assert project.ran == ["train", "evaluate"]
    assert "made again at" in done.summary
    proposed = done.outputs["lock-commit"]
    assert project.rev(f"{proposed}^") == moved[0]
    see_fresh(proposed)
    assert not project.git("worktree", "list", cwd=project.place / "workspace").stdout.strip().count("\n")


def test_a_base_that_moved_so_that_a_stage_has_to_run_stops_the_run(
    nightly: Step, project: Project, host: FakeGitHub
) -> None:
    project.commit("main", BETTER)
    act = lambda: project.commit("main", {"params.yaml": "strength: 96\n"})  # noqa: E731
    host.meanwhile.append(Meanwhile("GET", "git/ref/heads/main", act))
    done = nightly(exits=6)
    assert "made from other files than main has" in done.summary
    assert "would have to run again" in done.stderr
    assert project.ran == ["train", "evaluate"]
    assert written(host) == []


def test_a_project_in_a_folder_has_a_branch_of_its_own_and_no_secret_is_in_what_is_written(
    nightly: Step, project: Project, host: FakeGitHub
) -> None:
    secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"  # noqa: S105
    git = project.git
    folder = project.origin / "models" / "a b"
    folder.mkdir(parents=True)
    for name in git("ls-files", cwd=project.origin).stdout.split("\n"):
        if name and name != "retrain.yaml":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            git("mv", name, f"models/a b/{name}", cwd=project.origin)
    config = (folder / ".dvc" / "config").read_text().replace("../../remote", "../../../../remote")
    evaluate = EVALUATE.replace("0.%s}", f'0.%s, "{secret}": 1}}')
    project.commit("main", {"models/a b/.dvc/config": config, "models/a b/evaluate.sh": evaluate, "README": "kept\n"})
    done = nightly({"working-directory": "models/a b"}, environ={"AWS_SECRET_ACCESS_KEY": secret})
    (pull,) = host.pulls.values()
    assert pull["head"]["ref"].startswith("retrain/main-models-a-b-")
    message = git("log", "-1", "--format=%B", done.outputs["lock-commit"], cwd=project.origin).stdout
    for text in (message, pull["title"], pull["body"]):
        assert secret not in text
        assert "***" in text
    changed = git("diff", "--name-only", "main", done.outputs["lock-commit"], cwd=project.origin).stdout.splitlines()
    assert changed == ["models/a b/dvc.lock", "models/a b/metrics.json"]


# On a pull request


def test_on_a_pull_request_the_lock_is_left_as_it_is(reviewed: Step, host: FakeGitHub) -> None:
    done = reviewed(BETTER, {})
    assert written(host) == []
    assert done.outputs["pull-request-url"] == done.outputs["lock-commit"] == ""


@pytest.mark.parametrize("on", ["merge", "head"])
def test_the_lock_is_committed_to_the_pull_requests_branch(
    reviewed: Step, project: Project, host: FakeGitHub, see_fresh: Callable[[str], None], on: str
) -> None:
    project.commit("main", {"README.md": "moved on\n"})
    done = reviewed(BETTER, {"lock": "commit"}, on=on)
    sha = done.outputs["lock-commit"]
    assert project.rev("change") == sha
    assert sha in host.signed
    assert project.git("diff", "--name-only", "change^", "change", cwd=project.origin).stdout.split() == [
        "dvc.lock",
        "metrics.json",
    ]
    see_fresh(sha)
    host.received.clear()
    again = reviewed({}, {"lock": "commit"}, on=on)
    assert again.outputs["lock-commit"] == ""
    assert written(host) == []


def test_a_push_to_the_pull_request_meanwhile_is_not_written_over(
    reviewed: Step, project: Project, host: FakeGitHub
) -> None:
    theirs: list[str] = []
    act = lambda: theirs.append(project.commit("change", {"late.txt": "work\n"}))  # noqa: E731
    host.meanwhile.append(Meanwhile("POST", "graphql", act))
    done = reviewed(BETTER, {"lock": "commit"}, exits=6)
    assert "the branch change moved meanwhile" in done.summary
    assert project.rev("change") == theirs[0]


@pytest.mark.parametrize("lock", ["commit", "pull-request"])
def test_a_forks_pull_request_never_gets_a_lock_committed_or_proposed(
    reviewed: Step, host: FakeGitHub, lock: str
) -> None:
    reviewed({**BETTER, "retrain.yaml": f"lock: {lock}\n{GATES}"}, {"lock": lock}, fork=True)
    assert written(host) == []


def test_a_lock_that_is_not_committed_fails_where_it_is_to_be(reviewed: Step) -> None:
    done = reviewed(BETTER, {"lock": "check"}, exits=10)
    assert "the run left what is not committed: 'dvc.lock', 'metrics.json'" in done.summary
    assert done.outputs["verdict"] == "error"


def test_a_lock_that_is_committed_holds_on_a_laptop_too(project: Project, retrain: Program) -> None:
    clone = project.checkout("refs/heads/main")
    retrain("run", "--lock", "check", cwd=clone)
    (clone / "params.yaml").write_text("strength: 96\n")
    assert "'params.yaml'" in retrain("run", "--lock", "check", cwd=clone, exits=10).stderr
