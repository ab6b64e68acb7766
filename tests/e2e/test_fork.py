"""A stranger's pull request in two runs: the first has no rights and leaves data, the second posts that."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import cmarkgfm
import pytest

from tests.support import events
from tests.support.github import Trouble, refusal
from tests.support.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.environment import Program
    from tests.support.github import FakeGitHub
    from tests.support.project import Project

    PullRequest = Callable[..., Job]
    Second = Callable[..., Job]

FORK = "stranger/Hello-World"
RUN = 4711
NUMBER = 7
READS_ONLY = "ghs_readsOnly0123456789"


@pytest.fixture
def first(pull_request: PullRequest, github: FakeGitHub) -> Job:
    """Give the job of the first run: its token may read."""
    job = pull_request({"params.yaml": "strength: 95\n"})
    job.payload = events.from_fork(dict(job.payload), FORK)
    job.token = github.token(READS_ONLY, read_only=True)
    head = job.payload["pull_request"]["head"]
    github.open_pull(number=NUMBER, head=head["ref"], sha=head["sha"], head_repository=FORK, login="stranger")
    return job


@pytest.fixture
def second(first: Job, project: Project, github: FakeGitHub) -> Second:
    """Give what makes the job of the second run, in a checkout of the default branch."""

    def job(**given: Any) -> Job:
        payload = events.workflow_run(dict(first.payload), run=RUN, repository=github.repository, **given)
        return Job(
            project.checkout("refs/heads/main", name="default"),
            github,
            "workflow_run",
            payload,
            project.rev("main"),
            "refs/heads/main",
        )

    return job


def left(github: FakeGitHub, first: Job, **changed: Any) -> None:
    """Upload what the first run wrote, as the workflow's next step does, perhaps changed by a stranger."""
    folder = first.workspace / "out"
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    report = json.loads(files["report.json"]) | changed
    github.upload(RUN, "retrain-report", {**files, "report.json": json.dumps(report).encode()})


def ran(first: Job, retrain: Program) -> dict[str, Any]:
    done = first.step(retrain, {"report-dir": "out"})
    assert done.outputs["verdict"] == "passed"
    report: dict[str, Any] = json.loads((first.workspace / "out" / "report.json").read_text())
    return report


def test_what_a_forks_run_found_is_posted_by_the_run_that_follows(
    first: Job, second: Second, retrain: Program, project: Project, github: FakeGitHub
) -> None:
    before = project.objects()
    ran(first, retrain)
    assert github.sent("POST") == []
    left(github, first)
    done = second().step(retrain)
    (comment,) = github.bodies()
    assert comment.startswith(f"<!-- retrain:. head={first.payload['pull_request']['head']['sha']} run={RUN}.1 -->")
    assert "0.95" in comment
    assert "A fork's own run says this of its own code" in comment
    assert done.outputs == {"comment-url": github.comments[0]["html_url"]}
    assert "0.95" in done.summary
    assert github.check_runs == []
    assert github.statuses == []
    assert project.objects() == before
    assert github.violations == []


def test_the_storage_that_keeps_the_artifact_never_sees_the_token(
    first: Job, second: Second, retrain: Program, github: FakeGitHub
) -> None:
    ran(first, retrain)
    left(github, first)
    second().step(retrain)
    (download,) = github.downloads
    assert "Authorization" not in download.headers


def test_a_second_report_on_the_same_commit_changes_nothing_and_a_new_one_takes_its_place(
    first: Job, second: Second, retrain: Program, github: FakeGitHub
) -> None:
    report = ran(first, retrain)
    left(github, first)
    second().step(retrain)
    written = len(github.sent("POST", "/comments") + github.sent("PATCH"))
    second().step(retrain)
    assert len(github.sent("POST", "/comments") + github.sent("PATCH")) == written
    left(github, first, notes=[*report.get("notes", []), "another attempt"])
    second().step(retrain)
    (comment,) = github.bodies()
    assert "another attempt" in comment


