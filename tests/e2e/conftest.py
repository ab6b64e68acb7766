"""A trained project, the code host, and jobs on them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import container, environment, events
from tests.support.github import FakeGitHub, serving
from tests.support.job import TOKEN, Job
from tests.support.project import Project, copied, trained
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.environment import Program

NUMBER = 7


@pytest.fixture
def retrain(environ: dict[str, str]) -> Program:
    """Give the program under test; it writes to the fake code host as fast as it can."""
    return environment.Program((sys.executable, "-I", str(Path(__file__).with_name("prompt.py"))), environ)


@pytest.fixture
def unhurried(environ: dict[str, str]) -> Program:
    """Give the program under test as the action starts it: a second passes between two of its writes."""
    return environment.Program((sys.executable, "-I", "-m", "runner"), environ)


@pytest.fixture(scope="session")
def trained_once(session_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Project:
    git = environment.Program((str(require("git")),), session_environment)
    retrain = environment.Program((sys.executable, "-I", "-m", "runner"), session_environment)
    return trained(tmp_path_factory.mktemp("trained"), git, retrain)


@pytest.fixture
def project(trained_once: Project, git: Program, tmp_path: Path) -> Project:
    mine = copied(trained_once, tmp_path / "project")
    return Project(mine.place, git)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with serving(FakeGitHub()) as fake:
        fake.token(TOKEN)
        yield fake


@pytest.fixture
def pull_request(project: Project, github: FakeGitHub) -> Callable[..., Job]:
    """Give a function that opens a pull request with changed files, and checks out its merge commit."""

    def opened(files: dict[str, str], *, branch: str = "change", event: str = "pull_request", depth: int = 0) -> Job:
        head = project.commit(branch, files)
        merge = project.merge_ref(branch, NUMBER)
        payload = events.pull_request(repository=github.repository, number=NUMBER, head=head, base=project.rev("main"))
        workspace = project.checkout(f"refs/pull/{NUMBER}/merge", depth=depth)
        return Job(workspace, github, event, payload, merge, f"refs/pull/{NUMBER}/merge")

    return opened


@pytest.fixture(scope="session")
def podman(session_environment: dict[str, str]) -> Program:
    """Build the image once; give the engine that runs it."""
    if os.geteuid() != 0:
        pytest.skip("building and running the image as GitHub does needs root")
    return container.built(session_environment)
