"""A cache and a remote that are their group's (`shared = group`): folders, objects and records get the modes of DVC."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import DVC_GITIGNORE, git, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  make:
    cmd: mkdir made; cp seed made/a; echo b > made/b
    deps: [seed]
    outs: [made]
"""
CONFIG = """\
[core]
    remote = storage
[cache]
    dir = {folder}/cache
    shared = group
['remote "storage"']
    url = {folder}/remote
    shared = group
"""
OURS_ALONE = "retrain"


@pytest.fixture(autouse=True)
def _private_umask() -> Iterator[None]:
    """Have processes start as those of a user whose files nobody else may read."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Give the modes of what is below a folder, and of itself; nothing of what only we keep there."""
    found = (path for path in (folder, *folder.rglob("*")) if OURS_ALONE not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): oct(stat.S_IMODE(path.stat().st_mode)) for path in found}


def used(program: Program, folder: Path, *push: str) -> Path:
    """Run and push with a shared cache and a shared remote in `folder`, pull into a second cache, and give `folder`."""
    root = folder / "root"
    root.mkdir(parents=True)
    git(root, "init", "--quiet", "-b", "main")
    put(root, {"dvc.yaml": PIPELINE, "seed": "s", ".dvc/.gitignore": DVC_GITIGNORE})
    put(root, {".dvc/config": CONFIG.format(folder=folder)})
    program("repro", cwd=root)
    program("push", *push, cwd=root)
    (folder / "cache").rename(folder / "first")
    shutil.rmtree(root / "made")
    program("pull", cwd=root)
    return folder


def test_folders_objects_and_records_have_the_modes_of_dvc(dvc: Program, retrain: Program, tmp_path: Path) -> None:
    ours = used(retrain, tmp_path / "ours")
    theirs = used(dvc, tmp_path / "theirs", "--run-cache")
    assert modes(ours / "first") == modes(theirs / "first")
    assert modes(ours / "cache") == modes(theirs / "cache")
    assert modes(ours / "remote/files") == modes(theirs / "remote/files")  # DVC makes the others as the umask says


def test_what_only_we_keep_is_the_groups_too(retrain: Program, tmp_path: Path) -> None:
    ours = used(retrain, tmp_path / "ours")
    for folder in (ours / "first" / OURS_ALONE, ours / "remote" / OURS_ALONE):
        kinds = {(path.is_dir(), path.stat().st_mode & 0o2070) for path in (folder, *folder.rglob("*"))}
        assert (True, 0o2070) in kinds
        assert all(mode & 0o040 for _, mode in kinds)


def test_a_broken_object_is_put_away_where_the_group_may_look(retrain: Program, tmp_path: Path) -> None:
    ours = used(retrain, tmp_path / "ours")
    broken = next(path for path in (ours / "cache/files").rglob("*") if path.is_file())
    broken.chmod(0o644)
    broken.write_bytes(b"broken")
    retrain("verify", cwd=ours / "root", exits=4)
    assert stat.S_IMODE((ours / "cache/quarantine").stat().st_mode) == 0o2775
