"""Plots are filled in as real DVC fills them in: the same Vega-Lite, of the same values, for every template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.review.vega import DATA
from tests.interop.projects import Project, commit
from tests.support import drawn

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow
PROJECT = Project("drawn", drawn.PIPELINE, drawn.FILES, edits={"params.yaml": "rate: 0.5\n"})
SIDES = {"HEAD": "base", "workspace": "head"}


def number(value: Any) -> Any:
    """Read what DVC leaves as text."""
    try:
        return float(value)
    except ValueError:
        return value


def parted(spec: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    """Give what is drawn apart from its values; of both the sides by our names, and in our order."""
    text = json.dumps(spec).replace('["workspace", "HEAD"]', '["base", "head"]')
    renamed = json.loads(text.replace('"HEAD"', '"base"').replace('"workspace"', '"head"'))
    values = renamed["data"].pop("values")
    return renamed, sorted(values, key=lambda row: row["rev"])


def test_every_plot_is_what_dvc_makes_of_it(tmp_path: Path, sides: Sides) -> None:
    root = tmp_path / "project"
    PROJECT.write(root, sides.dvc)
    sides.dvc.run(root, "repro", "--quiet")
    commit(root)
    PROJECT.edit(root)
    sides.retrain.run(root, "run", "--base", "HEAD", "--report-dir", "out")
    ours = {row["id"]: row for row in json.loads((root / "out" / "report.json").read_text())["plots"]}
    theirs = sides.dvc.ask(root, "plots", "diff", "HEAD", "--json").json["data"]
    assert ours.keys() == theirs.keys()
    for name, (one, *others) in theirs.items():
        row = ours[name]
        if one["type"] == "image":
            assert [SIDES[other["revisions"][0]] for other in (*others, one)] == [
                one["side"] for one in row["pictures"]
            ]
            continue
        spec, values = parted(one["content"])
        assert json.loads(row["spec"].replace(json.dumps(DATA), "[]"))["data"].pop("values") == []
        mine = json.loads(row["spec"])
        mine["data"].pop("values")
        assert mine == spec, name
        points = json.loads(row["points"])
        assert len(points) == len(values)
        for point, value in zip(points, values, strict=True):
            assert point == {key: number(value[key]) if key in value else point[key] for key in point}, name
            assert {row["x"], row["y"], "rev"} <= point.keys() & value.keys()
