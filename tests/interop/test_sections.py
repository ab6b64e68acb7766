"""Real DVC beside the sections of dvc.yaml that are no stages: it takes and refuses what we take and refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import git, put
from tests.support.sections import ACCEPTED, REFUSED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sections") / "root"
    git(root.parent, "init", "--quiet", str(root))
    put(root, {".dvc/config": ""})
    return root


def test_dvc_accepts_what_we_accept_and_refuses_what_we_refuse(empty: Path, sides: Sides) -> None:
    answers = {}
    for text in (*ACCEPTED, *REFUSED):
        put(empty, {"dvc.yaml": text})
        answers[text] = sides.dvc.ask(empty, "status").code == 0
    assert [text for text in ACCEPTED if not answers[text]] == []
    assert [text for text in REFUSED if answers[text]] == []
