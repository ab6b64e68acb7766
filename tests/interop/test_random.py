"""Random projects, valid and broken, beside real DVC: stages, errors, order, runs to the byte, and what is stale later.

The numbers are fixed, so that each run of the tests sees the same projects. `make fuzz N=5000 FROM=1000` tries others;
a difference found there becomes a row of `FOUND`, here or in `projects`.
"""

from __future__ import annotations

import os
import shutil
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop import random_edits, random_projects, resolving
from tests.interop.projects import git
from tests.interop.traces import objects, records, runs, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

FUZZ = int(os.environ.get("RETRAIN_FUZZ") or 0)
FROM = int(os.environ.get("RETRAIN_FUZZ_FROM") or (1000 if FUZZ else 0))
RESOLVED, RUN = (FUZZ, FUZZ // 20) if FUZZ else (200, 20)


@pytest.mark.parametrize("seed", range(FROM, FROM + RESOLVED))
def test_a_random_project_is_read_as_dvc_reads_it_or_refused_by_both(seed: int, sides: Sides, tmp_path: Path) -> None:
    project = random_projects.draw(seed)
    root = laid_down(project, tmp_path / "root")
    assert_alike(resolving.resolved(root), sides.dvc.resolved(root), project.broken or "valid")
    shutil.rmtree(root)


def laid_down(project: random_projects.RandomProject, root: Path) -> Path:
    git(root.parent, "init", "--quiet", "-b", "main", str(root))
    project.write(root)
    return root


def assert_alike(ours: dict[str, Any], theirs: dict[str, Any], what: str) -> None:
    """Compare error or none, then the stages one by one, then the order."""
    errors = {"dvc": theirs["error"], "retrain": ours["error"]}
    assert bool(ours["error"]) == bool(theirs["error"]), (what, errors)
    assert [stage["stage"] for stage in ours["stages"]] == [stage["stage"] for stage in theirs["stages"]], what
    for stage, expected in zip(ours["stages"], theirs["stages"], strict=True):
        assert stage == expected, what
    assert ours["order"] == theirs["order"], what


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
        assert_same_traces(ours, theirs)


def copied(source: Path, to: Path) -> Path:
    shutil.copytree(source, to, symlinks=True)
    return to


def assert_same_traces(ours: Path, theirs: Path) -> None:
    """Compare the lock files, what lies in the workspace and the cache, and the run cache's keys and records."""
    assert records(ours) == records(theirs)
    assert workspace(ours) == workspace(theirs)
    assert objects(ours) == objects(theirs)
    assert runs(ours) == runs(theirs)


# Differences that were found


FOUND: dict[str, dict[str, str]] = {
    "bytes in a Python file of variables": {
        "dvc.yaml": "vars: [v.py]\nstages: {s: {cmd: 'echo ${a} ${b}'}}\n",
        "v.py": "a = b'x'\nb = 1\n",
    },
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_a_difference_once_is_none_now(name: str, sides: Sides, tmp_path: Path) -> None:
    project = random_projects.RandomProject(0, {".dvc/config": "", **FOUND[name]}, (), "")
    root = laid_down(project, tmp_path / "root")
    assert_alike(resolving.resolved(root), sides.dvc.resolved(root), name)


# What is stale


def assert_stale_alike(
    plan: dict[str, dict[str, Any]], status: dict[str, Any], stages: list[dict[str, Any]], what: str
) -> None:
    """Compare the decisions of a plan with `dvc status`."""
    decisions = {stage: row["decision"] for stage, row in plan.items()}
    producers = {out["path"]: stage["stage"] for stage in stages for out in stage["outs"]}
    for stage in stages:
        allowed = _allowed(stage, status, producers, decisions)
        assert decisions[stage["stage"]] in allowed, f"{stage['stage']}: not one of {sorted(allowed)}, after {what}"
    assert set(status) <= set(decisions)


def _allowed(
    stage: dict[str, Any], status: dict[str, Any], producers: dict[str, str], decisions: dict[str, str]
) -> set[str]:
    """Give the decisions that fit what DVC says of the stage.

    DVC judges each stage by what lies in the workspace now; we also by what the stages before it will give it. So
    the reasons that stem from an out that will change leave more than one answer; all others leave one.
    """
    if stage["frozen"]:
        return {"frozen"}
    upstream = {spelled: producers[out] for spelled, dep in stage["deps"] for out in producers if _touches(dep, out)}
    moving = {dep for dep, producer in upstream.items() if _will_be(producer, decisions, status)}
    unknown = any(decisions[upstream[dep]] in {"run", "wait"} for dep in moving)
    paths = {dep for spelled, dep in stage["deps"] if spelled in moving}
    own = [reason for reason in status.get(stage["stage"], []) if _is_own(reason, moving | paths)]
    if unknown:
        return {"run"} if any("changed outs" not in reason for reason in own) else {"run", "wait"}
    if own:
        return {"run", "restore"}
    return {"fresh", "run", "restore"} if moving else {"fresh"}


def _will_be(producer: str, decisions: dict[str, str], status: dict[str, Any]) -> bool:
    """Whether an out will be other than what lies there now, so that DVC and we judge its readers by other bytes.

    A .dvc file's changed data is already there. A frozen stage's out that is gone is, to us, what its lock says.
    """
    decision = decisions[producer]
    if decision == "frozen":
        changes = [change for change in status.get(producer, []) if isinstance(change, dict)]
        return any("deleted" in change.get("changed outs", {}).values() for change in changes)
    return decision == "restore" or (decision in {"run", "wait"} and not producer.endswith(".dvc"))


def _is_own(reason: Any, moving: set[str]) -> bool:
    """Whether DVC's reason would be there whatever the stages before this one will write."""
    if not isinstance(reason, dict) or "changed deps" not in reason:
        return True
    return bool(set(reason["changed deps"]) - moving)


def _touches(dep: str, out: str) -> bool:
    """Whether an out is a dep, lies in it, or holds it."""
    return dep == out or dep.startswith(f"{out}/") or out.startswith(f"{dep}/") or dep == "."
