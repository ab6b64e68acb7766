"""The fake GitHub really holds requests to the API's description: wrong ones are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import api_description

COMMENTS = "/repos/o/r/issues/7/comments"


def broken(method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> list[str]:
    found = api_description.operation(method, path)
    assert found is not None
    return api_description.request_violations(found, query or {}, body)


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "named"),
    [
        ("POST", COMMENTS, {}, {"body": 7}, '"string"'),
        ("POST", COMMENTS, {}, {}, "body"),
        ("POST", COMMENTS, {}, None, "missing"),
        ("POST", COMMENTS, {}, {"body": "x", "text": "y"}, "text is no property"),
        ("POST", "/repos/o/r/issues/seven/comments", {}, {"body": "x"}, "issue_number"),
        ("GET", COMMENTS, {"per_page": "many"}, None, "per_page"),
        ("GET", COMMENTS, {"size": "9"}, None, "size is no parameter"),
        ("GET", COMMENTS, {}, {"body": "x"}, "takes no body"),
        ("PATCH", "/repos/o/r/issues/comments/x", {}, {"body": "x"}, "comment_id"),
    ],
)
def test_a_request_that_breaks_the_description_is_named(
    method: str, path: str, query: dict[str, str], body: Any, named: str
) -> None:
    (violation,) = broken(method, path, query, body)
    assert named in violation


def test_a_right_request_breaks_nothing() -> None:
    assert broken("POST", COMMENTS, body={"body": "x"}) == []
    assert broken("GET", COMMENTS, {"per_page": "100", "page": "2"}) == []
    assert broken("GET", "/repos/o/r/compare/main...feature/x", {"per_page": "1"}) == []


@pytest.mark.parametrize("path", ["/repos/o/r/issues/7/comment", "/user/nothing", "/nowhere"])
def test_what_the_api_does_not_have_is_not_found(path: str) -> None:
    assert api_description.operation("PATCH", path + "/x") is None


def test_an_answer_that_github_would_not_give_is_named() -> None:
    found = api_description.operation("POST", COMMENTS)
    assert found is not None
    comment = api_description.example("issue-comment")
    assert api_description.response_violations(found, 201, comment) == []
    assert api_description.response_violations(found, 201, {**comment, "user": None}) == []
    assert api_description.response_violations(found, 201, {**comment, "id": "1"}) != []
    assert api_description.response_violations(found, 299, comment) != []
