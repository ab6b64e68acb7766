"""GitHub: comment, check, status, annotations, and the files of the step. Renders nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.forge import stepfiles
from runner.forge.local import Local
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.forge.checks import Checks
    from runner.forge.comments import Comments
    from runner.forge.issues import Issues
    from runner.forge.protocol import Standing
    from runner.forge.statuses import Statuses


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub(Local):
    """See `Forge`. What is `None` is not to be used in this run.

    Attributes:
        comments: writes on the pull request.
        checks: makes a check run.
        statuses: sets a commit status.
        issues: keeps the issue of a model that is not kept up.
        step_summary: the file of GITHUB_STEP_SUMMARY.
        step_output: the file of GITHUB_OUTPUT.

    """

    comments: Comments | None = None
    checks: Checks | None = None
    statuses: Statuses | None = None
    issues: Issues | None = None
    step_summary: Path | None = None
    step_output: Path | None = None

    def comment(self, standing: Standing) -> str:
        """Write on the pull request."""
        return self.comments.write(standing) if self.comments else ""

    def check(self, standing: Standing) -> str:
        """Begin, change or end the check run."""
        return self.checks.tell(standing) if self.checks else ""

    def status(self, standing: Standing) -> None:
        """Set the commit status."""
        if self.statuses:
            self.statuses.set(standing)

    def issue(self, standing: Standing) -> str:
        """Open, correct or close the issue."""
        return self.issues.tell(standing) if self.issues else ""

    def summary(self, standing: Standing) -> None:
        """Add to the step's summary."""
        if self.step_summary:
            stepfiles.append_summary(self.step_summary, standing.render)

    def outputs(self, outputs: Mapping[str, str]) -> None:
        """Add to the step's outputs."""
        if self.step_output:
            stepfiles.write_outputs(self.step_output, outputs)
