"""What other repositories hold, imported by real DVC and by us: nested projects, chains, old hashes, odd remotes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.interop.projects import DVC_GITIGNORE, commit, git, put
from tests.support import legacy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow

WHERE = {
    "by-name": ("--remote", "other"),
    "by-options": ("--remote-config", "url=OTHER"),
    "by-name-and-options": ("--remote", "new", "--remote-config", "url=OTHER"),
    "by-relative-file": ("--config", "their.conf"),
    "by-file": ("--config", "FIRST/their.conf"),
}
"""How an import says where a repository keeps its data: the out's name -> options of `dvc import`."""

INSIDE = {
    "file.csv": ("maker", "folder/in/y"),
    "part": ("maker", "folder/in"),
    "nested.csv": ("maker", "sub/inner.csv"),
    "nested": ("maker", "sub"),
    "nested-deep": ("maker", "around"),
    "nested-made.txt": ("maker", "sub/made.txt"),
    "everything": ("maker", "."),
    "chained.csv": ("middle", "data.csv"),
    "chained": ("middle", "folder"),
    "chained-file": ("middle", "folder/in/y"),
    "chained-mixed": ("middle", "mixed"),
    "chained-git": ("middle", "note.txt"),
    "chained-twice": ("last", "folder/in"),
    "old.txt": ("legacy", "notes.txt"),
    "old": ("legacy", "data"),
    "old-file": ("legacy", "data/one"),
    "old-made": ("legacy", "parts"),
    "old-mixed": ("legacy", "."),
}
"""What is imported: the out's name -> repository and path there."""


@dataclass(frozen=True)
class World:
    """Repositories that import from one another, beside the project `first`, whose remotes no clone has data of."""

    place: Path
    sides: Sides

    def url(self, name: str) -> str:
        return f"file://{self.place / name}"

    def copy(self, source: str, name: str) -> Path:
        return shutil.copytree(self.place / source, self.place / name, symlinks=True)

    def repository(self, name: str, files: dict[str, str | bytes] | None = None) -> Path:
        """Make a repository with a DVC project whose default remote is a folder beside it."""
        root = self.place / name
        git(self.place, "init", "--quiet", "-b", "main", str(root))
        put(root, {**_project(self.place / f"{name}-remote"), **(files or {})})
        return root


def _project(remote: Path, top: str = "") -> dict[str, str | bytes]:
    config = f"[core]\n    remote = r\n['remote \"r\"']\n    url = {remote}\n"
    return {f"{top}.dvc/config": config, f"{top}.dvc/.gitignore": DVC_GITIGNORE}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> World:
    found = World(tmp_path_factory.mktemp("repositories"), sides)
    _maker(found)
    _middle(found)
    _legacy(found)
    _scattered(found)
    other = f"[core]\n    remote = kept\n['remote \"kept\"']\n    url = {found.place / 'other'}\n"
    commit(found.repository("first", {"their.conf": other}))
    return found


def _maker(world: World) -> None:
    """A repository with a project at its top, one in `sub`, and one in `around/deep`."""
    dvc = world.sides.dvc
    root = world.repository("maker", {"data.csv": "1\n2\n", "folder/x": "x\n", "folder/in/y": "y\n", "top.txt": "t\n"})
    for top in ("sub", "around/deep"):
        put(root, _project(world.place / f"{top.replace('/', '-')}-remote", f"{top}/"))
        put(root, {f"{top}/inner.csv": f"inner of {top}\n", f"{top}/git.txt": f"git of {top}\n"})
    put(root, {"sub/dvc.yaml": "stages:\n  make:\n    cmd: echo made > made.txt\n    outs: [made.txt]\n"})
    dvc.run(root, "add", "--quiet", "data.csv", "folder")
    dvc.run(root, "push", "--quiet")
    for top in ("sub", "around/deep"):
        dvc.run(root / top, "add", "--quiet", "inner.csv")
    dvc.run(root / "sub", "repro", "--quiet")
    for top in ("sub", "around/deep"):
        dvc.run(root / top, "push", "--quiet")
    commit(root)


def _middle(world: World) -> None:
    """`middle` imports from `maker`, and `last` from `middle`; neither keeps the data anywhere."""
    dvc = world.sides.dvc
    middle = world.repository("middle", {"note.txt": "note\n", "mixed/git.txt": "git\n"})
    put(middle, {".dvcignore": "*.tmp\n", "mixed/hidden.tmp": "hidden\n", "mixed/dvc.lock": "schema: '2.0'\n"})
    for argv in (("data.csv",), ("folder",), ("data.csv", "-o", "mixed/imported.csv")):
        dvc.run(middle, "import", "--quiet", world.url("maker"), *argv)
    commit(middle)
    last = world.repository("last")
    dvc.run(last, "import", "--quiet", world.url("middle"), "folder")
    commit(last)


