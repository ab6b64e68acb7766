"""Fixtures of the interop tests: the two sides, and each project once, run by both."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.interop.oracle import Oracle, Retrain, Sides
from tests.interop.projects import PROJECTS, Project
from tests.support import environment, s3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.register_assert_rewrite("tests.interop.agreement")


@dataclass(frozen=True)
class Pair:
    """The same project twice: `theirs` was run by DVC, `ours` by `retrain`. To be copied before it is changed."""

    project: Project
    theirs: Path
    ours: Path


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """Give real DVC and `retrain`, in an environment of their own."""
    environ = environment.isolated(tmp_path_factory.mktemp("home"), os.environ)
    with Oracle(environ) as dvc:
        yield Sides(dvc, Retrain(environ))


@pytest.fixture(scope="session", params=PROJECTS, ids=lambda project: project.name)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> Pair:
    """Give a project run once by each side."""
    project: Project = request.param
    root = tmp_path_factory.mktemp("pair")
    theirs, ours = root / "theirs", root / "ours"
    project.write(theirs, sides.dvc)
    shutil.copytree(theirs, ours, symlinks=True)
    sides.dvc.run(theirs, "repro", "--quiet", "--all-pipelines")
    sides.retrain.run(ours, "repro")
    return Pair(project, theirs, ours)


@pytest.fixture(scope="session")
def s3_config() -> Iterator[str]:
    """Give a .dvc/config whose default remote is on moto; `PREFIX` in it is to be replaced."""
    with s3.moto() as server:
        options = "".join(f"    {name} = {value}\n" for name, value in server.options.items())
        yield f"[core]\n    remote = storage\n['remote \"storage\"']\n    url = s3://{s3.BUCKET}/PREFIX\n{options}"
