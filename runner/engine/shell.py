"""Run one command of a stage the way DVC does, inside a fence: an allow-listed environment, one output stream.

A string is split into lines, a list into its items; each element is a shell process of its own and the first
failure stops. The shell is `$SHELL` (without its start-up files) or `/bin/sh`.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from dataclasses import field
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from runner.engine import processes
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from runner.engine.processes import Process

_BARE = {"bash": ("--noprofile", "--norc"), "zsh": ("--no-rcs",), "fish": ("--no-config",)}
_ALLOWED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "DVC_ROOT"),
        *("CI", "GITHUB_SHA", "GITHUB_REF", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"),
    }
)
_NEVER = frozenset(
    {
        "GITLAB_TOKEN",
        "CI_JOB_TOKEN",
        "GITHUB_TOKEN",
        "GITHUB_ENV",
        "GITHUB_PATH",
        "GITHUB_OUTPUT",
        "GITHUB_STATE",
        "GITHUB_STEP_SUMMARY",
    }
)
_ALLOWED_BEGINNINGS = ("LC_", "CUDA_", "NVIDIA_", "HIP_", "ROCR_")
_CHUNK = 1 << 16
_GRACE = 4.0
_LET_END = 0.5
"""Seconds for who ends a moment after the shell: Python's multiprocessing leaves such a process."""
_PAUSE = 0.01
_MOST_HELD = (1 << 20) // _CHUNK  # Linux lets nobody make a pipe larger without being root


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Attributes:
        lines: shell texts, run one after the other.
        wdir: working directory, absolute.
        env: the complete environment.
        user: the user and the group that it runs as, for good; `None`: ours.

    """

    lines: tuple[str, ...]
    wdir: Path
    env: Mapping[str, str] = field(repr=False)
    user: tuple[int, int] | None = None


def lines_of(cmd: str | Sequence[str]) -> tuple[str, ...]:
    """Split a stage's cmd as DVC does: a string by line (blank ones are run too), a list by item."""
    return tuple(cmd.splitlines()) if isinstance(cmd, str) else tuple(str(line) for line in cmd)


def fenced(environ: Mapping[str, str], named: Sequence[str], *, root: Path, address: str) -> dict[str, str]:
    """Give a stage's environment: what is harmless, what `pass-env` names, DVC_ROOT and DVC_STAGE.

    The remote's credentials are in it only if named; the job's token, the runner's inputs and the files that GitHub
    reads after the step are not even then.
    """
    allowed = {
        name: text
        for name, text in environ.items()
        if name in _ALLOWED or name.startswith(_ALLOWED_BEGINNINGS) or (name in named and not _is_the_jobs(name))
    }
    return {"DVC_ROOT": str(root), **allowed, "DVC_STAGE": address}


def _is_the_jobs(name: str) -> bool:
    return name in _NEVER or name.startswith(("INPUT_", "ACTIONS_"))


class Ended(Exception):
    """A command was ended before it ended by itself; the text says why."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What ends a command from outside, and who is to be told of it.

    Attributes:
        stop: becomes readable when the command is to end; `None`: it never does.
        deadlines: times of the monotonic clock at which it is ended, each with what is said then.
        silence: seconds without output after which `silent` is called with them; 0: never.
        silent: takes the seconds.
        owns: whether a process that has lost its parent was started by the command, whose session is given.
        left: takes what the command left behind, in words; it has been ended.

    """

    stop: int | None = None
    deadlines: tuple[tuple[float, str], ...] = ()
    silence: float = 0
    silent: Callable[[float], object] = lambda _: None
    owns: Callable[[Process, int], bool] = lambda process, session: process.session == session
    left: Callable[[Sequence[str]], object] = lambda _: None


NOBODY: Final = Watch()
STOPPED: Final = "it was stopped"


def run(command: Command, output: Callable[[bytes], object], watch: Watch = NOBODY) -> int:
    """Run `command`; give the exit code of the line that failed, or 0.

    Args:
        command: what to run.
        output: takes standard output and standard error, as one stream, in chunks as they come.
        watch: what ends it from outside.

    Whatever interrupts this call (the watch, an exception raised by a signal handler) ends all that the command has
    started first: SIGTERM at once, SIGKILL after four seconds.

    Raises:
        Ended: it was stopped, or took too long.

    """
    for line in command.lines:
        output(f"> {line}\n".encode())
        code = _run_line(line, command, output, watch)
        if code:
            return code
    return 0


def _argv(line: str, command: Command) -> list[str]:
    shell = command.env.get("SHELL") or "/bin/sh"
    return [shell, *_BARE.get(PurePath(shell).name.lower(), ()), "-c", line]


