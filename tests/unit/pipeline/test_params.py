"""Params: dotted keys looked up, and values compared, as DVC does. Its own lookup is the oracle."""

from __future__ import annotations

import math
import time
from typing import Any

import dpath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ConfigError
from runner.pipeline import params
from runner.pipeline.model import Param
from runner.pipeline.params import MISSING

DOCUMENT = {
    "lr": 0.1,
    "none": None,
    "train": {"epochs": 3, "layers": [16, {"size": 32}], "opt": {"name": "adam"}},
    "m": {5: "five", "6": "six"},
    "both": {5: "int", "5": "str"},
    "list": ["a", "b", "c"],
    "one": {"only": {"x": 1}},
    "a.b": "dotted",
    "odd key": 1,
    "flag": {True: "yes"},
    "t": (1, 2),
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lr", 0.1),
        ("none", None),
        ("train.epochs", 3),
        ("train.opt", {"name": "adam"}),
        ("train.layers.0", 16),
        ("train.layers.1.size", 32),
        ("list.-1", "c"),
        ("list.-3", "a"),
        ("m.5", "five"),
        ("m.6", "six"),
        ("one.*", {"x": 1}),
        ("one.*.x", 1),
        ("tra?n.epochs", 3),
        ("[l]r", 0.1),
        ("train.**.size", 32),
        ("**.name", "adam"),
        ("odd key", 1),
        ("flag.1", "yes"),
        ("t.1", 2),
        (".lr", 0.1),
        ("nope", MISSING),
        ("train.nope", MISSING),
        ("lr.deeper", MISSING),
        ("none.deeper", MISSING),
        ("list.3", MISSING),
        ("list.-4", MISSING),
        ("list.x", MISSING),
        ("a.b", MISSING),
        ("lr.", MISSING),
        (" lr", MISSING),
        ("train..epochs", MISSING),
        ("LR", MISSING),
    ],
)
def test_a_dotted_key_finds_what_dvc_finds(key: str, value: object) -> None:
    assert params.lookup(DOCUMENT, key) is value or params.lookup(DOCUMENT, key) == value


@pytest.mark.parametrize("key", ["both.5", "list.*", "train.*", "*", "**", "**.**"])
def test_a_key_that_does_not_match_one_value_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=r"matches \d+ values|twice"):
        params.lookup(DOCUMENT, key)


_KEYS = st.sampled_from(["a", "b", "c", "1", "-1", "a b", "ab"]) | st.integers(-2, 3)
_DOCUMENTS = st.dictionaries(
    _KEYS,
    st.recursive(
        st.integers() | st.none() | st.text(max_size=2),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
        max_leaves=10,
    ),
    max_size=4,
)
_SEGMENTS = st.lists(
    st.sampled_from(["a", "b", "1", "0", "-1", "*", "?", "??", "a*", "[ab]", "**"]), min_size=1, max_size=3
).filter(lambda segments: segments.count("**") < 2)


@pytest.mark.slow
@given(document=_DOCUMENTS, key=_SEGMENTS.map(".".join))
def test_any_key_in_any_document_finds_what_dvcs_lookup_finds(document: dict[Any, Any], key: str) -> None:
    try:
        expected = dpath.get(document, key, separator=".")
    except KeyError:
        expected = MISSING
    except ValueError:
        with pytest.raises(ConfigError):
            params.lookup(document, key)
        return
    assert params.lookup(document, key) == expected


def test_the_values_of_a_stage_are_flat_and_leave_out_what_is_missing() -> None:
    param = Param("params.yaml", "params.yaml", ("train.epochs", "nope", "lr"))
    values = params.read(param, DOCUMENT)
    assert values == {"train.epochs": 3, "lr": 0.1}
    assert params.missing(param, values) == ("nope",)


def test_a_whole_file_gives_its_top_level_keys() -> None:
    whole = {"a": {"b": 1}, "c": [1]}
    assert params.read(Param("p.json", "p.json"), whole) == whole


