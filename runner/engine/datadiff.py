"""What changed of the data that DVC tracks, between two revisions or a revision and the working tree: `dvc diff`."""

from __future__ import annotations

from collections import deque
from dataclasses import field
from itertools import chain
from typing import TYPE_CHECKING

from runner.engine import tracked
from runner.engine.targets import named
from runner.hashes import Hash, Names, Tree, differing
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.engine.project import Project
    from runner.engine.targets import Named
    from runner.pipeline.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Data:
    """What a side holds.

    Attributes:
        objects: by path, repository-relative; files and directories. An out that a stage declares and of which nothing
            is recorded has no object, and is there all the same (DVC's rule).
        folders: what the directories hold whose listing is known.
        unknown: directories whose listing nobody has.

    """

    objects: Mapping[str, Hash | None]
    folders: Mapping[str, Tree] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()


_NONE = Tree(())

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
    folders: dict[str, Tree] = {}
    dark: set[str] = set()
    for one, locked in tracked.recorded([pipeline], targets, project.cwd):
        tree = project.objects.listing(locked.hash) if locked.hash and locked.hash.is_dir else None
        if one.inside and tree is not None:
            found.update(_inside(one, tree))
            continue
        found[one.out.path] = locked.hash
        if tree is not None:
            folders[one.out.path] = tree
        elif locked.hash and locked.hash.is_dir:
            dark.add(one.out.path)
    return Data(found, folders, frozenset(dark))


def of_workspace(project: Project, targets: Sequence[str]) -> Data:
    """Give the data that lies in the working tree where cached outs belong, hashed.

    Raises:
        ConfigError: no target of that name, or something that cannot be tracked.

    """
    known = project.known()
    found: dict[str, Hash] = {}
    folders: dict[str, Tree] = {}
    for one in named(project.pipeline, targets, project.cwd):
        content = known.written(one.stage, one.out) if one.out.cache else None
        if content is None:
            continue
        name, path = content.hash, one.out.path
        tree = project.workspace.tree(path, name.name) if name.is_dir else None
        if one.inside:
            found.update(_inside(one, tree) if tree else ())
            continue
        found[path] = name
        if tree is not None:
            folders[path] = tree
    return Data(found, folders)


def _inside(one: Named, tree: Tree) -> Iterator[tuple[str, Hash]]:
    """Give the files of the part of a directory that is meant."""
    for inner, member in tree.members():
        if f"{inner}/".startswith(f"{one.inside}/"):
            yield f"{one.out.path}/{inner}", member


def differences(old: Data, new: Data) -> list[Difference]:
    """Compare two sides. What lies in a directory that is unknown on a side is left out.

    A file that went and one that came with the same bytes are one that was renamed; of several the first by path.
    """
    dark = old.unknown | new.unknown
    was, now = dict(old.objects), dict(new.objects)
    for folder in {**old.folders, **new.folders}:
        for path, before, after in _changed(folder, old.folders.get(folder, _NONE), new.folders.get(folder, _NONE)):
            was.update({path: before} if before else {})
            now.update({path: after} if after else {})
    paths = [path for path in {**was, **now} if not _is_inside(path, dark)]
    pairs = (Difference(_item(was, path), _item(now, path)) for path in paths)
    return sorted(_with_renames([pair for pair in pairs if pair.old != pair.new]), key=_place)


def _changed(folder: str, old: Tree, new: Tree) -> Iterator[tuple[str, Hash | None, Hash | None]]:
    """Give the files of a directory whose names differ; names of two kinds always do."""
    if old.kind != new.kind and old.pages and new.pages:
        yield from ((f"{folder}/{path}", name, None) for path, name in old.members())
        yield from ((f"{folder}/{path}", None, name) for path, name in new.members())
        return
    for path, was, now in differing(old, new):
        yield f"{folder}/{path}", Hash(was, old.kind) if was else None, Hash(now, new.kind) if now else None


def _item(objects: Mapping[str, Hash | None], path: str) -> Item | None:
    return (path, objects[path]) if path in objects else None


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
    heads = Names.of(name for name in old.objects.values() if name)
    absent = project.cache.missing(Names.united([heads, *(tree.names for tree in old.folders.values())]))
    inner = ((f"{folder}/{path}", name) for folder, tree in old.folders.items() for path, name in tree.members())
    return [(path, name) for path, name in chain(old.objects.items(), inner) if name in absent] if absent else []
