"""Random projects, valid and broken, beside real DVC: stages, errors, order, runs to the byte, and what is stale later.

The numbers are fixed, so that each run of the tests sees the same projects. `make fuzz N=5000 FROM=1000` tries others;
a difference found there becomes a row of `FOUND`, here or in `projects`.
"""

from __future__ import annotations

import os
import re
import shutil
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.interop import random_edits, random_projects, resolving
from tests.interop.agreement import assert_alike, assert_same_traces, assert_stale_alike
from tests.interop.projects import commit, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

FUZZ = int(os.environ.get("RETRAIN_FUZZ") or 0)
FROM = int(os.environ.get("RETRAIN_FUZZ_FROM") or (1000 if FUZZ else 0))
RESOLVED, RUN, LOOKED = (FUZZ, FUZZ // 20, FUZZ // 20) if FUZZ else (200, 20, 10)

STRICTER = re.compile(r": (expected .+, found .+|'.*' is (not a path|outside the repository)\b.*)$")
"""What we refuse when we read it and DVC, on purpose (docs/dvc-compatibility.md), only when it is looked at or run."""


@pytest.mark.parametrize("seed", range(FROM, FROM + RESOLVED))
def test_a_random_project_is_read_as_dvc_reads_it_or_refused_by_both(seed: int, sides: Sides, tmp_path: Path) -> None:
    project = random_projects.draw(seed)
    root = laid_down(project, tmp_path / "root")
    ours, theirs = resolving.resolved(root), sides.dvc.resolved(root)
    if not (project.broken and STRICTER.search(ours["error"].partition("\n")[0]) and not theirs["error"]):
        assert_alike(ours, theirs, project.broken or "valid")
    shutil.rmtree(root)


def laid_down(project: random_projects.RandomProject, root: Path) -> Path:
    git(root.parent, "init", "--quiet", "-b", "main", str(root))
    project.write(root)
    return root


@pytest.mark.parametrize("seed", range(FROM, FROM + RUN))
def test_a_random_project_runs_to_the_same_bytes_and_goes_stale_alike(seed: int, sides: Sides, tmp_path: Path) -> None:
    project = random_projects.draw_to_run(seed)
    theirs = laid_down(project, tmp_path / "theirs")
    if project.added:
        sides.dvc.run(theirs, "add", "--quiet", *project.added)
    ours = copied(theirs, tmp_path / "ours")
    sides.dvc.run(theirs, "repro", "--quiet", "--all-pipelines")
    sides.retrain.run(ours, "repro")
    assert_same_traces(ours, theirs)

    outs = [out["path"] for stage in sides.dvc.resolved(theirs)["stages"] for out in stage["outs"]]
    for root in (ours, theirs):
        changes = random_edits.edit(Random(seed), root, project, outs)
    resolved = sides.dvc.resolved(theirs)
    assert_alike(resolving.resolved(theirs), resolved, f"{changes}")
    if resolved["error"]:
        return
    status = sides.dvc.status(theirs)
    assert_stale_alike(sides.retrain.plan(theirs), status, resolved["stages"], f"{changes}: {status}")
    if any(stage["frozen"] and stage["stage"] in status for stage in resolved["stages"]):
        return  # DVC would record a frozen stage's new command or damaged out as good (T17); we leave its entry alone

    told = sides.dvc.ask(theirs, "repro", "--all-pipelines")
    done = sides.retrain.ask(ours, "repro")
    if told.code == 0:
        assert done.code == 0, (changes, done)
        assert_same_traces(ours, theirs, edited=True)


@pytest.mark.parametrize("seed", range(FROM, FROM + LOOKED))
def test_the_verbs_that_look_answer_as_dvc_does_of_a_random_project(seed: int, sides: Sides, tmp_path: Path) -> None:
    project = random_projects.draw_to_run(seed)
    root = laid_down(project, tmp_path / "root")
    if project.added:
        sides.dvc.run(root, "add", "--quiet", *project.added)
    sides.dvc.run(root, "repro", "--quiet", "--all-pipelines")
    commit(root)
    outs = [out["path"] for stage in sides.dvc.resolved(root)["stages"] for out in stage["outs"]]
    changes = random_edits.edit(Random(seed), root, project, outs)
    for verb in ("status", "diff", "params diff", "metrics diff", "metrics show"):
        theirs, ours = (side.ask(root, *verb.split(), "--json") for side in (sides.dvc, sides.retrain))
        if theirs.code == 0 and "failed to load" not in theirs.err:
            assert ours.json == theirs.json, (verb, changes)
    graphs = [side.ask(root, "dag", "--dot").out for side in (sides.dvc, sides.retrain)]
    assert sorted(graphs[0].split("\n")) == sorted(graphs[1].split("\n")), changes


def copied(source: Path, to: Path) -> Path:
    shutil.copytree(source, to, symlinks=True)
    return to


# Differences that were found


FOUND: dict[str, dict[str, str]] = {
    "bytes in a Python file of variables": {
        "dvc.yaml": "vars: [v.py]\nstages: {s: {cmd: 'echo ${a} ${b}'}}\n",
        "v.py": "a = b'x'\nb = 1\n",
    },
    "a stage that is null in a file without expressions, beside vars": {
        "dvc.yaml": "vars: [{a: 1}]\nstages:\n  s:\n",
    },
    "an out below a folder named .git": {"dvc.yaml": "stages: {s: {cmd: 'true', outs: [w/.git/x]}}\n"},
    "an out below a folder named .dvc, further down": {"dvc.yaml": "stages: {s: {cmd: 'true', outs: [w/.dvc/x]}}\n"},
    "an artifact that names a .dvc file": {"dvc.yaml": "artifacts: {a: {path: d/x.csv.dvc}}\n"},
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_a_difference_once_is_none_now(name: str, sides: Sides, tmp_path: Path) -> None:
    project = random_projects.RandomProject(0, {".dvc/config": "", **FOUND[name]}, (), "")
    root = laid_down(project, tmp_path / "root")
    assert_alike(resolving.resolved(root), sides.dvc.resolved(root), name)
