"""Sizes, times and counts are said as people say them."""

from __future__ import annotations

import pytest

from runner.review import words


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (1_234, "1.23 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (200_000_000, "200 MB"),
        (8_123_456_789, "8.12 GB"),
        (12_345 * 10**15, "12,345 PB"),
        (5 * 10**15, "5 PB"),
    ],
)
def test_a_size_has_three_digits_and_a_unit(count: int, text: str) -> None:
    assert words.size(count) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [(0, "0.00 s"), (0.041, "0.04 s"), (12.34, "12.3 s"), (200, "3 min 20 s"), (7_500, "2 h 5 min")],
)
def test_a_duration_reads_as_people_say_it(duration: float, text: str) -> None:
    assert words.seconds(duration) == text


def test_counts_have_a_plural() -> None:
    assert [words.count(n, "object") for n in (0, 1, 1_200)] == ["0 objects", "1 object", "1,200 objects"]
