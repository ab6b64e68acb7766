"""When a server wants to be asked again: HTTP's `Retry-After` (RFC 9110, 10.2.3), in seconds from now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def seconds(headers: Mapping[str, str]) -> float:
    """Give the seconds that an answer asks to wait; 0 where it does not, or not in HTTP's terms.

    A date is compared with the server's own clock, which the answer tells too: this machine's may be wrong.

    Args:
        headers: of the answer, in whatever case.

    """
    found = {name.lower(): value for name, value in headers.items()}
    asked = found.get("retry-after", "").strip()
    if asked.isdecimal():
        return float(asked)
    then, now = _time(asked), _time(found.get("date", "")) or datetime.now(UTC)
    return max((then - now).total_seconds(), 0.0) if then else 0.0


def _time(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 3 ms, for who is asked to wait

    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
