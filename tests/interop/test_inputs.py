"""Stages that read params of Python and TOML files, and datasets: `dvc status` and our plan name the same as stale."""

from __future__ import annotations

import shutil
from dataclasses import replace
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import DATASETS, commit, put
from tests.support.pipelines import Workshop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow

STAGES = """\
  python:
    cmd: echo 1 > python
    params: [{conf.py: [lr, shape, Train.deep, Train.name]}]
    outs: [python]
  whole:
    cmd: echo 1 > whole
    params: [{whole.py: }]
    outs: [whole]
  toml:
    cmd: echo 1 > toml
    params: [{conf.toml: [a, t.b.0, u.0.v]}]
    outs: [toml]
"""
INPUTS = replace(
    DATASETS,
    pipeline=dedent(DATASETS.pipeline) + STAGES,
    files={
        **DATASETS.files,
        "conf.py": "lr = 1\nshape = (2, 3)\nclass Train:\n    name = 'x'\n    def __init__(self):\n"
        "        self.deep = {'k': 1}\n",
        "whole.py": "a = 1\nb = [1, {'c': 2}]\n",
        "conf.toml": "a = 1\n[t]\nb = [1.5, 'x']\n[[u]]\nv = true\n",
    },
)
# What is changed, where, from what, to what, and which stages are stale after it.
ROWS = {
    "a number": ("conf.py", "lr = 1", "lr = 2", {"python"}),
    "a number to 1.0": ("conf.py", "lr = 1", "lr: float = 1.0", set()),
    "a number to True": ("conf.py", "lr = 1", "lr = True", set()),
    "a number to text": ("conf.py", "lr = 1", "lr = '1'", {"python"}),
    "a number to the same computed": ("conf.py", "lr = 1", "lr = 0 + 1", {"python"}),
    "a number below an if": ("conf.py", "lr = 1", "if True:\n    lr = 1", {"python"}),
    "a tuple to its list": ("conf.py", "(2, 3)", "[2, 3]", set()),
    "a tuple inside a tuple": ("conf.py", "(2, 3)", "(2, (3,))", {"python"}),
    "what __init__ sets to what the body sets": ("conf.py", "self.deep = {'k': 1}", "pass\n    deep = {'k': 1}", set()),
    "what __init__ sets on another name": ("conf.py", "self.deep", "other.deep", {"python"}),
    "a comment, and code": ("conf.py", "lr = 1", "import os  # why\nlr = 1\nprint(lr)", set()),
    "a value that nobody names": ("conf.py", "lr = 1", "lr = 1\nmore = 2", set()),
    "a value more in a whole file": ("whole.py", "a = 1", "a = 1\nz = 1", {"whole"}),
    "a value less in a whole file": ("whole.py", "a = 1\n", "", {"whole"}),
    "a computed value more in a whole file": ("whole.py", "a = 1", "a = 1\nz = a", set()),
    "the order of a whole file": ("whole.py", "a = 1\nb = [1, {'c': 2}]", "b = [1, {'c': 2}]\na = 1", set()),
    "a tuple inside a list": ("whole.py", "[1, {'c': 2}]", "[1, {'c': (2,)}]", {"whole"}),
    "an integer of TOML to a float": ("conf.toml", "a = 1", "a = 1.0", set()),
    "an integer of TOML to another": ("conf.toml", "a = 1", "a = 0x2", {"toml"}),
    "an element of an array": ("conf.toml", "1.5", "1.6", {"toml"}),
    "another element of the array": ("conf.toml", "'x'", "'y'", set()),
    "a key of a table in an array": ("conf.toml", "v = true", "v = false", {"toml"}),
    "the record of a dataset": ("dvc.lock", "75d2668f215", "85d2668f215", {"use"}),
    "what dvc.yaml says of a dataset": ("dvc.yaml", "rev: v1", "rev: v2", {"use"}),
    "a key of a dataset that counts for nothing": ("dvc.yaml", "desc: passed over", "desc: still", set()),
    "a dataset named otherwise in dvc.lock": ("dvc.lock", "- name: chain", "- name: chained", {"use"}),
    "the moment of a record, spelled otherwise": ("dvc.lock", "T10:00:00+00:00", "T12:00:00+02:00", set()),
    "the size of one file of a dataset": ("dvc.lock", "    size: 3", "    size: 4", {"use"}),
    "the remote of one file of a dataset": ("dvc.lock", "    remote: storage", "    remote: other", set()),
    "a dataset that the stage has not read": ("dvc.lock", "    - path: ds://mine", "    - path: ds://other", {"use"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> Path:
    """Give the project, up to date by DVC's own hands."""
    root = tmp_path_factory.mktemp("inputs") / "root"
    INPUTS.write(root, sides.dvc)
    sides.dvc.run(root, "repro", "--quiet")
    commit(root)
    return root


def changed(root: Path, row: tuple[str, str, str, set[str]]) -> None:
    path, old, new, _ = row
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    put(root, {path: text.replace(old, new, 1)})


@pytest.mark.parametrize("name", ROWS)
def test_both_name_the_same_stale_stages(name: str, kept: Path, sides: Sides) -> None:
    row = ROWS[name]
    before = (kept / row[0]).read_bytes()
    changed(kept, row)
    try:
        assert set(sides.dvc.status(kept)) == row[3]
        decisions = Workshop(kept).plan()
    finally:
        put(kept, {row[0]: before})
    stale = {stage for stage, decision in decisions.items() if decision in {"run", "restore"}}
    assert stale == row[3]


@pytest.mark.parametrize(
    "name", ["the record of a dataset", "what dvc.yaml says of a dataset", "a dataset that the stage has not read"]
)
def test_status_says_of_datasets_what_dvc_says(name: str, kept: Path, sides: Sides) -> None:
    before = (kept / ROWS[name][0]).read_bytes()
    changed(kept, ROWS[name])
    try:
        assert sides.retrain.ask(kept, "status", "--json").json == sides.dvc.status(kept)
    finally:
        put(kept, {ROWS[name][0]: before})


RUN = (
    "a number",
    "a tuple inside a list",
    "a tuple inside a tuple",
    "an element of an array",
    "a value more in a whole file",
)


@pytest.mark.parametrize("name", [*RUN, "the record of a dataset", "the size of one file of a dataset"])
def test_both_leave_the_same_lock(name: str, kept: Path, sides: Sides, tmp_path: Path) -> None:
    theirs, ours = (shutil.copytree(kept, tmp_path / side, symlinks=True) for side in ("theirs", "ours"))
    for root in (theirs, ours):
        changed(root, ROWS[name])
    sides.dvc.run(theirs, "repro", "--quiet")
    Workshop(ours).repro()
    assert (ours / "dvc.lock").read_bytes() == (theirs / "dvc.lock").read_bytes()
    assert set(sides.dvc.status(ours)) == set(sides.dvc.status(theirs))


BROKEN = {
    "Python that is none": ("conf.py", "lr = 1", "lr = (", {"python"}),
    "TOML that is none": ("conf.toml", "a = 1", "a = ", {"toml"}),
    "a date of TOML": ("conf.toml", "a = 1", "a = 2020-01-01", {"toml"}),
    "a set of Python": ("conf.py", "lr = 1", "lr = {1}", {"python"}),
    "a value that is gone": ("conf.py", "lr = 1", "", {"python"}),
    "a dataset that nothing is recorded of": ("dvc.yaml", "rev: v1", "rev: v2", {"use"}),
    "a dataset that is none": ("dvc.yaml", "ds://mine", "ds://mime", {"use"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_dvc_cannot_run_we_do_not_run_either(name: str, kept: Path, sides: Sides, tmp_path: Path) -> None:
    theirs, ours = (shutil.copytree(kept, tmp_path / side, symlinks=True) for side in ("theirs", "ours"))
    for root in (theirs, ours):
        changed(root, BROKEN[name])
    (stage,) = BROKEN[name][3]
    assert sides.dvc.ask(theirs, "repro", stage).code != 0
    assert sides.retrain.ask(ours, "repro", stage).code in {2, 3}
    assert (ours / "dvc.lock").read_bytes() == (kept / "dvc.lock").read_bytes()
