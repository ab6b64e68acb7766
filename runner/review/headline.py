"""The verdict in a line: what failed and by how much, or what held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.review import words
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.review.measured import Verdict
    from runner.review.model import Report, StageRow

_WORDS = {
    "passed": "Passed",
    "warned": "Passed with warnings",
    "accepted": "Accepted",
    "failed": "Failed",
    "unmeasured": "Unmeasured",
    "ungated": "No gates",
    "error": "Stopped",
}


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict: one or two words, and the sentence that says why."""

    word: str
    sentence: str

    def __str__(self) -> str:
        """Give both as one line."""
        return f"{self.word}: {self.sentence}"


def headline(report: Report) -> Headline:
    """Give the verdict in words: what failed and by how much, or what held."""
    failed = [row for row in report.stages if row.decision == "failed"]
    if report.error:
        return Headline(_WORDS["error"], report.error.message)
    if failed:
        return Headline("Failed", _failed_stages(failed))
    return Headline(_WORDS[report.verdict], _gate_sentence(report))


def _failed_stages(rows: Sequence[StageRow]) -> str:
    first = rows[0]
    why = first.why or (f"exit code {first.exit_code}" if first.exit_code else "see its log")
    return f"stage {first.stage} failed: {why}{_more(len(rows) - 1, 'stage')}"


def _gate_sentence(report: Report) -> str:
    rows = report.gates
    telling = [row for row in rows if row.status == report.verdict and row.status != "passed"]
    telling = telling or [row for row in rows if report.verdict != "passed" and row.status != "passed"]
    if telling:
        first = min(telling, key=lambda row: not row.exits)
        return f"{_place(first)}: {first.why}{_more(len(telling) - 1, 'value')}"
    if report.verdict == "passed":
        return f"{words.count(len(rows), 'judged value')} within limits"
    return "nothing was judged" if report.verdict == "ungated" else "see the rows below"


def _more(count: int, thing: str) -> str:
    return f", and {words.count(count, f'more {thing}')}" if count else ""


def _place(row: Verdict) -> str:
    return row.gate if row.unit else f"{row.key or row.path} in {row.metric}"
