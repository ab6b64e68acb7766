"""Every object that the DVC files of a project and of its commits name. Where that cannot be told there is no answer.

A listing that nobody has, or a commit that cannot be read, is an error: never "nothing is named".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.engine import span as spans
from runner.engine import tracked
from runner.engine.homes import home_of
from runner.errors import ObjectMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.engine.project import Project
    from runner.engine.span import Span
    from runner.hashes import Hash
    from runner.pipeline.model import LockedPath, Out

    Names = dict[Hash, set[str]]
    """Objects that are named, and the homes of the outs that name them."""

_SHOWN: Final = 3


def used_by(project: Project, span: Span, *, skip_failed: bool) -> Names:
    """Give every object that the commits name, members of directories too, and where it is kept.

    Data of imports counts although it can be had again: its source may be gone by then. (DVC lets it go.)

    Args:
        project: the project.
        span: commits, beside the working tree.
        skip_failed: let go of what cannot be read, and say so.

    Raises:
        ConfigErrors: the DVC files of a commit cannot be read.
        ObjectMissing: the listing of a directory is neither here nor where it is kept.
        RemoteError: a remote did not say.

    """
    used: Names = {}
    unread: dict[Hash, str] = {}
    for where, pipeline in spans.pipelines(project, span.shas(project.git), skip_failed=skip_failed):
        project.objects.versions.note(pipeline)
        for one, locked in tracked.recorded([pipeline], (), "."):
            name = locked.hash
            if name and home_of(one.out) not in used.setdefault(name, set()):
                used[name].add(home_of(one.out))
                for member in _members(project, one.out, locked, f"{one.out.path} of {where}", unread):
                    used.setdefault(member, set()).add(home_of(one.out))
    if unread and not skip_failed:
        shown = "; ".join(list(unread.values())[:_SHOWN])
        more = f"; and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
        message = f"what these directories hold is not known, so nothing can be called garbage: {shown}{more}"
        raise ObjectMissing(message, "bring their listings back, or let go of their files with --skip-failed")
    return used


def _members(project: Project, out: Out, locked: LockedPath, where: str, unread: dict[Hash, str]) -> Iterator[Hash]:
    """Give the objects of a directory; one whose listing is nowhere goes to `unread`.

    The listing of an import is not fetched: what was never here has no files here.
    """
    name = locked.hash
    if name is None or not name.is_dir or (out.origin and not project.cache.has(name)):
        return
    tree = project.objects.listing(name, home_of(out))
    if tree is None:
        unread[name] = f"{where} (listing {name})"
        return
    yield from tree.names
