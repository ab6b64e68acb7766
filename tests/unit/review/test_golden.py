"""The renderings kept in tests/golden are what the sample reports give today; `make golden` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.regenerate import renderings
from tests.golden.samples import SAMPLES

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("suffix", ["json", "md", "tight.md", "html"])
def test_a_sample_renders_as_it_did(name: str, suffix: str) -> None:
    expected = (GOLDEN / f"{name}.{suffix}").read_text("utf-8")
    assert renderings(SAMPLES[name]())[suffix] == expected, "look at the change, then run `make golden`"
