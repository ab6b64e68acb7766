"""What YAML scalars and tags stand for: the 1.2 rules DVC reads by, and 1.1 where a file asks for it.

Source: the resolver tables of ruamel.yaml, which DVC uses; they are wider than the YAML 1.2 core schema
(`0b11`, `1_000`, dates) and narrower than 1.1 (`yes` and `12:30` are strings). Never reads files.
"""

from __future__ import annotations

import base64
import re
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reading = Callable[[str], object]


MERGE: Final = object()  # what the key `<<` is read as
NAN: Final = float("nan")
_INF: Final = float("inf")

_TRUE: Final = ("true", "True", "TRUE")
_FALSE: Final = ("false", "False", "FALSE")
_NULL: Final = ("~", "null", "Null", "NULL")
_YES: Final = ("y", "Y", "yes", "Yes", "YES", "on", "On", "ON")
_NO: Final = ("n", "N", "no", "No", "NO", "off", "Off", "OFF")
_BOOLS: Final = {**dict.fromkeys(("yes", "y", "true", "on"), True), **dict.fromkeys(("no", "n", "false", "off"), False)}
_BASES: Final = {"0b": 2, "0o": 8, "0x": 16}

_TIME_SHAPE: Final = r"""
    \d{4}-\d\d-\d\d
    | \d{4}-\d\d?-\d\d? (?:[Tt]|[ \t]+) \d\d?:\d\d:\d\d (?:\.\d*)? (?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?
"""
# Patterns are compiled when a scalar asks for them: that takes 5 ms, and most files hold plain numbers alone.
_NUMBER_12: Final = rf"""
    (?P<float>
        [-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]?\d+)?
        | [-+]?\d[\d_]*[eE][-+]?\d+
        | [-+]?\.[\d_]+(?:[eE][-+]\d+)?
        | [-+]?\.(?:inf|Inf|INF)
        | \.(?:nan|NaN|NAN))
    | (?P<int> [-+]?0b[01_]+ | [-+]?0o?[0-7_]+ | [-+]?[\d_]+ | [-+]?0x[\da-fA-F_]+)
    | (?P<time> {_TIME_SHAPE})
    """
_NUMBER_11: Final = rf"""
    (?P<float>
        [-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]?\d+)?
        | [-+]?\d[\d_]*[eE][-+]?\d+
        | \.[\d_]+(?:[eE][-+]\d+)?
        | [-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*
        | [-+]?\.(?:inf|Inf|INF)
        | \.(?:nan|NaN|NAN))
    | (?P<int>
        [-+]?0b[01_]+ | [-+]?0?[0-7_]+ | [-+]?(?:0|[1-9][\d_]*) | [-+]?0x[\da-fA-F_]+
        | [-+]?[1-9][\d_]*(?::[0-5]?\d)+)
    | (?P<time> {_TIME_SHAPE})
    """
_TIME: Final = r"""
    (?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)
    (?:(?:[Tt]|[ \t]+)
       (?P<hour>\d\d?):(?P<minute>\d\d):(?P<second>\d\d)
       (?:\.(?P<fraction>\d*))?
       (?:[ \t]*(?P<zone>Z|(?P<sign>[-+])(?P<zone_hour>\d\d?)(?::(?P<zone_minute>\d\d))?))?)?
    """
_FLAGS: Final = re.VERBOSE | re.ASCII


def to_bool(text: str) -> bool:
    """Read the text of a `!!bool`. ValueError where it is none."""
    if text.lower() not in _BOOLS:
        raise ValueError(text)
    return _BOOLS[text.lower()]


def to_int(text: str) -> int:
    """Read the text of a 1.2 integer: `017` is seventeen. ValueError where digits are missing or too many."""
    sign, body = _signed(text.replace("_", ""))
    base = _BASES.get(body[:2], 10)
    return sign * int(body if base == 10 else body[2:], base)  # noqa: PLR2004 (ten is the base without a prefix)


def to_float(text: str) -> float:
    """Read the text of a 1.2 float. ValueError where digits are missing (`._`)."""
    sign, body = _signed(text.replace("_", "").lower())
    if body == ".nan":
        return NAN
    return sign * (_INF if body == ".inf" else float(body))


def to_bytes(text: str) -> bytes:
    """Read base64. ValueError where it is none."""
    return base64.decodebytes(text.encode("ascii"))


def to_time(text: str) -> date | datetime:
    """Read a date, or a date and time with or without a zone. ValueError where it is none of the calendar."""
    match = re.fullmatch(_TIME, text, _FLAGS)
    if match is None:
        raise ValueError(text)
    day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    if match["hour"] is None:
        return day
    # Digits beyond microseconds round half up, as DVC's reader does; a full second carries over.
    digits = (match["fraction"] or "").ljust(7, "0")
    micros = int(digits[:6]) + (digits[6] > "4")
    clock = datetime(
        day.year,
        day.month,
        day.day,
        int(match["hour"]),
        int(match["minute"]),
        int(match["second"]),
        tzinfo=_zone(match),
    )
    return clock + timedelta(microseconds=micros)


