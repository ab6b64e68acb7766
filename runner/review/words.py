"""Sizes, times and counts as a reader takes them in. No locale: the same amount is the same text everywhere."""

from __future__ import annotations

TEMPLATES = ".retrain/templates"
"""Where a project keeps templates of its own, below its root."""
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_KILO = 1_000
_MINUTE, _HOUR = 60, 3_600


def size(count: int) -> str:
    """Give bytes in powers of 1,000: `999 B`, `1.2 kB`, `200 MB`, `12,000 TB`."""
    power = 0
    while round(count / _KILO**power) >= _KILO and power < len(_UNITS) - 1:
        power += 1
    scaled = count / _KILO**power
    number = f"{scaled:.3g}" if round(scaled) < _KILO else f"{scaled:,.0f}"
    return f"{number} {_UNITS[power]}" if power else f"{count} B"


def seconds(duration: float) -> str:
    """Give a duration: `0.04 s`, `12.3 s`, `3 min 20 s`, `2 h 5 min`."""
    if duration < _MINUTE:
        return f"{duration:.2f} s" if duration < 1 else f"{duration:.1f} s"
    whole = round(duration)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def outcome(decision: str) -> str:
    """Give a stage's decision as a reader says it: `planned-run` is `would run`."""
    return decision.replace("planned-", "would ")


def count(amount: int, thing: str) -> str:
    """Give `1 object`, `2 objects`, `1,200 objects`."""
    return f"{amount:,} {thing}{'' if amount == 1 else 's'}"