@pytest.mark.parametrize(
    ("param", "text", "said"),
    [
        (Param("p.yaml", "p.yaml"), "- 1\n", "must be a mapping"),
        (Param("p.yaml", "p.yaml"), "1: x\n", "not a string"),
        (Param("p.yaml", "p.yaml"), "a: 2020-01-01\n", "date"),
        (Param("p.yaml", "p.yaml", ("a",)), "a: [{b: 2020-01-01 10:00:00}]\n", "date"),
        (Param("p.yaml", "p.yaml"), "a: {2020-01-01: 1}\n", "date"),
        (Param("p.yaml", "p.yaml"), "a: {1: x, b: y}\n", "several kinds"),
        (Param("p.yaml", "p.yaml"), "a: {[1]: y}\n", "of the type tuple"),
        (Param("p.yaml", "p.yaml"), "a: !!binary aGk=\n", "of the type bytes"),
        (Param("p.yaml", "p.yaml"), "a: !!set {x, y}\n", "of the type set"),
        (Param("p.yaml", "p.yaml"), f"a: 0x{'f' * 4000}\n", "4,300 digits"),
        (Param("p.json", "p.json"), '{"a": "\\ud800"}', "not Unicode"),
        (Param("p.toml", "p.toml"), "a = 2020-01-01\n", "date"),
        (Param("p.toml", "p.toml", ("a",)), "a = [07:32:00]\n", "time"),
        (Param("p.py", "p.py"), "a = {1}\n", "of the type set"),
        (Param("p.py", "p.py", ("C.a",)), "class C:\n  a = b'x'\n", "of the type bytes"),
        (Param("p.py", "p.py"), "a = ...\n", "of the type ellipsis"),
        (Param("p.py", "p.py"), "a = {None: 1, 'x': 2}\n", "several kinds"),
        (Param("p.json", "p.json"), '{"a": {"\\ud800": 1}}', "not Unicode"),
        (Param("p.json", "p.json"), f'{{"a": {"1" * 5000}}}', "JSON that is not read"),
    ],
)
def test_what_dvc_cannot_record_is_refused_with_the_file(param: Param, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        params.read(param, params.parse(param.path, text))
    assert caught.value.where
    assert caught.value.where.file == param.path


@pytest.mark.parametrize(
    ("path", "text"), [("p.yaml", ""), ("p.yaml", "# nothing"), ("p.yaml", "[]"), ("p.json", "null"), ("p.toml", "")]
)
def test_a_params_file_without_values_is_an_empty_mapping(path: str, text: str) -> None:
    assert params.parse(path, text) == {}


NAN = math.nan


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (1, True, True),
        (0, False, True),
        ("1", 1, False),
        (None, False, False),
        ("a", "a", True),
        ([1, 2], [1.0, 2], True),
        ([1, 2], (1, 2), True),
        ((1, [2]), [1, [2]], True),
        ((1, (2,)), [1, [2]], False),
        ({"a": (1,)}, {"a": [1]}, False),
        ({"a": [(1,)]}, {"a": [(1,)]}, True),
        ((NAN,), (NAN,), False),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": True}, True),
        ({"a": 1}, {"b": 1}, False),
        ({}, [], False),
        (NAN, NAN, False),
        ([NAN], [NAN], False),
        ({"a": NAN}, {"a": NAN}, False),
        (math.inf, math.inf, True),
    ],
)
def test_values_are_compared_by_dvcs_rule(left: object, right: object, same: bool) -> None:  # noqa: FBT001
    assert params.equal(left, right) is same
    assert params.equal(right, left) is same


def test_a_value_comes_back_from_a_lock_with_lists_for_tuples() -> None:
    assert params.as_recorded({"a": (1, ({"b": ()},))}) == {"a": [1, [{"b": []}]]}


def test_an_index_is_looked_up_without_going_through_the_list() -> None:
    document = {"rows": [{"lr": number} for number in range(2000)]}
    start = time.thread_time()
    assert [params.lookup(document, f"rows.{number}.lr") for number in range(2000)] == list(range(2000))
    assert time.thread_time() - start < 1  # one by one it takes several seconds
    assert params.lookup(document, "rows.2000") is params.MISSING
    assert params.lookup(document, "rows.-1.lr") == 1999
