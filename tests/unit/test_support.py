"""The tests' own ground: a missing tool is never silent under CI, and nothing of the machine leaks in."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import environment
from tests.support.tools import ROOT, find

if TYPE_CHECKING:
    from pathlib import Path

_TESTS = """
import pytest
from tests.support.tools import require

def test_needs_a_tool(): require("no-such-tool-anywhere", "to show this")
def test_has_a_tool(): require("git")

@pytest.mark.skip(reason="not today")
def test_is_skipped(): pass

@pytest.mark.xfail(reason="known")
def test_is_expected_to_fail(): assert False
"""

_SKIPPED_FILE = """
import pytest

pytestmark = pytest.mark.slow
pytest.importorskip("no_such_module_anywhere")
"""


def _run(folder: Path, content: str, ci: str) -> str:
    """Run pytest on one file under the project's conftest, and give what it printed, exit code last."""
    (folder / "test_it.py").write_text(content)
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", "--rootdir", folder, "test_it.py"],
        cwd=folder,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.stdout}{done.stderr}\nexit {done.returncode}"


@pytest.mark.slow
def test_on_a_laptop_a_missing_tool_skips_with_its_reason(tmp_path: Path) -> None:
    printed = _run(tmp_path, _TESTS, ci="")
    assert "1 passed, 2 skipped, 1 xfailed" in printed
    assert "no-such-tool-anywhere is not installed (to show this)" in printed
    assert printed.endswith("exit 0")


@pytest.mark.slow
def test_under_ci_a_missing_tool_a_skip_and_an_expected_failure_all_fail(tmp_path: Path) -> None:
    printed = _run(tmp_path, _TESTS, ci="true")
    assert "2 failed, 1 passed, 1 error" in printed
    assert "no-such-tool-anywhere is not installed (to show this); the CI run must have it" in printed
    assert "Skipped: not today; under CI nothing may be skipped" in printed
    assert "known; under CI nothing may be skipped" in printed
    assert printed.endswith("exit 1")


@pytest.mark.parametrize(("ci", "code"), [("", 5), ("true", 2)])
def test_a_file_skipped_whole_fails_under_ci_alone(tmp_path: Path, ci: str, code: int) -> None:
    assert _run(tmp_path, _SKIPPED_FILE, ci).endswith(f"exit {code}")


@pytest.mark.parametrize(
    "tool", ["git", "ruff", "pytest", "xml.dom.minidom", "tests/support/tools.py", "tests/support"]
)
def test_commands_modules_and_files_of_the_project_are_found(tool: str) -> None:
    found = find(tool)
    assert found is not None
    assert found.exists()


@pytest.mark.parametrize("tool", ["no-such-tool", "no_such_package.module", "xml.no_such_module", "tests/no-such-file"])
def test_what_is_not_there_is_not_found(tool: str) -> None:
    assert find(tool) is None


def test_the_machines_own_settings_do_not_reach_a_test(tmp_path: Path) -> None:
    inherited = {
        "PATH": "/bin",
        "HTTPS_PROXY": "proxy",
        "CI": "true",
        "GITHUB_TOKEN": "secret",
        "INPUT_REMOTE": "prod",
        "AWS_PROFILE": "prod",
        "DVC_REMOTE": "prod",
        "GIT_DIR": "/elsewhere",
        "HOME": "/home/somebody",
    }
    given = environment.isolated(tmp_path, inherited)
    assert {name: given[name] for name in inherited if name in given} == {
        "PATH": "/bin",
        "HTTPS_PROXY": "proxy",
        "HOME": str(tmp_path),
    }


def test_a_test_sees_the_isolated_environment_of_its_session(session_environment: dict[str, str]) -> None:
    assert os.environ["HOME"] == session_environment["HOME"]
    assert not any(name.startswith(("GITHUB_", "INPUT_", "DVC_REMOTE", "AWS_SECRET")) for name in os.environ)


def test_git_commits_without_any_setting_of_the_machine_and_always_the_same(
    git: environment.Program,
    tmp_path: Path,
) -> None:
    ids = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        git("init", "--quiet", cwd=folder)
        git("commit", "--quiet", "--allow-empty", "-m", "first", cwd=folder)
        ids.append(git("rev-parse", "main", cwd=folder).stdout)
    assert ids[0] == ids[1]


def test_a_program_that_ends_otherwise_than_expected_fails_the_test_with_what_it_printed(
    git: environment.Program,
    tmp_path: Path,
) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"exit code 128, not 0(?s:.*)not a git repository"):
        git("status", cwd=tmp_path)
    assert git("status", cwd=tmp_path, exits=128).stdout == ""
