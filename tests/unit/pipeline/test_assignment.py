"""`[file:]key=value`: what it means, and what of Hydra's grammar is refused."""

from __future__ import annotations

from typing import Any

import pytest

from runner.errors import ConfigError
from runner.pipeline import assignment

VALUES: list[tuple[str, Any]] = [
    ("", ""),
    ("1", 1),
    ("-1_000", -1000),
    ("007", "007"),
    ("0.5", 0.5),
    (".5", 0.5),
    ("1.", 1.0),
    ("1e-5", 1e-5),
    ("inf", float("inf")),
    ("True", True),
    ("NULL", None),
    ("yes", "yes"),
    ("2020-01-01", "2020-01-01"),
    ("a b", "a b"),
    ("'1'", "1"),
    ("'a, b'", "a, b"),
    (r'"it\"s"', 'it"s'),
    (r"a\,b", "a,b"),
    ("s3://a/b", "s3://a/b"),
    ("[]", []),
    ("[1, a, [b]]", [1, "a", ["b"]]),
    ("{a: 1, 2: {c: x:y}}", {"a": 1, 2: {"c": "x:y"}}),
]


@pytest.mark.parametrize(("written", "value"), VALUES)
def test_a_value_is_read_as_hydra_reads_it(written: str, value: Any) -> None:
    found = assignment.parse(f"a.b={written}").value
    assert (found, type(found)) == (value, type(value))


def test_a_file_stands_before_the_key() -> None:
    assert assignment.parse("sub/p.toml:a.0.b=x:y") == assignment.Assignment("sub/p.toml", "a.0.b", "x:y")
    assert assignment.parse("a=1").file == ""


@pytest.mark.parametrize(
    "text",
    [
        *("a", "=1", "+a=1", "~a=1", "a..b=1", "a b=1", "a=1,2", "a=[1", "a={b}", "a=[1,]", "a=f(1)", "a=range(1,2)"),
        *("a=${b}", "a=é", "a=;", 'a="b', "a={b: }", "a=]"),
    ],
)
def test_what_is_no_single_value_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        assignment.parse(text)
    assert text in refused.value.message
