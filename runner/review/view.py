"""What the Markdown and the page both show, in the reader's order and words, before any escaping."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.review import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.review.commit import Commit
    from runner.review.model import Change, ReasonRow, Report, StageRow, Verdict

_WORDS = {
    "passed": "Passed",
    "warned": "Passed with warnings",
    "accepted": "Accepted",
    "failed": "Failed",
    "unmeasured": "Unmeasured",
    "ungated": "No gates",
    "error": "Stopped",
}
_RANK = {"failed": 0, "unmeasured": 1, "accepted": 2, "warned": 3, "passed": 4, "": 5}
_MD5 = re.compile(r"([0-9a-f]{8})[0-9a-f]{24}(?:\.dir)?\Z")
_SHA = 7


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict: one or two words, and the sentence that says why."""

    word: str
    sentence: str

    def __str__(self) -> str:
        """Give both as one line."""
        return f"{self.word}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A metric or a param, at base and head, with what its gate says of it (empty where it has none)."""

    name: str
    base: str
    head: str
    change: str
    changed: bool
    limit: str = ""
    status: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason in words, beside the foreign names and values it speaks of."""

    change: str
    path: str
    was: str
    now: str


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
    return f"{row.key or row.path} in {row.metric}"


def metric_rows(report: Report) -> list[ValueRow]:
    """Give every gated value and every other metric: what is not fine first, then what changed, then the rest."""
    single = len({row.path for row in report.metrics} | {row.metric for row in report.gates}) == 1
    gated = {(row.metric, row.key) for row in report.gates if row.key or row.head is not None}
    rows = [_judged(row, single=single) for row in report.gates]
    rows += [_value(row, single=single) for row in report.metrics if (row.path, row.key) not in gated]
    return sorted(rows, key=lambda row: (_RANK[row.status], not row.changed))


def param_rows(report: Report) -> list[ValueRow]:
    """Give the params that changed."""
    changed = [row for row in report.params if row.changed]
    single = len({row.path for row in changed}) == 1
    return [_value(row, single=single) for row in changed]


def _judged(row: Verdict, *, single: bool) -> ValueRow:
    base, head = words.pair(row.base, row.head)
    change = "" if row.delta is None else words.signed(row.delta)
    name = _name(row.metric, row.key or row.path, single=single)
    return ValueRow(name, base, head, change, row.base != row.head, row.limit, row.status, row.why)


def _value(row: Change, *, single: bool) -> ValueRow:
    base, head = words.pair(row.base, row.head)
    change = row.why or ("" if row.delta is None else words.signed(row.delta))
    return ValueRow(_name(row.path, row.key, single=single), base, head, change, row.changed)


def _name(path: str, key: str, *, single: bool) -> str:
    """Name the file only where there are several, or where the value has no key of its own."""
    return key if single and key else f"{path}:{key}" if key else path


def causes(row: StageRow) -> list[Cause]:
    """Give a stage's reasons, with hashes cut to what a reader compares."""
    return [_cause(reason) for reason in row.reasons]


def _cause(reason: ReasonRow) -> Cause:
    full = words.pair(reason.was, reason.now)
    cut = [_MD5.sub(r"\1", text) for text in full]
    was, now = full if cut[0] == cut[1] else cut
    absent = words.ABSENT
    return Cause(reason.change, reason.path, "" if was == absent else was, "" if now == absent else now)


def tally(stages: Sequence[StageRow]) -> str:
    """Count the outcomes: `1 ran, 2 fresh`; in the order of the stages' first appearance, the busy ones first."""
    counts = Counter(row.decision for row in stages)
    busy = sorted(counts, key=lambda decision: decision in {"fresh", "frozen"})
    return ", ".join(f"{counts[decision]:,} {words.outcome(decision)}" for decision in busy)


def commit(row: Commit) -> str:
    """Give a commit's short id."""
    return row.sha[:_SHA]


def moved(report: Report) -> list[str]:
    """Say what was fetched, what was not, and what was pushed."""
    fetched = f"fetched {words.count(report.pulled.objects, 'object')}"
    lines = [fetched + _amount(report.pulled.bytes, report.pulled.seconds)]
    if report.left.objects:
        left = words.count(report.left.objects, "object")
        lines.append(f"not fetched, because nothing needed them: {left}{_amount(report.left.bytes, 0)}")
    pushed = words.count(report.pushed.objects, "object") + _amount(report.pushed.bytes, report.pushed.seconds)
    if report.pushed.objects:
        lines.append(f"{report.push or 'pushed'}: {pushed}")
    elif report.push:
        lines.append(report.push)
    return lines


def _amount(count: int, seconds: float) -> str:
    time = f" in {words.seconds(seconds)}" if seconds else ""
    return f" ({words.size(count)}){time}" if count else time
