"""A repository to commit to, and what opens repositories and closes them at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.git import Git
from tests.unit.git.repositories import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.environment import Program
    from tests.unit.git.repositories import Opened


@pytest.fixture
def repository(tmp_path: Path, git: Program) -> Repository:
    return Repository(tmp_path / "repository", git)


@pytest.fixture
def opened(environ: dict[str, str]) -> Iterator[Opened]:
    """Open repositories, and close them at the end."""
    handles: list[Git] = []

    def open_at(place: Path) -> Git:
        handles.append(Git.discover(place, environ))
        return handles[-1]

    yield open_at
    for handle in handles:
        handle.close()
