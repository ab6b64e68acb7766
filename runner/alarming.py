"""Tells a webhook of the user's own choosing that a run did not hold; never of a stranger's run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from runner.errors import STOPPED, Exit, ForgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.forge.event import Event

logger = logging.getLogger("retrain")
_QUIET: Final = STOPPED | {Exit.HELD}


def alarm(url: str, event: Event, code: int, message: Callable[[], bytes]) -> None:
    """Send a message, if the run did not hold. What goes wrong with that is said, and costs nothing else.

    Args:
        url: where to; empty: nowhere.
        event: what kind of run this is.
        code: the exit code that the run ends with.
        message: gives the body of the request.

    """
    if not url or code in _QUIET:
        return
    if not event.trusted:
        logger.info("the webhook is not told: %s", event.why)
        return
    from runner.forge import webhook  # noqa: PLC0415 - few runs go wrong

    try:
        webhook.post(url, message())
    except ForgeError as error:
        logger.warning("%s", error)
