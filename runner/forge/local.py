"""No code host: a laptop, or a CI that nothing is known of. Annotations are lines of the log; that is all there is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from runner import log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.forge.protocol import Annotation, Standing

SHOWN_OF_A_KIND: Final = 10
"""GitHub shows so many annotations of one level and step, and drops the others without a word."""


class Local:
    """See `Forge`."""

    def comment(self, standing: Standing) -> str:  # noqa: ARG002 - the protocol's
        """There is no pull request."""
        return ""

    def check(self, standing: Standing) -> str:  # noqa: ARG002 - the protocol's
        """There are no checks."""
        return ""

    def status(self, standing: Standing) -> None:
        """There are no statuses."""

    def issue(self, standing: Standing) -> str:  # noqa: ARG002 - the protocol's
        """There are no issues."""
        return ""

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Log them: in a GitHub job as workflow commands, elsewhere as lines with their place."""
        shown: Counter[str] = Counter()
        for one in annotations:
            shown[one.level] += 1
            if shown[one.level] <= SHOWN_OF_A_KIND:
                log.annotation(one.level, one.message, where=one.where, title=one.title)

    def summary(self, standing: Standing) -> None:
        """There is no page of the job."""

    def outputs(self, outputs: Mapping[str, str]) -> None:
        """There is no step that follows."""
