"""The workspace as the lock says, from the local cache alone: `dvc checkout`. Nothing that was edited is lost."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from runner.engine import aside, tracked
from runner.engine.committed import Committed
from runner.errors import ConfigError, Corrupt, ObjectMissing
from runner.git import history, index
from runner.pipeline.model import Out
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.engine.keeping import Keeping
    from runner.engine.known import Known
    from runner.engine.project import Project
    from runner.engine.targets import Named
    from runner.hashes import Hash
    from runner.pipeline.model import LockedPath

logger = logging.getLogger("retrain")
_DVC_FILES: Final = ("*.dvc", "*dvc.yaml", "*dvc.lock")


@dataclass(frozen=True, slots=True)
class Piece:
    """What is put in place in one go.

    Attributes:
        out: the out, or a file inside one, which then has that file's path.
        name: what it is to hold.
        isexec: whether it is executable.

    """

    out: Out
    name: Hash
    isexec: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """What a checkout did.

    Attributes:
        added, modified, deleted: paths, repository-relative.
        failed: paths that stayed as they were, because objects are not in the cache.

    """

    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def pieces(project: Project, targets: Sequence[str]) -> list[Piece]:
    """Give what `targets` name (none: everything), of a directory of which a part is named its files one by one.

    Raises:
        ConfigError: a target names nothing.
        ObjectMissing: a part of a directory whose listing nobody has.

    """
    found = tracked.recorded([project.pipeline], targets, project.cwd)
    return [piece for one, locked in found for piece in _pieces(project, one, locked)]


def _pieces(project: Project, one: Named, locked: LockedPath) -> Iterator[Piece]:
    name = locked.hash
    if name is None:
        return
    if not one.inside:
        yield Piece(one.out, name, locked.isexec)
        return
    parts = tracked.inside(project.objects, one, locked)
    yield from (Piece(replace(one.out, path=part.path), part.name) for part in parts)


def checkout(project: Project, targets: Sequence[str], *, force: bool = False, relink: bool = False) -> Placed:
    """Put in place what `targets` name (none: everything) and the cache holds; what it lacks stays as it is.

    Args:
        project: the project.
        targets: stages, DVC files, outs, or files and folders in them.
        force: replace what was edited and is in no cache; its bytes then stay in the cache.
        relink: make links or copies anew where they are right, as `cache.type` says now.

    Raises:
        ConfigError: without `force`, something would be replaced that is in no cache. Nothing was touched.

    """
    known, keeping = project.known(), project.keeping()
    wanted = [piece for piece in pieces(project, targets) if relink or not known.is_in_place(piece.out, piece.name)]
    ready = [piece for piece in wanted if project.objects.at_hand(piece.name)]
    if not force:
        check_saved(project, keeping, ready)
    there = {piece.out.path for piece in ready if project.workspace.observe_out(piece.out.path)}
    placed = [piece for piece in ready if _is_put(project, keeping, piece)]
    done = {piece.out.path for piece in placed}
    return Placed(
        added=tuple(sorted(done - there)),
        modified=tuple(sorted(done & there)) if not relink else (),
        failed=tuple(sorted(_out_of_place(known, (piece for piece in wanted if piece.out.path not in done)))),
    )


def _out_of_place(known: Known, pieces: Iterable[Piece]) -> list[str]:
    return [piece.out.path for piece in pieces if not known.is_in_place(piece.out, piece.name)]


def check_saved(project: Project, keeping: Keeping, ready: Sequence[Piece]) -> None:
    """Refuse to put pieces in place over what was edited and is in no cache.

    Raises:
        ConfigError: names those that were.

    """
    lost = [
        piece.out.path
        for piece in ready
        if (content := project.workspace.observe_out(piece.out.path)) and not keeping.holds(piece.out, content)
    ]
    if lost:
        message = f"edited, and in no cache: {', '.join(lost)}"
        raise ConfigError(message, "nothing was touched; --force replaces them and keeps their bytes in the cache")


def _is_put(project: Project, keeping: Keeping, piece: Piece) -> bool:
    try:
        put(project, keeping, piece)
    except (Corrupt, ObjectMissing) as error:
        logger.error("%s is left as it is: %s", piece.out.path, error.message)  # noqa: TRY400 - no bug, no traceback
        return False
    return True


def put(project: Project, keeping: Keeping, piece: Piece) -> None:
    """Put one piece in place; bytes there that nothing else holds go to the cache first.

    Raises:
        ObjectMissing, Corrupt: the cache lacks an object, or it is broken. The workspace is as it was.

    """
    content = project.workspace.observe_out(piece.out.path)
    if content and content.hash != piece.name and not keeping.is_part(piece.out, content, piece.name):
        keeping.rescue(piece.out, content)
    keeping.put(piece.out, piece.name, isexec=piece.isexec)


def prune(project: Project) -> tuple[str, ...]:
    """Remove what was an out in some commit and is none any more; give the paths.

    Only what nobody else owns, is as a commit recorded it, and is in the cache, unbroken: it can be had again. Looks
    at every commit of this clone that changed a DVC file.
    """
    keeping = project.keeping()
    found = sorted(_left_over(project, keeping))
    for path in found:
        _remove(project, path)
        project.workspace.forget(path)
    return tuple(found)


def _remove(project: Project, path: str) -> None:
    """Remove an out; of a directory only what its listing names, as what DVC does not see is in no cache."""
    place = project.workspace.path(path)
    content = project.workspace.observe_out(path)
    if content is None or not content.hash.is_dir or place.is_symlink():
        aside.remove(place)
        return
    files = [PurePosixPath(inner) for inner, _ in project.workspace.tree(path)]
    for file in files:
        (place / file).unlink(missing_ok=True)
    for folder in sorted({parent for file in files for parent in file.parents} or {PurePosixPath()}, reverse=True):
        with suppress(OSError):  # it is not empty
            (place / folder).rmdir()


def _left_over(project: Project, keeping: Keeping) -> Iterator[str]:
    past = _past(project)
    present = [path for stage in project.pipeline.stages for path in (*stage.reads, *(out.path for out in stage.outs))]
    free = [path for path in past if not any(_touch(path, other) for other in present)]
    tracked_by_git = index.tracked(project.git, (f"{project.prefix}{path}" for path in free))
    for path in free:
        if f"{project.prefix}{path}" in tracked_by_git or not os.path.lexists(project.workspace.path(path)):
            continue
        if any(_is_as(project, path, name) for name in past[path]) and _can_be_had_again(project, keeping, path):
            yield path


def _is_as(project: Project, path: str, name: Hash) -> bool:
    content = project.workspace.observe_out(path, name.name)
    return content is not None and content.hash == name


def _can_be_had_again(project: Project, keeping: Keeping, path: str) -> bool:
    content = project.workspace.observe_out(path)
    return content is not None and keeping.holds(Out(path, path), content)


def _past(project: Project) -> dict[str, set[Hash]]:
    """Give every hash that commits record, by the path of the cached out."""
    past: dict[str, set[Hash]] = {}
    for sha in history.commits(project.git, *_DVC_FILES):
        pipeline = Committed(project.git, project.prefix, sha).pipeline
        for one, locked in tracked.recorded([pipeline], (), ".") if pipeline else ():
            if locked.hash:
                past.setdefault(one.out.path, set()).add(locked.hash)
    return past


def _touch(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")
