"""Fetching history that a clone lacks: no deeper than it takes, and without leaving a trace in refs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.git import Git

STEPS: Final = (50, 500, 5000)
FETCH_SECONDS: Final = 600
QUIETLY: Final = ("--quiet", "--no-auto-gc")
"""How to fetch: git's housekeeping would go on in the background, as nobody's child."""


def meet(git: Git, ours: str, theirs: str, remote: str, steps: Sequence[int] = STEPS) -> str | None:
    """Give the merge base, fetching as little history as it takes.

    Args:
        git: the clone.
        ours: the id of a commit; one that is absent is fetched by its id.
        theirs: the same of the other.
        remote: its name or url.
        steps: depths tried one after the other before all history is fetched.

    """
    known = [rev for rev in (ours, theirs) if git.read(f"{rev}^{{commit}}")]
    found = git.merge_base(ours, theirs) if len(known) == 2 else None  # noqa: PLR2004 - both
    for depth in (*steps, 0):
        if found or (len(known) == 2 and not git.is_shallow()):  # noqa: PLR2004 - both
            break
        deepen(git, remote, (ours, theirs), depth)
        known = [ours, theirs]
        found = git.merge_base(ours, theirs)
    return found


def deepen(git: Git, remote: str, revs: Sequence[str], depth: int) -> None:
    """Fetch commits, by branch or id, with `depth` commits of history each; 0: all history.

    In a complete clone nothing is cut off. Tags and branches of this clone stay as they are.
    """
    how = ["--unshallow"] if not depth else [f"--depth={depth}"]
    shallow = git.is_shallow()
    git.close()
    options = ["--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", *(how if shallow else [])]
    slow = ["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60"]
    git.run(*slow, "fetch", *QUIETLY, *options, "--", remote, *revs, seconds=FETCH_SECONDS)
