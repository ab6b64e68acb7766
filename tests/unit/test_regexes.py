"""Regular expressions that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from runner.regexes import regex


def test_an_expression_is_compiled_when_it_is_first_used() -> None:
    broken = regex("(")
    with pytest.raises(re.error, match="missing"):
        broken.match("(")


def test_an_expression_does_what_a_compiled_one_does() -> None:
    letters = regex(r"(?P<letter>[a-c])", re.IGNORECASE)
    found = letters.fullmatch("B")
    assert found is not None
    assert found["letter"] == "B"
    assert letters.sub("-", "xAy") == "x-y"
    assert letters.sub("-", "xAy") == "x-y"
    assert letters.groupindex == {"letter": 1}
    assert regex(rb"[\r\n]").split(b"a\nb") == [b"a", b"b"]
