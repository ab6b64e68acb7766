"""Process trees: whatever a command starts ends with it, also what left its process group or lost its parent.

The kernel makes us the parent of every orphan below us (`PR_SET_CHILD_SUBREAPER`), so our children are all that can be
left of a command, and waiting for them leaves no zombies, also where we are a container's process 1.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
_PAUSE: Final = 0.01
_INSIST: Final = 5.0
"""Seconds to wait for who was killed and does not go: the kernel holds it back."""
_WIDTH: Final = 80
_ZOMBIE: Final = "Z"


@dataclass(frozen=True, slots=True)
class Process:
    """A child of ours: its number, state (a letter of proc(5)) and session."""

    pid: int
    state: str
    session: int


def adopt_orphans() -> None:
    """Become the parent of whatever loses its own below us."""
    import ctypes  # noqa: PLC0415 - Python has no prctl of its own, and a run with nothing to do needs none

    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def children() -> list[Process]:
    """Give our children, ended ones that nobody has waited for too."""
    pids = [pid for task in Path("/proc/self/task").iterdir() for pid in _read(task / "children").split()]
    return [process for pid in pids if (process := _look(pid))]


def _look(pid: str) -> Process | None:
    # The name, in parentheses, may hold anything.
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return Process(int(pid), fields[0], int(fields[3])) if fields else None


def _read(place: Path) -> str:
    try:
        return place.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:  # it has ended
        return ""


def says(pid: int, variable: str) -> bool:
    """Whether a process was started with that `NAME=value` in its environment."""
    return variable in _read(Path(f"/proc/{pid}/environ")).split("\0")


def words(pid: int) -> str:
    """Give what a process is, for people."""
    command = " ".join(_read(Path(f"/proc/{pid}/cmdline")).split("\0")).strip() or "a process"
    return f"{command[:_WIDTH]} ({pid})"


def living(ours: Callable[[Process], bool]) -> list[int]:
    """Give the children that are `ours` and live; those that have ended are waited for."""
    found = [process for process in children() if ours(process)]
    for process in found:
        if process.state == _ZOMBIE:
            with suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
    return [process.pid for process in found if process.state != _ZOMBIE]


def kill(ours: Callable[[Process], bool]) -> bool:
    """End the children that are `ours`, and theirs when they have become ours; false where one does not go."""
    deadline = time.monotonic() + _INSIST
    killed: set[int] = set()
    # Who has ended shows its environment no more, and is known by its number.
    while left := living(lambda child: child.pid in killed or ours(child)):
        send(left, signal.SIGKILL)
        killed.update(left)
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def send(pids: Iterable[int], number: int) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def end_everything() -> None:
    """Kill every process below us at once and wait for none: for a process that is about to end."""
    known: set[int] = set()
    while new := [process.pid for process in _below() if process.pid not in known]:
        send(new, signal.SIGKILL)
        known.update(new)


def _below() -> list[Process]:
    """Give our descendants."""
    parents: dict[int, list[Process]] = {}
    for folder in Path("/proc").iterdir():
        fields = _read(folder / "stat").rpartition(")")[2].split() if folder.name.isdigit() else []
        if fields:
            process = Process(int(folder.name), fields[0], int(fields[3]))
            parents.setdefault(int(fields[1]), []).append(process)
    found = list(parents.get(os.getpid(), ()))
    for process in found:
        found += parents.get(process.pid, ())
    return found
