"""The verbs that scripts know from DVC give the same answers, compared as values: on every project, run and edited."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import commit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.conftest import Pair
    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow


@pytest.fixture
def root(pair: Pair, tmp_path: Path) -> Path:
    """Give the project as DVC ran it, committed, and then edited."""
    copied = shutil.copytree(pair.theirs, tmp_path / "root", symlinks=True)
    commit(copied)
    pair.project.edit(copied)
    return copied


def check(sides: Sides, cwd: Path, *argv: str) -> None:
    """Ask both for JSON; DVC's answer counts where it could read what it was asked for."""
    theirs, ours = sides.dvc.ask(cwd, *argv, "--json"), sides.retrain.ask(cwd, *argv, "--json")
    if "failed to load" not in theirs.err:  # a key of a mapping that is a number, among text: too much for DVC
        assert ours.json == theirs.json, argv


def test_metrics_and_params_compare_as_in_dvc(root: Path, sides: Sides) -> None:
    for verb in ("metrics diff HEAD~1", "metrics show", "params diff", "params diff --deps"):
        check(sides, root, *verb.split())


def test_status_names_the_same_changes(root: Path, sides: Sides) -> None:
    check(sides, root, "status")
    shutil.rmtree(root / ".dvc" / "cache")
    check(sides, root, "status")


def test_the_graph_has_the_same_nodes_and_edges(root: Path, sides: Sides) -> None:
    for outs in ((), ("--outs",)):
        theirs = sides.dvc.run(root, "dag", "--dot", *outs)
        assert sorted(sides.retrain.run(root, "dag", "--dot", *outs).splitlines()) == sorted(theirs.splitlines())
    if not list(root.glob("*/**/dvc.yaml")) and not list(root.glob("**/*.dvc")):  # DVC lists folders in any order
        for option in ("--mermaid", "--md"):
            assert sides.retrain.run(root, "dag", option) == sides.dvc.run(root, "dag", option)


def test_data_differs_alike(root: Path, sides: Sides) -> None:
    for arguments in ((), ("HEAD~1",), ("HEAD~1", "HEAD"), ("--hide-missing", "--show-hash")):
        check(sides, root, "diff", *arguments)
    for place in (root / ".dvc" / "cache" / "files").glob("md5/*/*"):
        if place.suffix != ".dir":  # DVC may still know a listing that is gone, from a cache outside of the project
            place.unlink()
    check(sides, root, "diff")
    assert sides.retrain.run(root, "diff", "--md") == sides.dvc.run(root, "diff", "--md")
