"""JSONPath expressions are checked with the place of their mistake, and found values say where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.review.jsonpaths import JsonPathError, Steps, compiled, dotted, find, spell


@pytest.mark.parametrize(
    ("expression", "offset"),
    [
        ("$.a b", 4),
        ("$.a]", 3),
        ("$.größe", 4),
        ("$.a.", 4),
        ("$.[", 3),
        ("$['a", 4),
        ("$.a.`foo`", 8),
        ("$.x[?(@.a=)]", 10),
        ("$.a + 1", 0),
        ("$.a * 2", 0),
        ("$.a.`sub(/x/,y)`", 0),
        ("", 0),
    ],
)
def test_a_wrong_expression_says_where(expression: str, offset: int) -> None:
    with pytest.raises(JsonPathError) as caught:
        compiled(expression)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("steps", "path", "key"),
    [
        ((), "$", ""),
        (("a",), "a", "a"),
        (("a", "b-c", "0"), "a.b-c.0", "a.b-c.0"),
        (("a", 0, "b"), "a[0].b", "a.0.b"),
        ((0,), "[0]", "0"),
        (("a b", "c.d"), "['a b']['c.d']", "a b.c.d"),
        (("it's", "back\\slash"), "['it\\'s']['back\\\\slash']", "it's.back\\slash"),
    ],
)
def test_a_place_is_spelt_as_a_path_and_as_a_dotted_key(steps: Steps, path: str, key: str) -> None:
    assert (spell(steps), dotted(steps)) == (path, key)


@given(st.dictionaries(st.text(min_size=1), st.integers(), max_size=5))
def test_a_wildcard_finds_every_key_whatever_its_characters(document: dict[str, int]) -> None:
    assert find(document, "$.*") == {(key,): value for key, value in document.items()}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_document_can_be_searched(document: object) -> None:
    for expression in ("$", "$.a", "$[*]", "$..a", "$[0]", "$.a[-1].b"):
        assert isinstance(find(document, expression), dict)
