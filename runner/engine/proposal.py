"""What of a working tree may be in the commit of a new lock: DVC files that hold hashes, and outs that git tracks.

`sorted_out` decides by names alone; `gathered` reads. What decides what runs or who may pass (dvc.yaml, params, gates,
workflows) is never in it, and what the lock was made from must be committed already: otherwise the new lock would
speak of files that nobody else has.
"""

from __future__ import annotations

import os
import posixpath
import stat
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from runner import digests
from runner.errors import ConfigError
from runner.git import Entry, worktree
from runner.pipeline.addresses import LOCK_FILE, PARAMS_FILE, PROJECT_FILE, is_dvc_file
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from runner.git import Git
    from runner.git.worktree import Modes
    from runner.pipeline.model import Stage
    from runner.pipeline.pipeline import Pipeline

RUN: Final = "Retrain-Run"
VERDICT: Final = "Retrain-Verdict"
CONTENT: Final = "Retrain-Content"
"""Trailers of a commit of ours: which run made it, how it was judged, and what it changes, as `digest` says it."""
LARGEST: Final = 40 * 1024 * 1024
"""Bytes of one file: the most that GitHub takes of a file through its API."""
GONE: Final = "000000"
LINK: Final = "120000"
PLAIN: Final = "100644"
_EXECUTABLE: Final = "100755"
_FEW: Final = 5


