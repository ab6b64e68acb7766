"""Imports brought up to date before a run walks: a scheduled run retrains on what the sources hold by now.

What changed is in the `.dvc` files, and so in what the run proposes.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.asked import Asked
    from runner.opening import Opened

logger = logging.getLogger("retrain")


def refreshed(opened: Opened, reopen: Callable[[], Opened]) -> Opened:
    """Give the project as it is after the update; the same one where there is nothing to update.

    Args:
        opened: the project; closed where it is read again.
        reopen: reads it again.

    Raises:
        RunnerError: a source cannot be read. Old data would pass for new, so the run does not go on.

    """
    if opened.found is None or not _wanted(opened.asked):
        return opened
    from runner.engine import updating  # noqa: PLC0415 - most runs have nothing to update

    done = updating.update(opened.found, ())
    for one in done:
        if one.error:
            raise one.error
    changed = [one.stage.file for one in done if one.changed]
    if not done:
        return opened
    logger.info("%d of %d imports updated: %s", len(changed), len(done), ", ".join(changed) or "none")
    if not changed:
        return opened
    opened.close()
    fresh = reopen()
    note = f"imports brought up to date first: {', '.join(changed)}"
    return replace(fresh, asked=replace(fresh.asked, notes=(*fresh.asked.notes, note)))


def _wanted(asked: Asked) -> bool:
    wish, event = asked.settings.update_imports, asked.event
    if wish == "always" and not event.trusted:
        logger.warning("imports are not updated: %s", event.why)
        return False
    return wish == "always" or (wish == "auto" and event.kind == "schedule")
