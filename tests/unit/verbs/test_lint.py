"""`retrain lint` as a process in real repositories: what it prints, what it exits with, what git says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import commit, git, put

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  fit:
    cmd: python src/fit.py
    deps: [data]
    params: [rate]
    outs: [model]
"""
FILES = {
    ".dvc/config": "[core]\n    remote = s\n['remote \"s\"']\n    url = s3://bucket/x\n",
    "dvc.yaml": PIPELINE,
    "params.yaml": "rate: 1\nepochs: 2\n",
    "src/fit.py": 'import yaml\nparams = yaml.safe_load(open("params.yaml"))\nfit(params["epochs"])\n',
    "data/x": "1\n",
}
SCRIPT = "dvc.yaml:3:17: RT101 'fit' runs src/fit.py, which is not one of its deps"
WARNINGS = "lint: 3 warnings"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "-b", "main", ".")
    put(tmp_path, FILES)
    commit(tmp_path)
    return tmp_path


def test_a_finding_is_a_line_with_what_to_do_below_it(root: Path, retrain: Program) -> None:
    lines = retrain("lint", cwd=root).stdout.splitlines()
    assert lines[lines.index(SCRIPT) + 1] == "  add src/fit.py to its deps, or a change of it goes unnoticed"
    assert lines[-1] == WARNINGS


@pytest.mark.parametrize(
    ("arguments", "code", "last"),
    [
        (("--fail-on", "warning"), 1, WARNINGS),
        (("--fail-on", "never"), 0, WARNINGS),
        (("--select", "RT1"), 0, "lint: 1 warning"),
        (("--select", "RT1,RT4", "--ignore", "never-run"), 0, "lint: 1 warning"),
        (("--select", "RT3"), 0, "lint: nothing found"),
        (("src",), 0, "lint: nothing found"),
        (("dvc.yaml", "src"), 0, WARNINGS),
        ((".",), 0, WARNINGS),
    ],
)
def test_options_choose_rules_paths_and_what_fails(
    arguments: tuple[str, ...], code: int, last: str, root: Path, retrain: Program
) -> None:
    assert retrain("lint", *arguments, cwd=root, exits=code).stdout.splitlines()[-1] == last


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--select", "RT999"), "select: RT999 is no rule of the linter"),
        (("nowhere",), "there is no file or folder nowhere"),
        (("--config", "nowhere.yaml"), "nowhere.yaml does not exist"),
    ],
)
def test_what_cannot_be_used_exits_with_2(arguments: tuple[str, ...], said: str, root: Path, retrain: Program) -> None:
    assert said in retrain("lint", *arguments, cwd=root, exits=2).stderr


def test_a_folder_without_dvc_exits_with_2(tmp_path: Path, retrain: Program) -> None:
    git(tmp_path, "init", "--quiet", ".")
    assert "not inside a DVC project" in retrain("lint", cwd=tmp_path, exits=2).stderr


def test_the_gate_file_may_choose_too_and_the_command_line_goes_before_it(root: Path, retrain: Program) -> None:
    put(root, {"retrain.yaml": "lint:\n  ignore: [RT201, never-run]\n  fail-on: warning\n"})
    assert retrain("lint", cwd=root, exits=1).stdout.splitlines()[-1] == "lint: 1 warning"
    assert retrain("lint", "--ignore", "RT1", "--fail-on", "note", cwd=root, exits=1).stdout.endswith("2 warnings\n")
    put(root, {"retrain.yaml": "lint:\n  ignroe: [RT2]\n"})
    assert "retrain.yaml:2:3: RT008 unknown key 'ignroe' in lint" in retrain("lint", cwd=root, exits=1).stdout
    put(root, {"retrain.yaml": "lint:\n  ignore: [RT999]\n"})
    assert "ignore: RT999 is no rule" in retrain("lint", cwd=root, exits=2).stderr


def test_json_holds_what_the_lines_say(root: Path, retrain: Program) -> None:
    data = json.loads(retrain("lint", "--json", cwd=root).stdout)
    (finding,) = [one for one in data["findings"] if one["code"] == "RT101"]
    assert finding == {
        "code": "RT101",
        "name": "script-not-a-dep",
        "severity": "warning",
        "file": "dvc.yaml",
        "line": 3,
        "column": 17,
        "message": "'fit' runs src/fit.py, which is not one of its deps",
        "hint": "add src/fit.py to its deps, or a change of it goes unnoticed",
    }
    assert data["counts"] == {"error": 0, "warning": 3, "note": 0}


def test_sarif_and_annotations_place_findings_in_the_repository(root: Path, retrain: Program) -> None:
    """The project lies in a folder of the repository; a code host counts from the repository's top."""
    put(root, {f"ml/{path}": text for path, text in FILES.items()})
    done = retrain("-C", "ml", "lint", "--sarif", "--select", "RT101", cwd=root, env={"GITHUB_ACTIONS": "true"})
    (result,) = json.loads(done.stdout)["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "ml/dvc.yaml"
    assert "::warning file=ml/dvc.yaml,line=3,col=17,title=RT101 script-not-a-dep::'fit' runs src/fit.py" in done.stderr


def test_git_is_asked_what_it_has_and_what_it_ignores(root: Path, retrain: Program) -> None:
    pipeline = PIPELINE + "    metrics: [{eval/m.json: {cache: false}}]\n"
    put(root, {"dvc.yaml": pipeline, "model/.gitkeep": "", ".gitignore": "eval/\n", "later": "not added"})
    git(root, "add", "-f", "model")
    put(root, {"dvc.yaml": pipeline.replace("[data]", "[data, later]")})
    found = json.loads(retrain("lint", "--json", "--select", "RT3,RT104", cwd=root, exits=1).stdout)["findings"]
    assert [one["code"] for one in found] == ["RT104", "RT301", "RT304"]


def test_what_cannot_be_read_is_found_in_all_files_at_once(root: Path, retrain: Program) -> None:
    put(
        root,
        {"dvc.yaml": "stages:\n  a: {cmd: x, oust: [o]}\n", "b.dvc": "outs: [\n", ".dvc/config": "[oops]\n    a = b\n"},
    )
    lines = retrain("lint", cwd=root, exits=1).stdout.splitlines()
    assert [line.partition(" ")[0].partition(":")[0] for line in lines if " RT0" in line] == [
        ".dvc/config",
        "b.dvc",
        "dvc.yaml",
    ]


def test_nothing_is_written(root: Path, retrain: Program) -> None:
    retrain("lint", cwd=root)
    assert git(root, "status", "--porcelain", "--ignored") == ""
