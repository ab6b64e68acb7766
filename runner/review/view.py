"""What the Markdown and the page both show, in the reader's order and words, before any escaping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from runner.regexes import regex
from runner.review import figures, words
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.review.changed import DataRow, FileRow, LineageRow
    from runner.review.commit import Commit
    from runner.review.measured import Change, Verdict
    from runner.review.model import ReasonRow, Report, StageRow

    Values = tuple[float | int | None, ...]

_RANK = {"failed": 0, "unmeasured": 1, "accepted": 2, "warned": 3, "passed": 4, "": 5}
_MD5 = regex(r"([0-9a-f]{8})[0-9a-f]{24}(?:\.dir)?\Z")
_SHA = 7
SPARED: Final = frozenset({"fresh", "restored", "frozen"})
"""What was done with a stage whose command did not have to run."""


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A metric or a param, at base and head, with what its gate says of it (empty where it has none).

    Attributes:
        trend: the metric over the last commits of the base branch, then the head; empty where that is not known.
        claimed: whether the head's value is only what the commit claims.

    """

    name: str
    base: str
    head: str
    change: str
    changed: bool
    limit: str = ""
    status: str = ""
    why: str = ""
    trend: Values = ()
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason in words, beside the foreign names and values it speaks of."""

    change: str
    path: str
    was: str
    now: str


def metric_rows(report: Report) -> list[ValueRow]:
    """Give every gated value and every other metric: what is not fine first, then what changed, then the rest."""
    judged = {row.metric for row in report.gates if not row.unit}
    single = len({row.path for row in report.metrics} | judged) == 1
    gated = {(row.metric, row.key) for row in report.gates if row.key or row.head is not None}
    trends = {(one.path, one.key): one.values for one in report.history.trends} if report.history else {}
    rows = [_judged(row, trends, single=single) for row in report.gates]
    rows += [_value(row, trends, single=single) for row in report.metrics if (row.path, row.key) not in gated]
    return sorted(rows, key=lambda row: (_RANK[row.status], not row.changed))


def param_rows(report: Report) -> list[ValueRow]:
    """Give the params that changed."""
    changed = [row for row in report.params if row.changed]
    single = len({row.path for row in changed}) == 1
    return [_value(row, {}, single=single) for row in changed]


Trends = Mapping[tuple[str, str], "Values"]


def _judged(row: Verdict, trends: Trends, *, single: bool) -> ValueRow:
    base, head, change = _measured(row)
    return ValueRow(
        row.gate if row.unit else _name(row.metric, row.key or row.path, single=single),
        base,
        head,
        change,
        row.base != row.head,
        row.limit,
        row.status,
        f"{row.why} ({row.note})" if row.note else row.why,
        _trend(trends.get((row.metric, row.key), ()), row.head),
        row.claimed,
    )


def _measured(row: Verdict) -> tuple[str, str, str]:
    """Give base, head and change in the gate's unit."""
    tell = {"bytes": lambda value: words.size(round(value)), "seconds": words.seconds}.get(row.unit)
    if tell is None:
        return (*figures.pair(row.base, row.head), "" if row.delta is None else figures.signed(row.delta))
    told = [tell(value) if isinstance(value, (int, float)) else figures.ABSENT for value in (row.base, row.head)]
    sign = "+" if (row.delta or 0) > 0 else "\u2212"
    return told[0], told[1], f"{sign}{tell(abs(row.delta))}" if row.delta else ""


def _value(row: Change, trends: Trends, *, single: bool) -> ValueRow:
    base, head = figures.pair(row.base, row.head)
    change = row.why or ("" if row.delta is None else figures.signed(row.delta))
    trend = _trend(trends.get((row.path, row.key), ()), row.head)
    name = _name(row.path, row.key, single=single)
    return ValueRow(name, base, head, change, row.changed, trend=trend, claimed=row.claimed)


def _trend(values: Values, head: object) -> Values:
    """Give the values over time with the head's as the last; nothing where there is no history."""
    is_number = isinstance(head, (int, float)) and not isinstance(head, bool)
    return (*values, head) if values and is_number else values  # type: ignore[arg-type]  # a number, as just seen


def _name(path: str, key: str, *, single: bool) -> str:
    """Name the file only where there are several, or where the value has no key of its own."""
    return key if single and key else f"{path}:{key}" if key else path


def causes(row: StageRow) -> list[Cause]:
    """Give a stage's reasons, with hashes cut to what a reader compares."""
    return [_cause(reason) for reason in row.reasons]


