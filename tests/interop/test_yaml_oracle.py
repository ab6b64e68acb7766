"""Real DVC as the oracle of YAML: our bytes are its bytes, our values are its values, on random documents."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from runner.errors import ConfigError
from runner.pipeline.yaml12 import parse, parse_spans, render

serialize: Any = pytest.importorskip("dvc.utils.serialize")

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = (
    "a", "bb", "python", "train.py", "--alpha", "0.1", "it's", '"q"', "&&", "|", "#", "#c", "a:b", ":", "x:", "-", "?",
    "~", "null", "true", "yes", "1", "1e3", "0x1f", "017", "._", "0o",
    "é", "日本", "😀", "\xa0", "\x85", "\u2028", "\ufeff",
    "\x07", "\\",
    "z" * 70, "z" * 90, "path/to/some/deep/dir/file.csv", "${x}", "<<", "=", "---", "...", "%", "@", "`",
    "*", "[", "]", "{", "}", ",", "!", "2020-01-01", "12:30", "12345678901234567890123456789012", "1" * 30 + "e1",
)  # fmt: skip
GAPS = (" ", " ", " ", "  ", "   ", "", "\n", "\t")

sentences = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=30).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)
strings = st.one_of(
    sentences, sentences.map(str.strip), st.text(max_size=12), st.text("0123456789abcdef", min_size=32, max_size=32)
)
numbers = st.one_of(st.integers(), st.integers(10**70, 10**90), st.floats(), st.floats(-1, 1))
scalars = st.one_of(strings, numbers, st.none(), st.booleans(), st.dates())
keys = st.one_of(strings, st.integers(), st.booleans(), st.none(), st.integers(118, 130).map("k".__mul__))
documents = st.recursive(
    st.one_of(st.lists(scalars, max_size=4), st.dictionaries(keys, scalars, max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner | scalars, max_size=4),
        st.dictionaries(keys, inner | scalars, max_size=4),
        inner.map(lambda shared: {"a": shared, "b": [shared]}),
    ),
    max_leaves=12,
)  # fmt: skip

# Lines that make YAML of many kinds, and much that is none. Left out is what libyaml reads otherwise than DVC's
# reader, always by refusing it: a colon without a key, odd names of anchors, U+2028 without quotes, a bare '?' or
# a colon at the end of a word in brackets, and a tab first in a block. Duplicates beside '<<' we refuse on purpose.
LINES = (
    "a: 1", "b: x y", "- 1", "- a: b", "c:", "d: |", "text  more", "e: >-", "f: |+", "# note", "", "g: 'q", "x'",
    'h: "x\\', 'y"', "i: [1, 2", ", 3]", "j: {x: 1, y", "k: &x 1", "l: *x", "m: &m {p: 1}", "n: {<<: *m}",
    "o: ! 12", "p: !!str 12", "q: !!int '3'", "r: !!float 1", "s: !foo x", "---", "...", "t: a: b",
    "u: b #c",
    "v: b#c", "w:b", "- ", "- - 1", 'x: "a\\x41\\u00e9\\/"', 'y: "\\q"', "z: @x", "a1: -x", "b1: a]", "c1: {a: 1,}",
    "d1: [a: b, c]", "e1: []", "f1: {}", "'g1': 1", "h1 : 1", "[i1]: 1", "{j1: b}: 1", "? [k1, b]", "? l1",
    "0o17: x", "=: 1", "m1: =", "n1: <<", "o1: 1_000", "p1: 12:30", "q1: 017", "yes: on", "r1: http://a/b?c=d#e",
    "s1: [http://a:1/b?c, d]", "t1: [a#b, c #d", "~: x", "u1: *", "v1: |2", "w1: 2020-01-01",
    "x1: 2020-01-01 1:02:03.5 -5", "y1: 1e3", "z1: .5e3", "a2: '''a'''", "b2: a''b", "c2:\tx", "d2: a\tb",
    "e2: 'a'\t", "f2: 'a\tb'", "%YAML 1.2", "a: 2",
)  # fmt: skip
texts = st.lists(
    st.tuples(st.sampled_from(("", "", "", "  ", "    ")), st.sampled_from(LINES)), min_size=1, max_size=7
).map(lambda lines: "\n".join(indent + line for indent, line in lines) + "\n")


def of_dvc(text: str) -> tuple[str, Any]:
    """Give DVC's value, or the fact that it refuses: its parser also lets through bare ValueErrors and the like."""
    try:
        return "value", serialize.parse_yaml(text, "x")
    except Exception:  # noqa: BLE001
        return "refused", None


