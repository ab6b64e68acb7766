"""Random pipelines, random edits: the verbs that look answer as DVC's do.

`RETRAIN_FUZZ=1000` tries that many examples instead of a few.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, note, settings

from tests.interop.projects import commit
from tests.interop.random_chains import Edit, Shape, apply, edits, shapes

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
