"""A run that writes on pull request 7 of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.forge.comments import Comments, Mark
from runner.forge.protocol import Annotation, Job, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.forge.comments import Mode
    from runner.forge.repository import Repository

    Say = Callable[..., str]

TOKEN = "ghs_notARealTokenButLongEnough"  # noqa: S105
HEAD = "a" * 40
PROJECT = "models/a"


def job(project: str = PROJECT, run: int = 5, head: str = HEAD, attempt: int = 1) -> Job:
    url = f"https://github.com/o/n/actions/runs/{run}"
    return Job(project=project, title="retrain", head=head, number=7, run=run, attempt=attempt, url=url)


def standing(
    body: str = "held", verdict: str = "passed", code: int = 0, annotations: Sequence[Annotation] = ()
) -> Standing:
    return Standing(
        verdict=verdict,
        exit_code=code,
        title=f"So it stands: {verdict}",
        render=lambda _: body,
        annotations=annotations,
    )


def mark(project: str = PROJECT, run: int = 5, head: str = HEAD, attempt: int = 1) -> str:
    """Give the hidden first line of what such a run writes."""
    return str(Mark.of(job(project, run, head, attempt)))


def say(repository: Repository, body: str, mode: Mode = "update", run: int = 5, head: str = HEAD) -> str:
    """Have one run write a comment, once."""
    return Comments(repository, job(run=run, head=head), mode).write(standing(body))
