"""Which DVC files a project has, in which order, and what they may not say together: beside DVC, on random trees.

`RETRAIN_FUZZ=1000` tries that many trees instead of a few.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from dvc.exceptions import DvcException
from dvc.fs import LocalFileSystem
from dvc.repo import Repo
from dvc.repo.index import collect_files
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.engine.workspace import Workspace
from runner.errors import ConfigError
from runner.git import Git, index
from runner.pipeline import files
from runner.store.state import State
from tests.interop.projects import git, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")]  # DVC's own


class _InOrder(LocalFileSystem):  # type: ignore[misc]  # dvc has no types
    """A disk that lists names in order: DVC walks in the disk's own, which differs from machine to machine."""

    def walk(self, top: str, **options: Any) -> Iterator[tuple[str, list[str], list[str]]]:
        for root, folders, names in super().walk(top, **options):
            folders.sort()
            names.sort()
            yield root, folders, names


def by_dvc(root: Path) -> list[str] | None:
    """Give the files of DVC's index; `None` where it refuses them, or what they say together."""
    repo = Repo(str(root), fs=_InOrder())
    try:
        found = [os.path.relpath(path, repo.root_dir) for path, _ in collect_files(repo)]
        repo.index.check_graph()
    except (DvcException, ValueError):
        return None
    else:
        return found
    finally:
        repo.close()


def by_us(root: Path) -> list[str] | None:
    """Give the files that are read; `None` where they are refused."""
    workspace = Workspace(root, State())
    with Git.discover(root, os.environ) as repository:
        listed = index.listed(repository, root)
    read: list[str] = []

    def noted(path: str) -> str | None:
        if path.endswith((".dvc", "dvc.yaml")):
            read.append(path)
        return workspace.read(path)

    sight = files.Sight(workspace.hiding, listed.ignored_locks)
    try:
        files.load(workspace.found(listed.files), noted, str(root), sight=sight)
    except ConfigError:
        return None
    return read


NAMES = ("a", "b", "data", "é x", ".c")
LINES = ("/a", "data", "b/", "*.dvc", "!x.dvc", "dvc.lock", "a/b", "/data/*", "dvc.yaml")
folders = st.lists(st.sampled_from(NAMES), max_size=3).map("/".join)
targets = st.sampled_from([*NAMES, "a/b", "data/b", "a/b/data", "dvc.lock", "q.dvc"])


def data_file(name: str, folder: str, outs: list[str]) -> tuple[str, str]:
    lines = "".join(f"- path: '{os.path.relpath(out, folder or '.')}'\n" for out in outs)
    return f"{folder}/{name}".lstrip("/"), f"outs:\n{lines}"


def pipeline(folder: str, dep: str, out: str) -> tuple[str, str]:
    dep, out = (os.path.relpath(path, folder or ".") for path in (dep, out))
    return (
        f"{folder}/dvc.yaml".lstrip("/"),
        f"stages:\n  s:\n    cmd: x\n    deps: ['{dep}']\n    outs: ['{out}']\n",
    )


def ignore_file(name: str, folder: str, lines: list[str]) -> tuple[str, str]:
    return f"{folder}/{name}".lstrip("/"), "\n".join(lines)


trees = st.lists(
    st.one_of(
        st.builds(data_file, st.sampled_from(["x.dvc", "y z.dvc"]), folders, st.lists(targets, min_size=1, max_size=2)),
        st.builds(pipeline, folders, targets, targets),
        st.builds(
            ignore_file,
            st.sampled_from([".gitignore", ".dvcignore"]),
            folders,
            st.lists(st.sampled_from(LINES), max_size=2),
        ),
        st.builds(ignore_file, st.sampled_from([".dvc/config", ".git"]), folders, st.just([])),
    ),
    min_size=1,
    max_size=6,
).map(dict)


@settings(max_examples=int(os.environ.get("RETRAIN_FUZZ") or 15))
@given(tree=trees)
@example(tree={"x.dvc": "outs:\n- path: data\n", "data/x.dvc": "outs:\n- path: a\n"})
@example(tree={"a/x.dvc": "outs:\n- path: q\n", "b/x.dvc": "outs:\n- path: ../a\n"})
@example(tree={"a/.git": "", "a/x.dvc": "outs:\n- path: q\n", "b/.dvc/config": "", "b/x.dvc": "- broken"})
@example(tree={"dvc.yaml": "stages: {}", ".gitignore": "dvc.lock"})
def test_dvc_finds_the_same_files_in_the_same_order_and_refuses_the_same(
    tree: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("project")
    _lay(root, tree)
    assert by_us(root) == by_dvc(root)


def _lay(root: Path, tree: dict[str, str]) -> None:
    """Write the tree into a git repository; a `.git` stands for a repository inside."""
    git(root, "init", "--quiet")
    put(root, {".dvc/config": ""})
    (root / "z").symlink_to("data")
    for path, text in tree.items():
        if path == ".git" or not path.endswith("/.git"):
            put(root, {} if path == ".git" else {path: text})
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            git((root / path).parent, "init", "--quiet")