def ours(text: str) -> tuple[str, Any]:
    try:
        return "value", parse(text, "x") or {}
    except ConfigError:
        return "refused", None


def same(left: Any, right: Any) -> bool:
    """Compare values, their types and the order of keys; NaN equals NaN."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return same(list(left.items()), list(right.items()))
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(repr(left) == repr(right))


@settings(max_examples=400)
@given(documents)
@example({"a": "x" * 76 + " b"})
@example({"a": 'x" ' * 40 + "\n"})
@example({"a\u2028b": ["a\u2028b", {"k" * 123: ["x"]}]})
def test_every_document_is_written_as_dvc_writes_it(document: Any) -> None:
    assert render(document) == serialize.dumps_yaml(document)


@settings(max_examples=400)
@given(documents)
def test_what_is_written_is_read_as_dvc_reads_it(document: Any) -> None:
    text = render(document)
    expected, found = of_dvc(text), ours(text)
    assert expected[0] == found[0]
    assert same(expected[1], found[1])


@settings(max_examples=600)
@given(texts)
def test_any_text_is_read_as_dvc_reads_it_or_refused_by_both(text: str) -> None:
    assume(text.count("...") <= 1)  # libyaml lets a document end twice
    expected, found = of_dvc(text), ours(text)
    assert (expected[0], text) == (found[0], text)
    assert same(expected[1], found[1])


@settings(max_examples=600)
@given(
    st.sampled_from(("1.1", "1.2")),
    st.text("0123456789_.:eE+-xob", min_size=1, max_size=12)
    | st.from_regex(
        r"[-+]?[0-9]{1,4}[-:._e][0-9_]{1,3}([-:.T ][0-9]{1,2}){0,4}( ?Z|[-+ ]?[0-9:]{1,5})?", fullmatch=True
    )
    | st.sampled_from(
        ("y", "Y", "yes", "No", "ON", "off", "tRUE", "~", "Null", ".inf", "-.INF", ".NaN", "-.nan", "<<", "=")
    ),
)
def test_any_plain_scalar_is_read_as_dvc_reads_it_under_either_version(version: str, scalar: str) -> None:
    assume(scalar != ":")  # a colon without a key: see above
    text = f"%YAML {version}\n---\n- {scalar}\n"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # DVC's reader warns of 1e3 under 1.1, and reads it
        expected = of_dvc(text)
    found = ours(text)
    assert (expected[0], text) == (found[0], text)
    assert same(expected[1], found[1])


@settings(max_examples=200)
@given(st.dictionaries(st.text("abcz#@ -'", min_size=1, max_size=9), documents, min_size=1, max_size=4))
def test_lines_in_place_of_a_span_change_that_entry_alone_for_dvc_too(entries: dict[str, Any]) -> None:
    text = render({"stages": entries, "schema": "2.0"})
    status, whole = of_dvc(text)
    assume(status == "value")  # DVC cannot read all it writes: not a key of several words that it has wrapped
    _, spans = parse_spans(text, "dvc.lock", "stages")
    assume(spans)
    assert list(spans) == list(entries)
    for name, span in spans.items():
        status, changed = of_dvc(replaced(text.splitlines(keepends=True), span, name))
        assert status == "value"
        assert same(changed, {**whole, "stages": {**whole["stages"], name: "new"}})


def replaced(lines: Sequence[str], span: tuple[int, int], name: str) -> str:
    return "".join((*lines[: span[0]], f"  {render({name: 'new'})}", *lines[span[1] :]))
