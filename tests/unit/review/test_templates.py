"""Templates of the project: they override block by block, are told of with file and line, and never cost the report."""

from __future__ import annotations

import html

import pytest

from runner.review.report import to_html, to_markdown
from runner.review.words import TEMPLATES as FOLDER
from tests.golden import samples

EXTENDS = '{% extends "retrain/report.md.jinja" %}\n'


def test_a_block_is_overridden_and_the_others_stay() -> None:
    own = {"report.md.jinja": EXTENDS + "{% block traffic %}\n\nSee {{ report.head.ref | code }}.\n{% endblock %}"}
    usual, text = to_markdown(samples.usual()), to_markdown(samples.usual(), own=own)
    assert "\n\nSee `raise-gamma`.\n" in text
    assert "### Objects" not in text
    assert text.split("### Stages")[0] == usual.split("### Stages")[0]


def test_a_block_may_add_to_what_it_overrides_and_include_files_beside_it() -> None:
    own = {
        "report.html.jinja": '{% extends "retrain/report.html.jinja" %}{% block notes %}{{ super() }}'
        '{% include "rules.jinja" %}{% endblock %}',
        "rules.jinja": "<p>Rules for {{ report.head.subject }}</p>",
    }
    page = to_html(samples.usual(), own)
    assert "<p>Rules for Try a wider kernel</p>" in page
    assert "the metrics of the baseline were read from git" in page


def test_what_a_template_shows_is_escaped_as_in_our_own() -> None:
    own = {"report.md.jinja": "{{ report.stages[-1].stage }}", "report.html.jinja": "{{ report.stages[-1].stage }}"}
    assert "<img" not in to_html(samples.large(), own)
    assert "\\<img" in to_markdown(samples.large(), own=own)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("one\n{% block %}", "report.md.jinja:2: "),
        (EXTENDS + "{% block notes %}\n{{ nothing.here }}{% endblock %}", "report.md.jinja:3: 'nothing' is undefined"),
        ("{{ 1 / 0 }}", "report.md.jinja:1: division by zero"),
        ('{% include "gone.jinja" %}', "report.md.jinja:1: "),
        ("{{ ''.__class__.__mro__ }}", "report.md.jinja:1: access to attribute"),
        ("{% for x in range(10 ** 9) %}{% endfor %}", "report.md.jinja:1: Range too big"),
        ('{% include "part.jinja" %}', "part.jinja:2: 'gone' is undefined"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_report_is_made_without(text: str, place: str) -> None:
    told = to_markdown(samples.usual(), own={"report.md.jinja": text, "part.jinja": "\n{{ gone }}"})
    plain = told.replace("\\", "").replace("\u200b", "")
    assert f"- {FOLDER}/{place}" in plain
    assert told.startswith(to_markdown(samples.usual()).split("### Notes")[0])
    own = {"report.html.jinja": text.replace(".md.", ".html."), "part.jinja": "\n{{ gone }}"}
    page = to_html(samples.usual(), own)
    assert f"{FOLDER}/{place.replace('.md.', '.html.')}" in html.unescape(page)
    assert "<h2>Metrics</h2>" in page


@pytest.mark.parametrize("budget", [0, 10, 500, 5_000])
def test_the_budget_holds_for_a_template_that_is_too_long(budget: int) -> None:
    own = {"report.md.jinja": "x" * 6_000}
    assert len(to_markdown(samples.usual(), budget, own).encode()) <= budget
