"""What each limit of a gate says of one value, with the arithmetic that led to it. Pure; exact decimals.

A limit that cannot be worked out is unmeasured; nothing here turns that into a pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from runner.review import bands, figures, units
from runner.review.metrics import EXACT
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from runner.review.bands import Band
    from runner.review.measured import Status, Unit


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much better or worse than the baseline a value may or must be.

    Attributes:
        amount: zero or more; a share of the baseline's absolute value where `relative`.
        relative: whether the gate file says it in percent.

    """

    amount: Decimal
    relative: bool = False

    def of(self, base: Decimal) -> Decimal:
        """Give the allowance in the metric's own unit."""
        return EXACT.multiply(self.amount, EXACT.abs(base)) if self.relative else self.amount

    def said(self, unit: Unit) -> str:
        """Give `0.005`, `2%` or `5 MB`."""
        return figures.percent(self.amount) if self.relative else units.exact(self.amount, unit)

    def __str__(self) -> str:
        """Give `0.005` or `2%`."""
        return self.said("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one gate.

    Attributes:
        better: which direction is an improvement.
        at_least, at_most: absolute, inclusive.
        allow_drop: how much worse than the baseline is still accepted, inclusive.
        warn_drop: how much worse is accepted silently; beyond it warns.
        require_gain: how much better than the baseline it has to be, inclusive.
        band: what is usual by the metric's history.
        missing_baseline: what a missing baseline counts as; empty: unmeasured.
        unit: what they are in.

    """

    better: Literal["higher", "lower"]
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    allow_drop: Allowance | None = None
    warn_drop: Allowance | None = None
    require_gain: Allowance | None = None
    band: Band | None = None
    missing_baseline: Literal["", "pass", "warn", "fail"] = ""
    unit: Unit = ""

    @property
    def against_base(self) -> dict[str, Allowance]:
        """The limits that compare with the baseline, by their names in the gate file."""
        named = {"allow-drop": self.allow_drop, "warn-drop": self.warn_drop, "require-gain": self.require_gain}
        return {name: limit for name, limit in named.items() if limit}

    def __str__(self) -> str:
        """Give the limits in words: `at least 0.9, may drop 0.005`."""
        verb = "drop" if self.better == "higher" else "rise"
        allow, warn, gain = self.allow_drop, self.warn_drop, self.require_gain
        parts = [
            f"at least {units.exact(self.at_least, self.unit)}" if self.at_least is not None else "",
            f"at most {units.exact(self.at_most, self.unit)}" if self.at_most is not None else "",
            (f"may {verb} {allow.said(self.unit)}" if allow.amount else f"may not {verb}") if allow else "",
            f"warns beyond a {verb} of {warn.said(self.unit)}" if warn else "",
            f"must gain {gain.said(self.unit)}" if gain else "",
            str(self.band) if self.band else "",
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one limit says of one value.

    Attributes:
        status: its verdict.
        why: in words.
        limit: its name and value as in the gate file: `allow-drop: 2%`.
        arithmetic: every number of it; empty where nothing could be worked out.

    """

    status: Status
    why: str
    limit: str = ""
    arithmetic: str = ""


def absolute(limits: Limits, value: Decimal) -> Iterator[Finding]:
    """Hold a value against the absolute limits."""
    unit, said = limits.unit, units.exact(value, limits.unit)
    if (low := limits.at_least) is not None:
        floor = units.exact(low, unit)
        sign, short = (">=", "") if value >= low else ("<", units.short(EXACT.subtract(low, value), unit))
        why = f"{said} is below {floor} by {short}" if short else f"at least {floor}"
        yield Finding("failed" if short else "passed", why, f"at-least: {floor}", f"{said} {sign} {floor}")
    if (high := limits.at_most) is not None:
        ceiling = units.exact(high, unit)
        sign, over = ("<=", "") if value <= high else (">", units.short(EXACT.subtract(value, high), unit))
        why = f"{said} is above {ceiling} by {over}" if over else f"at most {ceiling}"
        yield Finding("failed" if over else "passed", why, f"at-most: {ceiling}", f"{said} {sign} {ceiling}")


def against(limits: Limits, value: Decimal, base: Decimal) -> Iterator[Finding]:
    """Hold a value against the limits that compare with the baseline's."""
    worse = EXACT.subtract(base, value) if limits.better == "higher" else EXACT.subtract(value, base)
    for name, allowance in limits.against_base.items():
        limit = f"{name}: {allowance.said(limits.unit)}"
        if allowance.relative and not base:
            why = "the baseline is 0, of which no percentage can be taken; use an absolute limit"
            yield Finding("unmeasured", why, limit)
        elif name == "require-gain":
            yield _gain(_Loss(limits, value, base, -worse), allowance, limit)
        else:
            yield _drop(_Loss(limits, value, base, worse), allowance, limit, warns=name == "warn-drop")


@dataclass(frozen=True, slots=True)
class _Loss:
    """How much worse than the baseline a value is, or, for a gain, how much better."""

    limits: Limits
    value: Decimal
    base: Decimal
    amount: Decimal

    def short(self, value: Decimal) -> str:
        return units.short(value, self.limits.unit)

    def worked_out(self, allowance: Allowance, sign: str, *, gains: bool = False) -> str:
        unit = self.limits.unit
        value, base = units.exact(self.value, unit), units.exact(self.base, unit)
        falls = (self.limits.better == "higher") != gains
        minuend, subtrahend = (base, value) if falls else (value, base)
        limit = units.exact(allowance.of(self.base), unit)
        share = f"{allowance} of {base} = " if allowance.relative else ""
        return f"{minuend} - {subtrahend} = {units.exact(self.amount, unit)} {sign} {share}{limit}"


def _drop(loss: _Loss, allowance: Allowance, limit: str, *, warns: bool) -> Finding:
    fell, rose = ("dropped", "better") if loss.limits.better == "higher" else ("rose", "better")
    allowed = allowance.of(loss.base)
    if loss.amount > allowed:
        status: Status = "warned" if warns else "failed"
        return Finding(status, _too_far(fell, loss, allowance), limit, loss.worked_out(allowance, ">"))
    if loss.amount > 0:
        why = f"{fell} by {loss.short(loss.amount)}, which is allowed"
    else:
        why = f"{rose} by {loss.short(-loss.amount)}" if loss.amount else "unchanged"
    return Finding("passed", why, limit, loss.worked_out(allowance, "<="))


def _too_far(verb: str, loss: _Loss, allowance: Allowance) -> str:
    if not allowance.amount:
        return f"{verb} by {loss.short(loss.amount)}, where nothing is allowed"
    allowed = allowance.of(loss.base)
    unit = f" ({allowance})" if allowance.relative else ""
    beyond = loss.short(EXACT.subtract(loss.amount, allowed))
    return f"{verb} by {loss.short(loss.amount)}, {beyond} more than the {loss.short(allowed)}{unit} allowed"


def _gain(gain: _Loss, required: Allowance, limit: str) -> Finding:
    """Judge a gain: `gain.amount` is how much better the value is, and negative where it is worse."""
    wanted = required.of(gain.base)
    if gain.amount >= wanted:
        why = f"better by {gain.short(gain.amount)}" if gain.amount else "unchanged"
        return Finding("passed", why, limit, gain.worked_out(required, ">=", gains=True))
    share = f" ({required})" if required.relative else ""
    lacking = gain.short(EXACT.subtract(wanted, gain.amount))
    had = f"better by {gain.short(gain.amount)}" if gain.amount > 0 else "not better"
    why = f"{had}, {lacking} short of the {gain.short(wanted)}{share} required"
    return Finding("failed", why, limit, gain.worked_out(required, "<", gains=True))


def without_base(limits: Limits, why: str, *, lost: bool) -> Iterator[Finding]:
    """Say what the limits that compare with a baseline are worth without one.

    One that is lost - it is somewhere, and cannot be had - may forbid what nobody can see: nothing lets that pass.
    """
    status: dict[str, Status] = {"pass": "passed", "warn": "warned", "fail": "failed"}
    rule = "" if lost and limits.missing_baseline != "fail" else limits.missing_baseline
    told = f"{why} (missing-baseline: {rule})" if rule else why
    for name, allowance in limits.against_base.items():
        yield Finding(status.get(rule, "unmeasured"), told, f"{name}: {allowance.said(limits.unit)}")


def usual(limits: Limits, value: Decimal, samples: Sequence[Decimal]) -> Iterator[Finding]:
    """Hold a value against what the metric's history says is usual."""
    band, unit = limits.band, limits.unit
    if band is None:
        return
    limit = f"band: {band}"
    found = bands.bounds(band, samples)
    if isinstance(found, str):
        yield Finding("unmeasured", f"what is usual cannot be said: {found}", limit)
        return
    said, low, high = (units.exact(value, unit), *(units.short(end, unit) for end in (found.low, found.high)))
    falls = value < found.low and (band.both or limits.better == "higher")
    rises = value > found.high and (band.both or limits.better == "lower")
    if falls or rises:
        why = f"{said} is {'below' if falls else 'above'} what is usual, {low} to {high} ({found.how})"
        yield Finding("failed", why, limit, f"{said} {'<' if falls else '>'} {low if falls else high}; {found.how}")
    else:
        ends = f"{low} to {high}" if band.both else (f">= {low}" if limits.better == "higher" else f"<= {high}")
        yield Finding("passed", f"usual ({ends})", limit, f"{said} in {ends}; {found.how}")


def quieter(limits: Limits, base: Decimal, samples: Sequence[Decimal]) -> str:
    """Name the limits that are smaller than what the metric moves by itself; empty: none is, or nobody knows."""
    moves = bands.noise(samples[-bands.LAST :])
    small = [
        f"{name} {allowance.said(limits.unit)}"
        for name, allowance in limits.against_base.items()
        if moves is not None and allowance.amount and allowance.of(base) < moves
    ]
    if not small or moves is None:
        return ""
    steps = min(len(samples), bands.LAST)
    told = f"{' and '.join(small)} {'is' if len(small) == 1 else 'are'} smaller than the metric's own noise"
    return f"{told}: it moves by {units.short(moves, limits.unit)} from one to the next of its last {steps} values"
