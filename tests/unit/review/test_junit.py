"""JUnit XML: gates and stages as test cases, and no name that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from hypothesis import given, settings

from runner.review.report import to_junit
from tests.golden import samples
from tests.support.examples import examples
from tests.unit.review.reports import reports

if TYPE_CHECKING:
    from runner.review.model import Report


def cases(report: Report) -> dict[str, tuple[str, str]]:
    """Give what became of each test case, by its name: the tag of its only child, and its message."""
    found = {}
    for case in ET.fromstring(to_junit(report)).iter("testcase"):  # noqa: S314 - our own text
        child = case.find("*")
        found[case.get("name", "")] = (child.tag, child.get("message", "")) if child is not None else ("", "")
    return found


def test_a_failed_gate_is_a_failure_and_one_that_was_not_measured_an_error() -> None:
    found = cases(samples.usual())
    assert found["accuracy (at least 0.9, may drop 0.005)"][0] == "failure"
    assert found["by_class.10.f1 (may drop 5%)"] == ("error", "the baseline has no value here")
    assert found["by_class.0.f1 (may drop 5%)"] == found["train"] == ("", "")


def test_a_failed_stage_is_an_error_with_its_log_and_what_did_not_run_is_skipped() -> None:
    report = samples.large()
    root = ET.fromstring(to_junit(report))  # noqa: S314 - our own text
    suite = next(suite for suite in root.iter("testsuite") if suite.get("name") == "stages")
    assert (suite.get("tests"), suite.get("errors"), suite.get("skipped")) == ("60", "1", "1")
    assert "Killed" in (root.findtext(".//error") or "")


def test_what_stopped_the_run_is_an_error() -> None:
    assert cases(samples.small())["retrain run"] == ("error", "the remote 'store' refused the credentials")


@settings(max_examples=examples(20))
@given(reports())
def test_any_report_is_well_formed(report: Report) -> None:
    root = ET.fromstring(to_junit(report))  # noqa: S314 - our own text
    assert len(list(root.iter("testcase"))) == len(report.gates) + len(report.stages) + bool(report.error)
