"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest

from runner import units


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90),
        (0.5, 0.5),
        ("90", 90),
        ("90 s", 90),
        ("30 min", 1800),
        ("30m", 1800),
        ("2h", 7200),
        ("1.5 h", 5400),
        ("1 h 30 min", 5400),
        ("1h30m", 5400),
        ("2 D", 172_800),
    ],
)
def test_a_duration_is_read(written: object, seconds: float) -> None:
    assert units.seconds(written) == seconds


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (1000, 1000),
        ("1000", 1000),
        ("16 GB", 16_000_000_000),
        ("512MiB", 512 << 20),
        ("1.5 kb", 1500),
        ("2 TiB", 2 << 40),
        ("7 B", 7),
    ],
)
def test_a_size_is_read(written: object, size: int) -> None:
    assert units.size(written) == size


@pytest.mark.parametrize(
    "written", ["", " ", "h", "-1", "0", 0, -5, "0 s", "1 x", "5 5", "1 h 5", "5 1 h", "1e5", "inf", None, True, [], {}]
)
def test_what_is_no_amount_above_nothing_is_refused_with_what_one_is(written: object) -> None:
    with pytest.raises(ValueError, match="a duration above 0: seconds, or"):
        units.seconds(written)
    with pytest.raises(ValueError, match="a size above 0: bytes, or"):
        units.size(written)
