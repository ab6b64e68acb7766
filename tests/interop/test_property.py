"""Random pipelines, random edits: `retrain plan` and `dvc status` agree on what is stale, and runs on the lock's bytes.

`RETRAIN_FUZZ=1000` tries that many examples instead of a few.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, assume, given, note, settings

from tests.interop.projects import commit
from tests.interop.random_projects import Edit, Shape, apply, edits, shapes
from tests.interop.traces import records, workspace

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.interop.oracle import Sides

EXAMPLES = int(os.environ.get("RETRAIN_FUZZ") or 15)
# Examples are small as drawn, and each costs two programs' start: making them smaller still would take minutes.
PHASES = tuple(phase for phase in Phase if phase not in {Phase.shrink, Phase.explain})
fuzz = settings(max_examples=EXAMPLES, phases=PHASES, suppress_health_check=list(HealthCheck), deadline=None)


@fuzz
@given(shape=shapes(), changes=edits())
def test_plan_and_status_agree_on_what_is_stale(
    shape: Shape, changes: list[Edit], sides: Sides, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = _up_to_date(shape, sides, tmp_path_factory.mktemp("property"))
    changed = apply(root, shape, changes)
    status = sides.dvc.status(root)
    plan = sides.retrain.plan(root)
    note(f"dvc status: {status}")
    note(f"plan: { {stage: (row['decision'], row['reasons']) for stage, row in plan.items()} }")
    decisions = {stage: row["decision"] for stage, row in plan.items()}
    producers = _producers(changed)
    for stage, decision in decisions.items():
        allowed = _allowed(stage, changed, status, producers, decisions)
        assert decision in allowed, f"{stage}: {decision}, not one of {sorted(allowed)}"
    assert set(status) <= set(decisions)


@fuzz
@given(shape=shapes(), changes=edits())
def test_running_after_the_edits_leaves_the_same_bytes(
    shape: Shape, changes: list[Edit], sides: Sides, tmp_path_factory: pytest.TempPathFactory
) -> None:
    theirs = _up_to_date(shape, sides, tmp_path_factory.mktemp("property"))
    changed = apply(theirs, shape, changes)
    assume(not _blesses_frozen(changed, sides.dvc.status(theirs)))
    ours = theirs.parent / "ours"
    shutil.copytree(theirs, ours, symlinks=True)
    told = sides.dvc.ask(theirs, "repro", "--all-pipelines")
    done = sides.retrain.ask(ours, "repro")
    note(f"dvc: {told}")
    note(f"retrain: {done}")
    if told.code == 0:
        assert done.code == 0
        assert records(ours) == records(theirs)
        assert workspace(ours) == workspace(theirs)


@fuzz
@given(shape=shapes(), changes=edits())
def test_the_verbs_that_look_answer_as_dvc_does(
    shape: Shape, changes: list[Edit], sides: Sides, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = _up_to_date(shape, sides, tmp_path_factory.mktemp("property"))
    commit(root)
    apply(root, shape, changes)
    for verb in ("status", "diff", "params diff", "metrics diff", "metrics show"):
        theirs, ours = (side.ask(root, *verb.split(), "--json") for side in (sides.dvc, sides.retrain))
        note(f"{verb}: {theirs}")
        if theirs.code == 0 and "failed to load" not in theirs.err:
            assert ours.json == theirs.json, verb
    graphs = [side.ask(root, "dag", "--dot").out for side in (sides.dvc, sides.retrain)]
    assert sorted(graphs[0].split("\n")) == sorted(graphs[1].split("\n"))


def _up_to_date(shape: Shape, sides: Sides, folder: Path) -> Path:
    """Lay the project down and let DVC run it once."""
    root = folder / "root"
    shape.project().write(root, sides.dvc)
    sides.dvc.run(root, "repro", "--quiet")
    return root


def _blesses_frozen(shape: Shape, status: dict[str, Any]) -> bool:
    """Whether DVC would record a frozen stage's new command or damaged out as good (T17); we leave its entry alone."""
    return any(step.frozen and step.name in status for step in shape.steps)


def _producers(shape: Shape) -> dict[str, str]:
    """Give the stage, or the .dvc file, that makes each out."""
    return {"added": "added.dvc", "tracked": "tracked.dvc", **{step.out: step.name for step in shape.steps}}


def _allowed(
    stage: str, shape: Shape, status: dict[str, Any], producers: dict[str, str], decisions: dict[str, str]
) -> set[str]:
    """Give the decisions that fit what DVC says of `stage`.

    DVC judges each stage by what lies in the workspace now; we also by what the stages before it will give it. So
    the reasons that stem from an out that will change leave more than one answer; all others leave one.
    """
    step = next((step for step in shape.steps if step.name == stage), None)
    if step and step.frozen:
        return {"frozen"}
    upstream = {dep: producers[out] for dep in (step.deps if step else ()) for out in producers if _touches(dep, out)}
    moving = {dep for dep, producer in upstream.items() if _will_be(producer, decisions, status)}
    unknown = any(decisions[upstream[dep]] in {"run", "wait"} for dep in moving)
    own = [reason for reason in status.get(stage, []) if _is_own(reason, moving)]
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
    return dep == out or dep.startswith(f"{out}/") or out.startswith(f"{dep}/")
