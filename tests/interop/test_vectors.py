"""DVC's own answers, kept as files: what it hashes listings and runs to, and fills templates in with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.engine import records
from runner.hashes import Tree
from runner.pipeline import yaml12
from runner.pipeline.checksum import checksum
from runner.pipeline.context import Sources
from runner.pipeline.projectfile import ProjectFile
from runner.pipeline.shape import Page

VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("case", vectors("dir_objects"), ids=lambda case: case["oid"][:8])
def test_a_listing_has_the_bytes_and_the_name_that_dvc_gives_it(case: dict[str, Any]) -> None:
    tree = Tree.of(case["files"].items())
    assert tree.render() == case["object_bytes_utf8"].encode()
    assert str(tree.hash) == case["oid"]
    assert Tree.parse(tree.render()) == tree


TEMPLATING = json.loads((VECTORS / "templating.json").read_text(encoding="utf-8"))
SECTIONS = ("metrics", "params", "plots", "artifacts", "datasets")


def filled(text: str) -> ProjectFile:
    """Read a dvc.yaml beside the files of the vectors, templates filled in."""
    document, spans = yaml12.parse_spans(text, "dvc.yaml", "stages")
    project = ProjectFile(Page("dvc.yaml", text), document, spans, Sources(TEMPLATING["files"].get))
    list(project.stages())
    return project


@pytest.mark.parametrize(
    "case",
    # DVC's resolver was asked behind its schema, which refuses this key of a stage as we do.
    [case for case in TEMPLATING["cases"] if "c${s}" not in case["dvc_yaml"]],
    ids=lambda case: case["dvc_yaml"][:60],
)
def test_a_template_is_filled_in_as_dvc_fills_it_in(case: dict[str, Any]) -> None:
    project = filled(case["dvc_yaml"])
    sections = {name: project.template.value(project.document[name], (name,)) for name in SECTIONS if name in case}
    if "error" in case and "artifacts" not in case["dvc_yaml"]:
        assert project.page.mistakes
        return
    stages = {name: definition.spec for name, definition in project.definitions.items()}
    assert repr(stages) == repr(case["stages"])  # 1, 1.0 and true are told apart
    assert sections == {name: case[name] for name in SECTIONS if name in case}
    used = {name: definition.used for name, definition in project.definitions.items() if definition.used}
    assert used == {
        name: {file: tuple(values) for file, values in files.items()}
        for name, files in case.get("tracked_vars", {}).items()
    }


@pytest.mark.parametrize("case", vectors("run_cache"), ids=lambda case: case["key"][:8])
def test_a_run_has_the_key_and_the_value_that_dvc_gives_it(case: dict[str, Any]) -> None:
    assert records.key(case["entry"]) == case["key"]
    assert records.value(case["entry"]) == case["value"]


@pytest.mark.parametrize("case", vectors("run_cache"), ids=lambda case: case["key"][:8])
def test_the_key_of_a_run_leaves_out_what_came_of_it(case: dict[str, Any]) -> None:
    other = {**case["entry"], "outs": [{**out, "md5": "0" * 32} for out in case["entry"]["outs"]]}
    assert records.key(other) == case["key"]
    assert records.value(other) != case["value"]


@pytest.mark.parametrize("case", vectors("stage_md5"), ids=lambda case: case["md5"][:8])
def test_an_import_has_the_md5_that_dvc_gives_it(case: dict[str, Any]) -> None:
    assert checksum(case["stage"]) == case["md5"]
