"""What DVC's flags of `fetch`, `pull`, `push` and `checkout` choose, we choose too."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import DVC_GITIGNORE, commit, git, put
from tests.interop.traces import objects, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Oracle, Retrain, Sides

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  first:
    cmd: mkdir first; echo one > first/x; cat seed > first/y
    deps: [seed]
    outs: [first]
  second:
    cmd: echo two > second
    deps: [first]
    outs: [second]
  third:
    cmd: echo the third > third
    deps: [second]
    outs: [third]
  inside:
    cmd: cat first/x > inside
    deps: [first/x]
    outs: [inside]
  apart:
    cmd: echo apart and long > apart
    outs: [apart]
"""
WISHES = (
    ("fetch", "--with-deps", "second"),
    ("fetch", "-d", "./second"),
    ("fetch", "-d", "dvc.yaml:third", "apart"),
    ("fetch", "--max-size", "10"),
    ("fetch", "--max-size", "9", "--with-deps", "third"),
    ("pull", "-d", "second"),
    ("pull", "--with-deps", "second"),
    ("pull", "inside"),
    ("pull", "--with-deps", "inside"),
    ("pull", "first/x"),
)


@dataclass(frozen=True)
class Origin:
    """A project that ran, and its remote."""

    root: Path

    def clone(self, name: str) -> Path:
        git(self.root.parent, "clone", "--quiet", str(self.root), str(self.root.parent / name))
        return self.root.parent / name


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> Origin:
    root = tmp_path_factory.mktemp("flags") / "origin"
    git(root.parent, "init", "--quiet", "-b", "main", str(root))
    put(root, {".dvc/.gitignore": DVC_GITIGNORE, "seed": "s\n", "dvc.yaml": PIPELINE})
    put(root, {".dvc/config": "[core]\n    remote = r\n['remote \"r\"']\n    url = ../../remote\n"})
    sides.dvc.run(root, "repro", "--quiet")
    sides.dvc.run(root, "push", "--quiet")
    commit(root)
    return Origin(root)


@pytest.mark.parametrize("wish", WISHES, ids=" ".join)
def test_the_same_is_brought(origin: Origin, sides: Sides, wish: tuple[str, ...]) -> None:
    name = "-".join(wish).replace("/", "")
    theirs, ours = origin.clone(f"theirs-{name}"), origin.clone(f"ours-{name}")
    sides.dvc.run(theirs, *wish)
    sides.retrain.run(ours, *wish)
    assert objects(ours) == objects(theirs) != {}
    assert workspace(ours) == workspace(theirs)


def test_the_same_is_checked_out(origin: Origin, sides: Sides) -> None:
    theirs, ours = origin.clone("theirs-out"), origin.clone("ours-out")
    for root, run in ((theirs, sides.dvc.run), (ours, sides.retrain.run)):
        run(root, "fetch")
        run(root, "checkout", "--with-deps", "second")
    assert workspace(ours) == workspace(theirs)
    assert {path.name for path in ours.iterdir()} & {"first", "second", "third", "apart"} == {"first", "second"}


def test_the_same_is_pushed(origin: Origin, sides: Sides) -> None:
    for side, run in (("theirs", sides.dvc.run), ("ours", sides.retrain.run)):
        root = shutil.copytree(origin.root, origin.root.parent / f"{side}-push")
        put(root, {".dvc/config": f"[core]\n    remote = r\n['remote \"r\"']\n    url = ../../{side}-remote\n"})
        run(root, "push", "--with-deps", "second")
    theirs, ours = (_files(origin.root.parent / f"{side}-remote") for side in ("theirs", "ours"))
    assert ours == theirs
    assert len(ours) == 4


def _files(remote: Path) -> set[str]:
    """The objects of a remote, without the records of runs: DVC sends none unless asked."""
    paths = (path.relative_to(remote).as_posix() for path in remote.rglob("*") if path.is_file())
    return {path for path in paths if path.startswith("files/")}


def test_a_pull_that_may_miss_something_puts_the_rest_in_place(origin: Origin, sides: Sides) -> None:
    theirs, ours = origin.clone("theirs-missing"), origin.clone("ours-missing")
    lost = shutil.copytree(origin.root.parent / "remote", origin.root.parent / "lossy")
    next(path for path in lost.rglob("*") if path.is_file() and path.read_bytes() == b"two\n").unlink()
    for root in (theirs, ours):
        put(root, {".dvc/config": "[core]\n    remote = r\n['remote \"r\"']\n    url = ../../lossy\n"})
    sides.dvc.run(theirs, "pull", "--allow-missing")
    sides.retrain.run(ours, "pull", "--allow-missing")
    assert workspace(ours) == workspace(theirs)
    assert _code(sides.retrain, ours) != 0 != _code(sides.dvc, theirs)


@pytest.mark.parametrize("flags", [(), ("--force",)], ids=["plain", "force"])
def test_a_pull_over_edits_does_what_that_of_dvc_does(origin: Origin, sides: Sides, flags: tuple[str, ...]) -> None:
    both = []
    for side, name in ((sides.dvc, "theirs"), (sides.retrain, "ours")):
        root = origin.clone(f"{name}-edited{len(flags)}")
        put(root, {"apart": "edited", "first/x": "edited", "first/mine": "mine"})
        both.append((_code(side, root, *flags) == 0, workspace(root)))
    assert both[0] == both[1]
    assert both[0][0] == bool(flags)


def _code(side: Oracle | Retrain, root: Path, *flags: str) -> int:
    return side.ask(root, "pull", *flags).code
