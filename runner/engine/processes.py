"""Process trees: whatever a command starts ends with it, also what left its process group or lost its parent.

The kernel makes us the parent of every orphan below us (`PR_SET_CHILD_SUBREAPER`), so our children are all that can be
left of a command, and waiting for them leaves no zombies, also where we are a container's process 1.

Whose an orphan is, of several commands at once, is told by a mark that all which a command starts inherits, whatever it
does to its session and its environment: the soft limit on file locks, which no kernel since 2.4 looks at.
"""

from __future__ import annotations

import itertools
import os
import re
import resource
import signal
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.regexes import regex
from runner.store import disk
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
_PAUSE: Final = 0.01
_INSIST: Final = 5.0
"""Seconds to wait for who was killed and does not go: the kernel holds it back."""
_WIDTH: Final = 80
_LOCKS: Final = 10  # RLIMIT_LOCKS of asm-generic/resource.h, for which Python has no name
_SHOWN: Final = regex(r"^Max file locks +(\d+) ", re.MULTILINE)
_MOST: Final = 1 << 20
FIRST: Final = int.from_bytes(os.urandom(5), "big") * _MOST
"""The first mark of this process: a number of its own, for a command may be a run of ours, which has marks too."""
_MARKS: Final = itertools.count(FIRST)
_STARTING: Final = threading.Lock()
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
    tasks = os.listdir("/proc/self/task")  # noqa: PTH208 - asked after each command; a Path costs more than it
    pids = [pid for task in tasks for pid in _read(f"/proc/self/task/{task}/children").split()]
    return [process for pid in pids if (process := _look(pid))]


def _look(pid: str) -> Process | None:
    # The name, in parentheses, may hold anything.
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return Process(int(pid), fields[0], int(fields[3])) if fields else None


def _read(place: str) -> str:
    try:
        return disk.read(place).decode("utf-8", "surrogateescape")
    except OSError:  # it has ended
        return ""


@contextmanager
def marked() -> Iterator[int]:
    """Mark what is started meanwhile, and all that this starts; give the mark. Where none can be set nothing has it."""
    mark = next(_MARKS)
    with _STARTING:
        soft, hard = resource.getrlimit(_LOCKS)
        with suppress(ValueError, OSError):  # a sandbox without that limit, or one that is lower
            resource.setrlimit(_LOCKS, (mark, hard))
        try:
            yield mark
        finally:
            with suppress(ValueError, OSError):
                resource.setrlimit(_LOCKS, (soft, hard))


def has_mark(process: Process, mark: int) -> bool:
    """Whether a process was started below that mark. Our own helpers, of our session, may have been beside it."""
    return process.session != os.getsid(0) and _mark(process.pid) == mark


def is_below(pid: int, first: int) -> bool:
    """Whether a process that lives was started below any mark of the process whose marks begin with `first`."""
    if not first <= _mark(pid) < first + _MOST:
        return False
    found = _look(str(pid))
    return found is not None and found.state != _ZOMBIE


def _mark(pid: int) -> int:
    """Give the mark of a process; below 0: it has none, or has ended."""
    shown = _SHOWN.search(_read(f"/proc/{pid}/limits"))
    return int(shown[1]) if shown else -1


def words(pid: int) -> str:
    """Give what a process is, for people."""
    command = " ".join(_read(f"/proc/{pid}/cmdline").split("\0")).strip() or "a process"
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
    # Who has ended may show nothing of itself any more, and is known by its number.
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
        fields = _read(f"{folder}/stat").rpartition(")")[2].split() if folder.name.isdigit() else []
        if fields:
            process = Process(int(folder.name), fields[0], int(fields[3]))
            parents.setdefault(int(fields[1]), []).append(process)
    found = list(parents.get(os.getpid(), ()))
    for process in found:
        found += parents.get(process.pid, ())
    return found
