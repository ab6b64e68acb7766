"""Answers as they arrive: a small one is taken at once, and nothing is lost where it comes in pieces."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Unavailable
from runner.hashes import CHUNK
from runner.store.arriving import Whole, at_once, coming


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=9))
def test_whatever_pieces_an_answer_comes_in_all_of_it_is_given(pieces: list[bytes]) -> None:
    left = iter(pieces)
    begun = at_once(sum(map(len, pieces)), lambda: next(left, b""))
    assert b"".join(coming(begun, nullcontext)) == b"".join(pieces)
    assert isinstance(begun, Whole) == (len(pieces) < 2)


def test_what_breaks_off_before_its_first_byte_says_so_at_once() -> None:
    def take() -> bytes:
        message = "the server hung up"
        raise Unavailable(message)

    with pytest.raises(Unavailable, match="hung up"):
        at_once(5, take)


def test_of_a_large_answer_nobody_waits_for_bytes_before_they_are_asked_for() -> None:
    def take() -> bytes:
        raise AssertionError

    assert at_once(CHUNK + 1, take) is take
