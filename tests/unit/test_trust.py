"""What a pull request may not decide, and what is not believed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.cli import start
from runner.errors import ConfigErrors, RemoteError
from tests.support.pipelines import Workshop, pull_request

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("event", "url"), [("pull_request", "/of/stranger"), ("pull_request_target", "")])
def test_beside_secrets_a_remote_that_the_base_does_not_name_is_not_taken_from_a_stranger(
    event: str, url: str, made: Workshop, tmp_path: Path
) -> None:
    made.git("rm", "-q", "--cached", ".dvc/config")
    made.git("commit", "-qm", "No configuration")
    job = pull_request(made, tmp_path)
    with Workshop(job.root, {**job.environ, "GITHUB_EVENT_NAME": event}).opened("plan") as opened:
        remote = opened.project.remote("")
        assert (remote.url if remote else "") == url


def test_after_a_strangers_run_only_the_default_branchs_configuration_counts(made: Workshop, tmp_path: Path) -> None:
    job = pull_request(made, tmp_path)
    first = {"event": "pull_request", "head_sha": "1" * 40, "head_repository": {"full_name": "stranger/name"}}
    (tmp_path / "event.json").write_text(json.dumps({"workflow_run": first}))
    default = made.git("rev-parse", "HEAD")
    there = {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_SHA": default}
    with Workshop(job.root, {**job.environ, **there}).opened("plan") as opened:
        remote = opened.project.remote("")
        assert remote
        assert remote.url == "/of/stranger"
    made.git("commit", "-q", "--allow-empty", "-m", "Somebody else's")
    with Workshop(job.root, {**job.environ, **there}).opened("plan") as opened:
        assert opened.project.remote("") is None


@pytest.mark.parametrize("fork", ["owner/name", "stranger/name"])
@pytest.mark.parametrize("verb", ["plan", "repro", "run"])
def test_a_pull_requests_remote_is_the_bases(verb: str, fork: str, made: Workshop, tmp_path: Path) -> None:
    job = pull_request(made, tmp_path, fork)
    with job.opened(verb) as opened:
        remote = opened.project.remote("")
        assert remote
        assert remote.url == str(tmp_path / "remote")
        assert opened.asked.event.may_push == (fork == "owner/name")
        assert opened.asked.base
        assert opened.asked.base.how == "merge base with main"


def test_a_source_of_the_base_is_read_for_a_pull_request_and_one_that_only_begins_alike_is_not(
    made: Workshop, tmp_path: Path
) -> None:
    text = "deps:\n- path: {}\nouts:\n- path: copy\n"
    for name in ("shop/a.csv", "shop/a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    made.put({"copy.dvc": text.format(f"{tmp_path}/shop/a.csv")})
    made.commit()
    job = pull_request(made, tmp_path)
    assert job.plan() == {"copy.dvc": "run", "make": "run"}
    job.put({"copy.dvc": text.format("../shop/a.csv")})
    assert job.plan() == {"copy.dvc": "run", "make": "run"}
    for path in (f"{tmp_path}/shop/a", f"{tmp_path}/shop", "/"):
        job.put({"copy.dvc": text.format(path)})
        with pytest.raises(RemoteError, match="not trusted"):
            job.plan()


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("verb", ["plan", "repro", "migrate"])
def test_what_came_with_the_checkout_is_not_believed_to_be_our_own(verb: str, link: bool, made: Workshop) -> None:  # noqa: FBT001 - pytest passes it
    outside = made.root.parent / "written"
    journal = json.dumps({"was": {}, "written": {"../written": "x"}, "removed": ["sub/x"]})
    folder = "theirs" if link else ".dvc/tmp"
    made.put({f"{folder}/retrain/migration.json": journal})
    if link:
        (made.root / ".dvc" / "tmp").symlink_to("../theirs")
    made.git("add", "--force", folder)
    assert start([verb, "-C", str(made.root)], made.environ) == 2
    assert not outside.exists()
    assert (made.root / "sub" / "x").exists()


def test_a_secret_that_a_pull_request_links_to_is_in_no_plan(made: Workshop, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"auths": ["hunter2"]}')
    job = pull_request(made, tmp_path)
    (job.root / "params.yaml").symlink_to(tmp_path / "secret.json")
    job.put({"dvc.yaml": "stages:\n  s:\n    foreach: ${auths}\n    do:\n      cmd: echo\n"})
    assert list(made.plan()) == ["s@hunter2"]
    with pytest.raises(ConfigErrors, match=r"params\.yaml is a link to a place outside the repository"):
        job.plan()
