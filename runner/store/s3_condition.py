"""Storing an object of S3 only where there is none, with servers that know how, and with those that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runner.errors import RemoteError
from runner.store import s3_errors
from runner.store.protocols import Changed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOT_KNOWN: Final = frozenset({400, 501})
"""What servers answer to a header that they do not know."""


class Condition:
    """`If-None-Match: *`, sent until a server has been seen not to know it."""

    def __init__(self) -> None:
        """Take the server for one that knows it."""
        self._known = True

    def store(self, send: Callable[[Mapping[str, Any]], None], is_there: Callable[[], bool]) -> bool:
        """Store an object; tell whether it was, `False` if it was there.

        Args:
            send: stores it, with these arguments beside its own; raises `Changed` where the condition does not hold.
            is_there: whether what the server has is as large as it should be.

        Raises:
            RemoteError: whatever `send` raises else.

        """
        if self._known:
            try:
                send({"IfNoneMatch": "*"})
            except Changed:
                if is_there():
                    return False
            except RemoteError as error:
                if s3_errors.status_of(error.__cause__) not in _NOT_KNOWN:
                    raise
                send({})
                self._known = False
                return True
            else:
                return True
        send({})
        return True


class NoCondition(Condition):
    """Stores whatever is there."""

    def store(self, send: Callable[[Mapping[str, Any]], None], is_there: Callable[[], bool]) -> bool:
        """Store an object: True."""
        del is_there
        send({})
        return True
