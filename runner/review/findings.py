"""What the linter found, for standard output; apart from `printing`, for no other verb is to wait for the linter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.pipeline.lint.finding import Severity
from runner.review import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.pipeline.lint.finding import Finding


def data(findings: Sequence[Finding]) -> dict[str, Any]:
    """Give what the linter found as `retrain lint --json` prints it."""
    return {
        "findings": [
            {
                "code": finding.rule.code,
                "name": finding.rule.name,
                "severity": finding.rule.severity.word,
                "file": finding.where.file or None,
                "line": finding.where.line or None,
                "column": finding.where.column or None,
                "message": finding.message,
                "hint": finding.hint or None,
            }
            for finding in findings
        ],
        "counts": {severity.word: _of(findings, severity) for severity in reversed(Severity)},
    }


def lines(findings: Sequence[Finding]) -> list[str]:
    """Give what the linter found for people: one line each, what to do next below it, then a summary."""
    shown = []
    for finding in findings:
        where = f"{finding.where}: " if finding.where.file else ""
        shown += [f"{where}{finding.rule.code} {finding.message}"]
        shown += [f"  {finding.hint}"] if finding.hint else []
    counts = [words.count(number, level.word) for level in reversed(Severity) if (number := _of(findings, level))]
    return [*shown, f"lint: {', '.join(counts) or 'nothing found'}"]


def _of(findings: Sequence[Finding], severity: Severity) -> int:
    return sum(finding.rule.severity is severity for finding in findings)
