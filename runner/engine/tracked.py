"""The data that DVC tracks, as pipelines record it: which objects hold which paths, directories opened up."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from runner.engine.committed import Committed
from runner.engine.targets import Named, named
from runner.errors import ConfigError, ObjectMissing
from runner.git import history
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.engine.objects import Objects
    from runner.engine.project import Project
    from runner.git import Git
    from runner.hashes import Hash
    from runner.pipeline.model import LockedPath, Out
    from runner.pipeline.pipeline import Pipeline

logger = logging.getLogger("retrain")


@dataclass(frozen=True, slots=True)
class Tracked:
    """One file, or one directory's listing.

    Attributes:
        out: the out that it is, or is part of.
        path: where it belongs, repository-relative.
        name: its object.
        size: bytes as recorded, of a listing those of all its files; `None` where that is not recorded.

    """

    out: Out
    path: str
    name: Hash
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Revisions beside the working tree.

    Attributes:
        branches, tags, commits: all of these.

    """

    branches: bool = False
    tags: bool = False
    commits: bool = False

    def __bool__(self) -> bool:
        """Whether it holds anything."""
        return self.branches or self.tags or self.commits

    def names(self, git: Git) -> list[str]:
        """Give the names of the branches and tags."""
        return [*(history.branches(git) if self.branches else ()), *(history.tags(git) if self.tags else ())]


HERE = Scope()
"""The working tree alone."""


def pipelines(project: Project, scope: Scope) -> tuple[list[Pipeline], list[ConfigError]]:
    """Give the working tree's pipeline and those of the commits in `scope`, each once; and what is wrong with commits.

    A commit whose DVC files cannot be read hides none of the others, and is never taken for one that names nothing.
    """
    git = project.git
    shas = dict.fromkeys([*map(git.resolve, scope.names(git)), *(history.commits(git) if scope.commits else ())])
    found, unread = [project.pipeline], []
    for sha in shas:
        try:
            then = Committed(git, project.prefix, sha, project.unpacking).load()
        except ConfigError as error:
            message = f"commit {sha[:12]}: the DVC files cannot be read: {'; '.join(map(str, error.problems))}"
            unread.append(ConfigError(message, "what only that commit names is left out"))
        else:
            found += [then] if then else []
    for pipeline in found[1:]:
        project.objects.versions.note(pipeline)
    return found, unread


def recorded(pipelines: Sequence[Pipeline], targets: Sequence[str], cwd: str) -> Iterator[tuple[Named, LockedPath]]:
    """Give the cached outs that `targets` name (none: all), with what is recorded of them.

    Raises:
        ConfigError: no pipeline has a target of that name; where some have it, the others are passed over.

    """
    failed: list[ConfigError] = []
    for pipeline in pipelines:
        try:
            chosen = named(pipeline, targets, cwd)
        except ConfigError as error:
            failed.append(error)
            continue
        for one in chosen:
            entry = pipeline.entries.get(one.stage.address)
            locked = entry.out(one.out.spelled) if entry else None
            if one.out.cache and locked and locked.hash:
                yield one, locked
    if len(failed) == len(pipelines):
        raise failed[0]


def inside(objects: Objects, one: Named, locked: LockedPath) -> list[Tracked]:
    """Give the files of the part of a directory that is meant.

    Raises:
        ObjectMissing: there are none, or nobody has the listing that would tell.

    """
    found = list(opened(objects, [(one, locked)]))
    if not found or found[0].name == locked.hash:
        message = f"{one.out.path}/{one.inside} is not in the directory that the lock names, or its listing is nowhere"
        raise ObjectMissing(message, f"fetch all of it: `retrain fetch {one.out.path}`")
    return found


def opened(objects: Objects, found: Iterable[tuple[Named, LockedPath]]) -> Iterator[Tracked]:
    """Give every object of outs, directories opened up; of a directory of which a part is meant, that part.

    A listing that nobody has is there by itself.
    """
    for one, locked in found:
        if locked.hash:
            yield from _parts(objects, one, locked.hash, locked.size)


def _parts(objects: Objects, one: Named, name: Hash, size: int | None) -> Iterator[Tracked]:
    if not one.inside:
        yield Tracked(one.out, one.out.path, name, size)
    tree = objects.listing(name) if name.is_dir else None
    if one.inside and tree is None:
        yield Tracked(one.out, one.out.path, name)
    for inner, member in tree.members() if tree else ():
        if not one.inside or f"{inner}/".startswith(f"{one.inside}/"):
            yield Tracked(one.out, f"{one.out.path}/{inner}", member)
