"""Gates: whether the candidate's metrics keep their limits. Pure values in, one verdict a judged value out.

A gate that cannot be evaluated never passes: what is missing in the candidate fails, what has nothing to be
compared with is unmeasured. All arithmetic is exact decimals of the numbers as they are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from runner.review import entries, figures, jsonpaths, limits
from runner.review.limits import Finding, Limits
from runner.review.measured import WORST_FIRST, Check, Overall, Status, Unit, Verdict
from runner.review.metrics import Unreadable, decimal, difference, oddity, presentable
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from runner.errors import Location
    from runner.review.metrics import Documents

Past = Mapping[str, Sequence[object]]
"""Documents of earlier commits by `Gate.source`, oldest first."""
NO_PAST: Final[Past] = MappingProxyType({})

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

_LONGEST_VALUE = 80
_WHAT: Mapping[Unit, str] = {"": "", "bytes": "size", "seconds": "duration"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Limits):
    """One rule of the gate file: limits, and what is held against them.

    Attributes:
        label: what is judged, `eval/metrics.json:$.accuracy` as written, or `size: model.pkl`; its name everywhere.
        file: the metrics file, the out or the stage, as its unit says (none, bytes, seconds); repository-relative.
        jsonpath: which values of a metrics file are judged; each match is judged alone. `$` where there is one value.
        by: the member by which entries of lists are compared; empty: by their numbers.
        severity: `warn` never blocks.
        when: the events at which the gate is judged; empty: always.
        where: the rule's place in the gate file.

    """

    label: str
    file: str
    jsonpath: str
    by: str = ""
    severity: Literal["fail", "warn"] = "fail"
    when: tuple[str, ...] = ()
    where: Location

    @property
    def source(self) -> str:
        """The name of its document among `Documents`: the metrics file, or the label of a size or a duration."""
        return self.label if self.unit else self.file

    @property
    def limit(self) -> str:
        """The limits in words: `at least 0.9, may drop 0.005`."""
        return str(self)


@dataclass(frozen=True, slots=True)
class _Baseline:
    """The baseline's values of one gate, and those of the commits before it.

    Attributes:
        values: by their places.
        document: what they were found in; `None` where nothing was.
        missing: why there is none in a place.
        lost: whether there is a baseline that cannot be had: then nobody knows what is missing from it.
        moved: places of lists where the baseline has another entry, and what shows it.
        past: the values of earlier commits.

    """

    values: dict[jsonpaths.Steps, object]
    missing: str = ""
    lost: bool = False
    document: object = None
    moved: Mapping[jsonpaths.Steps, str] = field(default_factory=dict)
    past: Sequence[Mapping[jsonpaths.Steps, object]] = ()

    def samples(self, steps: jsonpaths.Steps) -> list[Decimal]:
        """Give the finite numbers that the base branch recorded in this place, oldest first."""
        found = (decimal(values.get(steps)) for values in self.past)
        return [value for value in found if value is not None]


def judge(
    gates: Sequence[Gate],
    head: Documents,
    base: Documents | Unreadable | None,
    event: str = "",
    past: Past = NO_PAST,
) -> tuple[Verdict, ...]:
    """Judge every gate that applies to `event`; one verdict a matched value, in the gate file's order.

    Args:
        gates: the rules.
        head: the candidate's documents, by `Gate.source`.
        base: the baseline's; `None` where there is no baseline, `Unreadable` where there is one that cannot be had.
        event: GitHub's name of the event. Any other word, or none (a laptop), leaves out no gate.
        past: what the base branch recorded, oldest first, the baseline itself last.

    """
    return tuple(
        _by_severity(one, verdict)
        for one in applying(gates, event)
        for verdict in _judge_gate(one, head, _baseline(one, base, past))
    )


def applying(gates: Sequence[Gate], event: str) -> list[Gate]:
    """Give the gates that are judged at `event`; what a comment asks for is judged as its pull request is, too."""
    names = {event, "pull_request"} if event == "issue_comment" else {event}
    return [one for one in gates if not one.when or event not in EVENTS or not names.isdisjoint(one.when)]


def overall(verdicts: Sequence[Verdict]) -> Overall:
    """Give the worst word: what is unmeasured but does not count is a warning, never a pass."""
    if not verdicts:
        return "ungated"
    statuses = {"warned" if row.status == "unmeasured" and not row.exits else row.status for row in verdicts}
    return next(status for status in WORST_FIRST if status in statuses)


def _by_severity(gate: Gate, verdict: Verdict) -> Verdict:
    """Let a gate of severity `warn` never block; what it could not measure stays unmeasured."""
    if gate.severity == "warn":
        return replace(verdict, status="warned") if verdict.status == "failed" else verdict
    return replace(verdict, exits=verdict.status in {"failed", "unmeasured"})


def _judge_gate(gate: Gate, head: Documents, baseline: _Baseline) -> Iterator[Verdict]:
    document = head.get(gate.source)
    if gate.source not in head:
        yield _nothing(gate, f"the metrics file {gate.file} does not exist")
        return
    if isinstance(document, Unreadable):
        yield _unreadable(gate, document, baseline)
        return
    try:
        found = entries.found(document, gate.jsonpath, gate.by)
    except jsonpaths.JsonPathError as error:
        yield _nothing(gate, f"{gate.jsonpath}: {error}")
        return
    if gate.against_base:
        baseline = replace(baseline, moved=entries.moved(document, baseline.document, found))
    yield from _judge_values(gate, found, baseline)


def _unreadable(gate: Gate, document: Unreadable, baseline: _Baseline) -> Verdict:
    """Fail what cannot be read; what was never recorded is unmeasured."""
    why = document.why if gate.unit or document.unrecorded else f"{gate.file} cannot be read: {document.why}"
    row = _nothing(gate, why)
    base = presentable(baseline.values.get(()))
    return replace(row, status="unmeasured", base=base) if document.unrecorded else row


def _baseline(gate: Gate, base: Documents | Unreadable | None, past: Past) -> _Baseline:
    if base is None:
        return _Baseline({}, "there is no baseline")
    if isinstance(base, Unreadable):
        return _Baseline({}, base.why, lost=True)
    before = [_values(gate, document) for document in past.get(gate.source, ())]
    document = base.get(gate.source)
    if gate.source not in base:
        return _Baseline({}, f"{gate.file} does not exist at the baseline", past=before)
    if isinstance(document, Unreadable):
        why = f"cannot be read at the baseline: {document.why}"
        told = f"the baseline has none: {document.why}" if gate.unit else f"{gate.file} {why}"
        return _Baseline({}, told, lost=not (gate.unit or document.unrecorded), past=before)
    try:
        found = entries.found(document, gate.jsonpath, gate.by)
    except jsonpaths.JsonPathError as error:
        return _Baseline({}, f"{gate.jsonpath} at the baseline: {error}", lost=True, past=before)
    return _Baseline(found, "the baseline has no value here", document=document, past=before)


def _values(gate: Gate, document: object) -> dict[jsonpaths.Steps, object]:
    """Give what a gate would have judged at an earlier commit; nothing where that cannot be said."""
    try:
        return {} if isinstance(document, Unreadable) else entries.found(document, gate.jsonpath, gate.by)
    except jsonpaths.JsonPathError:
        return {}


def _judge_values(gate: Gate, found: dict[jsonpaths.Steps, object], baseline: _Baseline) -> Iterator[Verdict]:
    """Judge what was found, then what the baseline has and the candidate has no longer."""
    for steps, value in found.items():
        yield _judge_value(gate, steps, value, baseline)
    gone = [steps for steps in baseline.values if steps not in found]
    for steps in gone:
        why = "it is in the baseline and no longer in the candidate"
        yield _row(gate, [Finding("failed", why)], steps, base=baseline.values[steps])
    if not found and not gone:
        yield _nothing(gate, f"{gate.jsonpath} matched nothing in {gate.file}")


def _judge_value(gate: Gate, steps: jsonpaths.Steps, value: object, baseline: _Baseline) -> Verdict:
    moved = baseline.moved.get(steps, "")
    base = None if moved else baseline.values.get(steps)
    measured = decimal(value)
    if measured is None:
        finding = Finding("failed", f"{shown(value)} cannot be compared with a limit")
        return _row(gate, [finding], steps, base=base, head=value)
    findings = list(limits.absolute(gate, measured))
    before = decimal(base)
    if before is not None:
        findings += limits.against(gate, measured, before)
    elif gate.against_base:
        missing = moved or (baseline.missing if steps not in baseline.values else "")
        why = missing or f"the baseline's value is {shown(base)}, not a number"
        findings += limits.without_base(gate, why, lost=baseline.lost or bool(moved))
    samples = baseline.samples(steps) if baseline.past or gate.band else []
    findings += limits.usual(gate, measured, samples)
    note = limits.quieter(gate, before, samples) if before is not None and samples else ""
    row = _row(gate, findings, steps, base=base, head=value)
    return replace(row, note=note) if note else row


def _worst(findings: Sequence[Finding]) -> tuple[Status, str]:
    """Join the limits' words: of a value that is not fine, all that are not fine; worst status first."""
    ranked = sorted(findings, key=lambda finding: WORST_FIRST.index(finding.status))
    status = ranked[0].status
    told = [finding.why for finding in ranked if finding.status != "passed" or status == "passed"]
    return status, "; ".join(dict.fromkeys(told))


def _nothing(gate: Gate, why: str) -> Verdict:
    """Give the failure of a gate that found no value at all in the candidate."""
    return Verdict(
        gate=gate.label,
        metric=gate.file,
        path=_WHAT[gate.unit] or gate.jsonpath,
        status="failed",
        limit=gate.limit,
        why=why,
        where=gate.where,
        unit=gate.unit,
    )


def _row(
    gate: Gate,
    findings: Sequence[Finding],
    steps: jsonpaths.Steps,
    *,
    base: object = None,
    head: object = None,
) -> Verdict:
    status, why = _worst(findings)
    return Verdict(
        gate=gate.label,
        metric=gate.file,
        path=_WHAT[gate.unit] or jsonpaths.spell(steps),
        key=jsonpaths.dotted(steps),
        status=status,
        base=presentable(base),
        head=presentable(head),
        delta=difference(base, head),
        limit=gate.limit,
        why=why,
        where=gate.where,
        unit=gate.unit,
        checks=tuple(Check(one.limit, one.status, one.arithmetic) for one in findings if one.limit),
    )


def shown(value: object) -> str:
    """Give a value that is no number as the report shows it, cut to a readable length: `"0.9"`, `null`, `NaN`."""
    text = oddity(value) or figures.literal(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
