"""What git tracks and what it ignores: questions to its index and its ignore files."""

from __future__ import annotations

import os
import posixpath
from bisect import bisect_left
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from runner.git import Git
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Listed:
    """The DVC files of a folder, relative to it.

    Attributes:
        files: every dvc.yaml, `*.dvc` and `Dvcfile` that is not ignored.
        ignored_locks: each dvc.lock beside them that is, whether it is there or not.

    """

    files: list[str]
    ignored_locks: set[str]


def begin(git: Git, folder: Path, path: str) -> None:
    """Have git work on what `tracks` of a path, if there is one, and `listed` of a folder will ask."""
    for command in (*([_tracking(path)] if path else []), _listing(folder), _ignoring(folder)):
        git.begin(*command)


def listed(git: Git, folder: Path) -> Listed:
    """Give the DVC files below `folder` that no ignore file names, tracked or not, as DVC does.

    Repositories inside this one (submodules, clones) are looked into, unless they are DVC projects of their own.
    """
    found = git.rows(*_listing(folder))
    own = [path for path in found if (folder / path).is_file()]
    locks = [f"{path.removesuffix('dvc.yaml')}dvc.lock" for path in own if path.endswith("dvc.yaml")]
    hidden = _named_by_ignore_files(git, folder, [*own, *locks])
    inside = [path.rstrip("/") for path in found if path.endswith("/")] + _submodules(git, folder)
    others = [f"{place}/{path}" for place in inside for path in _listed_inside(git, folder / place)]
    return Listed([path for path in own if path not in hidden] + others, hidden & set(locks))


def _listing(folder: Path) -> tuple[str, ...]:
    names = ("dvc.yaml", "*/dvc.yaml", "Dvcfile", "*/Dvcfile", "*.dvc", "*/")  # the last one: other repositories
    what = ("--cached", "--others", "--exclude-standard", "--deduplicate")
    return ("-C", str(folder), "ls-files", "-z", *what, "--", *names)


def _named_by_ignore_files(git: Git, folder: Path, paths: Sequence[str]) -> set[str]:
    """Give those of `paths` that an ignore file names, whether git tracks them or not."""
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    return set(git.rows(*_ignoring(folder), stdin=asked, fine=(0, 1))) if paths else set()


def _ignoring(folder: Path) -> tuple[str, ...]:
    return ("-C", str(folder), "check-ignore", "--no-index", "--stdin", "-z")


def _submodules(git: Git, folder: Path) -> list[str]:
    """Give the places of submodules below `folder`; a repository without any is not asked."""
    if not (git.root / ".gitmodules").exists():
        return []
    staged = git.rows("-C", str(folder), "ls-files", "-z", "--stage")
    return [entry.partition("\t")[2] for entry in staged if entry.startswith("160000 ")]


def _listed_inside(git: Git, place: Path) -> list[str]:
    """Give the DVC files of another repository; none where it is not checked out, or a project of its own."""
    if not (place / ".git").exists() or (place / ".dvc").exists():
        return []
    return listed(Git(place, git.environ), place).files


def tracked(git: Git, paths: Iterable[str]) -> set[str]:
    """Give those of `paths` that are in git's index, or folders with a file in it."""
    wanted = list(paths)
    known = staged(git) if wanted else []
    return {path for path in wanted if _holds(known, path)}


def staged(git: Git) -> list[str]:
    """List every file in git's index."""
    return git.rows("ls-files", "-z")


def tracks(git: Git, path: str) -> bool:
    """Whether git's index has `path`, or anything below it; asks for that alone."""
    return bool(git.run(*_tracking(path)))


def _tracking(path: str) -> tuple[str, ...]:
    return ("ls-files", "-z", "--", f":(literal){path}")


def checked_out(git: Git, paths: Iterable[str]) -> set[str]:
    """Give those of `paths` that a checkout has: tracked, or inside a submodule or behind a link that is."""
    wanted = list(paths)
    known = staged(git) if wanted else []
    entries = frozenset(known)
    parents = {path: [str(parent) for parent in PurePosixPath(path).parents] for path in wanted}
    return {path for path in wanted if _holds(known, path) or not entries.isdisjoint(parents[path])}


def ignored(git: Git, paths: Iterable[str]) -> set[str]:
    """Give those of `paths` that git ignores; a tracked file is never ignored, nor what lies behind a link."""
    paths = list(paths)
    behind = {folder for folder in {posixpath.dirname(path) for path in paths} if _leads_elsewhere(git, folder)}
    seen = (path for path in paths if posixpath.dirname(path) not in behind)
    wanted = b"".join(os.fsencode(path) + b"\0" for path in seen)
    return set(git.rows("check-ignore", "--stdin", "-z", stdin=wanted, fine=(0, 1))) if wanted else set()


def _leads_elsewhere(git: Git, folder: str) -> bool:
    """Whether a link is on the way to `folder`: git knows the link, and refuses to be asked about more."""
    return any((git.root / part).is_symlink() for part in (folder, *map(str, PurePosixPath(folder).parents)) if part)


def _holds(known: Sequence[str], path: str) -> bool:
    """Whether the sorted list has the path, or one inside it."""
    at = bisect_left(known, path)
    inside = bisect_left(known, f"{path}/")
    return known[at : at + 1] == [path] or (inside < len(known) and known[inside].startswith(f"{path}/"))
