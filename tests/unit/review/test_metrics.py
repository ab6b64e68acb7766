"""Metrics files become documents, documents become leaves, two revisions become changes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.review.measured import Change
from runner.review.metrics import Unreadable, as_json, as_python, compare, difference, flatten, parse_metrics


@pytest.mark.parametrize(
    ("path", "content", "document"),
    [
        ("m.json", b'{"a": 1, "b": {"c": 0.5}}', {"a": 1, "b": {"c": 0.5}}),
        ("m.json", b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ("m.JSON", b'{"a": true}', {"a": True}),
        ("m.json", b"0.5", 0.5),
        ("m.json", b'{"a": Infinity}', {"a": math.inf}),
        ("m.toml", b"a = 1\n[b]\nc = 0.5\n", {"a": 1, "b": {"c": 0.5}}),
        ("m.py", b"a = 1\nclass C:\n  b = (0.5, {1: 2})\n", {"a": 1, "C": {"b": [0.5, {"1": 2}]}}),
        ("m.csv", b"step, acc\n0, 0.5\n1, 7e-1\n", [{"step": 0, "acc": 0.5}, {"step": 1, "acc": 0.7}]),
        ("m.CSV", b'\xef\xbb\xbfa,"b, c"\r\n"x\ny",+.5\r\n', [{"a": "x\ny", "b, c": 0.5}]),
        ("m.tsv", b"a\tb c\n-1\t 2. \n\n\t1_0\n", [{"a": -1, "b c": 2.0}, {"a": None, "b c": "1_0"}]),
        ("m.csv", b",a\n0,True\n1,-Infinity\n", [{"": 0, "a": "True"}, {"": 1, "a": -math.inf}]),
        ("m.csv", b"a\n" + b"9" * 5_000, [{"a": math.inf}]),
        ("m.csv", b"a,b\n", []),
        ("m.csv", b"", []),
        ("m.jsonl", b'{"a": 1}\n\n{"a": [2]}\r\n', [{"a": 1}, {"a": [2]}]),
        ("m.ndjson", b"1\nnull", [1, None]),
        ("m.yaml", b"a: 1\nb:\n  c: 0.5\n", {"a": 1, "b": {"c": 0.5}}),
        ("m.yml", b"on: 1\n", {"on": 1}),
        ("m.yaml", b"1: {2: 3}\n", {"1": {"2": 3}}),
        ("metrics", b"a: 1\n", {"a": 1}),
        ("m.txt", b"0.5\n", 0.5),
        ("m.yaml", b"", None),
    ],
)
def test_a_metrics_file_is_read_by_its_suffix(path: str, content: bytes, document: object) -> None:
    assert parse_metrics(path, content) == document


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("m.json", b"", "Expecting value"),
        ("m.json", b"{", "Expecting property name"),
        ("m.json", b'{"a": 1, "a": 2}', "the key 'a' stands there twice"),
        ("m.json", b'{"b": {"a": 1, "a": 1}}', "the key 'a' stands there twice"),
        ("m.json", b"\xff\xfe", "not UTF-8"),
        ("m.json", b"[" * 100_000, "nested too deeply"),
        ("m.json", b"1" * 5_000, "digits"),
        ("m.toml", b"a = ", "Invalid value"),
        ("m.toml", b"a = 1\na = 2", "overwrite"),
        ("m.yaml", b"a: 1\na: 2\n", "a"),
        ("m.yaml", b"a: [1\n", "m.yaml:"),
        ("m.py", b"a = (\n", "m.py:1:5: not Python: '(' was never closed"),
        ("m.csv", b"a,b\n1,2,3\n", "m.csv:2: this row has 3 cells, the first one has 2 names"),
        ("m.csv", b"a,b\n\n1\n", "m.csv:3: this row has 1 cells"),
        ("m.csv", b"a,a\n", "m.csv:1: the column 'a' stands there twice"),
        ("m.tsv", b'a\n"x\n', "m.tsv:2: not CSV: unexpected end of data"),
        ("m.csv", b"a\n" + b"x" * 200_000, "m.csv:2: not CSV: field larger than field limit"),
        ("m.jsonl", b'{"a": 1}\n{"a": }\n', "m.jsonl:2: Expecting value"),
        ("m.jsonl", b'{"a": 1, "a": 2}\n', "m.jsonl:1: the key 'a' stands there twice"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(path: str, content: bytes, why: str) -> None:
    document = parse_metrics(path, content)
    assert isinstance(document, Unreadable)
    assert why in document.why
    assert "\n" not in document.why


@given(
    st.sampled_from(["m.json", "m.toml", "m.yaml", "m", "m.py", "m.csv", "m.tsv", "m.jsonl"]), st.binary(max_size=60)
)
def test_no_bytes_make_reading_raise(path: str, content: bytes) -> None:
    flatten(parse_metrics(path, content))


@pytest.mark.parametrize(
    ("document", "leaves"),
    [
        ({"a": 1, "b": {"c": 0.5, "d": "x", "e": True}}, {"a": 1, "b.c": 0.5, "b.d": "x", "b.e": True}),
        ({"n": {"a.b": 1}}, {"n.a.b": 1}),
        ({"a": None, "b": [1, 2], "c": {}}, {}),
        (0.5, {"": 0.5}),
        ("text", {"": "text"}),
        (None, {}),
        ([1, 2], {}),
        (Unreadable("gone"), {}),
    ],
)
def test_leaves_are_numbers_booleans_and_strings_under_dotted_keys(document: object, leaves: dict[str, Any]) -> None:
    assert flatten(document) == leaves


@pytest.mark.parametrize(
    ("path", "content", "leaves"),
    [
        ("m.csv", b"step,acc\n0,0.5\n1,0.7\n", {"-1.step": 1, "-1.acc": 0.7}),
        ("m.tsv", b"acc\tnote\n0.5\t\n", {"-1.acc": 0.5}),
        ("m.jsonl", b'{"a": 1}\n{"a": {"b": 2}}\n', {"-1.a.b": 2}),
        ("m.jsonl", b"1\n2\n", {"-1": 2}),
        ("m.csv", b"a,b\n", {}),
        ("m.json", b'[{"a": 1}]', {}),
    ],
)
def test_of_a_file_of_rows_the_last_one_gives_the_leaves(path: str, content: bytes, leaves: dict[str, Any]) -> None:
    assert flatten(parse_metrics(path, content)) == leaves


def test_lists_and_null_are_leaves_of_params() -> None:
    document: dict[str, Any] = {"a": [1, "x"], "b": None, "c": {"d": []}}
    assert flatten(document, as_json) == {"a": '[1, "x"]', "b": "null", "c.d": "[]"}
    assert flatten(document, as_python) == {"a": "[1, 'x']", "b": None, "c.d": "[]"}
    assert flatten(None, as_json) == {}


def test_a_document_of_any_depth_is_flattened() -> None:
    document: dict[str, Any] = {"leaf": 1}
    for _ in range(5_000):
        document = {"a": document}
    assert list(flatten(document).values()) == [1]


def test_changes_are_sorted_by_file_and_key_and_hold_both_sides() -> None:
    base = {"b.json": {"x": 1}, "a.json": {"z": 0.5, "gone": 1, "same": 2}}
    head = {"a.json": {"z": 0.6123456789, "new": "v", "same": 2}, "c.json": {"y": True}}
    assert compare(base, head) == (
        Change("a.json", "gone", 1, None),
        Change("a.json", "new", None, "v"),
        Change("a.json", "same", 2, 2, 0),
        Change("a.json", "z", 0.5, 0.6123456789, 0.1123456789),
        Change("b.json", "x", 1, None),
        Change("c.json", "y", None, head=True),
    )


def test_without_a_baseline_everything_is_new() -> None:
    assert compare(None, {"m.json": {"a": 1}}) == (Change("m.json", "a", None, 1),)


@pytest.mark.parametrize(
    ("base", "head", "changed"),
    [(1, 1, False), (1, 1.0, True), (1, True, True), ("a", "a", False), (None, 0, True), (0.1, 0.2, True)],
)
def test_a_change_of_type_is_a_change(base: Any, head: Any, *, changed: bool) -> None:
    assert Change("m", "k", base, head).changed is changed


def test_a_value_that_is_no_number_is_null_with_a_reason_and_never_unchanged() -> None:
    (row,) = compare({"m": {"a": math.nan}}, {"m": {"a": -math.inf}})
    assert row == Change("m", "a", None, None, None, "base is NaN, head is -Infinity")
    assert row.changed


@given(st.integers() | st.floats() | st.booleans() | st.text(), st.integers() | st.floats() | st.none())
def test_a_difference_is_a_finite_number_or_nothing(base: Any, head: Any) -> None:
    delta = difference(base, head)
    json.dumps(delta, allow_nan=False)
    if isinstance(base, int) and isinstance(head, int) and not isinstance(base, bool):
        assert delta == head - base
