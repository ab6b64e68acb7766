"""Durations and sizes as people write them: `90`, `30 min`, `1 h 30 min`, `2h`; `16 GB`, `512MiB`."""

from __future__ import annotations

from typing import Final

from runner.regexes import regex

DURATION: Final = "a duration above 0: seconds, or a number with s, min, h or d"
SIZE: Final = "a size above 0: bytes, or a number with kB, MB, GB, TB, KiB, MiB, GiB or TiB"

_SECONDS: Final = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_BYTES: Final = {"": 1, "b": 1} | {
    f"{letter}{unit}": base**power
    for power, letter in enumerate("kmgt", 1)
    for unit, base in (("b", 1000), ("ib", 1024))
}
_PART: Final = regex(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*([a-zA-Z]*)\s*")


def seconds(written: object) -> float:
    """Give the seconds of a duration.

    Raises:
        ValueError: it is none; the text says what one is.

    """
    return _total(written, _SECONDS, DURATION)


def size(written: object) -> int:
    """Give the bytes of a size, rounded down.

    Raises:
        ValueError: it is none; the text says what one is.

    """
    return int(_total(written, _BYTES, SIZE))


def _total(written: object, units: dict[str, int], meant: str) -> float:
    """Add the parts up; a part without a unit stands alone."""
    text = str(written) if isinstance(written, (int, float, str)) and not isinstance(written, bool) else ""
    total, at = 0.0, 0
    while found := _PART.match(text, at):
        factor = units.get(found[2].lower())
        is_alone = not at and found.end() == len(text)
        if factor is None or not (found[2] or is_alone):
            raise ValueError(meant)
        total, at = total + float(found[1]) * factor, found.end()
    if at != len(text) or total <= 0:
        raise ValueError(meant)
    return total
