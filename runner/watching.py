"""What is told how far a run is; this one looks away, `live` passes it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.engine.outcome import StageResult


class Watch:
    """Told of stages by whichever thread works on them; whatever it does must not disturb them."""

    def chosen(self, stages: Sequence[str]) -> None:
        """Hear which stages the run is about, in order; called again where some have to be made again."""

    def began(self, stage: str) -> None:
        """Hear that the command of a stage is run."""

    def ended(self, result: StageResult) -> None:
        """Hear what became of a stage."""


UNWATCHED = Watch()
