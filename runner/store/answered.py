"""What a server answered; obstore's errors tell it in a text, with the server's own words at the end."""

from __future__ import annotations

from typing import Final

from runner.regexes import regex
from runner.values import dataclass

_STATUS: Final = regex(r"status code: (\d{3})")
_TOLD: Final = regex(r"<(Code|Message|RequestId)>([^<]*)</\1>")


@dataclass(frozen=True, slots=True)
class Answered:
    """A refusal.

    Attributes:
        status: of HTTP; 0 where the server did not answer.
        code: the storage's own word for it; empty where it gave none, as it cannot to a HEAD.
        words: what else the storage said.
        request: the id under which the storage knows the request.
        text: all that was said, for people.
        after: seconds that the storage asks to wait; obstore does not tell.

    """

    status: int
    code: str
    words: str
    request: str
    text: str
    after: float = 0.0


def answered(error: Exception) -> Answered:
    """Take an error of obstore's apart."""
    text = str(error).partition("\n\nDebug source")[0]
    status = _STATUS.search(text)
    told = dict(_TOLD.findall(text))
    return Answered(
        int(status[1]) if status else 0,
        told.get("Code", ""),
        told.get("Message", ""),
        told.get("RequestId", ""),
        text,
    )
