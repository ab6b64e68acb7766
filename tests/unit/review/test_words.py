"""Numbers, sizes and times are shortened for the eye, and never so far that different values read alike."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.review import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (0.9, "0.9"),
        (1.0, "1"),
        (1797, "1797"),
        (-3, "-3"),
        (0.9123456789, "0.912346"),
        (123456.789, "123457"),
        (12345678.9, "12345700"),
        (123456789012345, "123456789012345"),
        (10**15, "1e+15"),
        (1.5e300, "1.5e+300"),
        (3e-7, "3e-07"),
        (0.00001, "0.00001"),
        (Decimal("0.0044"), "0.0044"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_has_six_significant_digits(value: Any, text: str) -> None:
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.9123456789012345, "0.9123456789012345"), (1e16, "1e+16"), (120.0, "120"), (5e-324, "5e-324")],
)
def test_an_exact_number_has_all_digits(value: float, text: str) -> None:
    assert words.exact(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (True, "true"), (0.5, "0.5"), ("a b", "a b"), ([1, None], "[1, null]"), ({"a": "é"}, '{"a": "é"}')],
)
def test_any_plain_value_has_a_text(value: object, text: str) -> None:
    assert words.scalar(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_two_different_numbers_never_read_alike(base: float, head: float) -> None:
    old, new = words.pair(base, head)
    assert (old == new) == (base == head)


def test_close_numbers_are_given_all_their_digits() -> None:
    assert words.pair(0.9000001, 0.9000004) == ("0.9000001", "0.9000004")
    assert words.pair(0.9000001, 0.9000001) == ("0.9", "0.9")


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


@pytest.mark.parametrize(("value", "text"), [(0.003, "+0.003"), (-2, "-2"), (0, "0"), (0.0, "0")])
def test_a_difference_has_its_sign(value: float, text: str) -> None:
    assert words.signed(value) == text


def test_counts_have_a_plural() -> None:
    assert [words.count(n, "object") for n in (0, 1, 1_200)] == ["0 objects", "1 object", "1,200 objects"]
