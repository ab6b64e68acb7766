"""What a verb starts from: folders found, layers of configuration, and what a pull request may not decide."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from runner import opening
from runner.cli import start
from runner.engine.committed import Committed
from runner.errors import ConfigError, ConfigErrors, RemoteError
from tests.interop.projects import git, put
from tests.support.pipelines import CONFIG, Workshop, workshop

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE = "stages:\n  make:\n    cmd: echo 1 > o\n    outs: [o]\n"


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    return workshop(tmp_path, PIPELINE, {"sub/x": ""})


def test_the_project_is_the_nearest_folder_with_dvc_in_it(tmp_path: Path) -> None:
    (tmp_path / "a" / ".dvc").mkdir(parents=True)
    (tmp_path / "a" / "b" / ".dvc").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").mkdir()
    (tmp_path / "a" / "d").mkdir()
    (tmp_path / "a" / "d" / ".dvc").write_text("a file")
    assert opening.find_root(tmp_path / "a" / "b" / "c") == tmp_path / "a" / "b"
    assert opening.find_root(tmp_path / "a" / "d") == tmp_path / "a"


def test_a_project_above_the_repository_that_one_is_in_is_another_one(tmp_path: Path) -> None:
    outer = workshop(tmp_path, "", {"retrain.yaml": "gates: []\n"})
    inner = outer.root / "vendored" / "model"
    git(outer.root, "init", "--quiet", str(inner))
    put(inner, {"retrain.yaml": "baseline: target\n", "sub/x": ""})
    assert opening.find_root(inner / "sub") is None
    with Workshop(inner, outer.environ).opened("gate", working_directory=str(inner / "sub")) as opened:
        assert (opened.root, opened.found) == (inner, None)


@pytest.mark.parametrize("verb", ["gate", "run", "plan"])
def test_a_gate_file_that_would_not_be_read_is_an_error(verb: str, made: Workshop) -> None:
    made.put({"sub/retrain.yaml": "gates: []\n", "sub/deeper/x": "", "retrain.yaml": "gates: []\n"})
    for folder in ("sub", "sub/deeper"):
        with pytest.raises(
            ConfigError, match=r"sub/retrain\.yaml is not read: this project's gate file is retrain\.yaml"
        ):
            made.open(verb, working_directory=str(made.root / folder))
    with made.opened(verb, working_directory=str(made.root / "sub"), config="retrain.yaml") as opened:
        assert opened.root == made.root


def test_a_project_may_lie_in_a_folder_of_its_repository(tmp_path: Path) -> None:
    made = workshop(tmp_path, "", {"x": ""})
    made.put({"deep/er/.dvc/config": "", "deep/er/dvc.yaml": PIPELINE, "deep/er/sub/x": ""})
    inner = Workshop(made.root / "deep" / "er", made.environ)
    with inner.opened(working_directory=str(inner.root / "sub")) as opened:
        assert (opened.root, opened.prefix, opened.git.root) == (inner.root, "deep/er/", made.root)
        assert opened.project.cwd == "sub"
    assert inner.plan() == {"make": "run"}


def test_verbs_that_need_a_project_say_so_and_a_gate_does_not(tmp_path: Path) -> None:
    made = workshop(tmp_path, "", {"retrain.yaml": "gates: []\n"})
    shutil.rmtree(made.root / ".dvc")
    with pytest.raises(ConfigError, match="not inside a DVC project"):
        made.open("plan")
    with made.opened("gate") as opened:
        assert opened.found is None
        assert opened.root == made.root


# Configuration, the later layer the stronger


def remote_url(made: Workshop, name: str = "", **flags: str) -> str:
    with made.opened(**flags) as opened:
        remote = opened.project.remote(name)
        assert remote
        return remote.url


def test_layers_of_configuration_are_read_in_dvcs_order(made: Workshop, tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("system", "user")}
    for name, place in places.items():
        place.mkdir()
        (place / "config").write_text(f"['remote \"storage\"']\n    url = /of/{name}\n")
    environ = {
        **made.environ,
        "DVC_SYSTEM_CONFIG_DIR": str(places["system"]),
        "DVC_GLOBAL_CONFIG_DIR": str(places["user"]),
    }
    other = Workshop(made.root, environ)
    assert remote_url(other) == str(tmp_path / "remote")
    made.put({".dvc/config": "[core]\n    remote = storage\n"})
    assert remote_url(other) == "/of/user"
    (places["user"] / "config").unlink()
    assert remote_url(other) == "/of/system"
    made.put({".dvc/config.local": "['remote \"storage\"']\n    url = /of/local\n"})
    assert remote_url(other) == "/of/local"


def test_a_remote_is_chosen_by_name_and_an_unknown_name_is_refused_at_once(made: Workshop) -> None:
    made.put({".dvc/config": f"{CONFIG}['remote \"other\"']\n    url = /other\n"})
    assert remote_url(made, remote="other") == "/other"
    assert remote_url(made, "other") == "/other"
    with pytest.raises(ConfigError, match="nowhere"):
        made.open(remote="nowhere")


def test_without_a_default_remote_there_is_none(made: Workshop) -> None:
    made.put({".dvc/config": ""})
    with made.opened() as opened:
        assert opened.project.remote("") is None


def test_the_cache_is_where_the_configuration_says(made: Workshop, tmp_path: Path) -> None:
    made.put({".dvc/config.local": "[cache]\n    dir = ../../shared\n"})
    with made.opened() as opened:
        assert opened.project.cache.root == tmp_path / "shared"


# What a pull request may not decide


def pull_request(made: Workshop, tmp_path: Path, fork: str = "owner/name") -> Workshop:
    """Give the project as a job of a pull request sees it, whose branch names a remote of its own."""
    base = made.git("rev-parse", "HEAD")
    made.git("checkout", "-q", "-b", "feature")
    made.put({".dvc/config": CONFIG.replace("../../remote", "/of/stranger")})
    head = made.commit()
    repository = {"repo": {"full_name": fork}, "sha": head}
    payload = {"pull_request": {"number": 1, "head": repository, "base": {"ref": "main", "sha": base}}}
    (tmp_path / "event.json").write_text(json.dumps(payload))
    job = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "owner/name",
        "GITHUB_SHA": head,
    }
    return Workshop(made.root, {**made.environ, **job})


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


def test_a_link_in_place_of_the_gate_file_does_not_lead_to_other_settings(made: Workshop, tmp_path: Path) -> None:
    made.put({"retrain.yaml": "push: never\n", "other.yaml": "push: always\n"})
    made.commit()
    (made.root / "retrain.yaml").unlink()
    (made.root / "retrain.yaml").symlink_to("other.yaml")
    job = pull_request(made, tmp_path)
    with job.opened("run") as opened:
        assert opened.asked.settings.push == "never"


def test_a_gate_file_that_is_a_link_at_the_base_is_followed_there(made: Workshop, tmp_path: Path) -> None:
    made.put({"gates/all.yaml": "push: never\n"})
    (made.root / "retrain.yaml").symlink_to("gates/all.yaml")
    made.commit()
    made.put({"gates/all.yaml": "push: always\n"})
    with pull_request(made, tmp_path).opened("run") as opened:
        assert opened.asked.settings.push == "never"


def test_a_pull_requests_gate_file_is_not_read_from_outside_of_the_repository(made: Workshop, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("password: secret\n")
    (made.root / "retrain.yaml").unlink(missing_ok=True)
    (made.root / "retrain.yaml").symlink_to("../credentials")
    job = pull_request(made, tmp_path)
    with pytest.raises(ConfigError, match="outside of the repository") as raised, job.opened("run"):
        pass
    assert "password" not in str(raised.value)


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


def test_how_templates_make_options_is_the_checkouts_configuration_and_holds_for_its_base(
    made: Workshop, tmp_path: Path
) -> None:
    made.put({"dvc.yaml": "vars: [{d: {f: false}}]\nstages: {s: {cmd: 'echo ${d}'}}\n"})
    made.commit()
    with made.opened() as opened:
        assert opened.project.pipeline.stages[0].cmd == "echo "
    job = pull_request(made, tmp_path)
    job.put({".dvc/config": f"{CONFIG}[parsing]\n    bool = boolean_optional\n"})
    with job.opened() as opened:
        assert opened.project.pipeline.stages[0].cmd == "echo --no-f"
        then = Committed(opened.git, opened.prefix, opened.git.head(), opened.project.unpacking).pipeline
        assert then
        assert then.stages[0].cmd == "echo --no-f"


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


def test_an_event_that_cannot_be_read_is_an_error_and_not_a_laptop(made: Workshop, tmp_path: Path) -> None:
    job = pull_request(made, tmp_path)
    (tmp_path / "event.json").write_text("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        job.open()


@pytest.mark.parametrize("payload", ["[]", "1", "null", '{"pull_request": 1}', "{}"])
def test_an_event_of_another_shape_gives_no_rights(payload: str, made: Workshop, tmp_path: Path) -> None:
    job = pull_request(made, tmp_path)
    (tmp_path / "event.json").write_text(payload)
    with job.opened() as opened:
        assert opened.asked.event.kind == "fork"
        assert not opened.asked.event.may_push


def test_a_secret_that_a_pull_request_links_to_is_in_no_plan(made: Workshop, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"auths": ["hunter2"]}')
    job = pull_request(made, tmp_path)
    (job.root / "params.yaml").symlink_to(tmp_path / "secret.json")
    job.put({"dvc.yaml": "stages:\n  s:\n    foreach: ${auths}\n    do:\n      cmd: echo\n"})
    assert list(made.plan()) == ["s@hunter2"]
    with pytest.raises(ConfigErrors, match=r"params\.yaml is a link to a place outside the repository"):
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


# The gate file


@pytest.mark.parametrize("name", ["retrain.yaml", ".dvc/config"])
def test_a_file_that_never_ends_is_refused_and_not_read(name: str, made: Workshop) -> None:
    (made.root / name).unlink(missing_ok=True)
    (made.root / name).symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=f"{name} is not a regular file"):
        made.open()


def test_the_gate_file_is_the_projects_and_one_that_is_named_is_found_from_where_it_starts(made: Workshop) -> None:
    made.put({"retrain.yaml": "jobs: 3\n", "sub/mine.yaml": "jobs: 5\n"})
    sub = str(made.root / "sub")
    for flags, jobs in (
        ({}, 3),
        ({"working_directory": sub}, 3),
        ({"working_directory": sub, "config": "mine.yaml"}, 5),
        ({"config": "sub/mine.yaml"}, 5),
        ({"config": str(made.root / "sub" / "mine.yaml")}, 5),
        ({"config": "sub/mine.yaml", "jobs": "9"}, 9),
    ):
        with made.opened(**flags) as opened:
            assert opened.asked.settings.jobs == jobs
    settings = opening.settings_alone({"working-directory": sub}, made.environ)
    assert settings.jobs == 3


@pytest.mark.parametrize("verb", ["plan", "gate"])
def test_its_mistakes_are_told_by_verbs_that_judge_and_those_that_do_not(verb: str, made: Workshop) -> None:
    made.put({"retrain.yaml": "jobs: many\npush: loud\n"})
    with pytest.raises(ConfigErrors) as raised:
        made.open(verb)
    assert [problem.where.line for problem in raised.value.problems if problem.where] == [1, 2]


def test_before_the_first_commit_a_plan_is_made_all_the_same(tmp_path: Path) -> None:
    made = workshop(tmp_path, PIPELINE)
    made.git("update-ref", "-d", "HEAD")
    assert made.plan() == {"make": "run"}
    with made.opened("plan") as opened:
        assert (opened.asked.head.sha, opened.asked.base) == ("", None)
