"""Sizes and durations as people write them, into bytes and seconds and back. Exact: no float on the way."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from runner.errors import spelled_like
from runner.regexes import regex
from runner.review import figures, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.review.measured import Unit

_KILO, _KIBI = Decimal(1_000), Decimal(1_024)
_BYTES: Final[Mapping[str, Decimal]] = {
    "B": Decimal(1),
    **{name: _KILO**power for power, name in enumerate(("kB", "MB", "GB", "TB", "PB"), start=1)},
    **{name: _KIBI**power for power, name in enumerate(("KiB", "MiB", "GiB", "TiB", "PiB"), start=1)},
}
_SECONDS: Final[Mapping[str, Decimal]] = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3_600),
    "d": Decimal(86_400),
}
SCALES: Final[Mapping[Unit, Mapping[str, Decimal]]] = {"": {}, "bytes": _BYTES, "seconds": _SECONDS}
_WANTED: Final[Mapping[Unit, str]] = {
    "": "a metric has no unit: write a plain number",
    "bytes": "write a size, such as 200 MB or 1.5 GiB",
    "seconds": "write a duration, such as 90 s, 20 min or 2 h",
}
_KINDS: Final[Mapping[Unit, str]] = {"": "a plain number", "bytes": "a size", "seconds": "a duration"}
_LARGEST: Final = 16  # digits before the point, less one: below a thousand of the largest unit
_QUANTITY: Final = regex(r"(-?[0-9]{1,18}(?:\.[0-9]{1,18})?) ?([A-Za-z]+)\Z")


class UnitError(ValueError):
    """A text that is no quantity of the unit that is wanted.

    Attributes:
        hint: what to write instead.

    """

    def __init__(self, message: str, hint: str) -> None:
        """Keep the way out."""
        super().__init__(message)
        self.hint = hint


def quantity(text: str, unit: Unit) -> Decimal:
    """Give `200 MB` in bytes, `2 h` in seconds.

    Raises:
        UnitError: no number and unit, a unit that nobody knows, or one of something else.

    """
    found = _QUANTITY.match(text)
    if found is None:
        message = f"{text!r} is not {_KINDS[unit]}"
        raise UnitError(message, _WANTED[unit])
    amount, name = found.groups()
    scale = SCALES[unit].get(name)
    if scale is None:
        raise _wrong_unit(text, name, unit)
    return Decimal(amount) * scale


def _wrong_unit(text: str, name: str, unit: Unit) -> UnitError:
    kind = next((_KINDS[other] for other, scales in SCALES.items() if name in scales), "")
    if unit == "" and not kind:
        return UnitError(f"{text!r} is not a plain number", _WANTED[unit])
    if kind:
        return UnitError(f"{text!r} is {kind}, where {_KINDS[unit]} is wanted", _WANTED[unit])
    near = spelled_like(name.lower(), [known.lower() for known in SCALES[unit]], cutoff=0.5)
    nearest = next((known for known in SCALES[unit] if near and known.lower() == near[0]), "")
    hint = f"did you mean {nearest!r}? {_WANTED[unit]}" if nearest else _WANTED[unit]
    return UnitError(f"{text!r} has no unit that is known here", hint)


def short(value: Decimal, unit: Unit) -> str:
    """Give a value for a sentence: six digits, `200 MB`, `2 h 5 min`."""
    sign = "-" if value < 0 else ""
    if unit == "bytes":
        return f"{sign}{words.size(int(abs(value)))}"
    return f"{sign}{words.seconds(float(abs(value)))}" if unit == "seconds" else figures.number(value)


def exact(value: Decimal, unit: Unit) -> str:
    """Give a value with every digit: `0.8999999999999999`, `200,000,001 B` (or `200 MB`, if it is that), `7201 s`."""
    if unit == "bytes":
        return _exact_size(value)
    return f"{figures.exact(value)} s" if unit == "seconds" else figures.exact(value)


def _exact_size(value: Decimal) -> str:
    """Give the short form where it is the whole of it; sizes that nothing has are given as numbers are."""
    if value.adjusted() > _LARGEST:
        return f"{figures.exact(value)} B"
    told = short(value, "bytes")
    return told if value == quantity(told, "bytes") else f"{value:,f} B"
