"""Gathers what is judged: both sides, what the base branch recorded before, and what is known of how metrics were made.

Reads git, the cache and, where it has to, the remote; judges nothing (`judging`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from runner.errors import GitError
from runner.git import index
from runner.review import renames, sides, trends
from runner.review.claims import Grounds
from runner.review.judging import Case
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.engine.outcome import StageResult
    from runner.engine.project import Place, Project
    from runner.pipeline.model import LockEntry
    from runner.review.claims import Policy
    from runner.review.gate import Gate
    from runner.review.trends import Line


_LOST: Final = "the commit to compare with cannot be had here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """By what is judged.

    Attributes:
        gates: the gate file's rules.
        event: GitHub's name of the event; empty: none.
        base_sha: the commit to compare with; empty: none.
        policy: what to do with metrics that only the commit vouches for.
        proposes: whether this event proposes a change that nobody has reviewed.

    """

    gates: Sequence[Gate] = ()
    event: str = ""
    base_sha: str = ""
    policy: Policy = "auto"
    proposes: bool = False


def gather(
    place: Place, project: Project | None, terms: Terms, results: Mapping[str, StageResult] | None = None
) -> Case:
    """Give the case of what lies in the working tree.

    Args:
        place: the candidate's.
        project: the DVC project, whose cached metrics are had by hash; `None` where there is none.
        terms: by what is judged.
        results: what became of the stages, by address; `None` where none were to be run.

    """
    objects, unpacking = (project.objects, project.unpacking) if project else (None, None)
    head = sides.working(place.root, project.pipeline if project else None, objects)
    sha = terms.base_sha
    base = sides.committed(place.git, place.prefix, sha, objects, unpacking) if sha else None
    return Case(
        gates=terms.gates,
        event=terms.event,
        head=head,
        base=base,
        base_sha=sha,
        lost="" if base or _is_first(place, terms) else _LOST,
        grounds=Grounds(
            policy=terms.policy,
            proposes=terms.proposes,
            runs=results is not None,
            done={address: result.status for address, result in (results or {}).items()},
            recorded=_recorded(project, terms, runs=results is not None),
        ),
        old_name=renames.finder(place, sha, head, base) if base else None,
        times=project.times if project else None,
        line=partial(trends.line, place, (sha, base)) if base else None,
    )


def _is_first(place: Place, terms: Terms) -> bool:
    """Whether nothing came before the candidate, so that there is no baseline anywhere."""
    try:
        return not (terms.proposes or place.git.parents("HEAD"))
    except GitError:
        return True  # not one commit yet


def followed(case: Case, last: int, paths: Sequence[str] = ()) -> tuple[Line, dict[str, list[object]]]:
    """Read metrics files over the last commits of the base branch: those at `paths`, or those declared or gated.

    More history is fetched, and cached files are had from the remote, as far as it takes.
    """
    head, base = case.head, case.base
    gated = (one.file for one in case.gates if not one.unit)
    declared = sorted({*gated, *head.metrics_files(), *(base.metrics_files() if base else ())})
    files = list(paths) or declared
    line = case.line(files, last, deepen=True) if case.line else trends.Line()
    sides = [one.side(head.objects) for one in line.moments]
    return line, {path: [side.documents([path]).get(path) for side in sides] for path in files}


def _recorded(project: Project | None, terms: Terms, *, runs: bool) -> Callable[[LockEntry], bool]:
    """Give what says whether a run left an entry: only a run asks the remote, and a cache in git is no witness."""
    if project is None:
        return lambda _: False
    place, top = project.cache.root.resolve(), project.git.root.resolve()
    inside = terms.proposes and place.is_relative_to(top)
    near = not (inside and index.tracks(project.git, place.relative_to(top).as_posix()))
    if runs:
        return lambda entry: project.runs.holds(entry, near=near)
    return lambda entry: near and bool(project.runs.record_of(entry))
