"""What changed of the data that DVC tracks, between two revisions or a revision and the working tree: `dvc diff`."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from runner.engine import tracked
from runner.engine.targets import named
from runner.hashes import Hash, Names, Tree, differing
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.engine.project import Project
    from runner.engine.targets import Named
    from runner.hashes.tree import Row
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

_DIGITS: Final = 32
"""Of an md5."""

_FEW: Final = 1 << 16
"""Differences that are held: 20 MB."""

Word = Literal["added", "deleted", "modified", "renamed"]
Item = tuple[str, "Hash | None"]
"""A path and its object."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One file or directory that differs; `None` on the side where there is none."""

    old: Item | None
    new: Item | None

    @property
    def word(self) -> Word:
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


class Differences:
    """What differs between two sides. Where it is much it is found anew each time, and never held as a whole."""

    def __init__(self, old: Data, new: Data, most: int = _FEW) -> None:
        """Compare two sides. What lies in a directory that is unknown on a side is left out.

        A file that went and one that came with the same bytes are one that was renamed; of several the first by path.

        Args:
            old: one side.
            new: the other one.
            most: changes that are held.

        """
        self._sides = old, new
        some = list(islice(_changes(old, new), most + 1))
        self._any = bool(some)
        self._held = some if len(some) <= most else None
        self._renamed = _renamed(partial(self._unpaired, "deleted"), partial(self._unpaired, "added"))
        self._paired = {change.old for change in self._renamed} | {change.new for change in self._renamed}

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return self._any

    def of(self, word: Word) -> Iterator[Difference]:
        """Give those of a word, by the path that they have or, where they went or were renamed, had."""
        if word == "renamed":
            return iter(self._renamed)
        found = self._unpaired(word)
        if word == "modified" or not self._renamed:
            return found
        return (change for change in found if (change.old or change.new) not in self._paired)

    def _unpaired(self, word: Word) -> Iterator[Difference]:
        """Give those of a word as if nothing was renamed."""
        if self._held is None:
            return _changes(*self._sides, word)
        return (change for change in self._held if change.word == word)


def _changes(old: Data, new: Data, word: Word | None = None) -> Iterator[Difference]:
    """Compare two sides path by path, as if nothing was renamed; give what has the word, if one is given."""
    dark = old.unknown | new.unknown
    heads = {*old.objects, *new.objects}
    pairs = (Difference(_item(old, path), _item(new, path)) for path in heads)
    outs = sorted((pair for pair in pairs if pair.old != pair.new and word in {None, pair.word}), key=_shown)
    streams: list[Iterable[Difference]] = [outs]
    for folder in {**old.folders, **new.folders}:
        inside = _changed(folder, old.folders.get(folder, _NONE), new.folders.get(folder, _NONE), word)
        streams.append(change for change in inside if _path(change) not in heads)
    found = heapq.merge(*streams, key=_shown)
    return (change for change in found if not _is_inside(_path(change), dark)) if dark else found


def _changed(folder: str, old: Tree, new: Tree, word: Word | None) -> Iterator[Difference]:
    """Give the files of a directory whose names differ; names of two kinds always do."""
    for path, was, now in differing(old, new) if old.kind == new.kind else differing(_with_kind(old), _with_kind(new)):
        if word is None or word == ("modified" if was and now else "deleted" if was else "added"):
            at = f"{folder}/{path}"
            before = (at, Hash(was[:_DIGITS], old.kind)) if was else None
            yield Difference(before, (at, Hash(now[:_DIGITS], new.kind)) if now else None)


def _with_kind(tree: Tree) -> Iterator[Row]:
    return ((path, f"{md5}{tree.kind}") for path, md5 in tree)


def _item(side: Data, path: str) -> Item | None:
    """Give what a side has at the path of an out, which may be one of the other side alone and here part of another."""
    if path in side.objects:
        return path, side.objects[path]
    found = (tree.lookup(path.removeprefix(f"{top}/")) for top, tree in side.folders.items() if _is_inside(path, [top]))
    return next(((path, name) for name in found if isinstance(name, Hash)), None)


def _is_inside(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _renamed(
    deleted: Callable[[], Iterator[Difference]], added: Callable[[], Iterator[Difference]]
) -> list[Difference]:
    """Pair what went with what came with the same bytes, first with first."""
    both = Names.of(name for _, name in _known(deleted()))
    both = both and both & Names.of(name for _, name in _known(added()))
    waiting: dict[Hash, list[Item]] = {}
    for item, name in reversed(_in_both(deleted, both)):
        waiting.setdefault(name, []).append(item)
    came = ((item, waiting[name]) for item, name in _in_both(added, both))
    return sorted((Difference(gone.pop(), item) for item, gone in came if gone), key=_shown)


def _known(changes: Iterable[Difference]) -> Iterator[tuple[Item, Hash]]:
    """Give what came or went, and has an object."""
    for change in changes:
        item = change.old or change.new
        if item and item[1]:
            yield item, item[1]


def _in_both(changes: Callable[[], Iterable[Difference]], names: Names) -> list[tuple[Item, Hash]]:
    """Give those of the objects `names`, folder by folder as DVC goes through them."""
    found = (known for known in _known(changes()) if known[1] in names) if names else ()
    return sorted(found, key=lambda known: known[0][0].split("/"))


def _path(change: Difference) -> str:
    side = change.old or change.new
    return side[0] if side else ""


def _shown(change: Difference) -> str:
    """Give what changes are in the order of: a directory ends in a slash (DVC's rule)."""
    side = change.old or change.new
    return shown(side) if side else ""


def shown(item: Item) -> str:
    """Give a path as it is printed: a directory's ends in a slash."""
    return f"{item[0]}/" if item[1] and item[1].is_dir else item[0]


@dataclass(frozen=True, slots=True)
class Lacking(Iterable[Item]):
    """What a side has and the cache lacks, by path.

    Attributes:
        side: what has it.
        absent: the objects.

    """

    side: Data
    absent: Names

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.absent)

    def __iter__(self) -> Iterator[Item]:
        """Give each path with its object."""
        streams = [_members(folder, tree) for folder, tree in self.side.folders.items()]
        items = heapq.merge(sorted(self.side.objects.items(), key=shown), *streams, key=shown)
        return ((path, name) for path, name in items if name in self.absent)


def _members(folder: str, tree: Tree) -> Iterator[Item]:
    return ((f"{folder}/{path}", name) for path, name in tree.members())


def not_in_cache(project: Project, old: Data) -> Lacking:
    """Give what the old side has and the cache lacks."""
    heads = Names.of(name for name in old.objects.values() if name)
    return Lacking(old, project.cache.missing(Names.united([heads, *(tree.names for tree in old.folders.values())])))
