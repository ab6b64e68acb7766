"""The page: one file that asks for nothing, holds everything, and takes no markup from a repository."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from runner.review.report import to_html
from tests.golden import samples
from tests.unit.review.reports import reports

if TYPE_CHECKING:
    from runner.review.model import Report

VOID = {"meta"}
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "section",
        "footer",
        "h1",
        "h2",
        "p",
        "span",
        "div",
    ),
    *("code", "pre", "ul", "li", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "defs", "marker", "path", "g", "rect", "text"),
}


class Outline(HTMLParser):
    """Every tag with its attributes, and whether each was closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@settings(max_examples=20)
@given(reports())
def test_no_report_puts_a_tag_or_an_attribute_into_the_page(report: Report) -> None:
    outline = Outline(to_html(report))
    assert outline.tags <= TAGS
    assert not outline.open
    assert not {name for name, _ in outline.attributes if name.startswith("on") or name in {"src", "href", "action"}}


@settings(max_examples=20)
@given(reports())
def test_the_page_can_be_written_and_holds_no_controls(report: Report) -> None:
    page = to_html(report)
    page.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


@pytest.mark.parametrize("make", samples.SAMPLES.values())
def test_the_page_asks_for_nothing(make: Any) -> None:
    page = to_html(make())
    assert "default-src 'none'" in page
    assert not re.search(r"<[^>]*\b(src|href)=|@import|url\((?!#)", page)
    assert "<script" not in page


def test_the_whole_report_is_there() -> None:
    report = samples.large()
    words = html.unescape(" ".join(Outline(to_html(report)).words))
    for row in report.metrics:
        assert row.key in words
    for stage in report.stages[:-1]:
        assert stage.stage in words
    for line in report.stages[-2].tail:
        assert line in words


def test_the_page_knows_light_and_dark_and_narrow() -> None:
    page = to_html(samples.usual())
    assert "prefers-color-scheme: dark" in page
    assert "max-width: 640px" in page
    assert 'name="viewport"' in page
