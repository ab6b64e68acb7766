"""What every test gets: an environment of its own, the programs under test, and no silent skips under CI."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support import environment
from tests.support.tools import IN_CI, require

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

hypothesis.settings.register_profile("laptop", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "laptop")
hypothesis.settings.register_profile("quick", hypothesis.settings(), max_examples=25)  # for `make check`


@pytest.fixture(scope="session", autouse=True)
def session_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Replace this process's environment for the whole session, so that no test reads the machine's own."""
    inherited = dict(os.environ)
    isolated = environment.isolated(tmp_path_factory.mktemp("home"), inherited)
    os.environ.clear()
    os.environ.update(isolated)
    yield isolated
    os.environ.clear()
    os.environ.update(inherited)


@pytest.fixture
def environ(session_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give one test's own environment for the programs it starts: HOME is new and empty but for git's settings."""
    return environment.isolated(tmp_path_factory.mktemp("home"), session_environment)


@pytest.fixture
def retrain(environ: dict[str, str]) -> environment.Program:
    """Give the program under test, started as the action starts it."""
    return environment.Program((sys.executable, "-I", "-m", "runner"), environ)


@pytest.fixture
def dvc(environ: dict[str, str]) -> environment.Program:
    """Give the real DVC, the oracle."""
    require("dvc", "the oracle")
    return environment.Program((sys.executable, "-m", "dvc"), environ)


@pytest.fixture
def git(environ: dict[str, str]) -> environment.Program:
    """Give git, with a committer and `main` as the first branch."""
    return environment.Program((str(require("git")),), environ)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let no test be skipped, nor fail as expected, under CI: what was not shown is not green."""
    report = yield
    if IN_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"{_reason(report)}; under CI nothing may be skipped or expected to fail"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let no whole file be skipped under CI either."""
    report = yield
    if IN_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"{_reason(report)}; under CI nothing may be skipped"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Give the reason a skip names, or pytest's whole text for it."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    return getattr(report, "wasxfail", "") or report.longreprtext or "skipped"
