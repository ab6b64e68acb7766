"""Values as a reader takes them in: numbers in six digits, differences with a sign. No locale."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_EVEN, Context, Decimal

ABSENT = "-"
_SHORT = Context(prec=6, rounding=ROUND_HALF_EVEN)
_PLAIN_FROM, _PLAIN_TO = -5, 15


def number(value: float | Decimal) -> str:
    """Give six significant digits, integers in full up to fifteen: `0.912346`, `1234567`, `3e-07`."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        return str(value)
    if exact.adjusted() < _PLAIN_TO and exact == exact.to_integral_value():
        return str(int(exact))
    return _spell(_SHORT.plus(exact))


def exact(value: float | Decimal) -> str:
    """Give every digit, as the value's shortest decimal form has them: for limits, and for what missed one."""
    return _spell(value if isinstance(value, Decimal) else Decimal(repr(value)))


def _spell(value: Decimal) -> str:
    """Give plain digits in the everyday range, an exponent outside of it, and no zeros for show."""
    if not value:
        return "0"
    if _PLAIN_FROM <= value.adjusted() < _PLAIN_TO:
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    digits, _, exponent = f"{value:e}".partition("e")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{digits}e{int(exponent):+03d}"


def signed(value: float | Decimal) -> str:
    """Give a difference with its sign: `+0.003`, `-2`, `0`."""
    return f"+{number(value)}" if value > 0 else number(value)


def percent(part: Decimal) -> str:
    """Give a share as a percentage: `Decimal("0.02")` is `2%`."""
    return f"{exact(part * 100)}%"


def scalar(value: object) -> str:
    """Give any plain value as text: `-` for none, `true`, numbers shortened, strings as they are, the rest as JSON."""
    if value is None:
        return ABSENT
    if isinstance(value, str):
        return value
    if isinstance(value, float | int) and not isinstance(value, bool):
        return number(value)
    return literal(value)


def literal(value: object) -> str:
    """Give a value as it would stand in a JSON file: `"0.9"`, `null`, `{"f1": 0.5}`."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "a very deep nest of values"


def pair(base: object, head: object) -> tuple[str, str]:
    """Give two values so that different ones never read alike: all digits where six are not enough."""
    old, new = scalar(base), scalar(head)
    both = isinstance(base, float | int) and isinstance(head, float | int)
    if old == new and base != head and both:
        return exact(base), exact(head)  # type: ignore[arg-type]  # both are numbers, checked one line above
    return old, new
