"""Every object that the DVC files of a project and of its commits name. Where that cannot be told there is no answer.

A listing that nobody has, or a commit that cannot be read, is an error: never "nothing is named".
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from runner.engine import span as spans
from runner.engine import tracked
from runner.engine.homes import home_of
from runner.errors import ObjectMissing
from runner.hashes import Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.engine.project import Project
    from runner.engine.span import Span
    from runner.hashes import Hash
    from runner.pipeline.model import LockedPath, Out

_SHOWN: Final = 3
_MOST: Final = 1 << 16
"""Names that are gathered before they are joined with what was there: 1 MB."""


class _Gathered:
    """Sets of names that come one after another, and for the most part name the same."""

    def __init__(self) -> None:
        self._parts: list[Names] = []
        self._count = 0
        self._joined = 0

    def add(self, names: Names) -> None:
        """Take a set; join all whenever they have grown to twice what they were after the last time."""
        self._parts.append(names)
        self._count += len(names)
        if self._count > 2 * self._joined + _MOST:
            self._parts = [self.names()]
            self._count = self._joined = len(self._parts[0])

    def names(self) -> Names:
        """Give all of them."""
        return Names.united(self._parts)


def used_by(project: Project, span: Span, *, skip_failed: bool) -> dict[str, Names]:
    """Give every object that the commits name, members of directories too, by the home of the outs that name it.

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
    used: defaultdict[str, _Gathered] = defaultdict(_Gathered)
    seen: set[tuple[str, Hash]] = set()
    unread: dict[Hash, str] = {}
    for where, pipeline in spans.pipelines(project, span.shas(project.git), skip_failed=skip_failed):
        project.objects.versions.note(pipeline)
        for one, locked in tracked.recorded([pipeline], (), "."):
            name, home = locked.hash, home_of(one.out)
            if name and (home, name) not in seen:
                seen.add((home, name))
                used[home].add(Names.of([name]))
                used[home].add(_members(project, one.out, locked, f"{one.out.path} of {where}", unread))
    if unread and not skip_failed:
        shown = "; ".join(list(unread.values())[:_SHOWN])
        more = f"; and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
        message = f"what these directories hold is not known, so nothing can be called garbage: {shown}{more}"
        raise ObjectMissing(message, "bring their listings back, or let go of their files with --skip-failed")
    return {home: found.names() for home, found in used.items()}


def joined(several: Iterable[Mapping[str, Names]]) -> dict[str, Names]:
    """Give what several projects name as one."""
    by_home: defaultdict[str, list[Names]] = defaultdict(list)
    for used in several:
        for home, names in used.items():
            by_home[home].append(names)
    return {home: Names.united(found) for home, found in by_home.items()}


def _members(project: Project, out: Out, locked: LockedPath, where: str, unread: dict[Hash, str]) -> Names:
    """Give the objects of a directory; one whose listing is nowhere goes to `unread`.

    The listing of an import is not fetched: what was never here has no files here.
    """
    name = locked.hash
    if name is None or not name.is_dir or (out.origin and not project.cache.has(name)):
        return Names.of(())
    tree = project.objects.listing(name, home_of(out))
    if tree is None:
        unread[name] = f"{where} (listing {name})"
        return Names.of(())
    return tree.names
