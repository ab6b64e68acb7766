"""Params files with other values for one run (`--set-param`), and back again whatever happens to it.

The originals step into a scratch folder of their own, by links that cost nothing, before a file with the other values
takes their name. `places.json` there says where they belong; the next command in this folder puts back what a killed
run left, before it reads a params file.
"""

from __future__ import annotations

import json
import logging
import os
import posixpath
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner import durable
from runner.engine import aside
from runner.engine.workspace import SCRATCH, refusals
from runner.errors import ConfigError
from runner.pipeline import assignment, rewriting
from runner.pipeline.addresses import DATA_SUFFIX, LOCK_FILE, PARAMS_FILE, PROJECT_FILE, STAGE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from runner.engine.workspace import Workspace
    from runner.pipeline.assignment import Assignment
    from runner.pipeline.pipeline import Pipeline

logger = logging.getLogger("retrain")
_JOURNAL = "places.json"
_OF_STAGES = frozenset({PROJECT_FILE, LOCK_FILE, STAGE_FILE})
"""Who may set a param by a comment may not so run a command of his own."""


class Supposing:
    """The params files of a run that are to hold something else while it lasts."""

    def __init__(
        self, workspace: Workspace, texts: Mapping[str, str], locked: Callable[[], AbstractContextManager[object]]
    ) -> None:
        """Suppose `texts`, by path, from now on; what lies on disk stays as it is until `in_place`.

        Args:
            workspace: the working tree.
            texts: what the files are to hold.
            locked: takes the project's lock, until what it gives is left.

        """
        self.texts = texts
        self._workspace = workspace
        self._locked = locked
        for path, text in texts.items():
            workspace.suppose(path, text.encode())

    def check(self, pipeline: Pipeline) -> None:
        """Refuse to set what a stage writes, which it would write anew, and what says which commands are run."""
        for path in self.texts:
            if posixpath.basename(path) in _OF_STAGES or path.endswith(DATA_SUFFIX):
                message = f"--set-param: {path} says what is run, and is no params file"
                raise ConfigError(message, "set a value in a params file that the stages read")
            written = pipeline.producer(path)
            if written:
                message = f"--set-param: {path} is written by {written[0].address}"
                raise ConfigError(message, "set what that stage reads, or name a params file that no stage writes")

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have the files hold the texts, for commands to read; they hold again what they held when this ends."""
        if not self.texts:
            yield
            return
        folder = self._workspace.path(f"{SCRATCH}/params-{os.urandom(6).hex()}")
        with self._locked():
            try:
                self._take(folder)
                self._workspace.suppose_nothing()
                yield
            finally:
                try:
                    _put_back(self._workspace, folder)
                except BaseException:  # a signal: first the files, then the end
                    _put_back(self._workspace, folder)
                    raise

    def _take(self, folder: Path) -> None:
        for number, (path, text) in enumerate(self.texts.items()):
            place = self._workspace.path(path)
            with refusals(path, "set aside"):
                if place.is_symlink():
                    message = f"{path} is a link, and --set-param would replace it"
                    raise ConfigError(message, "put the file itself in its place")
                durable.write(folder / f"{number}.new", text.encode())
                shutil.copymode(place, folder / f"{number}.new")
                shutil.copy2(folder / f"{number}.new", folder / f"{number}.placed")
                _keep(place, folder / f"{number}.old")
        durable.write(folder / _JOURNAL, json.dumps(list(self.texts)).encode())
        for number, path in enumerate(self.texts):
            (folder / f"{number}.placed").rename(self._workspace.path(path))
            self._workspace.forget(path)


def of(
    workspace: Workspace, cwd: str, texts: Sequence[str], locked: Callable[[], AbstractContextManager[object]]
) -> Supposing:
    """Suppose what `[file:]key=value` texts say; files are named from `cwd`, a folder of the project.

    Raises:
        ConfigError: a text that is none, or a file or a key that is not there.

    """
    wanted: dict[str, list[Assignment]] = {}
    for one in map(assignment.parse, texts):
        path = posixpath.normpath(posixpath.join(cwd, one.file or PARAMS_FILE))
        wanted.setdefault(path, []).append(one)
    changed = {}
    for path, assignments in wanted.items():
        text = None if path.startswith("../") else workspace.read(path)
        if text is None:
            message = f"--set-param: there is no params file {path}"
            raise ConfigError(message, "write file:key=value; without a file it is params.yaml of this folder")
        changed[path] = rewriting.rewritten(path, text, assignments)
    return Supposing(workspace, changed, locked)


def _keep(place: Path, kept: Path) -> None:
    """Give a file a second name; where the system has no such thing, a copy takes it."""
    try:
        os.link(place, kept)
    except OSError:
        shutil.copy2(place, kept)


def recover(workspace: Workspace, locked: Callable[[], AbstractContextManager[object]]) -> None:
    """Put back what a killed run left of its own; a run that is still at work keeps its files."""
    left = sorted(workspace.path(SCRATCH).glob("params-*"))
    if not left:
        return
    try:
        held = locked()
    except ConfigError:
        return
    with held:
        for folder in left:
            _put_back(workspace, folder)


def _put_back(workspace: Workspace, folder: Path) -> None:
    """Give each original its name again; what somebody else wrote there meanwhile is kept beside."""
    for number, path in enumerate(_places(workspace, folder)):
        old, new, place = folder / f"{number}.old", folder / f"{number}.new", workspace.path(path)
        if not old.exists():
            continue
        with refusals(path, "put back"):
            if place.is_file() and place.read_bytes() not in {new.read_bytes(), old.read_bytes()}:
                kept = f"{SCRATCH}/left-{os.urandom(6).hex()}/{place.name}"
                aside.move(place, workspace.path(kept))
                logger.warning("%s was changed while --set-param held it; what was written is kept as %s", path, kept)
            place.parent.mkdir(parents=True, exist_ok=True)
            old.replace(place)
        workspace.forget(path)
    (folder / _JOURNAL).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _places(workspace: Workspace, folder: Path) -> list[str]:
    """Read a journal; without one nothing was moved yet, and a place outside the project is none of ours."""
    try:
        places = [str(path) for path in json.loads((folder / _JOURNAL).read_bytes())]
        for path in places:
            workspace.check_inside(path)
    except (OSError, ValueError, TypeError, ConfigError):
        return []
    return places
