"""One rule of the gate file as a `Gate`: its limits with their units, read as they are written. Pure.

What is read here was checked before (`gatemistakes`).
"""

from __future__ import annotations

import posixpath
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from runner.review import bands, units
from runner.review.bands import Band
from runner.review.gate import Gate
from runner.review.limits import Allowance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.errors import Location
    from runner.review.measured import Unit

UNITS: Final[Mapping[str, Unit]] = {"metric": "", "size": "bytes", "duration": "seconds"}
"""What a rule may be about, and what that is measured in."""


def gate_of(row: Mapping[str, Any], where: Location) -> Gate:
    """Give the rule that `row` says, which stands at `where`."""
    subject = subject_of(row)
    unit = UNITS[subject]
    file, jsonpath = (row[subject], "$") if unit else split(row[subject])
    return Gate(
        label=f"{subject}: {row[subject]}" if unit else row[subject],
        file=file if unit == "seconds" else posixpath.normpath(file),
        jsonpath=jsonpath,
        by=row.get("by", ""),
        better=row.get("better", "lower"),
        at_least=quantity(row.get("at-least"), unit),
        at_most=quantity(row.get("at-most"), unit),
        allow_drop=allowance(row.get("allow-drop"), unit),
        warn_drop=allowance(row.get("warn-drop"), unit),
        require_gain=allowance(row.get("require-gain"), unit),
        band=_band(row["band"]) if "band" in row else None,
        severity=row.get("severity", "fail"),
        missing_baseline=row.get("missing-baseline", ""),
        when=tuple(row.get("when", ())),
        where=where,
        unit=unit,
    )


def subject_of(row: Mapping[str, Any]) -> str:
    """Give what a rule is about: `metric`, `size` or `duration`."""
    return next(subject for subject in UNITS if subject in row)


def split(metric: str) -> tuple[str, str]:
    """Cut `file:$.path` at the first `:$`; a file's name may hold colons."""
    file, _, rest = metric.partition(":$")
    return file, f"${rest}"


def quantity(value: float | str | None, unit: Unit) -> Decimal | None:
    """Give the number as written: a float's shortest form is what the file says, up to 15 digits."""
    if isinstance(value, str):
        return units.quantity(value, unit)
    return None if value is None else Decimal(repr(value))


def allowance(value: float | str | None, unit: Unit) -> Allowance | None:
    """Give `0.005`, `2%` or `5 MB` as an allowance."""
    if isinstance(value, str) and value.endswith("%"):
        return Allowance(_share(value), relative=True)
    amount = quantity(value, unit)
    return None if amount is None else Allowance(amount)


def _share(percentage: str) -> Decimal:
    return Decimal(percentage.rstrip("% ")) / 100


def _band(row: Mapping[str, Any]) -> Band:
    test = row["test"]
    amounts = {"z": row.get("sigma", 3), "iqr": row.get("factor", 1.5)}
    return Band(
        test=test,
        amount=_share(row["within"]) if test == "percent" else Decimal(repr(amounts[test])),
        last=row.get("last", bands.LAST),
        samples=row.get("samples", min(bands.SAMPLES, row.get("last", bands.LAST))),
        both=row.get("side") == "both",
    )
