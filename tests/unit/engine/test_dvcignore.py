""".dvcignore: which paths DVC does not see, by DVC's own answers."""

from __future__ import annotations

import json

import pytest

from runner.engine.dvcignore import Ignore, patterns
from tests.support.tools import ROOT

VECTORS = json.loads((ROOT / "tests" / "vectors" / "dvcignore.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: " ".join(case["patterns"]))
def test_dvc_ignores_the_same_paths(case: dict[str, list[str]]) -> None:
    ignore = Ignore({".": patterns("\n".join(case["patterns"]))})
    assert [path for path in VECTORS["paths"] if path in ignore] == case["ignored"]


def test_a_file_in_a_folder_speaks_of_that_folder_and_is_stronger() -> None:
    ignore = Ignore({".": ["*.log", "/top"], "sub": ["!keep.log", "/only", "deep/x"]})
    seen = {path: path in ignore for path in ("a.log", "sub/a.log", "sub/keep.log", "sub/only", "sub/b/only", "only")}
    assert seen == {
        "a.log": True,
        "sub/a.log": True,
        "sub/keep.log": False,
        "sub/only": True,
        "sub/b/only": False,
        "only": False,
    }
    assert "sub/deep/x" in ignore
    assert "sub/b/deep/x" not in ignore
