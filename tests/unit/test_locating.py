"""Where the project is: the nearest folder, and never that of another repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner import locating
from tests.interop.projects import git, put
from tests.support.pipelines import Workshop, workshop

if TYPE_CHECKING:
    from pathlib import Path


def test_the_project_is_the_nearest_folder_with_dvc_in_it(tmp_path: Path) -> None:
    (tmp_path / "a" / ".dvc").mkdir(parents=True)
    (tmp_path / "a" / "b" / ".dvc").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").mkdir()
    (tmp_path / "a" / "d").mkdir()
    (tmp_path / "a" / "d" / ".dvc").write_text("a file")
    assert locating.find_root(tmp_path / "a" / "b" / "c") == tmp_path / "a" / "b"
    assert locating.find_root(tmp_path / "a" / "d") == tmp_path / "a"


def test_a_project_above_the_repository_that_one_is_in_is_another_one(tmp_path: Path) -> None:
    outer = workshop(tmp_path, "", {"retrain.yaml": "gates: []\n"})
    inner = outer.root / "vendored" / "model"
    git(outer.root, "init", "--quiet", str(inner))
    put(inner, {"retrain.yaml": "baseline: target\n", "sub/x": ""})
    assert locating.find_root(inner / "sub") is None
    with Workshop(inner, outer.environ).opened("gate", working_directory=str(inner / "sub")) as opened:
        assert (opened.root, opened.found) == (inner, None)
