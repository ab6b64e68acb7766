"""The syntax of `${...}`: what is one, and what it names. Real DVC is asked the same in tests/interop."""

from __future__ import annotations

import pytest

from runner.pipeline.expressions import Expression, Unresolved, compiled, is_interpolated


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("${a}", ("a",)),
        ("${a.b}", ("a", "b")),
        ("${a[0]}", ("a", "0")),
        ("${a.0}", ("a", "0")),
        ("${a[-1].b}", ("a", "-1", "b")),
        ("${ a . b }", ("a", "b")),
        ("${l[0] }", ("l", "0")),
        ("${l[0] .b}", ("l", "0", "b")),
        ("${with space}", ("with space",)),
        ("${d['x']}", ("d", "'x'")),
        ("${dash-key}", ("dash-key",)),
        ("${VAR:-default}", ("VAR:-default",)),
        ("${ }", ("",)),
    ],
)
def test_an_expression_names_keys_and_indexes(text: str, segments: tuple[str, ...]) -> None:
    whole = compiled(text).whole
    assert whole == Expression(text, segments)


@pytest.mark.parametrize("inner", ["", ".a", "a.", "a..b", "a[", "a]", "a[]", "[0]", "a[0]b", "a.[0]", "a[b[0]]"])
def test_what_is_no_name_is_refused(inner: str) -> None:
    with pytest.raises(Unresolved) as caught:
        compiled(f"x ${{{inner}}} y")
    assert caught.value.text == f"${{{inner}}}"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x${a}y", ("x", Expression("${a}", ("a",)), "y")),
        ("${a}${b}", ("", Expression("${a}", ("a",)), "", Expression("${b}", ("b",)), "")),
        ("$${a}", ("$", Expression("${a}", ("a",)), "")),
        ("${${a}}", ("", Expression("${${a}", ("${a",)), "}")),
        (r"\${a}", (r"\${a}",)),
        ("${a\n}", ("${a\n}",)),
        ("${a", ("${a",)),
        ("$HOME $(ls)", ("$HOME $(ls)",)),
    ],
)
def test_a_text_is_taken_apart(text: str, parts: tuple[object, ...]) -> None:
    assert compiled(text).parts == parts
    assert compiled(text).whole is None


@pytest.mark.parametrize(("text", "is_one"), [("${a}", True), ("x ${a}", True), (r"\${a}", False), ("$a", False)])
def test_an_escaped_expression_is_none(text: str, *, is_one: bool) -> None:
    assert is_interpolated(text) is is_one
