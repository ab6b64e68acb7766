"""The linter's findings as SARIF 2.1.0, which code hosts show beside the lines of a change. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from runner import __version__
from runner.pipeline.lint.catalogue import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.pipeline.lint.finding import Finding, Rule

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT: Final = "%SRCROOT%"


def render(findings: Sequence[Finding], prefix: str = "") -> dict[str, Any]:
    """Give a SARIF log of one run, with every rule there is.

    Args:
        findings: in the order they are to be shown.
        prefix: the project's folder in the repository, ending in `/`; its findings are placed in there.

    """
    index = {rule: number for number, rule in enumerate(RULES)}
    driver = {"name": "retrain", "version": __version__, "rules": [_rule(rule) for rule in RULES]}
    results = [_result(finding, index[finding.rule], prefix) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "help": {"text": f"docs/lint.md of Retrain, section {rule.code} {rule.name}"},
        "defaultConfiguration": {"level": rule.severity.word},
    }


def _result(finding: Finding, index: int, prefix: str) -> dict[str, Any]:
    text = f"{finding.message}. {finding.hint[:1].upper()}{finding.hint[1:]}" if finding.hint else finding.message
    result = {
        "ruleId": finding.rule.code,
        "ruleIndex": index,
        "level": finding.rule.severity.word,
        "message": {"text": text},
    }
    return result | ({"locations": [_location(finding, prefix)]} if finding.where.file else {})


def _location(finding: Finding, prefix: str) -> dict[str, Any]:
    where = finding.where
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(f"{prefix}{where.file}"), "uriBaseId": _ROOT}}
    region = {"startLine": where.line, "startColumn": where.column}
    known = {name: number for name, number in region.items() if number}
    return {"physicalLocation": place | ({"region": known} if where.line else {})}
