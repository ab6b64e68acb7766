"""Where a run stands as a commit's status: a state, a line of text, an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.errors import Exit
from runner.forge.protocol import RUNNING

if TYPE_CHECKING:
    from runner.forge.protocol import Job, Standing
    from runner.forge.repository import Repository

LIMIT: Final = 140
"""Characters of a description."""

_HELD: Final = frozenset({"passed", "warned", "accepted", "ungated"})
_FAILED: Final = frozenset({"failed", "unmeasured"})


class Statuses:
    """The status of one run; its context is the job's title."""

    def __init__(self, repository: Repository, job: Job) -> None:
        """Ask nothing yet."""
        self._repository = repository
        self._job = job

    def set(self, standing: Standing) -> None:
        """Say where the run stands; see `Forge.status`.

        Raises:
            ForgeError: refused; names the permission that is missing, if that is why.

        """
        text = standing.title if len(standing.title) <= LIMIT else f"{standing.title[: LIMIT - 1]}…"
        body = {"state": state(standing), "description": text, "context": self._job.title}
        body |= {"target_url": self._job.url} if self._job.url else {}
        self._repository.api_for(standing).create(self._repository.path(f"statuses/{self._job.head}"), body)


def state(standing: Standing) -> str:
    """Give GitHub's word for where a run stands; what did not end well is never `success`."""
    if standing.verdict == RUNNING:
        return "pending"
    if standing.verdict in _FAILED:
        return "failure"
    return "success" if standing.verdict in _HELD and standing.exit_code == Exit.HELD else "error"
