"""The report as JUnit XML, which the test tab of every CI shows: gates and stages as test cases. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from runner.review import escape
from runner.review.headline import headline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.review.measured import Verdict
    from runner.review.model import Report, StageRow

_LONGEST: Final = 2_000


def to_junit(report: Report) -> str:
    """Give the report as JUnit XML: a failed gate is a failure, what could not be measured or run an error.

    What does not end the run with exit code 1 is skipped with its reason, as a warning has no word of its own there.
    """
    suites = ET.Element("testsuites", name=_text(str(headline(report))))
    _suite(suites, "gates", [_gate(row) for row in report.gates])
    _suite(suites, "stages", [_stage(row) for row in report.stages])
    if report.error:
        case = ET.Element("testcase", classname="retrain", name=_text(report.command))
        _say(case, "error", report.error.message, report.error.hint)
        _suite(suites, "run", [case])
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _suite(suites: ET.Element, name: str, cases: Iterable[ET.Element]) -> None:
    suite = ET.SubElement(suites, "testsuite", name=name)
    suite.extend(cases)
    suite.set("tests", str(len(suite)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))


def _gate(row: Verdict) -> ET.Element:
    judged = row.gate if row.unit else row.key or row.path
    name = f"{judged} ({row.limit})" if row.limit else judged
    case = ET.Element("testcase", classname=_text(row.metric), name=_text(name), file=_text(row.where.file))
    if row.where.line:
        case.set("line", str(row.where.line))
    if row.status in {"failed", "unmeasured"}:
        _say(case, ("failure" if row.status == "failed" else "error") if row.exits else "skipped", row.why)
    elif row.status in {"warned", "accepted"}:
        _say(case, "skipped", f"{row.status}: {row.why}")
    return case


def _stage(row: StageRow) -> ET.Element:
    case = ET.Element("testcase", classname="stages", name=_text(row.stage), time=f"{row.seconds or 0:.3f}")
    if row.decision == "failed":
        _say(case, "error", row.why or "failed", "\n".join(row.tail))
    elif row.decision == "skipped":
        _say(case, "skipped", row.why or "a stage before it failed")
    return case


def _say(case: ET.Element, tag: str, message: str, more: str = "") -> None:
    said = ET.SubElement(case, tag, message=_text(message))
    if more:
        said.text = "\n".join(_text(line) for line in more.split("\n"))


def _text(text: str) -> str:
    """Leave out what XML cannot carry."""
    return escape.clean(text, _LONGEST).replace("\ufffe", "").replace("\uffff", "")
