"""DVC's own locks, taken as DVC takes them, so that both tools may be used in one workspace at once.

`.dvc/tmp/lock` is held while files of the project are written, and let go while a command runs: the command may call
DVC. Meanwhile `.dvc/tmp/rwlock` says which paths the command reads and writes. (DVC's `core.hardlink_lock`, another
kind of file, is not understood.)
"""

from __future__ import annotations

import json
import logging
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from runner import durable
from runner.engine.workspace import refusals
from runner.errors import ConfigError, RunnerError
from runner.store import disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

logger = logging.getLogger("retrain")
_AT_FIRST: Final = 3.0
"""Seconds, as DVC waits."""

_LATER: Final = 600.0
"""Seconds: a command has run for hours by then, and what it wrote is not to be lost."""


class DvcLock:
    """The locks of one project, for one process and all its threads."""

    def __init__(self, root: Path) -> None:
        """Hold nothing yet of the project at `root`."""
        self._root = root
        self._folder = root / ".dvc" / "tmp"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._repo = FileLock(self._folder / "lock", is_singleton=True, thread_local=False)
        self._guard = FileLock(self._folder / "rwlock.lock", is_singleton=True, thread_local=False)
        self._threads = threading.RLock()
        self._commands = 0
        self._us = {"pid": os.getpid(), "cmd": "retrain"}
        self._over: list[tuple[list[str], list[str]]] = []

    def take(self, patience: float = _AT_FIRST) -> None:
        """Keep DVC from writing until `let_go`.

        Raises:
            ConfigError: it is at work, longer than we wait; or its lock is somebody else's file.

        """
        if self._repo.is_locked:
            return
        with refusals(".dvc/tmp/lock", "written"):
            try:
                self._repo.acquire(timeout=patience, poll_interval=0.05)
            except Timeout as error:  # an OSError too
                message = f"DVC is at work in this folder{self._owner()}"
                raise ConfigError(message, "wait until it has ended; its lock ends with its process") from error

    def let_go(self) -> None:
        """Let DVC write again."""
        with self._threads:
            self._tidy()
            self._repo.release(force=True)

    def _owner(self) -> str:
        try:
            process = (self._folder / "lock").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""
        return f" (process {process})" if process.isdecimal() else ""

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let go while a command runs; where several do, until the last has ended."""
        with self._threads:
            self._commands += 1
            self.let_go()
        try:
            yield
        finally:
            with self._threads:
                self._commands -= 1
                if not self._commands:
                    self.take(_LATER)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep DVC from writing for a moment, also while commands run."""
        with self._threads:
            between = not self._repo.is_locked
            self.take(_LATER)
        try:
            yield
        finally:
            with self._threads:
                if between and self._commands:
                    self.let_go()

    @contextmanager
    def reserved(self, reads: Iterable[str], writes: Iterable[str]) -> Iterator[None]:
        """Say that a stage reads and writes these paths of the project; DVC then leaves them alone.

        Raises:
            ConfigError: a command of DVC is at work on one of them; or the table is somebody else's file.
            RemoteError: the disk is full.

        """
        read, written = ([str(self._root / path) for path in paths] for paths in (reads, writes))
        with self._edited() as held:
            _check(held, "write", [*read, *written], self._us)
            _check(held, "read", written, self._us)
            for path in read:
                held["read"].setdefault(path, []).append(self._us)
            held["write"].update(dict.fromkeys(written, self._us))
        try:
            yield
        finally:
            with self._threads:
                self._over.append((read, written))
                if not self._repo.is_locked:  # else DVC looks when it is let go: most often the next stage edits first
                    self._tidy()

    def _tidy(self) -> None:
        """Take what is over out of the table. What cannot be written ends with our process."""
        try:
            if self._over:
                with self._edited():
                    pass
        except RunnerError as error:
            logger.warning("%s", error)

    @contextmanager
    def _edited(self) -> Iterator[dict[str, dict[str, Any]]]:
        """Read the table of paths, take out what is over, and write what is made of it."""
        place = self._folder / "rwlock"
        with self._threads, self._guarded():
            held = _table(place)
            for reads, writes in self._over:
                for path in reads:
                    _release(held["read"], path, self._us)
                for path in writes:
                    held["write"].pop(path, None)
            yield held
            with refusals(".dvc/tmp/rwlock", "written"):
                durable.overwrite(place, json.dumps(held).encode())
            self._over.clear()

    def _guarded(self) -> AbstractContextManager[object]:
        with refusals(".dvc/tmp/rwlock.lock", "written"):
            return self._guard.acquire(timeout=_LATER, poll_interval=0.01)


def _table(place: Path) -> dict[str, dict[str, Any]]:
    """Read the table; one that cannot be read says nothing, as its commands' ends would be lost anyway."""
    try:
        found = json.loads(disk.read(str(place)))
        return {kind: dict(found.get(kind, {})) for kind in ("write", "read")}
    except FileNotFoundError:
        return {"write": {}, "read": {}}
    except (OSError, ValueError, AttributeError, TypeError):
        logger.warning("%s cannot be read and is written anew", place)
        return {"write": {}, "read": {}}


def _check(held: dict[str, dict[str, Any]], kind: str, wanted: list[str], mine: dict[str, Any]) -> None:
    """Refuse to touch what a living process has; entries of processes that are gone are taken out."""
    for path, entries in list(held[kind].items()):
        owners = entries if isinstance(entries, list) else [entries]
        living = [owner for owner in owners if owner == mine or _lives(owner.get("pid"))]
        others = [owner for owner in living if owner != mine]
        if not living:
            del held[kind][path]
        elif len(living) < len(owners):
            held[kind][path] = living
        if others and any(_overlap(path, mine_too) for mine_too in wanted):
            message = f"{path} is in use by {others[0].get('cmd')!r} (process {others[0].get('pid')})"
            raise ConfigError(message, "wait until it has ended")


def _release(held: dict[str, Any], path: str, mine: dict[str, Any]) -> None:
    owners = held.get(path, [])
    if mine in owners:
        owners.remove(mine)
    if not owners:
        held.pop(path, None)


def _overlap(one: str, other: str) -> bool:
    """Whether one is the other or holds it (DVC's rule)."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _lives(process: object) -> bool:
    try:
        os.kill(int(str(process)), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
