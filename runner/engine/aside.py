"""Files out of the way for a while: whatever interrupts us, each lies whole in its place or whole in a scratch folder.

`places.json` in the scratch folder, written before anything moves, says where its files belong; so a later run can
put back what a killed one left behind.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from runner.engine.workspace import SCRATCH, refusals
from runner.errors import ConfigError
from runner.store import disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from runner.engine.workspace import Workspace

logger = logging.getLogger("retrain")
_JOURNAL = "places.json"
_RESERVED = frozenset({".git", ".dvc", ".github"})


class Aside:
    """Files of one project that stepped aside into one scratch folder."""

    def __init__(self, workspace: Workspace, scratch: str, places: Sequence[tuple[str, bool]]) -> None:
        """Name the files; nothing moves yet.

        Args:
            workspace: the working tree.
            scratch: a folder for these files alone, repository-relative.
            places: repository-relative path of each, and whether its original stays and a copy is taken.

        """
        self._workspace = workspace
        self._scratch = scratch
        self._places = tuple(places)

    def take(self) -> None:
        """Move each file aside, or copy it; where they belong is written down first."""
        if self._places:
            self._workspace.write(f"{self._scratch}/{_JOURNAL}", json.dumps(self._places).encode())
        for backup, path, stays in self.held:
            with refusals(path, "moved aside"):
                (_copy_whole if stays else move)(self._workspace.path(path), self._workspace.path(backup))

    @property
    def held(self) -> list[tuple[str, str, bool]]:
        """The path of each backup, there or not, the path it belongs to, and whether the original stayed there."""
        return [(f"{self._scratch}/{number}", path, stays) for number, (path, stays) in enumerate(self._places)]

    def put_back(self) -> None:
        """Give every file its place again, whatever is there now; one that cannot go there stays in the scratch folder.

        May be called again after an interruption: what is back already is left alone.
        """
        for backup, path, _ in reversed(self.held):
            self._put_back(self._workspace.path(backup), self._workspace.path(path))
            self._workspace.forget(path)
        if not any(os.path.lexists(self._workspace.path(backup)) for backup, _, _ in self.held):
            self.drop()

    def _put_back(self, backup: Path, place: Path) -> None:
        if not os.path.lexists(backup):
            return
        try:
            remove(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            move(backup, place)
        except OSError as error:
            logger.error("%s could not be put back (%s); it is kept as %s", place, error.strerror, backup)  # noqa: TRY400

    def drop(self) -> None:
        """Remove the scratch folder and what is in it. The journal goes first: without it nothing is put back."""
        self._places = ()
        folder = self._workspace.path(self._scratch)
        (folder / _JOURNAL).unlink(missing_ok=True)
        _discard(folder)


def scratch() -> str:
    """Name a scratch folder that nobody has used yet."""
    return f"{SCRATCH}/aside-{os.urandom(6).hex()}"


def leftovers(workspace: Workspace) -> Iterator[Aside]:
    """Find what killed runs left aside. Only for who holds the project's lock: nobody else is at work then."""
    for place in sorted(workspace.path(SCRATCH).glob("aside-*")):
        folder = f"{SCRATCH}/{place.name}"
        if not os.path.lexists(place / _JOURNAL):
            _discard(place)
        elif (places := _read(workspace, place / _JOURNAL)) is not None:
            yield Aside(workspace, folder, places)
        else:
            logger.warning("%s is left by a run that was killed and cannot be used: look into it, remove it", folder)


def _discard(folder: Path) -> None:
    import shutil  # noqa: PLC0415 - loads four compressors that a run with nothing to do does not need

    shutil.rmtree(folder, ignore_errors=True)


def _read(workspace: Workspace, journal: Path) -> list[tuple[str, bool]] | None:
    """Read a journal; one that names a place where no out can lie is not ours."""
    try:
        places = [(str(path), bool(stays)) for path, stays in json.loads(journal.read_bytes())]
        for path, _ in places:
            workspace.check_inside(str(PurePosixPath(path).parent))
    except (OSError, ValueError, TypeError, ConfigError):
        return None
    usual = all(not {".git", ".."} & {*PurePosixPath(path).parts} for path, _ in places)
    return places if usual and not any(path.split("/")[0] in _RESERVED for path, _ in places) else None


def move(source: Path, target: Path) -> None:
    """Rename; between file systems copy all of it first, so that what lies under either name is always complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_whole(source, target)
        copied = _beside(source)
        source.rename(copied)
        remove(copied)


def _copy_whole(source: Path, target: Path) -> None:
    import shutil  # noqa: PLC0415 - as above

    temporary = _beside(target)
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, temporary, symlinks=True)
    else:
        shutil.copy2(source, temporary, follow_symlinks=False)
    temporary.rename(target)


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name[:40]}.{os.urandom(6).hex()}.tmp")


def remove(place: Path) -> None:
    """Remove a file, a link or a folder with all that is in it; nothing there is fine."""
    disk.remove(str(place))