Change = dict[str, Any]
HOSTILE = {
    "another commit": {"head": {"sha": "1" * 40}},
    "no such verdict": {"verdict": "splendid"},
    "accepted": {"verdict": "accepted"},
    "an override": {"override": {"by": "octocat", "label": "accept-regression", "sha": "1" * 40}},
    "types": {"stages": "train"},
    "a number for a name": {"gates": [{"gate": 7}]},
    "another schema": {"schema": 2},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_data_that_no_run_of_ours_would_write_is_refused_and_nothing_is_posted(
    change: Change, first: Job, second: Second, retrain: Program, github: FakeGitHub
) -> None:
    ran(first, retrain)
    left(github, first, **change)
    done = second().step(retrain, exits=2)
    assert github.bodies() == []
    assert "report.json" in done.annotations()[0].message or done.annotations()[0].properties["file"] == "report.json"


def bomb() -> bytes:
    return b'{"verdict": "' + b"0" * (9 << 20) + b'"}'


def nested() -> bytes:
    return b"[" * 200_000


def of(names: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return written.getvalue()


ARCHIVES = {
    "no archive": b"not a zip",
    "cut": of({"report.json": b"{}" * 1000})[:-40],
    "nothing in it": of({}),
    "two reports": of({"report.json": b"{}", "deep/report.json": b"{}"}),
    "a path upwards": of({"../../../etc/cron.d/report.json": b"{}"}),
    "a bomb": of({"report.json": bomb()}),
    "no JSON": of({"report.json": b"\xff\xfe"}),
    "nested too deep": of({"report.json": nested()}),
    "infinite": of({"report.json": b'{"schema": Infinity}'}),
}


@pytest.mark.parametrize("archive", ARCHIVES.values(), ids=ARCHIVES.keys())
def test_an_archive_that_is_none_or_a_bomb_does_nothing(
    archive: bytes, second: Second, retrain: Program, github: FakeGitHub
) -> None:
    github.upload(RUN, "retrain-report", archive)
    job = second()
    there = {path for path in job.workspace.parent.rglob("*") if ".git" not in path.parts}
    done = job.step(retrain, exits=2)
    assert len(done.annotations()) == 1
    assert github.bodies() == []
    beside = {path for path in job.workspace.parent.rglob("*") if ".git" not in path.parts} - there
    assert {path.name for path in beside if "file_commands" not in path.parts} <= {"file_commands"}


def test_markup_in_a_strangers_words_stays_words(
    first: Job, second: Second, retrain: Program, github: FakeGitHub
) -> None:
    ran(first, retrain)
    words = (
        "</details><img src=x onerror=alert(1)> @octocat [a](https://evil.example) ```\n::error::pwned <!-- retrain:"
    )
    left(github, first, notes=[words], command=words)
    done = second().step(retrain)
    (comment,) = github.bodies()
    assert comment.count("<!-- retrain:") == 1
    page = cmarkgfm.github_flavored_markdown_to_html(comment, cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE)
    for bad in ("<img", "@octocat", 'href="https://evil'):
        assert bad not in re.sub(r"<code>.*?</code>", "", page, flags=re.DOTALL)  # where GitHub reads no mention
    assert done.annotations() == []


def test_a_pull_request_that_moved_on_hears_nothing_of_its_old_head(
    first: Job, second: Second, retrain: Program, github: FakeGitHub
) -> None:
    ran(first, retrain)
    left(github, first)
    github.pulls[NUMBER]["head"]["sha"] = "2" * 40
    done = second().step(retrain)
    assert github.bodies() == []
    assert "nothing is posted" in done.stderr


@pytest.mark.parametrize("elsewhere", ["another-stranger/Hello-World", None])
def test_only_the_pull_request_of_that_repository_and_branch_is_written_on(
    elsewhere: str | None, first: Job, second: Second, retrain: Program, github: FakeGitHub
) -> None:
    ran(first, retrain)
    left(github, first)
    job = second()
    job.payload["workflow_run"]["head_repository"] = {"full_name": elsewhere} if elsewhere else None
    assert "nothing is posted" in job.step(retrain).stderr
    assert github.bodies() == []


def test_a_run_that_left_no_report_is_said(second: Second, retrain: Program, github: FakeGitHub) -> None:
    done = second().step(retrain)
    assert f"run {RUN} left no artifact called retrain-report" in done.stderr
    assert github.bodies() == []


def test_a_run_of_this_repositorys_own_branch_has_posted_itself(
    second: Second, retrain: Program, github: FakeGitHub
) -> None:
    job = second()
    job.payload["workflow_run"]["head_repository"] = {"full_name": github.repository}
    assert "could comment itself" in job.step(retrain).stderr
    assert [one.path for one in github.received] == []


def test_a_missing_permission_is_named_and_fails_the_run_that_is_there_to_post(
    first: Job, second: Second, retrain: Program, github: FakeGitHub
) -> None:
    ran(first, retrain)
    left(github, first)
    job = second()
    job.token = github.token("ghs_noActions0123456789", permissions={"contents": "read", "pull-requests": "write"})
    done = job.step(retrain, exits=6)
    assert "actions: read" in done.stderr
    github.token(job.token, permissions={"actions": "read", "pull-requests": "read"})
    assert "pull-requests: write" in job.step(retrain, exits=6).stderr


def test_a_storage_that_stumbles_is_asked_again(
    first: Job, second: Second, retrain: Program, github: FakeGitHub
) -> None:
    ran(first, retrain)
    left(github, first)
    github.troubles.append(Trouble("GET", refusal(502, "Bad gateway"), path="/zip"))
    second().step(retrain)
    assert len(github.bodies()) == 1
