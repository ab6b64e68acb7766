"""Where commands run. `Local` is this machine; another executor needs no change to the loop."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from runner import identity
from runner.engine import processes, shell
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from runner.engine.processes import Process
    from runner.hashes import Hash

logger = logging.getLogger("retrain")
_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Task:
    """One run of a stage, as a value: all that a machine needs to know to do it.

    Attributes:
        address: whose run it is; of the tasks that run at once, each has its own.
        lines: shell texts, run one after the other, each in a shell of its own; the first failure ends it.
        wdir: working directory, in the project; absolute only where a task runs in a copy of it.
        env: the complete environment.
        deps: what it reads of the project, by path, and what that holds.
        outs: the paths it is to write.
        timeout: seconds after which it is ended; `None`: no limit of its own.
        is_setup: whether it prepares the machine for the others, with all the rights there are to install packages.

    """

    address: str
    lines: tuple[str, ...]
    wdir: str
    env: Mapping[str, str] = field(repr=False)
    deps: Mapping[str, Hash] = field(default_factory=dict)
    outs: tuple[str, ...] = ()
    timeout: float | None = None
    is_setup: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """How a task ended.

    Attributes:
        code: its exit code; the negative of a signal's number where that ended it.
        seconds: how long it took.
        why: what went wrong, in words; empty where nothing did.

    """

    code: int
    seconds: float
    why: str = ""


class Executor(Protocol):
    """Runs tasks whose deps lie in the workspace; their outs lie there when it is done.

    An executor elsewhere takes the deps by their hashes from where the project keeps its objects, and brings the outs.
    """

    def run(self, task: Task, output: Callable[[bytes], object], /) -> Ran:
        """Run `task`, passing its output on as it comes. Called on several threads at once, one for each task."""

    def stop(self) -> None:
        """End every task: those under way, whose `run` then returns within five seconds, and those that would come."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long commands may take.

    Attributes:
        stage: seconds for a task that has no limit of its own; 0: any.
        total: seconds for all of them together; 0: any.
        silence: seconds without output after which that is said; 0: never.
        began: since when `total` is counted, by the monotonic clock; `None`: from now on.

    """

    stage: float = 0
    total: float = 0
    silence: float = 0
    began: float | None = None


UNLIMITED: Final = Limits()


class Nobody:
    """Runs nothing: for what is to be made of results that there are already."""

    def run(self, task: Task, output: Callable[[bytes], object], /) -> Ran:  # noqa: ARG002 - the protocol's
        """Say that it would have to run."""
        return Ran(1, 0.0, "it would have to run again")

    def stop(self) -> None:
        """Do nothing: nothing runs."""

    def close(self) -> None:
        """Do nothing: nothing is held."""


class Local:
    """Runs commands on this machine, each with all its offspring."""

    def __init__(self, root: Path, limits: Limits = UNLIMITED) -> None:
        """Run in the project at `root`."""
        self._root = root
        self._limits = limits
        began = time.monotonic() if limits.began is None else limits.began
        self._deadline = began + limits.total if limits.total else None
        self._stop, self._to_stop = os.pipe()
        self._has_stopped = False
        self._running: set[str] = set()
        self._guard = threading.Lock()
        self._before: set[int] | None = None

    def run(self, task: Task, output: Callable[[bytes], object], /) -> Ran:
        """Run `task` here."""
        started = time.monotonic()
        if self._has_stopped:
            return Ran(-signal.SIGTERM, 0.0, shell.STOPPED)
        user = identity.of_setup() if task.is_setup else identity.of_commands()
        command = shell.Command(task.lines, self._root / task.wdir, task.env, user)
        with self._guard:
            if self._before is None:  # a run with nothing to do need not know
                self._before = {child.pid for child in processes.children()}
                processes.adopt_orphans()
            self._running.add(task.address)
        try:
            code = shell.run(command, output, self._watch(task, started))
            why = "" if code == 0 else _ended(code)
        except shell.Ended as ended:
            code, why = -signal.SIGTERM, str(ended)
        finally:
            with self._guard:
                self._running.discard(task.address)
            if task.is_setup:
                identity.hand_over(self._root)
        return Ran(code, time.monotonic() - started, why)

    def stop(self) -> None:
        """End every task."""
        self._has_stopped = True
        os.write(self._to_stop, b".")

    def close(self) -> None:
        """End whatever tasks have left behind that nobody could be blamed for; no task may be under way."""
        if self._before is not None:
            processes.kill(self._is_foreign)
        os.close(self._stop)
        os.close(self._to_stop)

    def _watch(self, task: Task, started: float) -> shell.Watch:
        limit = task.timeout or self._limits.stage
        of_stage = [(started + limit, f"the command took longer than {_words(limit)} and was ended")] if limit else []
        why = f"the run took longer than {_words(self._limits.total)}, and the command was ended"
        of_run = [(self._deadline, why)] if self._deadline else []
        return shell.Watch(
            self._stop,
            (*of_stage, *of_run),
            self._limits.silence,
            partial(_silent, task.address),
            partial(self._owns, task.address),
            partial(_left, task.address),
        )

    def _owns(self, address: str, orphan: Process, session: int) -> bool:
        """Whether a task started a process that has lost its parent and has no mark: by session, or for want of others.

        Our own helpers, git among them, are of our session.
        """
        if orphan.pid in (self._before or ()):
            return False
        if orphan.session == session:
            return True
        with self._guard:
            is_alone = self._running == {address}
        return is_alone and self._is_foreign(orphan)

    def _is_foreign(self, child: Process) -> bool:
        return child.session != os.getsid(0) and child.pid not in (self._before or ())


def _ended(code: int) -> str:
    return f"the command ended with exit code {code}" if code > 0 else f"the command was ended by signal {-code}"


def _silent(address: str, seconds: float) -> None:
    logger.warning("stage %s has printed nothing for %s", address, _words(seconds))


def _left(address: str, left: Sequence[str]) -> None:
    logger.warning("stage %s left processes behind, which were ended: %s", address, ", ".join(left))


def _words(seconds: float) -> str:
    return f"{seconds / _MINUTE:g} min" if seconds >= _MINUTE else f"{seconds:g} s"
