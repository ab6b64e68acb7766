"""DVC's verbs as processes: their flags, their exit codes, and where they work."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop.projects import put
from tests.support.pipelines import finished

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  prepare:
    cmd: mkdir data && cp seed data/a && echo b > data/b
    deps: [seed]
    outs: [data]
  fit:
    cmd: cp data/a model; echo '{"acc":0.5}' > plain.json; echo '{"acc":0.25}' > cached.json
    deps: [data]
    params: [rate]
    outs: [model]
    metrics: [cached.json, plain.json: {cache: false}]
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = finished(tmp_path_factory.mktemp("verbs"), PIPELINE, {"seed": "s", "params.yaml": "rate: 1\n", "sub/x": ""})
    made.put({"params.yaml": "rate: 2\n"})
    made.repro()
    made.commit("second")
    return made.root.parent


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "place", symlinks=True) / "root"


def asked(retrain: Program, cwd: Path, *arguments: str) -> Any:
    return json.loads(retrain(*arguments, "--json", cwd=cwd).stdout)


def test_stages_lists_those_that_targets_name_from_where_one_stands(retrain: Program, root: Path) -> None:
    assert [one["stage"] for one in asked(retrain, root, "stages", "data/a")] == ["prepare"]
    assert [one["stage"] for one in asked(retrain, root / "sub", "stages", "../dvc.yaml:fit")] == ["fit"]
    assert [one["stage"] for one in asked(retrain, root, "stages")] == ["fit", "prepare"]


@pytest.mark.parametrize("name", ["line\nbreak", " blanks ", "line\u2028separator"])
def test_a_target_on_the_command_line_is_taken_as_it_is(name: str, dvc: Program, retrain: Program, root: Path) -> None:
    put(root, {f"odd/{name}": "1", "odd/other": "2"})
    dvc("add", "-q", "odd", cwd=root)
    shutil.rmtree(root / "odd")
    retrain("pull", f"odd/{name}", cwd=root)
    assert [path.name for path in (root / "odd").iterdir()] == [name]


def test_quiet_status_prints_nothing_and_says_by_its_exit_code(root: Path, retrain: Program) -> None:
    assert retrain("status", "-q", cwd=root).stdout == ""
    put(root, {"seed": "t"})
    assert retrain("status", "-q", cwd=root, exits=10).stdout == ""
    assert "changed deps" in retrain("status", cwd=root).stdout


def test_status_of_the_cloud_is_asked_for_by_c_or_by_a_remote_s_name(root: Path, retrain: Program) -> None:
    assert asked(retrain, root, "status", "-c") == {}
    shutil.rmtree(root.parent / "remote")
    (root.parent / "remote").mkdir()
    told = asked(retrain, root, "status", "-c", "-j", "2")
    assert told == dict.fromkeys(["cached.json", "data", "data/a", "data/b", "model"], "new")
    assert asked(retrain, root, "status") == {}
    assert retrain("status", "-c", "-q", cwd=root, exits=10).stdout == ""


def test_targets_are_several_after_one_flag(root: Path, retrain: Program) -> None:
    put(root, {"plain.json": '{"acc": 1}', "cached.json": '{"acc": 1}', "other.json": '{"acc": 1}'})
    told = asked(retrain, root, "metrics", "diff", "--targets", "plain.json", "other.json", "--all")
    assert list(told) == ["other.json", "plain.json"]
    assert list(asked(retrain, root / "sub", "metrics", "diff", "HEAD", "--targets", "../plain.json")) == [
        "../plain.json"
    ]


def test_tables_in_markdown_have_a_header_even_without_rows(root: Path, retrain: Program) -> None:
    assert retrain("metrics", "diff", cwd=root).stdout == ""
    lines = retrain("metrics", "diff", "--md", "--no-path", cwd=root).stdout.splitlines()
    assert lines == [
        "| Metric   | HEAD   | workspace   | Change   |",
        "|----------|--------|-------------|----------|",
        "",
    ]
    assert (
        "| params.yaml | rate    | 1        | 2           |"
        in retrain("params", "diff", "HEAD~1", "--md", cwd=root).stdout
    )


def test_a_fresh_clone_answers_from_git_the_lock_and_the_objects_it_needs(
    root: Path, git: Program, retrain: Program
) -> None:
    clone = root.parent / "clone"
    git("clone", "--quiet", str(root), str(clone), cwd=root.parent)
    told = asked(retrain, clone, "metrics", "show")
    assert told[""]["data"]["cached.json"] == {"data": {"acc": 0.25}}
    assert asked(retrain, clone, "metrics", "diff", "HEAD~1") == {}
    cache = [place for place in (clone / ".dvc" / "cache" / "files").rglob("*") if place.is_file()]
    assert len(cache) == 1, "one object is the cached metrics file of both commits"


def test_a_revision_that_is_not_there_is_git_s_exit_code(root: Path, retrain: Program) -> None:
    for verb in ("metrics diff", "params diff", "diff"):
        assert "fetch-depth: 0" in retrain(*verb.split(), "nope", cwd=root, exits=5).stderr


def test_metrics_of_all_commits_and_branches_are_shown_under_their_names(root: Path, retrain: Program) -> None:
    assert list(asked(retrain, root, "metrics", "show", "-a")) == ["main"]
    assert len(asked(retrain, root, "metrics", "show", "-A")) >= 3
    put(root, {"plain.json": '{"acc": 1}'})
    assert list(asked(retrain, root, "metrics", "show", "-a", "-T")) == ["workspace", "main"]


def test_checkout_says_what_it_did_and_what_the_cache_lacks(root: Path, retrain: Program) -> None:
    (root / "model").unlink()
    shutil.rmtree(root / "data")
    assert retrain("checkout", cwd=root / "sub").stdout.split("\n") == ["A       ../data", "A       ../model", ""]
    assert retrain("checkout", "--summary", cwd=root).stdout == "No changes.\n"
    (root / "model").unlink()
    shutil.rmtree(root / ".dvc" / "cache" / "files")
    assert "model is left as it is" in retrain("checkout", "model", cwd=root, exits=4).stderr
    retrain("checkout", "./model", "--allow-missing", cwd=root)
    assert asked(retrain, root, "fetch")["objects"] > 0
    assert asked(retrain, root, "checkout", "./model")["added"] == ["model"]


def test_before_the_first_commit_nothing_differs(tmp_path: Path, git: Program, retrain: Program) -> None:
    git("init", "-q", cwd=tmp_path)
    put(tmp_path, {".dvc/config": "", "params.yaml": "a: 1\n", "dvc.yaml": "stages: {}\n"})
    for verb in ("metrics diff", "params diff", "diff", "status"):
        assert asked(retrain, tmp_path, *verb.split()) == {}
    assert asked(retrain, tmp_path, "dag") == {"nodes": [], "edges": []}
