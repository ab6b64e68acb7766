"""Sends what stages have made while others run: the end of a run has less to wait for, and a lost run loses less.

Proves nothing and tells nothing: what could not be sent, `exchange.keep` sends again at the end, and says so.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING

from runner.store.moved import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.engine.homes import Wanted
    from runner.store.moved import Moved

logger = logging.getLogger("retrain")


class Sending:
    """Outs on their way to the remote, in the order in which they were made, on a thread of their own."""

    def __init__(self, push: Callable[[Sequence[Wanted]], Moved]) -> None:
        """Send by `push`, once there is something to send."""
        self._push = push
        self._asked: SimpleQueue[Sequence[Wanted] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._moved = NOTHING

    def send(self, wanted: Sequence[Wanted]) -> None:
        """Send outs whose objects are in the cache; waits for nothing."""
        if wanted and self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        if wanted:
            self._asked.put(wanted)

    def finish(self) -> Moved:
        """Wait until everything is sent or has failed; give what went over."""
        if self._thread:
            self._asked.put(None)
            self._thread.join()
        return self._moved

    def _work(self) -> None:
        while (wanted := self._asked.get()) is not None:
            try:
                self._moved += replace(self._push(wanted), failed=())
            except Exception as error:  # whatever it is, it comes again at the end and is told there
                logger.debug("what a stage made cannot be sent yet", exc_info=error)
