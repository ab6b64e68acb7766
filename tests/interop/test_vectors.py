"""DVC's own answers, kept as files: what it hashes listings, runs and imports to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.engine import runcache
from runner.hashes import Tree
from runner.pipeline.checksum import checksum

VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("case", vectors("dir_objects"), ids=lambda case: case["oid"][:8])
def test_a_listing_has_the_bytes_and_the_name_that_dvc_gives_it(case: dict[str, Any]) -> None:
    tree = Tree.of(case["files"].items())
    assert tree.render() == case["object_bytes_utf8"].encode()
    assert str(tree.hash) == case["oid"]
    assert Tree.parse(tree.render()) == tree


@pytest.mark.parametrize("case", vectors("run_cache"), ids=lambda case: case["key"][:8])
def test_a_run_has_the_key_and_the_value_that_dvc_gives_it(case: dict[str, Any]) -> None:
    assert runcache.key(case["entry"]) == case["key"]
    assert runcache.value(case["entry"]) == case["value"]


@pytest.mark.parametrize("case", vectors("run_cache"), ids=lambda case: case["key"][:8])
def test_the_key_of_a_run_leaves_out_what_came_of_it(case: dict[str, Any]) -> None:
    other = {**case["entry"], "outs": [{**out, "md5": "0" * 32} for out in case["entry"]["outs"]]}
    assert runcache.key(other) == case["key"]
    assert runcache.value(other) != case["value"]


@pytest.mark.parametrize("case", vectors("stage_md5"), ids=lambda case: case["md5"][:8])
def test_an_import_has_the_md5_that_dvc_gives_it(case: dict[str, Any]) -> None:
    assert checksum(case["stage"]) == case["md5"]
