"""What changed of the data that DVC tracks, between two revisions or a revision and the working tree: `dvc diff`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from runner.engine import tracked
from runner.engine.targets import named
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.engine.project import Project
    from runner.engine.targets import Named
    from runner.hashes import Hash
    from runner.pipeline.model import Pipeline


@dataclass(frozen=True, slots=True)
class Data:
    """What a side holds.

    Attributes:
        objects: by path, repository-relative; directories with their listing, and every file in them. An out that a
            stage declares and of which nothing is recorded has no object, and is there all the same (DVC's rule).
        unknown: directories whose listing nobody has.

    """

    objects: Mapping[str, Hash | None]
    unknown: frozenset[str] = frozenset()


Item = tuple[str, "Hash | None"]
"""A path and its object."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One file or directory that differs; `None` on the side where there is none."""

    old: Item | None
    new: Item | None

    @property
    def word(self) -> str:
        """What happened to it."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "deleted"
        return "modified" if self.old[0] == self.new[0] else "renamed"


def of_commit(project: Project, pipeline: Pipeline | None, targets: Sequence[str]) -> Data:
    """Give the data that a pipeline records; listings come from the cache, else from the remote.

    Raises:
        ConfigError: no target of that name.

    """
    if pipeline is None:
        return Data({})
    declared = named(pipeline, targets, project.cwd)
    found: dict[str, Hash | None] = {one.out.path: None for one in declared if one.out.cache and not one.inside}
    parts = list(tracked.opened(project.objects, tracked.recorded([pipeline], targets, project.cwd)))
    found.update({part.path: part.name for part in parts})
    dark = (part.path for part in parts if part.name.is_dir and project.objects.listing(part.name) is None)
    return Data(found, frozenset(dark))


def of_workspace(project: Project, targets: Sequence[str]) -> Data:
    """Give the data that lies in the working tree where cached outs belong, hashed.

    Raises:
        ConfigError: no target of that name, or something that cannot be tracked.

    """
    known = project.known()
    found: dict[str, Hash] = {}
    for one in named(project.pipeline, targets, project.cwd):
        content = known.written(one.stage, one.out) if one.out.cache else None
        if content:
            found.update(_lying(project, one, content.hash))
    return Data(found)


def _lying(project: Project, one: Named, name: Hash) -> Iterator[tuple[str, Hash]]:
    path = one.out.path
    if not one.inside:
        yield path, name
    tree = project.workspace.tree(path, name.name) if name.is_dir else None
    for inner, member in tree.members() if tree else ():
        if not one.inside or f"{inner}/".startswith(f"{one.inside}/"):
            yield f"{path}/{inner}", member


def differences(old: Data, new: Data) -> list[Difference]:
    """Compare two sides. What lies in a directory that is unknown on a side is left out.

    A file that went and one that came with the same bytes are one that was renamed; of several the first by path.
    """
    dark = old.unknown | new.unknown
    paths = [path for path in {**old.objects, **new.objects} if not _is_inside(path, dark)]
    pairs = (Difference(_item(old, path), _item(new, path)) for path in paths)
    return sorted(_with_renames([pair for pair in pairs if pair.old != pair.new]), key=_place)


def _item(data: Data, path: str) -> Item | None:
    return (path, data.objects[path]) if path in data.objects else None


def _is_inside(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _with_renames(changed: Sequence[Difference]) -> Iterator[Difference]:
    gone: dict[Hash | None, deque[Difference]] = {}
    for change in sorted(changed, key=_place):
        if change.old and change.new is None:
            gone.setdefault(change.old[1], deque()).append(change)
    for change in sorted(changed, key=_place):
        if change.old is None and change.new:
            waiting = gone.get(change.new[1]) if change.new[1] else None
            yield Difference(waiting.popleft().old, change.new) if waiting else change
        elif change.new:
            yield change
    yield from (change for waiting in gone.values() for change in waiting)


def _place(change: Difference) -> list[str]:
    side = change.old or change.new
    return side[0].split("/") if side else []


def not_in_cache(project: Project, old: Data) -> list[Item]:
    """Give what the old side has and the cache lacks."""
    absent = project.cache.missing(name for name in old.objects.values() if name)
    return [(path, name) for path, name in old.objects.items() if name in absent]
