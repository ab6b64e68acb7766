"""What one run was asked for; made by `asking`, walked by `ci`, told by `telling`."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import field
from typing import TYPE_CHECKING

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from runner.forge.event import Event
    from runner.review.commit import Commit
    from runner.review.gatefile import GateFile
    from runner.review.measured import Override
    from runner.review.model import Report
    from runner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One run: what was asked for, by which event, and what it is compared with.

    Attributes:
        settings: the checked inputs.
        event: what kind of run this is, and what it may do.
        environ: the process's environment, from which stages get what they may see.
        gates: the gate file; `None` where there is none.
        head: the candidate.
        base: the commit to compare with; `None` where there is none.
        remote_from: the commit whose `.dvc/config` counts; empty: the working tree's; `None`: no remote is used.
        gone: what the base has and the candidate has not, in words: gates.
        command: the verb and its options as given.
        notes: sentences for the reader of the report.
        answers: a context in which an error is told to whoever asked for this run in a comment.
        began: when it was asked for, in seconds of the monotonic clock: its timeout is counted from there; `None`: from
            the first command.
        override: asks who accepted failed gates of this head; `None`: nobody did.
        restores_only: no command is run; a stage that would have to fails.
        again: makes the run again on another commit, from the run cache alone; `None`: that is not to be tried.

    """

    settings: Settings
    event: Event
    environ: Mapping[str, str] = field(repr=False)
    gates: GateFile | None
    head: Commit
    base: Commit | None
    remote_from: str | None = ""
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    command: str
    answers: Callable[[], AbstractContextManager[None]] = nullcontext
    began: float | None = None
    override: Callable[[], Override | None] = lambda: None
    restores_only: bool = False
    again: Callable[[str], Report] | None = None

    @property
    def event_name(self) -> str:
        """The event as `when` of a gate names it; empty on a laptop."""
        chosen = self.settings
        if chosen.gitlab is not None:
            from runner.forge import gitlab_event  # noqa: PLC0415 - few jobs are GitLab's

            return gitlab_event.name(self.event.kind)
        return chosen.actions.event if chosen.actions else ""
