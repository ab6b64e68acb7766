"""The hook for pre-commit, with the real pre-commit: it builds an environment from this repository and runs in it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import commit, git, put
from tests.support.environment import Program
from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

FILES = {
    ".dvc/config": "[core]\n    remote = s\n['remote \"s\"']\n    url = s3://bucket/x\n",
    "dvc.yaml": "stages:\n  fit:\n    cmd: python fit.py\n    deps: [data.csv]\n    outs: [model]\n",
    "fit.py": "",
    "data.csv": "1\n",
    "README.md": "A project.\n",
}


@pytest.fixture
def pre_commit(retrain: Program) -> Program:
    return Program((str(require("pre-commit", "runs the hook")),), retrain.environ)


def packaged(place: Path) -> Path:
    """Commit what the package is built from as a repository of its own: pre-commit clones."""
    place.mkdir()
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place / name)
    shutil.copytree(ROOT / "runner", place / "runner", ignore=shutil.ignore_patterns("__pycache__"))
    git(place, "init", "--quiet", "-b", "main", ".")
    commit(place)
    return place


def test_the_hook_runs_on_dvc_files_only_and_fails_where_the_linter_does(tmp_path: Path, pre_commit: Program) -> None:
    pre_commit("validate-manifest", ROOT / ".pre-commit-hooks.yaml", cwd=tmp_path)
    hooks = packaged(tmp_path / "hooks")
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "--quiet", "-b", "main", ".")
    hook = f"- repo: {hooks}\n  rev: {git(hooks, 'rev-parse', 'HEAD')}\n  hooks:\n  - id: retrain-lint\n"
    put(root, {**FILES, ".pre-commit-config.yaml": f"repos:\n{hook}    args: [--select, RT1, --fail-on, warning]\n"})
    git(root, "add", "--all")
    failed = pre_commit("run", cwd=root, exits=1)
    assert "dvc.yaml:3:17: RT101 'fit' runs fit.py" in failed.stdout
    put(root, {"dvc.yaml": FILES["dvc.yaml"].replace("[data.csv]", "[data.csv, fit.py]")})
    commit(root)
    put(root, {"README.md": "Another.\n"})
    git(root, "add", "--all")
    assert "(no files to check)" in pre_commit("run", cwd=root).stdout
    assert "Passed" in pre_commit("run", "--all-files", cwd=root).stdout
