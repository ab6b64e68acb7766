"""Commands that a killed run left running: found by their marks, and ended before the next one begins.

A runner that is killed with SIGKILL cannot end its stage; what that goes on to write would be taken for the next run's.
The marks are in a file before any command starts, and every process that a command starts inherits them: one is in the
environment, which who starts with an empty one has not; the other is that of `engine.processes`.
"""

from __future__ import annotations

import logging
import os
import signal
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.engine import processes
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger("retrain")
VARIABLE: Final = "RETRAIN_RUN"
_PATIENCE: Final = 10.0
_PROCESSES: Final = Path("/proc")


class _Mark(dict[str, str]):
    """The variables that mark one run's commands; when it ends, so does its file."""


def begin(scratch: Path) -> _Mark:
    """Mark a new run; give what its commands have to have in their environment."""
    run = os.urandom(8).hex()
    note = scratch / f"run-{run}"
    scratch.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{processes.FIRST}\n")
    mark = _Mark({VARIABLE: run})
    weakref.finalize(mark, note.unlink, missing_ok=True)
    return mark


def end(scratch: Path) -> None:
    """End what runs before left behind. Only for who holds the project's lock: nobody else is at work then."""
    for note in sorted(scratch.glob("run-*")):
        found = _ended(_Run(note.name.removeprefix("run-"), _first(note)))
        if found:
            logger.warning("a run that was killed had left %d of its processes behind; they are ended", found)
        note.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that was killed: what its commands have in their environment, and the first of their other marks."""

    variable: str
    first: int | None


def _first(note: Path) -> int | None:
    """Read the first mark; `None` where the run was killed before it was written."""
    try:
        return int(note.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _ended(run: _Run) -> int:
    """Kill every process of a run until there is none; give how many there were."""
    killed: set[int] = set()
    deadline = time.monotonic() + _PATIENCE
    while (left := list(_of(run))) and time.monotonic() < deadline:
        for process in left:
            _kill(process, run)
        killed.update(left)
        time.sleep(0.01)
    return len(killed)


def _kill(process: int, run: _Run) -> None:
    """Kill a process, through a handle, so that its number cannot have become another's meanwhile."""
    try:
        handle = os.pidfd_open(process)
    except OSError:
        return
    try:
        if _is_of(process, run):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except OSError:
        logger.warning("process %d, left by a run that was killed, cannot be ended", process)
    finally:
        os.close(handle)


def _of(run: _Run) -> Iterator[int]:
    try:
        names = [entry.name for entry in _PROCESSES.iterdir() if entry.name.isdecimal()]
    except OSError:
        return
    for name in names:
        if int(name) != os.getpid() and _is_of(int(name), run):
            yield int(name)


def _is_of(process: int, run: _Run) -> bool:
    """Whether a process has a mark; one that has ended, or is another user's, has none to be seen."""
    if run.first is not None and processes.is_below(process, run.first):
        return True
    try:
        environ = (_PROCESSES / str(process) / "environ").read_bytes()
    except OSError:
        return False
    return f"{VARIABLE}={run.variable}".encode() in environ.split(b"\0")
