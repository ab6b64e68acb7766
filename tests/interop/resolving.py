"""The stages of a project as `retrain` resolves them, in the shape in which the oracle gives DVC's."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from runner import opening
from runner.errors import RunnerError

if TYPE_CHECKING:
    from pathlib import Path

    from runner.pipeline.model import Out, Stage


def resolved(root: Path) -> dict[str, Any]:
    """Give `error`, `stages` and `order` as the oracle's `resolve` does. A bug of ours is raised."""
    try:
        opened = opening.open_call({"working-directory": str(root)}, os.environ, "stages", compares=False, judges=False)
    except RunnerError as error:
        return {"error": f"{error}", "stages": [], "order": []}
    pipeline = opened.project.pipeline
    opened.close()
    found = {
        "error": "",
        "stages": [_stage(stage) for stage in pipeline.stages],
        "order": [stage.address for stage in pipeline.in_order()],
    }
    return json.loads(json.dumps(found, default=repr, skipkeys=True))  # type: ignore[no-any-return]


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "stage": stage.address,
        "cmd": stage.cmd,
        "wdir": stage.wdir,
        "deps": [[dep.spelled, dep.path] for dep in stage.deps],
        "params": {param.path: sorted(param.keys) for param in stage.params},
        "outs": [_out(out) for out in stage.outs],
        "frozen": stage.frozen,
        "always_changed": stage.always_changed,
        "desc": stage.desc,
        "meta": stage.meta,
    }


def _out(out: Out) -> dict[str, Any]:
    return {
        "spelled": out.spelled,
        "path": out.path,
        "cache": out.cache,
        "persist": out.persist,
        "push": out.push,
        "metric": out.metric,
        "plot": out.plot,
        "remote": out.remote,
    }
