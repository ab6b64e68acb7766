"""One issue for a branch's model that is not kept up: opened when retraining goes wrong, corrected, closed when well.

A gate that fails is told at once. Anything else that ends a run, such as a network that is down, is told when so many
runs in a row have ended badly: once is nobody's concern.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from runner.errors import STOPPED, Exit, ForgeError
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.forge.protocol import Job, Standing
    from runner.forge.repository import Repository

logger = logging.getLogger("retrain")
LIMIT: Final = 65_536
"""Characters of an issue's text, and of a comment."""
LABEL: Final = "retrain"
_JUDGED: Final = frozenset({"failed", "unmeasured"})
_ROOM: Final = 1_000
"""Characters for what stands above the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What a run is one of.

    Attributes:
        workflow: the workflow's file; empty: unknown.
        event: what starts its runs: `schedule`.
        branch: whose code they run.
        after: how many runs in a row have to end badly, without a failed gate, before that is told.

    """

    workflow: str
    event: str
    branch: str
    after: int


class Issues:
    """The issue of one project on one branch: a run of another branch says nothing about it."""

    def __init__(self, repository: Repository, job: Job, schedule: Schedule) -> None:
        """Ask nothing yet."""
        self.repository = repository
        self._job = job
        self._schedule = schedule
        self._branch = quote(schedule.branch, safe="/").replace("--", "-%2D")
        project = quote(job.project, safe="/:").replace("--", "-%2D")
        self._mark = f"<!-- retrain-issue:{project} branch={self._branch} -->"

    def tell(self, standing: Standing) -> str:
        """Open, correct or close the issue, as the run ended; give its address where there is one.

        Raises:
            ForgeError: refused; names the permission that is missing, if that is why.

        """
        if standing.exit_code in STOPPED:
            return ""
        found = self._found()
        if standing.exit_code == Exit.HELD:
            return self._closed(found) if found else ""
        why = self._why(standing)
        if found is None and not why:
            return ""
        text = self._text(standing, why or "It goes on to fail.")
        if found is None:
            made = self.repository.api.create(
                self._path("issues"), {"title": self._title(), "body": text, "labels": [LABEL]}
            )
            return str(made.get("html_url", ""))
        if str(found.get("body", "")).replace("\r\n", "\n").rstrip() != text.rstrip():
            self.repository.api.update(self._path(f"issues/{found['number']}"), {"body": text})
        return str(found.get("html_url", ""))

    def _title(self) -> str:
        where = self._job.title if self._job.title != "retrain" else "the model"
        return f"Retraining does not hold: {where}"

    def _text(self, standing: Standing, why: str) -> str:
        run = f" [The run.]({self._job.url})" if self._job.url else ""
        head = f"{self._mark}\n{why}{run} This issue is closed by the next run on `{self._branch}` that holds.\n\n"
        return f"{head}{standing.render(LIMIT - _ROOM)}"

    def _why(self, standing: Standing) -> str:
        """Say why somebody should look now; empty: not yet."""
        if standing.verdict in _JUDGED:
            return "The retrained model does not pass its gates."
        wanted = self._schedule.after
        try:
            bad, last = self._since_good()
        except ForgeError as error:
            return f"It could not be asked when a run last held ({error.message}), and this one did not."
        if bad < wanted:
            logger.info("%d of the last runs ended badly; an issue is opened at %d", bad, wanted)
            return ""
        return f"{bad} runs in a row did not hold; {last}."

    def _since_good(self) -> tuple[int, str]:
        """Count the runs that ended badly since one was good, this one too; say when that was."""
        schedule, bad = self._schedule, 1
        if not schedule.workflow:
            return schedule.after, "which workflow this is of is unknown"
        query = {"branch": schedule.branch, "event": schedule.event, "status": "completed", "per_page": "100"}
        path = self._path(f"actions/workflows/{quote(schedule.workflow, safe='')}/runs")
        match self.repository.api.get(path, query):
            case {"workflow_runs": list(runs)}:
                for run in runs:
                    if run.get("id") == self._job.run:
                        continue
                    if run.get("conclusion") == "success":
                        return bad, f"the last that did is of {str(run.get('created_at', ''))[:10]}"
                    bad += run.get("conclusion") in {"failure", "timed_out", "startup_failure"}
        return bad, "none that did is known"

    def _closed(self, found: Mapping[str, object]) -> str:
        number = found["number"]
        said = f"Retraining holds again. [The run.]({self._job.url})" if self._job.url else "Retraining holds again."
        self.repository.reply(int(str(number)), said)
        self.repository.api.update(self._path(f"issues/{number}"), {"state": "closed", "state_reason": "completed"})
        return str(found.get("html_url", ""))

    def _found(self) -> Mapping[str, object] | None:
        """Find the open issue that has our mark and is ours."""
        for issue in self.repository.api.pages(self._path(f"issues?state=open&labels={LABEL}")):
            match issue:
                case {"user": {"login": author}, "body": str(body)} if "pull_request" not in issue:
                    if body.split("\n", 1)[0].strip() == self._mark and author == self.repository.login:
                        return issue
        return None

    def _path(self, rest: str) -> str:
        return self.repository.path(rest)
