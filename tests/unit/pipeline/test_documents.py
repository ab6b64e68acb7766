"""Files of values: each is read by its suffix, and what is wrong in it has a line and a column."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from runner.errors import ConfigError
from runner.pipeline import documents


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("p.yaml", "a: 1e-3\nb: yes\n", {"a": 0.001, "b": "yes"}),
        ("p.json", '{"a": 1e-3, "b": NaN, "b": 2}', {"a": 0.001, "b": 2}),
        ("p.JSON", '{"a": 1}', {"a": 1}),
        ("p.toml", "a = 1\n[b]\nc = [0.5, inf]\nd.e = 'x'\n", {"a": 1, "b": {"c": [0.5, math.inf], "d": {"e": "x"}}}),
        ("p.toml", "a = 1\r\nb = 2020-01-01\r\n", {"a": 1, "b": dt.date(2020, 1, 1)}),
        ("p.toml", "[b.x]\n[a]\n[b.y]\n[[c]]\n[[c]]\n", {"b": {"x": {}, "y": {}}, "a": {}, "c": [{}, {}]}),
        ("p.TOML", "", {}),
        ("p.py", "a = (1, 2)\n", {"a": (1, 2)}),
        ("sub.toml/p", "a: 1\n", {"a": 1}),
        ("p.txt", "a: 1\n", {"a": 1}),
        ("p", "a: 1\n", {"a": 1}),
        ("p.yaml", "", None),
        ("p.json", "null", None),
    ],
)
def test_a_file_is_read_by_its_suffix(path: str, text: str, value: object) -> None:
    assert repr(documents.parse(path, text)) == repr(value)


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("p.json", '{\n "a": }', "p.json:2:7: not JSON: Expecting value"),
        ("p.json", "[" * 100_000, "p.json: JSON nested too deeply"),
        ("p.json", "1" * 5_000, "p.json: JSON that is not read: "),
        ("p.yaml", "a: [", "p.yaml:"),
        ("p.toml", "a = 1\n b = x\n", "p.toml:2:6: not TOML: Invalid value"),
        ("p.toml", "a = 1\nb = [1", "p.toml:2:7: not TOML: Unclosed array"),
        ("p.toml", "a = 1\na = 2\n", "p.toml:2:6: not TOML: Cannot overwrite a value"),
        ("p.toml", f"a = {'[' * 5_000}", "p.toml: TOML nested too deeply"),
        ("p.toml", f"a = {'1' * 5_000}", "p.toml: TOML that is not read: "),
        ("p.py", "a = (", "p.py:1:5: not Python: '(' was never closed"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(path: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        documents.parse(path, text)
    assert str(caught.value).startswith(said)


def test_a_huge_python_file_is_refused_before_pythons_parser_takes_the_memory() -> None:
    with pytest.raises(ConfigError, match=r"too large for a \.py file"):
        documents.parse("params.py", f"a = [{'1,' * 1_000_000}]")


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("p.json", "[" + "1," * 500_000 + "1]", "p.json: more than 500,000 values and keys in one file"),
        ("p.toml", "a = 1\n" * 200_000, "p.toml: too large for a .toml file of values: 1,200,000 characters"),
        ("p.json", "[" + "9" * 5_000 + "]", "p.json: JSON that is not read: a number of more than 4,300 digits"),
        ("p.toml", "a = " + "9" * 5_000, "p.toml: TOML that is not read: a number of more than 4,300 digits"),
    ],
)
def test_what_no_real_file_of_values_holds_is_refused_in_words(file: str, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        documents.parse(file, text)
    assert str(caught.value).startswith(expected)
