"""What was found at paths, and what of it is forgotten."""

from __future__ import annotations

import pytest

from runner.engine.decision import Content
from runner.engine.seen import Seen
from runner.hashes import MD5, Hash

PATHS = (".", "a", "a/b", "a/b/c", "a/bc", "ab", "../out", "/elsewhere/file")
FOUND = Content(Hash("0" * 32, MD5))


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ("a/b", {"a/bc", "ab", "../out", "/elsewhere/file"}),
        ("a", {"ab", "../out", "/elsewhere/file"}),
        ("a/b/c/d", {"a/bc", "ab", "../out", "/elsewhere/file"}),
        ("new", {*PATHS} - {"."}),
        ("/elsewhere", {*PATHS} - {".", "/elsewhere/file"}),
        (".", set()),
    ],
)
def test_a_path_is_forgotten_with_what_lies_in_it_and_what_holds_it(changed: str, left: set[str]) -> None:
    seen = Seen()
    for path in PATHS:
        seen.keep(path, MD5, (FOUND, None))
    for _ in range(2):  # what was forgotten and is seen again is forgotten again
        seen.forget(changed)
        assert {path for path in PATHS if (path, MD5) in seen} == left
        for path in PATHS:
            seen.keep(path, MD5, (FOUND, None))


def test_nothing_is_an_answer_too() -> None:
    seen = Seen()
    seen.keep("a", MD5, None)
    assert (("a", MD5) in seen, seen.content("a", MD5)) == (True, None)
    assert ("a", "other") not in seen
