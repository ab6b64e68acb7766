"""Values as text, and mappings as options of a command. The vectors hold DVC's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from runner.pipeline.config import Config
from runner.pipeline.expressions import Unresolved
from runner.pipeline.unpack import Unpacking, to_text

DEFAULT = Unpacking()
HUGE = 10**5000  # Python writes no number of so many digits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (None, "None"),
        (1, "1"),
        (1.0, "1.0"),
        (1e-3, "0.001"),
        (1e20, "1e+20"),
        ("a b", "a b"),
        ([1, "x", True], "[1, 'x', True]"),
    ],
)
def test_a_value_in_a_text_is_written_as_dvc_writes_it(value: object, text: str) -> None:
    assert to_text(value, DEFAULT) == text


@pytest.mark.parametrize(
    ("mapping", "options"),
    [
        ({"a": 1, "b": {"c": "x", "d": {"e": 0.5}}}, "--a 1 --b.c x --b.d.e 0.5"),
        ({"t": True, "f": False, "n": None}, "--t --n None"),
        ({"s": "a b", "e": "", "q": "it's", "u": "é", "p": "a/b@c%d+e=f:g,h.i-j_k"}, ""),
        ({"l": [1, "a b", True, None, 1e-7], "m": []}, "--l 1 'a b' True None 1e-07"),
        ({"e": {}, "x": {"y": {}}}, ""),
        ({}, ""),
    ],
)
def test_a_mapping_becomes_options(mapping: dict[str, Any], options: str) -> None:
    quoted = """--s 'a b' --e '' --q 'it'"'"'s' --u 'é' --p a/b@c%d+e=f:g,h.i-j_k"""
    assert to_text(mapping, DEFAULT) == (quoted if "q" in mapping else options)


def test_the_configuration_says_how_flags_and_lists_are_written() -> None:
    config = Config(settings={"parsing.bool": "boolean_optional", "parsing.list": "append"})
    assert Unpacking.of(config) == Unpacking(negates=True, repeats=True)
    assert to_text({"t": True, "f": False, "l": [1, "a b"]}, Unpacking.of(config)) == "--t --no-f --l 1 --l 'a b'"
    assert Unpacking.of(Config()) == DEFAULT


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"l": [[1]]}, "'l' is a list that holds a list"),
        ({"a": {"l": [{"x": 1}]}}, "'a.l' is a list that holds a mapping"),
        ({"a": {"b": 1}, "a.b": 2}, "two values of the mapping become the option --a.b"),
        pytest.param(HUGE, "more than 4,300 digits", id="huge"),
        ({"n": HUGE}, "more than 4,300 digits"),
    ],
)
def test_what_is_no_option_is_refused(value: object, why: str) -> None:
    with pytest.raises(Unresolved, match=why):
        to_text(value, DEFAULT)
