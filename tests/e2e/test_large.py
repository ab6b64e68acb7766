"""What a reviewer gets of a real project with 40 stages and 200 metrics: one comment, whole, within GitHub's limit."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import cmarkgfm
import pytest

from runner.review.markdown import BUDGET
from runner.review.report import to_markdown
from tests.golden import real

if TYPE_CHECKING:
    from runner.review.model import Report

pytestmark = pytest.mark.slow
GOLDEN = Path(__file__).parents[1] / "golden" / "real.md"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return real.trained(tmp_path_factory.mktemp("large"))


def test_every_stage_and_metric_of_the_run_is_in_the_report(report: Report) -> None:
    assert Counter(row.decision for row in report.stages) == {"ran": 24, "fresh": 16}
    assert len(report.metrics) == len(report.gates) == 200
    assert Counter(row.status for row in report.gates) == {"passed": 120, "failed": 80}
    assert (report.verdict, report.exit_code) == ("failed", 1)


def test_the_comment_is_what_it_was(report: Report) -> None:
    assert real.comment(report) == GOLDEN.read_text("utf-8"), "look at the difference, then run `make golden`"


def test_the_comment_names_every_value_that_failed_and_keeps_within_githubs_limit(report: Report) -> None:
    text = to_markdown(report)
    assert len(text.encode()) <= BUDGET
    for row in report.gates:
        if row.status == "failed":
            assert f"`{row.metric}:{row.key}`" in text
    for budget in (200, 2_000, 10_000, 30_000):
        assert len(to_markdown(report, budget).encode()) <= budget
    page = cmarkgfm.github_flavored_markdown_to_html(text)
    for table in re.findall(r"<table>.*?</table>", page, re.DOTALL):
        assert len({len(re.findall(r"<t[hd]", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)}) == 1