def _run_line(line: str, command: Command, output: Callable[[bytes], object], watch: Watch) -> int:
    with processes.marked() as mark:
        started = subprocess.Popen(
            _argv(line, command),
            cwd=command.wdir,
            env=command.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            user=command.user[0] if command.user else None,
            group=command.user[1] if command.user else None,
        )
    with started as process:
        tree = _Tree(process, mark, watch)
        try:
            _pump(process, output, watch)
            tree.end_rest(partial(_drain, process, output))
        except BaseException:
            tree.end()
            raise
        return process.returncode


def _pump(process: subprocess.Popen[bytes], output: Callable[[bytes], object], watch: Watch) -> None:
    """Pass output on until the shell has ended; a survivor that keeps the pipe open does not keep us."""
    assert process.stdout is not None  # noqa: S101 - we asked for a pipe
    pipe = process.stdout.fileno()
    os.set_blocking(pipe, False)
    ended = os.pidfd_open(process.pid)
    heard = time.monotonic()
    # Until it is waited for, the ended shell keeps its process group's number from being given to anybody else.
    try:
        with selectors.PollSelector() as ready:
            for descriptor in (pipe, ended, *(() if watch.stop is None else (watch.stop,))):
                ready.register(descriptor, selectors.EVENT_READ)
            while ended not in (woken := {key.fd for key, _ in ready.select(_patience(watch, heard))}):
                if watch.stop in woken:
                    raise Ended(STOPPED)
                _check_time(watch)
                if pipe in woken and not _take(pipe, output):
                    ready.unregister(pipe)
                heard = _listened(watch, heard, is_silent=not woken)
    finally:
        os.close(ended)


def _patience(watch: Watch, heard: float) -> float | None:
    """Give the seconds until something has to be done though nothing happens."""
    times = [at for at, _ in watch.deadlines] + ([heard + watch.silence] if watch.silence else [])
    return max(min(times) - time.monotonic(), 0) if times else None


def _check_time(watch: Watch) -> None:
    now = time.monotonic()
    for at, why in watch.deadlines:
        if now >= at:
            raise Ended(why)


def _listened(watch: Watch, heard: float, *, is_silent: bool) -> float:
    """Give when a command was heard last, or told of."""
    now = time.monotonic()
    if is_silent and watch.silence and now >= heard + watch.silence:
        watch.silent(watch.silence)
        return now
    return heard if is_silent else now


def _drain(process: subprocess.Popen[bytes], output: Callable[[bytes], object]) -> None:
    """Take what the pipe holds; somebody may go on writing for ever, so no more than a pipe can hold."""
    assert process.stdout is not None  # noqa: S101 - we asked for a pipe
    for _ in range(_MOST_HELD):
        if not _take(process.stdout.fileno(), output, at_end=False):
            return


def _take(pipe: int, output: Callable[[bytes], object], *, at_end: bool = True) -> bool:
    """Take some of what the pipe holds; false at its end, and `at_end` where it holds nothing now."""
    try:
        chunk = os.read(pipe, _CHUNK)
    except BlockingIOError:
        return at_end
    output(chunk)
    return bool(chunk)


@dataclass(frozen=True, slots=True)
class _Tree:
    """A shell and all that it has started."""

    process: subprocess.Popen[bytes]
    mark: int
    watch: Watch

    def _owns(self, orphan: Process) -> bool:
        if orphan.pid == self.process.pid:
            return False
        return processes.has_mark(orphan, self.mark) or self.watch.owns(orphan, self.process.pid)

    def end_rest(self, meanwhile: Callable[[], object]) -> None:
        """End what an ended shell has left behind; who is about to end by itself is let."""
        deadline = time.monotonic() + _LET_END
        while (left := processes.living(self._owns)) and time.monotonic() < deadline:
            meanwhile()
            time.sleep(_PAUSE)
        if left:
            told = [processes.words(pid) for pid in left]
            self._kill()
            self.watch.left(told)
        meanwhile()
        self.process.wait()

    def end(self) -> None:
        """End everything: ask, wait, then insist; a second signal that arrives meanwhile insists at once."""
        asked: set[int] = set()
        try:
            alive = _signal(self.process, signal.SIGTERM)
            deadline = time.monotonic() + _GRACE
            while alive and time.monotonic() < deadline:
                time.sleep(_PAUSE)
                orphans = processes.living(lambda child: child.pid in asked or self._owns(child))
                processes.send(set(orphans) - asked, signal.SIGTERM)
                asked.update(orphans)
                alive = bool(orphans) or self.process.poll() is None or _signal(self.process, 0)
        finally:
            self._kill()
            self.process.wait()

    def _kill(self) -> None:
        _signal(self.process, signal.SIGKILL)
        processes.kill(self._owns)


def _signal(process: subprocess.Popen[bytes], number: int) -> bool:
    """Signal the whole group, whose leader may be gone while others are not; false where nobody is left."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