def _legacy(world: World) -> None:
    """A project as DVC 2.58 left it: no `hash:` in its files, and the old layout in its remote."""
    root = world.place / "legacy"
    legacy.lay_out(root, "pipeline", legacy.RAN)
    git(root, "init", "--quiet", "-b", "main")
    put(root, _project(world.place / "legacy-remote"))
    world.sides.dvc.run(root, "push", "--quiet")
    commit(root)


def _scattered(world: World) -> None:
    """A repository whose default remote lacks its data; `other` has it."""
    config = f"['remote \"other\"']\n    url = {world.place / 'other'}\n"
    root = world.repository("scattered", {"data.csv": "1\n"})
    with (root / ".dvc/config").open("a") as file:
        file.write(config)
    world.sides.dvc.run(root, "add", "--quiet", "data.csv")
    world.sides.dvc.run(root, "push", "--quiet", "--remote", "other")
    commit(root)


def written(project: Path) -> dict[str, object]:
    """Every file of the project but git's and DVC's own; of .dvc files what they say, as data was taken out of them."""
    paths = [path for path in project.rglob("*") if path.is_file()]
    named = {str(path.relative_to(project)): path for path in sorted(paths)}
    ours = {name: path for name, path in named.items() if not name.startswith((".git/", ".dvc/"))}
    return {
        name: yaml.safe_load(path.read_text()) if name.endswith(".dvc") else path.read_bytes()
        for name, path in ours.items()
    }


@pytest.fixture(scope="module")
def imported(world: World) -> Path:
    """The project, with everything imported by DVC."""
    project = world.copy("first", "imported")
    for out, (repository, path) in INSIDE.items():
        world.sides.dvc.run(project, "import", "--quiet", world.url(repository), path, "-o", out)
    return project


def test_a_pull_brings_from_other_repositories_what_dvc_brings(world: World, imported: Path) -> None:
    ours = _without_data(world.copy("imported", "pulled"))
    world.sides.retrain.run(ours, "pull")
    assert written(ours) == written(imported)


def test_an_update_records_of_other_repositories_what_dvc_records(world: World, imported: Path) -> None:
    ours = _never_taken_in(world.copy("imported", "updated"))
    world.sides.retrain.run(ours, "update")
    assert written(ours) == written(imported)
    assert world.sides.dvc.status(ours) == {}


@pytest.mark.parametrize("out", WHERE)
def test_an_import_says_where_the_repository_keeps_its_data(world: World, out: str) -> None:
    project = world.copy("first", f"where-{out}")
    here = {"OTHER": world.place / "other", "FIRST": project}
    words = [_filled(word, here) for word in WHERE[out]]
    world.sides.dvc.run(project, "import", "--quiet", world.url("scattered"), "data.csv", "-o", out, *words)
    before = written(project)
    _without_data(project)
    world.sides.retrain.run(project, "pull", out)
    assert written(project) == before
    _never_taken_in(project)
    world.sides.retrain.run(project, "update")
    assert written(project) == before


def _filled(word: str, places: dict[str, Path]) -> str:
    for name, place in places.items():
        word = word.replace(name, str(place))
    return word


MOMENTS = {
    "the repository is being fetched": ".dvc/tmp/retrain/repos/trusted/*/HEAD",
    "an object has come": ".dvc/cache/files/md5/??/*",
    "the first is in place": "file.csv",
    "a directory is in place": "chained-mixed",
    "a file of DVC 2 is in place": "old.txt",
}
"""When an update is killed: as soon as there is a path of that pattern."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_update_that_was_killed_goes_on_when_it_is_run_again(world: World, imported: Path, moment: str) -> None:
    project = _never_taken_in(world.copy("imported", f"killed-{list(MOMENTS).index(moment)}"))
    targets = ("file.csv", "chained-mixed", "everything", "old.txt")
    command = [sys.executable, "-I", "-m", "runner", "update", *targets]
    update = subprocess.Popen(command, cwd=project, env=world.sides.retrain.environ, start_new_session=True)
    while update.poll() is None and not any(project.glob(MOMENTS[moment])):
        time.sleep(0.002)
    os.killpg(update.pid, signal.SIGKILL)
    assert update.wait() == -signal.SIGKILL
    world.sides.retrain.run(project, "update", *targets)
    there = written(imported)
    assert {path: content for path, content in written(project).items() if path.startswith(targets)} == {
        path: content for path, content in there.items() if path.startswith(targets)
    }


def _without_data(project: Path) -> Path:
    """Take the data away that is imported, and the cache, as in a fresh clone."""
    for file in project.glob("?*.dvc"):
        out = project / file.name.removesuffix(".dvc")
        shutil.rmtree(out) if out.is_dir() else out.unlink()
    shutil.rmtree(project / ".dvc/cache")
    return project


def _never_taken_in(project: Path) -> Path:
    """Make imports such as `dvc import --no-download` leaves."""
    _without_data(project)
    for file in project.glob("?*.dvc"):
        text = re.sub(r"- md5: \S+\n  size: \d+\n(?:  nfiles: \d+\n)?  hash", "- hash", file.read_text())
        file.write_text(re.sub(r"\Amd5: .*\n", "", text))
    return project
