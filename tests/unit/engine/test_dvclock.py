"""DVC's locks where they cannot be taken: told in words, as of any other file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import Exit
from tests.support.pipelines import MAKE, workshop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program


@pytest.mark.parametrize("name", ["lock", "rwlock", "rwlock.lock"])
def test_a_lock_that_cannot_be_written_is_named(name: str, tmp_path: Path, retrain: Program) -> None:
    made = workshop(tmp_path, MAKE)
    place = made.root / ".dvc/tmp" / name
    place.mkdir(parents=True)
    refused = retrain("repro", cwd=made.root, exits=Exit.CONFIG)
    assert f"error: .dvc/tmp/{name} cannot be written: " in refused.stderr
    place.rmdir()
    retrain("repro", cwd=made.root)
    assert made.read("o") == "1\n"
