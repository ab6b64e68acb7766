"""The report as a check run of a commit, with every annotation; a check that is required is green only if all held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runner.errors import STOPPED, Exit
from runner.forge.answers import FORBIDDEN, RefusedError
from runner.forge.protocol import RUNNING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.forge.protocol import Annotation, Job, Level, Standing
    from runner.forge.repository import Repository

LIMIT: Final = 65_535
"""Characters of a check's summary."""
BATCH: Final = 50
"""Annotations that GitHub takes at once; it adds them to those it has."""
_TITLE: Final = 255
_MESSAGE: Final = 16_000
"""Characters of an annotation: GitHub takes 64 KB, and a character is four bytes at most."""

_CONCLUSIONS: Final[Mapping[str, str]] = {
    "passed": "success",
    "warned": "neutral",
    "accepted": "neutral",
    "ungated": "neutral",
}
"""What lets a required check pass; every other verdict is a failure. `skipped` would pass too, and is never said."""
_NO_APP: Final = "only apps and the job's own token can make checks; a personal token can set commit-status instead"
_LEVELS: Final[Mapping[Level, str]] = {"error": "failure", "warning": "warning", "notice": "notice"}


class Checks:
    """The check of one run."""

    def __init__(self, repository: Repository, job: Job) -> None:
        """Ask nothing yet."""
        self._repository = repository
        self._job = job
        self._begun: Mapping[str, object] | None = None
        self._refused = False

    def tell(self, standing: Standing) -> str:
        """Begin the check, change what it says, or end it; see `Forge.check`.

        Raises:
            ForgeError: refused; names the permission that is missing, if that is why.

        """
        if self._refused and standing.verdict == RUNNING:
            return ""
        output = {"title": standing.title[:_TITLE], "summary": standing.render(LIMIT)}
        if self._begun is None:
            self._begun = self._begin(output, standing)
        elif standing.verdict == RUNNING:
            self._update({"output": output}, standing)
        if standing.verdict != RUNNING:
            self._end(output, standing)
        return str(self._begun.get("html_url", ""))

    def _begin(self, output: Mapping[str, object], standing: Standing) -> Mapping[str, object]:
        job = self._job
        body = {"name": job.title, "head_sha": job.head, "status": "in_progress", "output": output}
        body |= {"external_id": f"{job.project} {job.run}.{job.attempt}"}
        body |= {"details_url": job.url} if job.url else {}
        try:
            return self._repository.api_for(standing).create(self._repository.path("check-runs"), body)
        except RefusedError as refused:
            self._refused = refused.status == FORBIDDEN  # it would be again, at each post
            if self._refused and not refused.hint:
                refused.hint = _NO_APP
            raise

    def _end(self, output: Mapping[str, object], standing: Standing) -> None:
        """Conclude with the last batch of annotations, so that who waits for the conclusion sees all of them."""
        rows = [_row(one) for one in standing.annotations if one.where.file]
        for start in range(0, len(rows) - BATCH, BATCH):
            self._update({"output": {**output, "annotations": rows[start : start + BATCH]}}, standing)
        last = rows[(len(rows) - 1) // BATCH * BATCH :] if rows else []
        ended = {"status": "completed", "conclusion": conclusion(standing)}
        self._update({**ended, "output": {**output, "annotations": last}}, standing)

    def _update(self, body: Mapping[str, object], standing: Standing) -> None:
        number = self._begun["id"] if self._begun else 0
        self._repository.api_for(standing).update(self._repository.path(f"check-runs/{number}"), body)


def conclusion(standing: Standing) -> str:
    """Give GitHub's word for how a run ended."""
    if standing.exit_code in STOPPED:
        return "cancelled"
    return _CONCLUSIONS.get(standing.verdict, "failure") if standing.exit_code == Exit.HELD else "failure"


def _row(one: Annotation) -> dict[str, Any]:
    line, column = max(one.where.line, 1), one.where.column
    row = {"path": one.where.file, "start_line": line, "end_line": line, "annotation_level": _LEVELS[one.level]}
    row |= {"start_column": column, "end_column": column} if column else {}
    row |= {"message": one.message[:_MESSAGE]}
    return row | ({"title": one.title[:_TITLE]} if one.title else {})
