"""How answers of both sides are compared: what a project resolves to, what a run leaves behind, and what is stale."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.interop.traces import objects, records, runs, workspace

if TYPE_CHECKING:
    from pathlib import Path


def assert_alike(ours: dict[str, Any], theirs: dict[str, Any], what: str) -> None:
    """Compare error or none, then the stages one by one, then the order."""
    errors = {"dvc": theirs["error"], "retrain": ours["error"]}
    assert bool(ours["error"]) == bool(theirs["error"]), (what, errors)
    assert [stage["stage"] for stage in ours["stages"]] == [stage["stage"] for stage in theirs["stages"]], what
    for stage, expected in zip(ours["stages"], theirs["stages"], strict=True):
        assert stage == expected, what
    assert ours["order"] == theirs["order"], what


def assert_same_traces(ours: Path, theirs: Path, *, edited: bool = False) -> None:
    """Compare the lock files, what lies in the workspace and the cache, and the run cache's keys and records.

    Where outs were `edited` before the run, our cache also keeps the bytes that the run replaced.
    """
    assert _unnumbered(records(ours)) == _unnumbered(records(theirs))
    assert _data(ours) == _data(theirs)
    if edited:
        assert objects(theirs).items() <= objects(ours).items()
    else:
        assert objects(ours) == objects(theirs)
    assert runs(ours) == runs(theirs)


def _data(root: Path) -> dict[str, tuple[bool, bytes]]:
    return {path: found for path, found in workspace(root).items() if path not in records(root)}


def _unnumbered(files: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out the numbers of anchors: DVC counts them through the whole lock, we anew in each entry."""
    return {path: re.sub(rb"(?<=[ \n][&*]id)\d+", b"", text) for path, text in files.items()}


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
    read = [*stage["deps"], *((path, path) for path in stage["params"])]
    upstream = [(spelled, producers[out]) for spelled, dep in read for out in producers if _touches(dep, out)]
    changing = [(spelled, producer) for spelled, producer in upstream if _will_be(producer, decisions, status)]
    moving = {spelled for spelled, _ in changing}
    unknown = any(decisions[producer] in {"run", "wait"} for _, producer in changing)
    paths = {dep for spelled, dep in read if spelled in moving}
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
