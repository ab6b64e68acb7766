"""What remotes are that keep every version of files (`version_aware`, `worktree`), and where in them an object is.

Apart from `versioned`, which reads them, because every run has to know this and few ask such a remote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

OPTIONS: Final = ("version_aware", "worktree")
PUSH_INSTEAD: Final = "set push to never and `dvc push` what was made, or use a remote that keeps objects"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a remote keeps an object: the path below its url, and the version's id (empty: the newest)."""

    path: str
    version: str


def keeps_versions(options: Mapping[str, object]) -> str:
    """Name the option by which a remote keeps versions of files; empty where it keeps objects under their hash."""
    return next((option for option in OPTIONS if options.get(option)), "")