def _cause(reason: ReasonRow) -> Cause:
    full = figures.pair(reason.was, reason.now)
    cut = [_MD5.sub(r"\1", text) for text in full]
    was, now = full if cut[0] == cut[1] else cut
    absent = figures.ABSENT
    return Cause(reason.change, reason.path, "" if was == absent else was, "" if now == absent else now)


def tally(stages: Sequence[StageRow]) -> str:
    """Count the outcomes: `1 ran, 2 fresh`; in the order of the stages' first appearance, the busy ones first."""
    counts = Counter(row.decision for row in stages)
    busy = sorted(counts, key=lambda decision: decision in {"fresh", "frozen"})
    return ", ".join(f"{counts[decision]:,} {words.outcome(decision)}" for decision in busy)


@dataclass(frozen=True, slots=True)
class LineageLine:
    """Where outs come from, in words: what changed of it first."""

    outs: tuple[str, ...]
    made: str
    cmd: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Something that went into an out, and what it was at the base if it differs."""

    name: str
    kind: str
    value: str
    was: str
    changed: bool


def lineage_rows(report: Report) -> list[LineageLine]:
    """Give where each changed out comes from."""
    return [_lineage_line(row) for row in report.lineage]


def _lineage_line(row: LineageRow) -> LineageLine:
    parts = [Part(one.name, one.kind, short(one.value), short(one.was), one.changed) for one in row.ingredients]
    made = f"{row.stage}, {row.how}, at {row.commit[:_SHA]}" if row.commit else f"{row.stage}, {row.how}"
    return LineageLine(row.outs, made, row.cmd, tuple(sorted(parts, key=lambda part: not part.changed)))


def commit(row: Commit) -> str:
    """Give a commit's short id."""
    return row.sha[:_SHA]


def moved(report: Report) -> list[str]:
    """Say what was fetched, what was not, what was pushed, and what became of the lock."""
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
    return [*lines, *([report.lock.done] if report.lock else [])]


def _amount(count: int, seconds: float) -> str:
    time = f" in {words.seconds(seconds)}" if seconds else ""
    return f" ({words.size(count)}){time}" if count else time


@dataclass(frozen=True, slots=True)
class TimeRow:
    """How long a stage took: here, when what it left was made, and at the base; empty where nobody knows."""

    here: str
    base: str
    saved: str


def times(row: StageRow) -> TimeRow:
    """Give a stage's time against the base's, and what was saved by not running it."""
    here = row.seconds if row.seconds is not None else None
    spared = row.recorded_seconds if row.decision in SPARED else None
    return TimeRow(_time(here), _time(row.base_seconds), _time(spared))


def _time(seconds: float | None) -> str:
    return "" if seconds is None else words.seconds(seconds)


def saved(report: Report) -> float:
    """Give the seconds that stages would have taken which were fresh or restored, as far as they are recorded."""
    return sum(row.recorded_seconds or 0 for row in report.stages if row.decision in SPARED)


def spent(report: Report) -> float:
    """Give the seconds that commands of stages took here."""
    return sum(row.seconds or 0 for row in report.stages)


@dataclass(frozen=True, slots=True)
class DataLine:
    """A row of the data that changed, in words."""

    path: str
    kind: str
    change: str
    base: str
    head: str
    size: str
    files: str
    inside: tuple[FileRow, ...]
    hidden: int


def data_rows(report: Report) -> list[DataLine]:
    """Give what changed of the data; metrics and plots, which have sections of their own, come last."""
    rows = sorted(report.data, key=lambda row: row.kind in {"metric", "plot"})
    return [_data_line(row) for row in rows]


def _data_line(row: DataRow) -> DataLine:
    counts = [
        (amount, word) for amount, word in ((row.added, "added"), (row.changed, "changed"), (row.removed, "removed"))
    ]
    files = ", ".join(f"{amount:,} {word}" for amount, word in counts if amount)
    return DataLine(
        path=row.path,
        kind=row.kind,
        change=row.change,
        base=short(row.base),
        head=short(row.head),
        size=_sizes(row.base_bytes, row.head_bytes),
        files=files,
        inside=row.files,
        hidden=sum(amount or 0 for amount, _ in counts) - len(row.files),
    )


def _sizes(base: int | None, head: int | None) -> str:
    """Give sizes before and after, and the difference in bytes."""
    if base is None or head is None:
        known = base if head is None else head
        return "" if known is None else words.size(known)
    if base == head:
        return words.size(head)
    sign = "+" if head > base else "\u2212"
    return f"{words.size(base)} \u2192 {words.size(head)} ({sign}{words.size(abs(head - base))})"


def short(value: str) -> str:
    """Cut a hash to what a reader compares."""
    return _MD5.sub(r"\1", value)
