"""The page is looked at in Debian's chromium, on a phone and a desktop, light and dark; Mermaid by Mermaid itself."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from runner.review import vega
from runner.review.changed import LineageRow, PathRow, PlotRow
from runner.review.measured import Change
from runner.review.model import StageRow
from runner.review.report import to_html, to_markdown
from tests.golden import samples
from tests.support import browser as browsers
from tests.support.tools import require
from tests.unit.review.reports import NASTY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from runner.review.model import Report

pytestmark = pytest.mark.slow
SCRIPT = "</script><script>window.hacked = 1; alert(1)</script>"
MARKUP = "<img src=x onerror='window.hacked = 2; alert(2)'><svg onload='window.hacked = 3'>"
TOUCH = """for (const part of document.querySelectorAll('[data-plot] svg, [data-plot] svg *')) {
  for (const type of ['mouseover', 'mousemove', 'click']) {
    part.dispatchEvent(new MouseEvent(type, {bubbles: true, cancelable: true, view: window}));
  }
}"""
BLOCK = re.compile(r"```mermaid\n(.*?)\n```", re.DOTALL)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give one browser for all tests here."""
    yield from browsers.launched()


def many_stages() -> Report:
    """A pipeline of 200 stages, ten beside each other."""
    stages = tuple(
        StageRow(stage=f"models/dvc.yaml:train-{n:03}", decision="ran" if n % 7 == 0 else "fresh", cmd=f"python {n}.py")
        for n in range(200)
    )
    edges = tuple((stages[n - 10].stage, stages[n].stage) for n in range(10, 200))
    return replace(samples.usual(), stages=stages, edges=edges)


def hostile() -> Report:
    """A project in which everything that can be named tries to run a script, or to load one."""
    evil = [SCRIPT, MARKUP, "javascript:window.hacked=4", "{{ 7 * 7 }}", *NASTY]
    rows = [
        {"rev": side, "x": number, "y": text, "field": text}
        for side in ("base", "head")
        for number, text in enumerate(evil)
    ]
    style = {"title": SCRIPT, "x": "x", "y": "y", "x_label": MARKUP, "y_label": SCRIPT, "anchors_y_definitions": []}
    template = vega.parse_template("own", "own.json", json.dumps(TEMPLATE))
    own = vega.filled(template, [dict(row) for row in rows], dict(style), ["base", "head"])
    simple = vega.filled(vega.BUILT_IN["simple"](), [dict(row) for row in rows], dict(style), ["base", "head"])
    loads = json.dumps({"data": {"url": "https://evil.example/data.json"}, "mark": "point"})
    plots = [
        PlotRow(id=MARKUP, title=SCRIPT, template="own", x="x", y="y", spec=own, points=json.dumps(rows)),
        PlotRow(id=SCRIPT, title=MARKUP, template="simple", x="x", y="y", spec=simple, points=json.dumps(rows)),
        PlotRow(id="loads", title="loads", template="own", x="x", y="y", spec=loads),
    ]
    paths = tuple(PathRow(text, "data", text) for text in evil)
    return replace(
        samples.usual(),
        command=SCRIPT,
        notes=tuple(evil),
        metrics=tuple(Change(text, text, text, text + "x") for text in evil),
        stages=tuple(StageRow(stage=text, decision="ran", cmd=text, deps=paths, outs=paths[:1]) for text in evil),
        lineage=(LineageRow(outs=tuple(evil), stage=SCRIPT, how=MARKUP, commit=SCRIPT, cmd=MARKUP),),
        plots=tuple(plots),
    )