@dataclass(frozen=True, slots=True)
class Change:
    """One file as it is to be.

    Attributes:
        path: repository-relative.
        content: its bytes, of a link its target; `None`: it is deleted.
        mode: git's.
        was: the mode at HEAD; empty where it has no such file.

    """

    path: str
    content: bytes | None
    mode: str = PLAIN
    was: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it is, and was, nothing but a file that is not to be executed."""
        return self.content is None or {self.mode, self.was} <= {PLAIN, ""}

    def entry(self, like: str) -> Entry | None:
        """Give it as a tree has it, in a repository whose ids look like that one; `None`: a tree has it not."""
        if self.content is None:
            return None
        digest = digests.sha1 if len(like) == 40 else digests.sha256  # noqa: PLR2004 - git's own ids
        return Entry(self.mode, digest(b"blob %d\0%s" % (len(self.content), self.content)).hexdigest())


@dataclass(frozen=True, slots=True)
class Proposal:
    """A commit that is to be.

    Attributes:
        changes: sorted by path.
        left: other files that differ from HEAD, and are left as they are.

    """

    changes: tuple[Change, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """The files that stages name, repository-relative.

    Attributes:
        locks: DVC files that a run writes hashes into.
        outs: files and directories that stages write and git tracks.
        inputs: files and directories that decide what stages are, or that they read.
        cached: files and directories that the cache keeps: the lock has their hashes.
        prefix: the project's folder, ending in `/`; empty at the top.
        hides: says of a path below that folder, relative to it, whether a .dvcignore keeps DVC from seeing it.

    """

    locks: frozenset[str]
    outs: frozenset[str]
    inputs: frozenset[str]
    cached: frozenset[str] = frozenset()
    prefix: str = ""
    hides: Callable[[str], object] = lambda _: False

    @cached_property
    def _named(self) -> frozenset[str]:
        return self.locks | self.outs | self.inputs

    def may_hold(self, path: str) -> bool:
        """Whether a file may be in the commit."""
        return not _is_kept_out(path) and path not in self.inputs and (path in self.locks or _within(path, self.outs))

    def depends_on(self, path: str) -> bool:
        """Whether what a file holds decides what the lock says."""
        if _within(path, self.cached):
            return False
        inside, below = path.startswith(self.prefix), path.removeprefix(self.prefix)
        if _within(path, self._named):
            return path in self._named or not (inside and self.hides(below))
        return inside and (is_dvc_file(path) or below == ".dvc/config" or posixpath.basename(path) == ".dvcignore")


@dataclass(frozen=True, slots=True)
class Sorted:
    """Changed paths: what may be proposed, what is left, and what nobody else has though the lock depends on it."""

    proposed: tuple[str, ...]
    left: tuple[str, ...]
    refused: tuple[str, ...]


def scope_of(
    pipeline: Pipeline, prefix: str, gate_file: str, hides: Callable[[str], object] = lambda _: False
) -> Scope:
    """Give the files that a project's stages name.

    Args:
        pipeline: its stages.
        prefix: the project's folder in the repository, ending in `/`; empty at the top.
        gate_file: repository-relative.
        hides: see `Scope`.

    """

    def full(path: str) -> str:
        return posixpath.normpath(f"{prefix}{path}")

    stages = pipeline.stages
    params = {param.path for stage in stages for param in stage.params}
    used = {file for stage in stages for file in stage.used}
    beside = {posixpath.join(posixpath.dirname(stage.file), PARAMS_FILE) for stage in stages}
    project_files = {stage.file for stage in stages if stage.name}
    outs = {full(out.path) for stage in stages for out in stage.outs if not out.cache}
    outs = {out for out in outs if out != "." and not prefix.startswith(f"{out}/")}  # none holds the project itself
    deps = {full(dep.path) for stage in stages for dep in stage.deps if not dep.source} - outs
    return Scope(
        locks=frozenset(full(_lock_of(stage)) for stage in stages),
        outs=frozenset(outs),
        inputs=frozenset({*map(full, params | used | beside | project_files), posixpath.normpath(gate_file)} | deps),
        cached=frozenset(full(out.path) for stage in stages for out in stage.outs if out.cache),
        prefix=prefix,
        hides=hides,
    )


def _lock_of(stage: Stage) -> str:
    return posixpath.join(posixpath.dirname(stage.file), LOCK_FILE) if stage.name else stage.file


def sorted_out(changed: Iterable[str], scope: Scope) -> Sorted:
    """Part changed paths by what the commit of a lock may hold. Pure."""
    kinds: dict[str, list[str]] = {"proposed": [], "left": [], "refused": []}
    for path in sorted(changed):
        kind = "proposed" if scope.may_hold(path) else "refused" if scope.depends_on(path) else "left"
        kinds[kind].append(path)
    return Sorted(**{kind: tuple(paths) for kind, paths in kinds.items()})


def gathered(git: Git, scope: Scope) -> Proposal:
    """Read what a run changed of the working tree.

    Raises:
        ConfigError: a file that the lock depends on is not committed, or one that cannot be committed as it lies.

    """
    changed = worktree.changed(git)
    parted = sorted_out(changed, scope)
    if parted.refused:
        message = f"the lock depends on what is not committed: {few(parted.refused)}"
        raise ConfigError(message, "commit it first, or take it out of what stages read and write")
    changes = tuple(_read(git.root, path, changed[path]) for path in parted.proposed)
    _check_stored(git, changes)
    return Proposal(changes, parted.left)


def few(paths: Iterable[str]) -> str:
    """Name the first of some paths, and say how many others there are."""
    names = list(paths)
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(map(repr, names[:_FEW])) + more


def conflicts(
    changes: Iterable[Change], scope: Scope, ours: Mapping[str, Entry], theirs: Mapping[str, Entry]
) -> list[str]:
    """Name the files that matter and that another commit has otherwise than the one that the changes were made on.

    Args:
        changes: made on `ours`.
        scope: what matters.
        ours: the tree of the commit checked out.
        theirs: the tree of the commit that they are to be put on.

    """
    wanted = {change.path: change.entry(_an_id(ours, theirs)) for change in changes}
    differing = (path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path))
    return sorted(
        path
        for path in differing
        if (theirs.get(path) != wanted[path] if path in wanted else scope.depends_on(path) or _within(path, wanted))
    )


def missing_from(changes: Iterable[Change], tree: Mapping[str, Entry]) -> tuple[Change, ...]:
    """Give those changes that a tree does not have yet."""
    like = _an_id(tree)
    return tuple(change for change in changes if tree.get(change.path) != change.entry(like))


def digest(changes: Mapping[str, Entry | None]) -> str:
    """Give a name for what a commit changed, by paths, modes and contents, and nothing else."""
    rows = (
        f"{path}\0{entry.mode} {entry.blob}\0" if entry else f"{path}\0\0" for path, entry in sorted(changes.items())
    )
    return digests.sha256("".join(rows).encode("utf-8", "surrogateescape")).hexdigest()


def trailers(message: str) -> dict[str, str]:
    """Give the trailers of a commit's message, by name."""
    last = message.rstrip().rpartition("\n\n")[2].splitlines()
    pairs = (line.partition(": ") for line in last)
    return {name: value for name, colon, value in pairs if colon}


