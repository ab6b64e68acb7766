"""The Markdown report: what a reviewer reads first, how it shrinks, and that no input breaks its shape."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.review.changed import PathRow
from runner.review.measured import Change
from runner.review.model import Report, Traffic
from runner.review.report import BUDGET, to_markdown
from tests.golden import samples
from tests.support.examples import examples
from tests.unit.review.reports import reports

# A report is large and slow to draw; the pieces it is made of have properties of their own, with more examples.
FEW = settings(max_examples=examples(30))
TAGS = re.compile(r"</?(\w+)")
OURS = {
    *("p", "strong", "h3", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"),
    *("code", "pre", "details", "summary", "sub"),
}


def rendered(markdown: str) -> str:
    page: str = github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return page


def table_rows(markdown: str) -> int:
    """Count the table rows of the source: lines that begin with a pipe, outside of fences, less the separators."""
    fence, rows = "", 0
    for line in markdown.split("\n"):
        if fence:
            fence = "" if line == fence else fence
        elif opening := re.fullmatch("(```+)[^`]*", line):
            fence = opening[1]
        elif line.startswith("| ") and not line.startswith(("| :-", "| --")):
            rows += 1
    assert not fence, "a fence stays open"
    return rows


@FEW
@given(reports(), st.integers(0, 9_000) | st.sampled_from([20_000, 65_536, 10**9]))
def test_no_report_is_over_its_budget_or_breaks_a_table_or_a_fence(report: Report, budget: int) -> None:
    text = to_markdown(report, budget)
    assert len(text.encode()) <= budget
    page = rendered(text)
    assert set(TAGS.findall(page)) <= OURS
    assert page.count("<tr>") == table_rows(text)
    for table in re.findall(r"<table>.*?</table>", page, re.DOTALL):
        widths = {len(re.findall("<t[hd]", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)}
        assert len(widths) == 1
    for tag in ("details", "summary", "pre", "table", "sub"):
        assert len(re.findall(f"<{tag}\\b", page)) == page.count(f"</{tag}>")
    assert "<!--" not in text


@pytest.mark.slow
@FEW
@given(reports())
def test_no_report_mentions_anybody_or_refers_to_anything(report: Report) -> None:
    page = rendered(to_markdown(report))
    outside = html.unescape(re.sub(r"<(code|pre)\b.*?</\1>", "", page, flags=re.DOTALL))
    assert not re.search(r"@\w|#\d|://|\bGH-\d", outside)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (samples.usual(), "**\N{CROSS MARK} Failed:** accuracy in eval/metrics.json: 0.8956 is below 0.9 by 0.0044;"),
        (samples.small(), "**\N{CROSS MARK} Stopped:** the remote 'store' refused the credentials"),
        (samples.large(), "**\N{CROSS MARK} Failed:** stage publish@\u200bde failed: exit code 137"),
        (replace(samples.usual(), verdict="passed"), "**\N{WHITE HEAVY CHECK MARK} Passed:** 3 judged values within"),
        (replace(samples.usual(), verdict="unmeasured"), "by\\_class.10.f1 in eval/metrics.json: the baseline has no"),
        (replace(samples.usual(), verdict="ungated", gates=()), "No gates:** nothing was judged"),
    ],
)
def test_the_first_line_is_the_verdict_in_words(report: Report, line: str) -> None:
    assert line in to_markdown(report).split("\n")[0]


def test_what_is_not_fine_comes_first_then_what_changed_and_the_rest_is_folded() -> None:
    text = to_markdown(samples.usual())
    order = [
        text.index(f"| `{name}` |") for name in ("accuracy", "by_class.10.f1", "by_class.0.f1", "macro_f1", "rows")
    ]
    assert order == sorted(order)
    assert text.count("| `accuracy` |") == 1
    assert order[3] < text.index("<details><summary>1 metric did not change</summary>") < order[4]


def test_the_reason_of_each_stage_stands_beside_it() -> None:
    text = to_markdown(samples.usual())
    assert "| `train` | ran | param modified `params.yaml:train.gamma` from `0.001` to `0.05` | 1 min 23 s |" in text
    assert "| `evaluate` | ran | dep modified `model.pkl` from `d41d8cd9` to `90015098` | 4.2 s |" in text


def test_bytes_moved_and_bytes_left_are_told() -> None:
    text = to_markdown(samples.usual())
    assert "- fetched 3 objects (1.48 MB) in 0.41 s\n" in text
    assert "- not fetched, because nothing needed them: 12 objects (319 MB)\n" in text
    assert "- not pushed: the gates say failed\n" in text
    report = replace(
        samples.usual(), pushed=Traffic(7, 1_200, 0.5), push="pushed, and found in the remote by name and size"
    )
    assert "- pushed, and found in the remote by name and size: 7 objects (1.2 kB) in 0.50 s\n" in to_markdown(report)


def test_only_params_that_changed_are_shown() -> None:
    text = to_markdown(samples.usual())
    assert "| `train.gamma` | `0.001` | `0.05` | +0.049 |" in text
    assert "train.c" not in text


def test_a_failed_stage_keeps_its_log_and_its_row_when_rows_are_dropped() -> None:
    text = to_markdown(samples.large(), 8_000)
    assert "Killed\n````" in text
    assert "| `publish@de` | failed: exit code 137 |" in text
    assert "more rows." in text
    assert "mermaid" not in text


def test_rows_are_dropped_before_the_budget_is_and_their_number_is_said() -> None:
    whole = to_markdown(samples.large(), 10**9)
    shown = to_markdown(samples.large(), 20_000)
    assert len(shown) < len(whole)
    listed = shown.count(".f1` |")
    hidden = re.search(r"The full report has (\d+) more rows", shown)
    assert listed + (int(hidden[1]) if hidden else 0) == 99
    assert "301 metrics did not change." in shown


def test_the_budget_is_counted_in_bytes() -> None:
    report = replace(samples.usual(), notes=("\N{SNOWMAN}" * 500,))
    whole = to_markdown(report)
    assert to_markdown(report, len(whole.encode())) == whole
    assert to_markdown(report, len(whole)) != whole


@pytest.mark.parametrize("budget", [200, 120, 40, 7, 0])
def test_a_budget_for_nothing_else_gets_the_verdict_alone(budget: int) -> None:
    text = to_markdown(samples.usual(), budget)
    assert len(text) <= budget
    assert "Failed".startswith(text) or text.startswith("**Failed:** accuracy")


def test_a_project_of_40_stages_and_200_metrics_is_told_whole_in_a_comment() -> None:
    stages = tuple(
        replace(
            samples.usual().stages[2], stage=f"models/{n}/dvc.yaml:train", outs=(PathRow(f"models/{n}.pkl", "model"),)
        )
        for n in range(40)
    )
    metrics = tuple(
        Change(f"models/{n % 40}/m.json", f"class_{n}.f1", n / 200, n / 201, n / 201 - n / 200) for n in range(200)
    )
    plots = tuple(replace(samples.learning_curve(), id=f"models/{n}/loss.csv", title=f"Loss {n}") for n in range(40))
    report = replace(samples.usual(), stages=stages, edges=(), metrics=metrics, gates=(), plots=plots)
    text = to_markdown(report)
    assert len(text.encode()) <= BUDGET
    assert text.count(".f1` |") == 200
    assert text.count(":train` | ran |") == 40
    assert text.count("/loss.csv` |") >= 30
    assert "more row" not in text.split("### Plots")[0]


def test_saved_and_base_times_stand_beside_each_stage() -> None:
    text = to_markdown(samples.usual())
    assert "commands took 1 min 28 s, 10 min 12 s were saved." in text
    assert "| `featurize` | restored | out deleted `data/features` | saved 10 min 12 s | 9 min 58 s |" in text


def test_data_that_changed_is_told_with_its_files_and_bytes() -> None:
    text = to_markdown(samples.usual())
    told = "changed from `11111111` to `22222222` | 14 added, 1 changed, 3 removed | 4.2 MB → 4.35 MB (+150 kB) |"
    assert f"| `data/images` | data | {told}" in text


def test_each_changed_out_says_what_it_was_made_from() -> None:
    text = to_markdown(samples.usual())
    assert "- `model.pkl`, `eval/loss.csv`: train, ran here, at 4f1c0de, from `data/features` `55555555` (was" in text


def test_a_trend_stands_beside_its_metric_and_is_drawn_where_it_is_gated() -> None:
    text = to_markdown(samples.usual())
    assert "| `accuracy` | `0.973` | `0.8956` | -0.0774 | ▆▇·██▁ |" in text
    assert "<summary>accuracy over the last 5 commits of the base branch</summary>" in text
    assert "- `3333333` `train`: param params.yaml:train.depth, dep train.py\n" in text


def test_the_title_of_a_plot_is_no_markup() -> None:
    plot = replace(samples.learning_curve(), title="</summary><script>alert(1)</script> @octocat")
    page = rendered(to_markdown(replace(samples.usual(), plots=(plot,))))
    assert "<script" not in page
    assert "@octocat" not in page
    assert "alert(1)" in page


def test_a_size_and_a_duration_are_named_by_what_is_measured_and_told_in_their_unit() -> None:
    usual = samples.usual()
    size = replace(
        usual.gates[0],
        gate="size: model.pkl",
        metric="model.pkl",
        path="$",
        key="",
        unit="bytes",
        base=1e6,
        head=3e6,
        delta=2e6,
    )
    time = replace(size, gate="duration: train", metric="train", unit="seconds", base=90.0, head=60.0, delta=-30.0)
    text = to_markdown(replace(usual, gates=(size, time)))
    assert text.startswith("**\N{CROSS MARK} Failed:** size: model.pkl: ")
    assert "| `size: model.pkl` | `1 MB` | `3 MB` | +2 MB |" in text
    assert "| `duration: train` | `1 min 30 s` | `1 min 0 s` | \N{MINUS SIGN}30.0 s |" in text
    assert "| `accuracy` |" in text
