"""`.dvc` files that say more than a path and a hash: what is said stays when their data changes, as with DVC."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import DVC_GITIGNORE, commit, git, put
from tests.interop.traces import objects, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow

TOLD = """\
# Kept by hand.
desc: All of it  # and why
meta:
  owner: {name: someone}
outs:
- path: one.sh
  desc: A script
  type: script
  labels: [a, b]
  meta: {rows: 3}
- path: two   # a directory
  push: false
- path: three.txt
  labels: [c]
"""


def test_what_is_said_of_several_outs_stays_when_their_data_changes(tmp_path: Path, sides: Sides) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    git(tmp_path, "init", "--quiet", "-b", "main", str(theirs))
    put(theirs, {".dvc/config": "", ".dvc/.gitignore": DVC_GITIGNORE, "all.dvc": TOLD, "three.txt": "3\n"})
    put(
        theirs,
        {
            "one.sh": "#!/bin/sh\n",
            "two/run": "#!/bin/sh\n",
            "two/x": "x\n",
            ".gitignore": "/one.sh\n/two\n/three.txt\n",
        },
    )
    for path in ("one.sh", "two/run"):
        (theirs / path).chmod(0o755)
    commit(theirs)
    shutil.copytree(theirs, ours, symlinks=True)
    for edits in ({}, {"one.sh": "#!/bin/sh\necho\n", "two/new": "n\n"}, {"three.txt": "three\n", "two/x": None}):
        put(theirs, edits)
        put(ours, edits)
        sides.dvc.run(theirs, "commit", "--force", "--quiet")
        sides.retrain.run(ours, "repro")
        assert workspace(ours) == workspace(theirs)
        assert objects(ours) == objects(theirs)
        assert sides.dvc.status(ours) == {}
    assert "labels: [a, b]" in (ours / "all.dvc").read_text()
    assert "isexec: true" in (ours / "all.dvc").read_text()
