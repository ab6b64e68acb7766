"""What room 10 says to the place that hosts the code, whichever that is: one method a surface.

A host that lacks a surface, or is not to use it, does nothing there and gives no address. What it can do and may do is
settled when it is opened; who speaks to it asks no further question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, Protocol

from runner.errors import NOWHERE, Location
from runner.values import dataclass

Render = Callable[[int], str]
"""Gives Markdown of at most so many bytes of UTF-8, which are never fewer than characters; a surface has its limit."""

Level = Literal["error", "warning", "notice"]

RUNNING: Final = "running"
"""The verdict of a run that has none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The run whose report is posted.

    Attributes:
        project: tells the projects of one host apart; the same from run to run.
        title: how a check and a status are called: `retrain`, `retrain: models/a`.
        head: the commit that the report is about.
        number: the pull request; `None` where there is none to write on.
        run: the host's number of the run; later runs have higher ones. 0: unknown.
        attempt: counted from 1, if the same run was started again.
        url: the page of the run; empty where it has none.

    """

    project: str
    title: str
    head: str
    number: int | None = None
    run: int = 0
    attempt: int = 1
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One message, shown beside a line of the head's files.

    Attributes:
        level: how bad it is.
        message: may have several lines.
        where: the place in a file of the repository; without one it is about the run as a whole.
        title: a short heading; may be empty.

    """

    level: Level
    message: str
    where: Location = NOWHERE
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a run stands.

    Attributes:
        verdict: as in report.json; `RUNNING` until there is one.
        exit_code: what the process will end with: nothing is shown green where that is not 0.
        title: the verdict and its reason in a sentence, plain text.
        render: gives what there is to read.
        annotations: all of them, the most telling first.

    """

    verdict: str
    exit_code: int = 0
    title: str
    render: Render
    annotations: Sequence[Annotation] = ()


class Forge(Protocol):
    """The place that hosts the code.

    Every method may raise `ForgeError`: it could not be said there, and what is missing.
    """

    def comment(self, standing: Standing) -> str:
        """Write on the pull request, in place of what this run wrote there before; give the comment's address."""

    def check(self, standing: Standing) -> str:
        """Say it as a check of the commit, begun or ended, with all annotations; give the check's address."""

    def status(self, standing: Standing) -> None:
        """Say in a line, as a status of the commit, where the run stands."""

    def issue(self, standing: Standing) -> str:
        """Keep the issue of a model that is not kept up, as the run ended; give its address, where there is one."""

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Show messages beside lines, as many as the host shows of a job."""

    def summary(self, standing: Standing) -> None:
        """Put the report where the job's own page shows it."""

    def outputs(self, outputs: Mapping[str, str]) -> None:
        """Hand values to the steps that follow; may be called more than once, with other names."""
