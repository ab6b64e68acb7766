"""Numbers are shortened for the eye, and never so far that different values read alike."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.review import figures


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
    assert figures.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.9123456789012345, "0.9123456789012345"), (1e16, "1e+16"), (120.0, "120"), (5e-324, "5e-324")],
)
def test_an_exact_number_has_all_digits(value: float, text: str) -> None:
    assert figures.exact(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (True, "true"), (0.5, "0.5"), ("a b", "a b"), ([1, None], "[1, null]"), ({"a": "é"}, '{"a": "é"}')],
)
def test_any_plain_value_has_a_text(value: object, text: str) -> None:
    assert figures.scalar(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_two_different_numbers_never_read_alike(base: float, head: float) -> None:
    old, new = figures.pair(base, head)
    assert (old == new) == (base == head)


def test_close_numbers_are_given_all_their_digits() -> None:
    assert figures.pair(0.9000001, 0.9000004) == ("0.9000001", "0.9000004")
    assert figures.pair(0.9000001, 0.9000001) == ("0.9", "0.9")


@pytest.mark.parametrize(("value", "text"), [(0.003, "+0.003"), (-2, "-2"), (0, "0"), (0.0, "0")])
def test_a_difference_has_its_sign(value: float, text: str) -> None:
    assert figures.signed(value) == text