def entries(changes: Iterable[Change], tree: Mapping[str, Entry]) -> dict[str, Entry | None]:
    """Give changes as a tree like `tree` will have them."""
    like = _an_id(tree)
    return {change.path: change.entry(like) for change in changes}


def difference(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> dict[str, Entry | None]:
    """Give what one tree has otherwise than another."""
    return {path: after.get(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def _an_id(*trees: Mapping[str, Entry]) -> str:
    return next((entry.blob for tree in trees for entry in tree.values()), "0" * 40)


def _within(path: str, places: Iterable[str]) -> bool:
    """Whether a path is one of `places` or lies below one."""
    return path in places or any(str(parent) in places for parent in PurePosixPath(path).parents)


def _is_kept_out(path: str) -> bool:
    """Whether a path decides what runs, whatever a stage says of it: git's and DVC's own, workflows, stages."""
    parts = path.split("/")
    own = any(part.startswith(".git") or part in {".dvc", ".retrain", ".."} for part in parts)
    return own or parts[-1] in {PROJECT_FILE, ".dvcignore"}


def _read(root: Path, path: str, modes: Modes) -> Change:
    place = root / path
    if not _is_unicode(path):
        message = f"{path!r} is not UTF-8, and GitHub's API takes no other names"
        raise ConfigError(message, "rename it")
    try:
        status = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Change(path, None, GONE, modes.head)
    if stat.S_ISLNK(status.st_mode):
        return Change(path, os.fsencode(_target(root, path)), LINK, modes.head)
    if not stat.S_ISREG(status.st_mode):
        message = f"{path!r} is neither a file nor a link, and cannot be committed"
        raise ConfigError(message, "let the stage write a file")
    if status.st_size > LARGEST:
        message = f"{path!r} has {status.st_size:,} bytes, and GitHub takes no file over {LARGEST:,} through its API"
        raise ConfigError(message, "let the cache keep it: leave out `cache: false`")
    executable = modes.now == _EXECUTABLE if modes.now else bool(status.st_mode & stat.S_IXUSR)
    return Change(path, place.read_bytes(), _EXECUTABLE if executable else PLAIN, modes.head)


def _is_unicode(path: str) -> bool:
    try:
        return bool(path.encode())
    except UnicodeEncodeError:
        return False


def _target(root: Path, path: str) -> str:
    """Give where a link leads, which must be inside the repository."""
    target = os.readlink(root / path)  # noqa: PTH115 - a Path would change the text
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target.startswith("/") or inside.startswith(".."):
        message = f"{path!r} is a link that leads out of the repository, to {target!r}"
        raise ConfigError(message, "let the stage write a file")
    return target


def _check_stored(git: Git, changes: Iterable[Change]) -> None:
    """Refuse what git would not store as it lies here: what a filter changes is not what the lock speaks of."""
    plain = [change for change in changes if change.content is not None and change.mode != LINK]
    stored = worktree.stored(git, (change.path for change in plain))
    for change in plain:
        entry = change.entry(stored[change.path])
        if entry and entry.blob != stored[change.path]:
            message = f"git would store {change.path!r} otherwise than it lies here: a filter of .gitattributes"
            raise ConfigError(message, "take it out of the filter (`-text -filter`), or let the cache keep it")
