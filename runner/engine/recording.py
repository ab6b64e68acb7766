"""What stages wrote, recorded: entries in dvc.lock and .dvc files, lines in .gitignore files.

Each file is replaced whole. Its bytes are on the disk before they have its name; the name gets there at once for an
entry that took a second to make. What took less waits for others, as a wait for the disk takes longer than such a
stage: a loss of power costs no more than the last second's work, which the next run does again.
"""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from contextlib import suppress
from operator import itemgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from runner.durable import Names
from runner.engine.appended import PLACE, Appended
from runner.engine.workspace import refusals
from runner.pipeline import dvcfile_write
from runner.pipeline.lockfile import LockFile
from runner.regexes import regex
from runner.store import disk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractContextManager

    from runner.engine.workspace import Workspace
    from runner.pipeline.model import LockEntry, Out, Stage

logger = logging.getLogger("retrain")
_SPECIAL: Final = regex(r"([\[\]!*#?])")
_MOST_LOST: Final = 1.0
"""Seconds of work that a loss of power may cost."""


class Recording:
    """Records in one project's folder, for who holds its lock."""

    def __init__(
        self, workspace: Workspace, ignored: Collection[str], locked: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """Record in `workspace`.

        Args:
            workspace: the working tree.
            ignored: paths of outs that git ignores.
            locked: keeps DVC from writing for the length of a block.

        """
        self._workspace = workspace
        self._locked = locked
        self._ignored = set(ignored)
        self._locks: dict[str, tuple[str | None, LockFile]] = {}
        self._order: Mapping[str, int] = {}
        self._appended = Appended(workspace.path(PLACE))
        self._notes = False
        self._new: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._new_lines: defaultdict[str, dict[bytes, int]] = defaultdict(dict)
        self._names = Names()
        self._may_be_lost = 0.0

    def follow(self, order: Mapping[str, int], *, several: bool = False) -> None:
        """Let what is new in a file stand as the stages do in `order` (address to place), whoever ends first.

        Where `several` run at once that holds across runs too: what is added is noted until one has ended `whole`.
        """
        self._order = order
        self._notes = several
        for one in self._appended.found():
            place = order.get(one.address)
            if place is None:
                continue
            if PurePosixPath(one.file).name == "dvc.lock":
                self._new[one.file][one.text] = place
            elif one.text.encode() in self._lines(one.file).splitlines():
                self._new_lines[one.file] = _with(self._new_lines[one.file], one.text.encode(), place)

    def whole(self) -> None:
        """Say that the run has ended, and all that it was to make is made."""
        self._appended.forget()

    def _lines(self, file: str) -> bytes:
        with refusals(file, "read"), suppress(FileNotFoundError):
            return disk.read(str(self._workspace.path(file)))
        return b""

    def _note(self, file: str, text: str, stage: Stage) -> None:
        if self._notes:
            with refusals(PLACE, "written"):
                self._appended.note(file, text, stage.address)

    def ignore(self, stage: Stage, out: Out) -> None:
        """Keep a cached out out of git: a line in the .gitignore beside it, as DVC writes it."""
        if out.path in self._ignored:
            return
        self._ignored.add(out.path)
        with self._locked():
            self._ignore(stage, out)

    def _ignore(self, stage: Stage, out: Out) -> None:
        place = PurePosixPath(out.path)
        gitignore = str(place.parent / ".gitignore")
        line = _SPECIAL.sub(r"\\\1", f"/{place.name}")
        if line.endswith(" "):
            line = f"{line[:-1]}\\ "
        old = self._lines(gitignore)
        if line.encode() not in old.splitlines():
            self._note(gitignore, line, stage)
            new = self._with_line(gitignore, old, line.encode(), self._place(stage))
            self._write(gitignore, new)
            logger.debug("%s: added %s to .gitignore", stage.address, line)

    def _with_line(self, gitignore: str, old: bytes, line: bytes, place: int) -> bytes:
        """Add a line at the end of a file, among those that this run has added, each at its place in the order."""
        before = self._new_lines[gitignore]
        kept = old.removesuffix(_joined(before))
        new = self._new_lines[gitignore] = _with(before if len(kept) < len(old) else {}, line, place)
        gap = b"" if not kept or kept.endswith(b"\n") else b"\n"
        return kept + gap + _joined(new)

    def record(self, stage: Stage, entry: LockEntry, rev: str = "", *, seconds: float = math.inf) -> None:
        """Write a stage's new entry into its dvc.lock, or the new hashes into its .dvc file.

        Args:
            stage: whose entry it is.
            entry: what is recorded.
            rev: what an import from a git repository follows from now on; empty: what it followed.
            seconds: how long it would take to make again what is recorded.

        """
        with self._locked():
            if stage.name:
                self._record_in_lock(stage, entry)
            else:
                text = self._workspace.read(stage.file) or ""
                self._write(stage.file, dvcfile_write.updated(text, stage.file, entry, rev).encode())
        self._may_be_lost += seconds
        if self._may_be_lost >= _MOST_LOST:
            self.sync()

    def sync(self) -> None:
        """Have all that was recorded survive a loss of power."""
        with refusals("the project's folder", "written through to the disk"):
            self._names.sync()
        self._may_be_lost = 0.0

    def _write(self, file: str, content: bytes) -> None:
        with refusals(file, "written"):
            self._names.write(self._workspace.path(file), content)

    def _record_in_lock(self, stage: Stage, entry: LockEntry) -> None:
        """Replace one block of the file; what somebody else wrote meanwhile is read first, not overwritten."""
        path = str(PurePosixPath(stage.file).with_name("dvc.lock"))
        on_disk = self._workspace.read(path)
        written, lock_file = self._locks.get(path, (None, None))
        if lock_file is None or written != on_disk:
            lock_file = LockFile(on_disk, path)
        if stage.name not in lock_file:
            self._note(path, stage.name, stage)
            self._new[path][stage.name] = self._place(stage)
        lock_file.set(stage.name, entry, self._later(path, self._place(stage)))
        text = lock_file.text
        self._write(path, text.encode())
        self._locks[path] = (text, lock_file)

    def _later(self, path: str, place: int) -> Collection[str]:
        """Name the new entries of a lock that stand behind a place: most often there are none."""
        new = self._new[path]
        return {name for name, other in new.items() if other > place} if place < max(new.values(), default=0) else ()

    def _place(self, stage: Stage) -> int:
        return self._order.get(stage.address, 0)


def _with(lines: dict[bytes, int], line: bytes, place: int) -> dict[bytes, int]:
    """Give lines, each with its place and in that order, and one more."""
    lines[line] = place
    return lines if place >= max(lines.values()) else dict(sorted(lines.items(), key=itemgetter(1)))


def _joined(lines: Mapping[bytes, int]) -> bytes:
    """Put lines one below the other."""
    return b"\n".join((*lines, b"")) if lines else b""
