"""Gates: whether the candidate's metrics keep their limits. Pure values in, one verdict a judged value out.

A gate that cannot be evaluated never passes: what is missing in the candidate fails, what has nothing to be
compared with is unmeasured. All arithmetic is exact decimals of the numbers as they are written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from runner.review import jsonpaths, words
from runner.review.metrics import EXACT, Documents, Unreadable, decimal, difference, oddity, presentable
from runner.review.model import Overall, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from runner.errors import Location

EVENTS = frozenset(
    {
        "issue_comment",
        "merge_group",
        "pull_request",
        "pull_request_target",
        "push",
        "release",
        "repository_dispatch",
        "schedule",
        "workflow_call",
        "workflow_dispatch",
        "workflow_run",
    }
)
"""GitHub's names of the events that a gate's `when` may say."""

_WORST_FIRST: tuple[Status, ...] = ("failed", "unmeasured", "accepted", "warned", "passed")
_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much worse than the baseline a value may be.

    Attributes:
        amount: zero or more; a share of the baseline's absolute value where `relative`.
        relative: whether the gate file says it in percent.

    """

    amount: Decimal
    relative: bool = False

    def of(self, base: Decimal) -> Decimal:
        """Give the allowance in the metric's own unit."""
        return EXACT.multiply(self.amount, EXACT.abs(base)) if self.relative else self.amount

    def __str__(self) -> str:
        """Give `0.005` or `2%`."""
        return words.percent(self.amount) if self.relative else words.exact(self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One rule of the gate file.

    Attributes:
        label: the metric's text as written, `eval/metrics.json:$.accuracy`; the gate's name everywhere.
        file: the metrics file, repository-relative.
        jsonpath: which values of it are judged; each match is judged alone.
        better: which direction is an improvement.
        at_least, at_most: absolute limits, inclusive.
        allow_drop: how much worse than the baseline is still accepted, inclusive.
        warn_drop: how much worse is accepted silently; beyond it warns.
        severity: `warn` never blocks.
        missing_baseline: what a missing baseline counts as; empty: unmeasured.
        when: the events at which the gate is judged; empty: always.
        where: the rule's place in the gate file.

    """

    label: str
    file: str
    jsonpath: str
    better: Literal["higher", "lower"]
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    allow_drop: Allowance | None = None
    warn_drop: Allowance | None = None
    severity: Literal["fail", "warn"] = "fail"
    missing_baseline: Literal["", "pass", "warn", "fail"] = ""
    when: tuple[str, ...] = ()
    where: Location

    @property
    def limit(self) -> str:
        """The limits in words: `at least 0.9, may drop 0.005`."""
        verb = "drop" if self.better == "higher" else "rise"
        parts = [
            f"at least {words.exact(self.at_least)}" if self.at_least is not None else "",
            f"at most {words.exact(self.at_most)}" if self.at_most is not None else "",
            _allowed(verb, self.allow_drop) if self.allow_drop else "",
            f"warns beyond a {verb} of {self.warn_drop}" if self.warn_drop else "",
        ]
        return ", ".join(part for part in parts if part)


def _allowed(verb: str, allowance: Allowance) -> str:
    return f"may {verb} {allowance}" if allowance.amount else f"may not {verb}"


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one limit says of one value."""

    status: Status
    why: str


@dataclass(frozen=True, slots=True)
class _Baseline:
    """The baseline's values of one gate, or why there are none."""

    values: dict[jsonpaths.Steps, object]
    missing: str = ""


def judge(gates: Sequence[Gate], head: Documents, base: Documents | None, event: str = "") -> tuple[Verdict, ...]:
    """Judge every gate that applies to `event`; one verdict a matched value, in the gate file's order.

    Args:
        gates: the rules.
        head: the candidate's metrics documents.
        base: the baseline's; `None` where there is no baseline.
        event: GitHub's name of the event. Any other word, or none (a laptop), leaves out no gate.

    """
    applying = [gate for gate in gates if not gate.when or event not in EVENTS or event in gate.when]
    return tuple(_by_severity(gate, verdict) for gate in applying for verdict in _judge_gate(gate, head, base))


def overall(verdicts: Sequence[Verdict]) -> Overall:
    """Give the worst word: what is unmeasured but does not count is a warning, never a pass."""
    if not verdicts:
        return "ungated"
    statuses = {"warned" if row.status == "unmeasured" and not row.exits else row.status for row in verdicts}
    return next(status for status in _WORST_FIRST if status in statuses)


def _by_severity(gate: Gate, verdict: Verdict) -> Verdict:
    """Let a gate of severity `warn` never block; what it could not measure stays unmeasured."""
    if gate.severity == "warn":
        return replace(verdict, status="warned") if verdict.status == "failed" else verdict
    return replace(verdict, exits=verdict.status in {"failed", "unmeasured"})


def _judge_gate(gate: Gate, head: Documents, base: Documents | None) -> Iterator[Verdict]:
    document = head.get(gate.file)
    if gate.file not in head:
        yield _nothing(gate, f"the metrics file {gate.file} does not exist")
        return
    if isinstance(document, Unreadable):
        yield _nothing(gate, f"{gate.file} cannot be read: {document.why}")
        return
    try:
        found = jsonpaths.find(document, gate.jsonpath)
    except jsonpaths.JsonPathError as error:
        yield _nothing(gate, f"{gate.jsonpath}: {error}")
        return
    yield from _judge_values(gate, found, _baseline(gate, base))


def _baseline(gate: Gate, base: Documents | None) -> _Baseline:
    if base is None:
        return _Baseline({}, "there is no baseline")
    document = base.get(gate.file)
    if gate.file not in base:
        return _Baseline({}, f"{gate.file} does not exist at the baseline")
    if isinstance(document, Unreadable):
        return _Baseline({}, f"{gate.file} cannot be read at the baseline: {document.why}")
    try:
        return _Baseline(jsonpaths.find(document, gate.jsonpath), "the baseline has no value here")
    except jsonpaths.JsonPathError as error:
        return _Baseline({}, f"{gate.jsonpath} at the baseline: {error}")


def _judge_values(gate: Gate, found: dict[jsonpaths.Steps, object], baseline: _Baseline) -> Iterator[Verdict]:
    """Judge what was found, then what the baseline has and the candidate has no longer."""
    for steps, value in found.items():
        yield _judge_value(gate, steps, value, baseline)
    gone = [steps for steps in baseline.values if steps not in found]
    for steps in gone:
        why = "it is in the baseline and no longer in the candidate"
        yield _row(gate, _Finding("failed", why), steps, base=baseline.values[steps])
    if not found and not gone:
        yield _nothing(gate, f"{gate.jsonpath} matched nothing in {gate.file}")


def _judge_value(gate: Gate, steps: jsonpaths.Steps, value: object, baseline: _Baseline) -> Verdict:
    base = baseline.values.get(steps)
    measured = decimal(value)
    if measured is None:
        finding = _Finding("failed", f"{shown(value)} cannot be compared with a limit")
        return _row(gate, finding, steps, base=base, head=value)
    findings = list(_absolute(gate, measured))
    if gate.allow_drop or gate.warn_drop:
        missing = baseline.missing if steps not in baseline.values else ""
        findings.append(_against(gate, measured, base, missing))
    return _row(gate, _worst(findings), steps, base=base, head=value)


def _absolute(gate: Gate, value: Decimal) -> Iterator[_Finding]:
    said = words.exact(value)
    if (low := gate.at_least) is not None:
        short = words.number(EXACT.subtract(low, value))
        why = f"{said} is below {words.exact(low)} by {short}"
        yield _Finding("failed", why) if value < low else _Finding("passed", f"at least {words.exact(low)}")
    if (high := gate.at_most) is not None:
        over = words.number(EXACT.subtract(value, high))
        why = f"{said} is above {words.exact(high)} by {over}"
        yield _Finding("failed", why) if value > high else _Finding("passed", f"at most {words.exact(high)}")


def _against(gate: Gate, value: Decimal, base: object, missing: str) -> _Finding:
    """Compare with the baseline's value, or say why that cannot be done."""
    before = decimal(base)
    if before is None:
        return _without_baseline(gate, missing or f"the baseline's value is {shown(base)}, not a number")
    limits = [limit for limit in (gate.allow_drop, gate.warn_drop) if limit]
    if not before and any(limit.relative for limit in limits):
        return _Finding("unmeasured", "the baseline is 0, of which no percentage can be taken; use an absolute limit")
    loss = EXACT.subtract(before, value) if gate.better == "higher" else EXACT.subtract(value, before)
    return _loss(gate, before, loss)


def _loss(gate: Gate, base: Decimal, loss: Decimal) -> _Finding:
    verb = "dropped" if gate.better == "higher" else "rose"
    if gate.allow_drop and loss > gate.allow_drop.of(base):
        return _Finding("failed", _too_far(verb, loss, gate.allow_drop, base))
    if gate.warn_drop and loss > gate.warn_drop.of(base):
        return _Finding("warned", _too_far(verb, loss, gate.warn_drop, base))
    if loss > 0:
        return _Finding("passed", f"{verb} by {words.number(loss)}, which is allowed")
    return _Finding("passed", f"better by {words.number(-loss)}" if loss else "unchanged")


def _too_far(verb: str, loss: Decimal, allowance: Allowance, base: Decimal) -> str:
    if not allowance.amount:
        return f"{verb} by {words.number(loss)}, where nothing is allowed"
    allowed = allowance.of(base)
    unit = f" ({allowance})" if allowance.relative else ""
    beyond = words.number(EXACT.subtract(loss, allowed))
    return f"{verb} by {words.number(loss)}, {beyond} more than the {words.number(allowed)}{unit} allowed"


def _without_baseline(gate: Gate, why: str) -> _Finding:
    status: dict[str, Status] = {"pass": "passed", "warn": "warned", "fail": "failed"}
    if not gate.missing_baseline:
        return _Finding("unmeasured", why)
    return _Finding(status[gate.missing_baseline], f"{why} (missing-baseline: {gate.missing_baseline})")


def _worst(findings: Sequence[_Finding]) -> _Finding:
    """Join the limits' words: of a value that is not fine, all that are not fine; worst status first."""
    ranked = sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.status))
    status = ranked[0].status
    told = [finding.why for finding in ranked if finding.status != "passed" or status == "passed"]
    return _Finding(status, "; ".join(told))


def _nothing(gate: Gate, why: str) -> Verdict:
    """Give the failure of a gate that found no value at all in the candidate."""
    return Verdict(
        gate=gate.label,
        metric=gate.file,
        path=gate.jsonpath,
        status="failed",
        limit=gate.limit,
        why=why,
        where=gate.where,
    )


def _row(gate: Gate, finding: _Finding, steps: jsonpaths.Steps, *, base: object = None, head: object = None) -> Verdict:
    return Verdict(
        gate=gate.label,
        metric=gate.file,
        path=jsonpaths.spell(steps),
        key=jsonpaths.dotted(steps),
        status=finding.status,
        base=presentable(base),
        head=presentable(head),
        delta=difference(base, head),
        limit=gate.limit,
        why=finding.why,
        where=gate.where,
    )


def shown(value: object) -> str:
    """Give a value that is no number as the report shows it, cut to a readable length: `"0.9"`, `null`, `NaN`."""
    text = oddity(value) or words.literal(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
