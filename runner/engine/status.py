"""`dvc status`: what in the workspace, or in the remote, is not as the lock says. The comparison is `decide`'s.

Other than a plan it looks at what is there and not at what could be put there: an out that is gone is `deleted`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from runner.engine import targets as targeting
from runner.engine import tracked
from runner.engine.decide import differences
from runner.engine.decision import Absent, Change
from runner.hashes import Names
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from runner.engine.decision import Now, Reason
    from runner.engine.known import Known
    from runner.engine.project import Project
    from runner.engine.targets import Named
    from runner.hashes import Hash
    from runner.pipeline.model import LockedPath, Param, Stage
    from runner.pipeline.pipeline import Pipeline

# DVC calls a file modified, too, of which nothing is recorded; only params and datasets can be new.
_DEPS: Final = {
    Change.DEP_NEW: "modified",
    Change.DEP_MODIFIED: "modified",
    Change.DEP_DELETED: "deleted",
    Change.OUT_OF_SYNC: "not in sync",
    Change.SOURCE: "modified",
    Change.UPDATE: "update available",
}
_PARAMS: Final = {Change.PARAM_NEW: "new", Change.PARAM_MODIFIED: "modified", Change.PARAM_DELETED: "deleted"}
_OUTS: Final = {Change.OUT_NEW: "modified", Change.OUT_MODIFIED: "modified", Change.OUT_DELETED: "deleted"}
_ALWAYS: Final = frozenset({Change.ALWAYS, Change.CALLBACK})
_WORDS: Final = {Change.CHECKSUM: "changed checksum", Change.CMD: "changed command"}


def local(
    project: Project, targets: Sequence[str], *, with_deps: bool = False, asks: bool = True
) -> dict[str, list[Any]]:
    """Compare the workspace with the lock; asks no remote.

    Args:
        project: the project.
        targets: stages, DVC files, or paths of outs; none: all.
        with_deps: also what the stages named depend on.
        asks: ask the sources of imports that are not frozen what they hold.

    Returns:
        By address, as seen from the folder one is in, what `dvc status --json` says: `{"changed deps": {...}}`,
        `{"changed outs": {...}}`, `always changed`, `changed command`. What is as it should be is left out.

    """
    chosen = targeting.stages(project.pipeline, targets, project.cwd, with_deps=with_deps)
    look = _Look(project.known(), _not_in_cache(project, [stage for stage, _ in chosen]), project.cwd, asks=asks)
    found = ((stage.address_from(project.cwd), list(look.words(stage, outs))) for stage, outs in chosen)
    return {address: words for address, words in found if words}


def _not_in_cache(project: Project, stages: Sequence[Stage]) -> set[Hash]:
    """Give the recorded hashes of cached outs of which the cache lacks anything, asking for all of them at once."""
    entries = [(stage, project.pipeline.entries.get(stage.address)) for stage in stages]
    names = {
        recorded.hash
        for stage, entry in entries
        for out in stage.outs
        if entry and out.cache and (recorded := entry.out(out.spelled)) and recorded.hash
    }
    valid = {name for name in names if name.is_valid}
    absent = names - valid | set(project.cache.missing(valid))
    return absent | {name for name in names - absent if name.is_dir and not project.objects.at_hand(name)}


@dataclass(frozen=True)
class _Look:
    """What stages are compared with.

    Attributes:
        known: the workspace and the lock.
        absent: recorded hashes that the cache lacks.
        cwd: the folder that paths are shown from.
        asks: ask sources.

    """

    known: Known
    absent: Collection[Hash]
    cwd: str
    asks: bool

    def words(self, stage: Stage, outs: Collection[str]) -> Iterator[dict[str, dict[str, Any]] | str]:
        """Say what of a stage has changed, of its outs those at the paths `outs`."""
        now = self.known.on_disk(stage, asks=self.asks)
        reasons = differences(stage, self.known.entry(stage), now)
        if deps := dict(self._deps(stage, now, reasons)):
            yield {"changed deps": deps}
        if changed := {path: word for path, word in self._outs(stage, now, reasons) if path in outs}:
            yield {"changed outs": {self._shown(path): word for path, word in changed.items()}}
        if any(reason.change in _ALWAYS for reason in reasons):
            yield "always changed"
        yield from (_WORDS[reason.change] for reason in reasons if reason.change in _WORDS)

    def _deps(self, stage: Stage, now: Now, reasons: Sequence[Reason]) -> Iterator[tuple[str, Any]]:
        elsewhere = {dep.path: dep for dep in stage.deps if dep.source or dep.dataset}
        for reason in (reason for reason in reasons if reason.change in _DEPS):
            dep = elsewhere.get(reason.path)
            is_new = reason.change is Change.DEP_NEW and dep is not None and bool(dep.dataset)
            yield reason.path if dep else self._shown(reason.path), "new" if is_new else _DEPS[reason.change]
        entry = self.known.entry(stage)
        changed = [reason for reason in reasons if reason.change in _PARAMS]
        for param in stage.params:
            was = entry.params.get(param.spelled) if entry else None
            found = _param(param, param.keys or (*(now.params.get(param.spelled) or ()), *(was or ())), changed)
            if found:
                yield self._shown(param.path), "new" if was is None and isinstance(found, dict) else found

    def _outs(self, stage: Stage, now: Now, reasons: Sequence[Reason]) -> Iterator[tuple[str, str]]:
        changed = {reason.path: _OUTS[reason.change] for reason in reasons if reason.change in _OUTS}
        for out in stage.outs:
            recorded = self.known.recorded(stage, out)
            if out.cache and recorded and recorded.hash in self.absent:
                yield out.path, "not in cache"
            elif isinstance(now.outs[out.spelled], Absent):
                yield out.path, "deleted"
            elif out.path in changed:
                yield out.path, changed[out.path]

    def _shown(self, path: str) -> str:
        return posixpath.relpath(path, self.cwd)


def _param(param: Param, keys: Sequence[str], reasons: Iterable[Reason]) -> dict[str, str] | str:
    """Give the words by key as the stage declares it: what differs inside a value modifies the value."""
    words: dict[str, str] = {}
    for reason in reasons:
        if reason.path == param.path:
            return "deleted"
        if not reason.path.startswith(f"{param.path}:"):
            continue
        inner = reason.path.removeprefix(f"{param.path}:")
        key = next((key for key in keys if inner == key or inner.startswith(f"{key}.")), inner)
        words[key] = _PARAMS[reason.change] if inner == key else "modified"
    return words


class Words(Mapping[str, str]):
    """Words of very many paths: as seen from a folder, and in the order of the repository."""

    def __init__(self, words: Mapping[str, str], cwd: str) -> None:
        """Take words by path in the repository, and the folder."""
        self._words = words
        self._cwd = cwd

    def __getitem__(self, path: str) -> str:
        """Give the word of a path."""
        return self._words[posixpath.normpath(posixpath.join(self._cwd, path))]

    def __iter__(self) -> Iterator[str]:
        """Give each path."""
        return (posixpath.relpath(path, self._cwd) for path in sorted(self._words))

    def __len__(self) -> int:
        """Count them."""
        return len(self._words)


def remote(project: Project, pipelines: Sequence[Pipeline], targets: Sequence[str]) -> Words:
    """Compare the cache with the remotes, every file of a directory by itself.

    Args:
        project: the project.
        pipelines: whose outs count: the working tree's, and those of commits.
        targets: stages, DVC files, or paths of outs; none: all.

    Returns:
        By path, as seen from the folder one is in: `new` is only here, `deleted` only in the remote, `missing` nowhere.

    Raises:
        RemoteError: no remote is configured, or it cannot be asked.

    """
    recorded = tracked.recorded(pipelines, targets, project.cwd)
    found = [pair for pair in recorded if pair[0].out.push and not pair[0].out.origin]
    project.objects.require(_homes(found))
    there = {home: _kept(project, [pair for pair in found if pair[0].out.remote == home]) for home in _homes(found)}
    absent = project.cache.missing(part.name for part in tracked.opened(project.objects, found))
    words: dict[str, str] = {}
    for part in tracked.opened(project.objects, found):
        word = _side(here=part.name not in absent, there=part.name in there[part.out.remote])
        if word:
            words[part.path] = word
        else:
            words.pop(part.path, None)
    return Words(words, project.cwd)


def _homes(found: Iterable[tuple[Named, LockedPath]]) -> set[str]:
    return {one.out.remote for one, _ in found}


def _kept(project: Project, found: Sequence[tuple[Named, LockedPath]]) -> Names:
    """Ask the remote that all of these outs are kept in what it has of them."""
    home = found[0][0].out.remote
    names = Names.of(part.name for part in tracked.opened(project.objects, found))
    there = project.objects.sizes({home: names}).names
    if project.read_only(home):  # DVC files are its listings
        there |= Names.of(name for name in names.others if name.is_dir)
    return there


def _side(*, here: bool, there: bool) -> str:
    if here:
        return "" if there else "new"
    return "deleted" if there else "missing"