def _zone(match: re.Match[str]) -> timezone | None:
    if not match["zone"]:
        return None
    away = timedelta(hours=int(match["zone_hour"] or 0), minutes=int(match["zone_minute"] or 0))
    return timezone(-away if match["sign"] == "-" else away, match["zone"])


def _to_int_11(text: str) -> int:
    sign, body = _signed(text.replace("_", ""))
    if ":" in body:
        return sign * int(_sexagesimal(body, int))
    if body.startswith("0") and body[:2] not in _BASES:
        return sign * int(body, 8)
    return sign * to_int(body)


def _to_float_11(text: str) -> float:
    sign, body = _signed(text.replace("_", ""))
    return sign * (_sexagesimal(body, float) if ":" in body else to_float(body))


def _sexagesimal(body: str, digit: Callable[[str], float]) -> float:
    value: float = 0
    for part in body.split(":"):
        value = value * 60 + digit(part)
    return value


def _signed(text: str) -> tuple[int, str]:
    return (-1 if text[:1] == "-" else 1), (text[1:] if text[:1] in {"-", "+"} else text)


def _plain(text: str) -> float | None:
    """Read what is nothing but digits with at most one point between them, as nearly all numbers are."""
    whole, point, part = text.partition(".")
    if not (text.isascii() and whole.isdigit()) or (point and not part.isdigit()):
        return None
    return float(text) if point else int(text)


def _starts(
    words: Mapping[str, object], number: str, kinds: Mapping[str, Reading], plain: Callable[[str], float | None]
) -> dict[str, Reading]:
    """Map each first character that a non-string can have to the function that reads such a scalar.

    Args:
        words: what stands for something else than itself.
        number: the pattern of numbers and times.
        kinds: what reads each kind of them, by the name of its group in the pattern.
        plain: reads most of them without the pattern; `None` where it cannot.

    """

    def read_word(text: str) -> object:
        return words.get(text, text)

    def read_number(text: str) -> object:
        value = plain(text)
        if value is not None:
            return value
        match = re.fullmatch(number, text, _FLAGS)
        return text if match is None else kinds[match.lastgroup or ""](text)

    return {
        "": lambda _: None,
        **dict.fromkeys({word[0] for word in words}, read_word),
        **dict.fromkeys("-+.0123456789", read_number),
        **dict.fromkeys("<=", _refuse),
    }


def _refuse(text: str) -> object:
    """Read `<<` or `=` where a value stands: DVC's reader has tags for them but no values."""
    if text in {"<<", "="}:
        raise ValueError(text)
    return text


_WORDS_12: Final = {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False), **dict.fromkeys(_NULL)}
_WORDS_11: Final = {**_WORDS_12, **dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}

# First character -> what reads a plain scalar that starts with it; no entry: it is a string. The lookup
# comes before any regular expression because nearly all scalars of a lock file are strings.
YAML_12: Final = _starts(_WORDS_12, _NUMBER_12, {"float": to_float, "int": to_int, "time": to_time}, _plain)
YAML_11: Final = _starts(
    _WORDS_11, _NUMBER_11, {"float": _to_float_11, "int": _to_int_11, "time": to_time}, lambda _: None
)


def for_keys(starts: Mapping[str, Reading]) -> dict[str, Reading]:
    """Give the table for keys: there `<<` is the merge key and `=` a string."""
    return {**starts, "<": lambda text: MERGE if text == "<<" else text, "=": str}


TAG: Final = "tag:yaml.org,2002:"
TAGGED: Final[Mapping[str, Reading]] = {
    f"{TAG}str": str,
    f"{TAG}null": lambda _: None,
    f"{TAG}bool": to_bool,
    f"{TAG}int": to_int,
    f"{TAG}float": to_float,
    f"{TAG}timestamp": to_time,
    f"{TAG}binary": to_bytes,
}


def _pairs(members: list[object]) -> list[tuple[object, object]]:
    pairs: list[tuple[object, object]] = []
    for member in members:
        if not isinstance(member, dict) or len(member) != 1:
            raise ValueError(member)
        pairs.extend(member.items())
    return pairs


def _same(value: object) -> object:
    return value


# (tag, class as built) -> the value; DVC's reader knows these five. `!` asks for no conversion.
COLLECTIONS: Final[Mapping[tuple[str | None, type], Callable[[Any], object]]] = {
    ("!", dict): _same,
    ("!", list): _same,
    (f"{TAG}map", dict): _same,
    (f"{TAG}seq", list): _same,
    (f"{TAG}set", dict): set,
    (f"{TAG}omap", list): lambda members: dict(_pairs(members)),
    (f"{TAG}pairs", list): _pairs,
}


def is_string(text: str) -> bool:
    """Whether the plain scalar `text` is read as a string under 1.2 rules (else a writer has to quote it)."""
    read = YAML_12.get(text[:1])
    try:
        return read is None or isinstance(read(text), str)
    except (ValueError, OverflowError):
        return False
