"""What a run is at, posted while it runs, by one thread that mostly sleeps. Whatever befalls it, the run goes on."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from runner import log
from runner.errors import ForgeError
from runner.forge.protocol import RUNNING, Standing
from runner.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from runner.asked import Asked
    from runner.engine.outcome import StageResult
    from runner.forge.protocol import Forge
    from runner.review.underway import Underway

logger = logging.getLogger("retrain")

EVERY: Final = 30.0
"""Seconds between two posts, and before the first: a run that is shorter posts its report alone."""


class Live(Watch):
    """Posts where one run stands from its begin to its end, and then gives the host free.

    Enter it for as long as the run goes on.
    """

    def __init__(
        self, forge: Forge, asked: Asked, every: float = 0.0, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Post nothing yet.

        Args:
            forge: the host.
            asked: what is run; its settings and event say what is posted meanwhile.
            every: seconds between two posts; 0: the usual.
            now: the time of day, with its zone.

        """
        chosen, event, actions = asked.settings, asked.event, asked.settings.actions
        self.forge = forge
        self._head = asked.head.sha
        self._page = actions.page if actions else ""
        hosted = actions is not None or chosen.gitlab is not None
        self._begins = hosted and (chosen.check_run or chosen.commit_status)
        reported = chosen.check_run or chosen.comment != "off"
        self._shows = hosted and chosen.progress and event.may_comment and reported
        self._every = every or EVERY
        self._now = now
        self._stages: dict[str, None] = {}
        self._ended: dict[str, tuple[str, float]] = {}
        self._begun: dict[str, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._post, name="live", daemon=True)

    def __enter__(self) -> Self:
        """Begin: say that the run is under way, and go on saying how far it is."""
        if self._begins or self._shows:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Post no more; what is on its way is waited for by `finished`."""
        self._over.set()

    def chosen(self, stages: Sequence[str]) -> None:
        """See `Watch`."""
        self._stages |= dict.fromkeys(stages)

    def began(self, stage: str) -> None:
        """See `Watch`."""
        self._ended.pop(stage, None)
        self._begun[stage] = f"{self._now():%H:%M %Z}"

    def ended(self, result: StageResult) -> None:
        """See `Watch`."""
        self._ended[result.stage.address] = (result.status, result.seconds)

    def finished(self) -> Forge:
        """Give the host when nothing more of this is on its way to it, so that the report comes last."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        return self.forge

    def _post(self) -> None:
        try:
            if self._begins:
                self._begin()
            said = ""
            while self._shows and not self._over.wait(self._every):
                standing = self._standing()
                if (text := standing.render(0)) != said:
                    said = text
                    self._show(standing)
        except ForgeError as error:
            logger.warning("what the run is at cannot be posted: %s", error)
        except Exception:  # in a thread beside the run, which nothing that is only shown may cost
            logger.debug("what the run is at cannot be posted", exc_info=True)

    def _begin(self) -> None:
        """Say it as a check and as a status; each alone, since each takes a permission of its own."""
        standing = self._standing()
        for say in (self.forge.check, self.forge.status):
            try:
                say(standing)
            except ForgeError as error:
                logger.warning("that the run began cannot be posted: %s", error)

    def _show(self, standing: Standing) -> None:
        """Say it in the check, or, where there is none, in the comment."""
        try:
            shown = self.forge.check(standing)
        except ForgeError as error:
            logger.debug("the check cannot be changed: %s", error)
            shown = ""
        if not shown:
            self.forge.comment(standing)

    def _standing(self) -> Standing:
        from runner.review import underway  # noqa: PLC0415 - only who posts pays for it

        now = self._underway()
        text = log.masked(underway.to_markdown(now))
        return Standing(verdict=RUNNING, title=now.title, render=lambda _: text)

    def _underway(self) -> Underway:
        from runner.review.underway import Underway  # noqa: PLC0415 - as above

        # Copies: other threads change them meanwhile.
        begun, ended = dict(self._begun), dict(self._ended)
        return Underway(head=self._head, page=self._page, stages=[*self._stages], ended=ended, begun=begun)
