"""What a run is at, as Markdown, until its report takes that place. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.review import escape, words
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_ROWS: Final = 50
_SHORT_SHA: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """How far a run is.

    Attributes:
        head: the commit it is about; empty: unknown.
        page: the address of its log; empty: it has none.
        stages: those it is about, in order.
        ended: what became of each that has ended, and the seconds that its command took; 0: none was run.
        begun: when each command that runs was begun, in words.

    """

    head: str
    page: str
    stages: Sequence[str]
    ended: Mapping[str, tuple[str, float]]
    begun: Mapping[str, str]

    @property
    def title(self) -> str:
        """The whole in a line."""
        if not self.stages:
            return "Running"
        return f"Running: {len(self.ended)} of {words.count(len(self.stages), 'stage')} done"


def to_markdown(underway: Underway) -> str:
    """Render: what runs first, then what has ended, then what waits. Never more than some kilobytes."""
    of = f" for {escape.code(underway.head[:_SHORT_SHA])}" if underway.head else ""
    log = f" [Its log]({underway.page})." if underway.page else ""
    lines = [f"**{underway.title}**", "", f"A run{of} is under way; its report will stand here.{log}"]
    if underway.stages:
        lines += ["", "| stage | |", "|---|---|", *_rows(underway)]
    return "\n".join(lines) + "\n"


def _rows(underway: Underway) -> list[str]:
    running = [stage for stage in underway.begun if stage not in underway.ended]
    ended = [stage for stage in underway.stages if stage in underway.ended]
    waiting = [stage for stage in underway.stages if stage not in {*running, *ended}]
    rows = [(stage, f"running since {underway.begun[stage]}") for stage in running]
    rows += [(stage, _outcome(*underway.ended[stage])) for stage in ended]
    rows += [(stage, "waiting") for stage in waiting]
    shown = [f"| {escape.cell(stage)} | {text} |" for stage, text in rows[:_MOST_ROWS]]
    more = len(rows) - _MOST_ROWS
    return [*shown, f"| and {words.count(more, 'more stage')} | |"] if more > 0 else shown


def _outcome(status: str, seconds: float) -> str:
    return f"{status} in {words.seconds(seconds)}" if seconds else status
