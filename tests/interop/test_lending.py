"""A run that is lent single files of a directory ends as DVC's run does that brings all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import DVC_GITIGNORE, commit, git, put

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  one:
    cmd: cat raw/a tail > one.o
    deps: [raw/a, tail]
    outs: [one.o]
  inner:
    cmd: cat raw/sub/* other > inner.o
    deps: [raw/sub, other]
    params: [k]
    outs: [inner.o]
  fails:
    cmd: cat raw/b other > fails.o && grep -q yes holds
    deps: [raw/b, other]
    outs: [fails.o]
  after:
    cmd: cat one.o inner.o > after.o
    deps: [one.o, inner.o]
    outs: [after.o]
"""
FILES = {
    ".dvc/.gitignore": DVC_GITIGNORE,
    ".dvc/config": "[core]\n    remote = r\n['remote \"r\"']\n    url = ../../remote\n",
    "dvc.yaml": PIPELINE,
    "params.yaml": "k: 1\n",
    "holds": "yes",
    "tail": "t\n",
    "other": "o\n",
    "raw/a": "a\n",
    "raw/b": "b\n",
    "raw/sub/c": "c\n",
    "raw/sub/d": "d\n",
}
RECORDS = ("dvc.lock", "raw.dvc", ".gitignore")
OUTS = ("one.o", "inner.o", "fails.o", "after.o")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> Path:
    root = tmp_path_factory.mktemp("lending") / "origin"
    git(root.parent, "init", "--quiet", "-b", "main", str(root))
    put(root, FILES)
    sides.dvc.run(root, "add", "--quiet", "raw")
    sides.dvc.run(root, "repro", "--quiet")
    sides.dvc.run(root, "push", "--quiet")
    commit(root)
    return root


@pytest.mark.parametrize(
    ("flags", "edits"),
    [
        ((), {"tail": "new\n"}),
        (("--allow-missing",), {"tail": "new\n"}),
        (("--allow-missing",), {}),
        (("--keep-going",), {"tail": "new\n", "other": "new\n", "holds": "no"}),
        ((), {"other": "new\n", "holds": "no"}),
        (("--single-item", "inner"), {"tail": "new\n", "other": "new\n"}),
        (("--downstream", "one"), {"tail": "new\n", "other": "new\n"}),
        (("--dry",), {"tail": "new\n"}),
    ],
    ids=lambda given: " ".join(given) or "none",
)
def test_the_end_is_that_of_dvc(origin: Path, sides: Sides, flags: tuple[str, ...], edits: dict[str, str]) -> None:
    name = f"{'-'.join(flags)}-{len(edits)}-{edits.get('holds', '')}".replace("-", "")
    theirs, ours = (origin.parent / f"{side}-{name}" for side in ("theirs", "ours"))
    for root in (theirs, ours):
        git(origin.parent, "clone", "--quiet", str(origin), str(root))
        put(root, edits)
    codes = sides.dvc.ask(theirs, "repro", "--pull", *flags).code, sides.retrain.ask(ours, "repro", *flags).code
    assert (codes[0] == 0) == (codes[1] == 0)
    assert [(ours / file).read_text() for file in RECORDS] == [(theirs / file).read_text() for file in RECORDS]
    assert _outs(ours).items() <= _outs(theirs).items()  # DVC pulls those that nobody needs, too
    assert not (ours / "raw").exists() or (ours / "raw" / "b").exists()  # a directory that is all in the cache stays
    assert not list((ours / ".dvc" / "tmp").rglob("lent-*"))


def _outs(root: Path) -> dict[str, str]:
    return {name: (root / name).read_text() for name in OUTS if (root / name).exists()}
