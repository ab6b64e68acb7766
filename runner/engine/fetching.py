"""Objects from remotes into the cache, of the working tree and of other commits; the workspace stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.engine import targets as targeting
from runner.engine import tracked
from runner.engine.recorded import outs_of
from runner.errors import ObjectMissing
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.engine.homes import Wanted
    from runner.engine.project import Project
    from runner.engine.targets import Named
    from runner.engine.tracked import Scope
    from runner.errors import ConfigError
    from runner.pipeline.model import LockedPath, Out
    from runner.store.moved import Moved


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be fetched.

    Attributes:
        targets: stages, DVC files, outs, or files and folders in them; none: everything.
        scope: commits whose data counts beside that of the working tree.
        kinds: only `metrics`, only `plots`, or both; empty: every out.
        run_cache: also past runs with the inputs that the stages have now.
        max_size: only outs that are recorded as smaller, in bytes, or without a size; 0: any.

    """

    targets: Sequence[str] = ()
    scope: Scope = tracked.HERE
    kinds: frozenset[str] = frozenset()
    run_cache: bool = False
    max_size: int = 0


def fetch(project: Project, wish: Wish) -> tuple[Moved, list[ConfigError]]:
    """Bring objects from the remote into the cache, verified; the workspace stays as it is.

    Returns:
        What was moved, and what is wrong with the commits whose DVC files cannot be read.

    Raises:
        RemoteError: something is missing here, and no remote is configured.
        ObjectMissing: a part of a directory is nowhere.

    """
    pipelines, unread = tracked.pipelines(project, wish.scope)
    found = tracked.recorded(pipelines, wish.targets, project.cwd)
    kept = [(one, locked) for one, locked in found if _is_wanted(wish, one.out, locked)]
    whole = [(one.out, locked.hash) for one, locked in kept if not one.inside and locked.hash]
    wanted = [
        *whole,
        *_parts(project, [pair for pair in kept if pair[0].inside]),
        *(_past(project, wish) if wish.run_cache else ()),
    ]
    project.objects.require(project.objects.absent(wanted))
    project.objects.fetch(wanted)
    return project.objects.fetched, unread


def _parts(project: Project, named: Sequence[tuple[Named, LockedPath]]) -> list[Wanted]:
    """Give the files of parts of directories; a commit that has no such part is passed over where another has it.

    Raises:
        ObjectMissing: no commit has a part, or nobody has the listing that would tell.

    """
    found: dict[str, list[Wanted]] = {}
    failed: dict[str, ObjectMissing] = {}
    for one, locked in named:
        path = f"{one.out.path}/{one.inside}"
        try:
            files = tracked.inside(project.objects, one, locked)
        except ObjectMissing as error:
            failed[path] = error
        else:
            found.setdefault(path, []).extend((part.out, part.name) for part in files)
    for path in failed.keys() - found.keys():
        raise failed[path]
    return [pair for pairs in found.values() for pair in pairs]


def _is_wanted(wish: Wish, out: Out, locked: LockedPath) -> bool:
    is_of_kind = not wish.kinds or bool(wish.kinds & _kinds(out))
    return is_of_kind and not (wish.max_size and locked.size and locked.size >= wish.max_size)


def _kinds(out: Out) -> frozenset[str]:
    return frozenset(kind for kind, is_one in (("metrics", out.metric), ("plots", out.plot)) if is_one)


def _past(project: Project, wish: Wish) -> Iterator[Wanted]:
    """Take the records of past runs into the run cache; give their outs."""
    known = project.known()
    for stage, _ in targeting.stages(project.pipeline, wish.targets, project.cwd):
        entry = None if stage.is_data_source else project.runs.lookup(stage, known.now(stage, ()))
        if entry:
            project.runs.remember(entry)
            yield from outs_of(stage, entry)