TEMPLATE: Any = {
    "data": {"values": vega.DATA},
    "usermeta": {"embedOptions": {"sourceHeader": SCRIPT, "actions": True}},
    "transform": [
        {"calculate": "constructor.constructor('window.hacked = 5')()", "as": "z"},
        {"calculate": "datum.y.constructor.constructor('window.hacked = 6')()", "as": "w"},
    ],
    "layer": [
        {"mark": {"type": "text", "tooltip": {"content": "data"}}, "encoding": {"text": {"field": "y"}}},
        {"mark": "point", "encoding": {"x": {"field": "x"}, "href": {"field": "y"}, "tooltip": {"field": "y"}}},
        {"mark": {"type": "image", "url": "https://evil.example/pixel.png"}},
    ],
}
REPORTS = {**samples.SAMPLES, "many": many_stages, "hostile": hostile}


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Give the file of a report's page."""
    place = tmp_path / "report.html"
    place.write_text(to_html(REPORTS[request.param]()), encoding="utf-8")
    return place


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", browsers.SIZES)
@pytest.mark.parametrize("place", ["small", "usual", "large", "many"], indirect=True)
def test_a_page_asks_for_nothing_fits_its_screen_and_draws_its_plots(
    browser: Browser, place: Path, size: str, scheme: str, request: pytest.FixtureRequest
) -> None:
    seen = browsers.opened(browser, place, size, scheme)
    assert seen.asked == []
    assert seen.said == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= browsers.SIZES[size][0]
    assert seen.page.locator("[data-drawn=no]").count() == 0
    browsers.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    name = request.node.callspec.id
    seen.page.screenshot(path=browsers.SCREENSHOTS / f"{name}.png", full_page="large" not in name)
    seen.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["small", "usual", "large", "many"], indirect=True)
def test_a_page_is_clean_to_axe(browser: Browser, place: Path, scheme: str) -> None:
    axe = require("tests/node_modules/axe-core/axe.min.js", "knows what a screen reader needs")
    seen = browsers.opened(browser, place, "desktop", scheme, bypass_csp=True)
    seen.page.add_script_tag(path=axe)
    found = seen.page.evaluate("axe.run({exclude: [['.vega-embed svg']]}).then((done) => done.violations)")
    told = [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
    seen.page.context.close()
    assert told == []


@pytest.mark.parametrize("place", ["hostile"], indirect=True)
def test_nothing_that_came_from_a_repository_runs_or_loads(browser: Browser, place: Path) -> None:
    seen = browsers.opened(browser, place)
    seen.page.evaluate(TOUCH)
    assert seen.dialogs == []
    assert seen.asked == []
    assert seen.page.evaluate("window.hacked") is None
    assert seen.page.url == place.as_uri()
    seen.page.context.close()


@pytest.mark.parametrize("place", ["usual"], indirect=True)
def test_the_keyboard_leads_from_a_box_to_the_card_of_its_stage(browser: Browser, place: Path) -> None:
    page = browsers.opened(browser, place).page
    page.locator("#graph a", has_text="train.py").focus()
    page.keyboard.press("Enter")
    card = page.locator("details:has(:target)")
    assert card.locator("summary code").inner_text() == "train"
    assert card.locator("pre").inner_text().strip() == "python train.py"
    assert card.get_attribute("open") is not None
    page.context.close()


@pytest.mark.parametrize("place", ["many"], indirect=True)
def test_two_hundred_stages_are_drawn_and_no_box_covers_another(browser: Browser, place: Path) -> None:
    page = browsers.opened(browser, place).page
    boxes = page.evaluate(
        "[...document.querySelectorAll('#graph a .body')].map((e) => e.getBoundingClientRect()).map((r) => "
        "[r.x, r.y, r.right, r.bottom])"
    )
    assert len(boxes) == 200
    for number, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert left >= other[2] or other[0] >= right or top >= other[3] or other[1] >= bottom
    wide = page.evaluate("Math.max(...[...document.querySelectorAll('#graph text')].map((e) => e.getBBox().width))")
    assert wide <= 186
    page.context.close()


@pytest.fixture(scope="module")
def mermaid(browser: Browser) -> Iterator[Page]:
    """Give a page with Mermaid in it, as GitHub uses it: strict, no HTML in labels from data."""
    page = browser.new_page()
    page.set_content("<!doctype html><div id=out></div>")
    page.add_script_tag(path=require("tests/node_modules/mermaid/dist/mermaid.min.js", "draws Mermaid"))
    page.evaluate("mermaid.initialize({startOnLoad: false, securityLevel: 'strict'})")
    yield page
    page.close()


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_mermaid_draws_every_block_of_a_report(mermaid: Page, make: Any) -> None:
    for budget in (1 << 20, 65_536, 20_000):
        for number, block in enumerate(BLOCK.findall(to_markdown(make(), budget))):
            drawn = mermaid.evaluate(
                "([id, code]) => mermaid.render(id, code).then((d) => d.svg)", [f"d{number}", block]
            )
            assert drawn.startswith("<svg"), block
            assert "Syntax error" not in drawn
            assert "<script" not in drawn
