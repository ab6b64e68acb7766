"""A small project of which a test asks how it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pipelines import MAKE, workshop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pipelines import Workshop


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    return workshop(tmp_path, MAKE, {"sub/x": ""})
