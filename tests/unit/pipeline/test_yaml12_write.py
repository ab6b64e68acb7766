"""Writing YAML: every recorded text of DVC again, byte for byte, and each rule by itself."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.pipeline.yaml12 import parse, render

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "yaml_dump.json").read_text(encoding="utf-8"))
WORDS = " ".join(["word"] * 20)  # 99 characters


def test_every_value_of_the_vectors_is_written_as_dvc_writes_it() -> None:
    assert len(VECTORS) > 300
    assert [vector["text"] for vector in VECTORS] == [render(vector["value"]) for vector in VECTORS]


def test_what_dvc_reads_back_unchanged_we_do_too() -> None:
    kept = [vector for vector in VECTORS if vector["round_trips"]]
    assert len(kept) > 200
    assert [vector["value"] for vector in kept] == [parse(vector["text"], "x") for vector in kept]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ([], "[]"),
        ({"a": {}, "b": [], "c": ()}, "a: {}\nb: []\nc: []"),
        ({"a": {"b": {"c": 1}}}, "a:\n  b:\n    c: 1"),
        ({"deps": ["x", {"path": "y", "size": 0}]}, "deps:\n- x\n- path: y\n  size: 0"),
        ({"a": {"deps": ["x"]}}, "a:\n  deps:\n  - x"),
        ([[1, [2]], [{"a": [3]}]], "- - 1\n  - - 2\n- - a:\n    - 3"),
        ({"a": None, "b": [None]}, "a:\nb:\n- "),
        ({None: 1, True: 2, 2.5: 3, 7: 4}, "null: 1\ntrue: 2\n2.5: 3\n7: 4"),
        ({"a": ("x", "y")}, "a:\n- x\n- y"),
        ({"k" * 122: 1}, "k" * 122 + ": \n  1"),
        ({"k" * 123: 1}, "? " + "k" * 123 + "\n: 1"),
        ({"a\nb": {"c": 1}, "d\ne": [1], "f\ng": None}, '? "a\\nb"\n: c: 1\n? "d\\ne"\n: - 1\n? "f\\ng"\n:'),
    ],
)
def test_layout(value: object, text: str) -> None:
    assert render(value) == text + "\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("it's", "it's"),
        ("a:b", "a:b"),
        ("a#b", "a#b"),
        ("-a", "-a"),
        ("日本 é", "日本 é"),
        ("a: b", "'a: b'"),
        ("a:", "'a:'"),
        ("a #b", "'a #b'"),
        ("- a", "'- a'"),
        ("? a", "'? a'"),
        ("{a}", "'{a}'"),
        ("--- a", "'--- a'"),
        ("...", "'...'"),
        (" a", "' a'"),
        ("a ", "'a '"),
        ("", "''"),
        ("true", "'true'"),
        ("yes", "yes"),
        ("null", "'null'"),
        ("~", "'~'"),
        ("<<", "'<<'"),
        ("=", "'='"),
        ("12", "'12'"),
        ("1_0", "'1_0'"),
        ("0x1F", "'0x1F'"),
        ("1e3", "'1e3'"),
        (".5e3", ".5e3"),
        ("._", "'._'"),
        ("12:30", "12:30"),
        ("2020-01-01", "'2020-01-01'"),
        ("9999-99-99", "'9999-99-99'"),
        ("12345678901234567890123456789012", "'12345678901234567890123456789012'"),
        ("1234567890123456789012345678901e", "1234567890123456789012345678901e"),
        ("123456789012345678901234567890e1", "'123456789012345678901234567890e1'"),
        ("it's #1", '"it\'s #1"'),
        ("a\nb", '"a\\nb"'),
        ("a\tb", '"a\\tb"'),
        ('say "x"\n', '"say \\"x\\"\\n"'),
        ("\0\a\x1b\x7f\x85\u2028\ufeff\\\n", '"\\0\\a\\e\\x7F\\N\\L\\uFEFF\\\\\\n"'),
        ("a\u2028b", "'a\u2028  b'"),
        ("a\u2028 b", '"a\\L b"'),
        ("\ud800", '"\\uD800"'),
        (True, "true"),
        (-0.0, "-0.0"),
        (1e20, "1e+20"),
        (1e-05, "1e-05"),
        (0.001, "0.001"),
        (math.inf, ".inf"),
        (-math.inf, "-.inf"),
        (math.nan, ".nan"),
        (10**40, "1" + "0" * 40),
        (date(2020, 1, 2), "2020-01-02"),
        (datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), "2020-01-02 03:04:05+00:00"),
    ],
)
def test_a_scalar_gets_quotes_only_where_it_would_be_read_as_something_else(value: object, text: str) -> None:
    assert render({"k": value}) == f"k: {text}\n"


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (WORDS, ["k: " + " ".join(["word"] * 15) + " ", "  " + " ".join(["word"] * 5)]),
        ("x" * 100, ["k: ", "  " + "x" * 100]),
        (10**79, ["k: ", "  1" + "0" * 79]),
        ("#" + WORDS, ["k: '#" + " ".join(["word"] * 16), "  " + " ".join(["word"] * 4) + "'"]),
        ("\t" + WORDS, ['k: "\\t' + " ".join(["word"] * 16), "  " + " ".join(["word"] * 4) + '"']),
        ("\t" + "a  " * 29 + "a", ['k: "\\t' + "a  " * 25 + "a\\", "  \\" + "  a" * 4 + '"']),
        ("\t" * 50, ['k: "' + "\\t" * 39 + "\\", "  " + "\\t" * 11 + '"']),
    ],
    ids=["word", "long first word", "long number", "single quotes", "double", "two blanks", "escapes"],
)
def test_long_text_is_wrapped_at_80_as_dvc_wraps_it(value: object, lines: list[str]) -> None:
    assert render({"k": value}).splitlines() == lines
    assert parse("\n".join(lines), "x") == {"k": value}


def test_a_double_blank_at_the_place_of_a_wrap_is_lost_as_in_dvc() -> None:
    value = {"k": "x" * 70 + "  " + "y" * 20}
    assert parse(render(value), "x") == {"k": "x" * 70 + " " + "y" * 20}


def test_a_wrap_after_an_escape_may_add_a_blank_as_in_dvc() -> None:
    value = {"k": "x" * 76 + "\ty z"}
    assert render(value) == 'k: "' + "x" * 76 + '\\t\n  y z"\n'
    assert parse(render(value), "x") == {"k": "x" * 76 + "\t y z"}


@pytest.mark.parametrize(
    ("shared", "text"),
    [
        ([1], "a: &id001\n- 1\nb: *id001\nc:\n- *id001\n"),
        ({"x": 1}, "a: &id001\n  x: 1\nb: *id001\nc:\n- *id001\n"),
        ({}, "a: &id001 {}\nb: *id001\nc:\n- *id001\n"),
        (date(2020, 1, 2), "a: &id001 2020-01-02\nb: *id001\nc:\n- *id001\n"),
        ("text", "a: text\nb: text\nc:\n- text\n"),
        ((), "a: []\nb: []\nc:\n- []\n"),
    ],
)
def test_an_object_met_twice_is_written_once(shared: object, text: str) -> None:
    assert render({"a": shared, "b": shared, "c": [shared]}) == text


def test_anchors_are_numbered_by_the_second_meeting() -> None:
    first, second = [1], [2]
    text = render({"a": first, "b": second, "c": [second, first]})
    assert text == "a: &id002\n- 1\nb: &id001\n- 2\nc:\n- *id001\n- *id002\n"


def test_equal_objects_that_are_not_the_same_are_written_out() -> None:
    assert render({"a": [1], "b": [1]}) == "a:\n- 1\nb:\n- 1\n"


@pytest.mark.parametrize("value", ["text", 5, None, {"a": {1, 2}}, {"a": b"x"}, {("a",): 1}])
def test_what_dvc_would_not_put_into_its_files_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        render(value)
