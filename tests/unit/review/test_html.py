"""The page: one file that asks for nothing, holds everything, and takes no markup from a repository."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from runner.review import assets
from runner.review.changed import PlotRow
from runner.review.report import to_html
from tests.golden import samples
from tests.support.examples import examples
from tests.unit.review.reports import reports

if TYPE_CHECKING:
    from runner.review.model import Report

VOID = {"meta", "img"}
LAID_OUT = "html head meta title style body main header section footer nav noscript script h1 h2 h3 h4 p span div a"
WRITTEN = "code pre ul li dl dt dd details summary table thead tbody tr th td figure figcaption img button"
TAGS = {*LAID_OUT.split(), *WRITTEN.split(), "svg", "defs", "marker", "path", "rect", "polyline", "circle", "text"}
KIND = re.compile(r"(?:data:image/[a-z+]+;base64,[A-Za-z0-9+/=]*|#[a-z]+(?:-\d+)?)\Z")


OURS = {"".join(assets.script(name).text for name in names) for names in (["page.js"], ["vega.js", "page.js"])}
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"


class Outline(HTMLParser):
    """Every tag with its attributes, and whether each was closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.code: list[str] = []
        self.held: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self.last = attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        is_script = self.open[-1:] == ["script"]
        kept = self.words if not is_script else self.held if ("type", "application/json") in self.last else self.code
        kept.append(data)


@settings(max_examples=examples(10))
@given(reports())
def test_no_report_puts_a_tag_or_an_attribute_into_the_page(report: Report) -> None:
    outline = Outline(to_html(report))
    assert outline.tags <= TAGS
    assert not outline.open
    assert not {name for name, _ in outline.attributes if name.startswith("on") or name in {"action", "srcdoc"}}
    assert all(KIND.match(value or "") for name, value in outline.attributes if name in {"src", "href"})
    assert "".join(outline.code) in OURS


@settings(max_examples=examples(10))
@given(reports())
def test_the_page_can_be_written_and_holds_no_controls(report: Report) -> None:
    page = to_html(report)
    page.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


@pytest.mark.parametrize("make", samples.SAMPLES.values())
def test_the_page_asks_for_nothing(make: Any) -> None:
    page = to_html(make())
    assert "default-src 'none'" in page
    bare = page.replace(assets.script("vega.js").text, "").replace(assets.script("page.js").text, "")
    assert not re.search(r"@import|url\((?!#)|https?:", bare.replace("https://evil.example", "").replace(SCHEMA, ""))


def test_only_our_own_two_scripts_may_run_and_the_drawing_one_is_there_only_where_it_draws() -> None:
    with_plots, without = to_html(samples.usual()), to_html(samples.small())
    for page, names in ((with_plots, ("vega.js", "page.js")), (without, ("page.js",))):
        allowed = [assets.script(name) for name in names]
        assert f"script-src {' '.join(one.source for one in allowed)};" in page
        assert Outline(page).code == [one.text for one in allowed]


def test_what_a_plot_holds_is_json_that_no_page_can_be_mistaken_in() -> None:
    evil = '</script><script>alert(1)</script><!-- "'
    points = json.dumps([{"rev": "head", "x": evil, "y": 1}])
    row = PlotRow(id=evil, title=evil, template="own", x="x", y="y", spec=json.dumps({"title": evil}), points=points)
    outline = Outline(to_html(replace(samples.small(), plots=(row,))))
    assert json.loads("".join(outline.held)) == {"spec": {"title": evil}, "points": json.loads(points)}
    assert len(outline.code) == 2
    assert not set("<>&") & set("".join(outline.held))


@pytest.mark.parametrize(("spec", "points"), [("{", "[]"), ("[]", "[]"), ("{}", "{}"), ("1};alert(1)//", "[]")])
def test_what_is_no_drawing_is_not_drawn(spec: str, points: str) -> None:
    row = PlotRow(id="p", title="p", template="linear", spec=spec, points=points)
    assert Outline(to_html(replace(samples.small(), plots=(row,)))).held == []


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
