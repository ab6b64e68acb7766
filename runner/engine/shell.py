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
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

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
    {"GITHUB_TOKEN", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"}
)
_ALLOWED_BEGINNINGS = ("LC_", "CUDA_", "NVIDIA_")
_CHUNK = 1 << 16
_GRACE = 4.0
_MOST_HELD = (1 << 20) // _CHUNK  # Linux lets nobody make a pipe larger without being root


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Attributes:
        lines: shell texts, run one after the other.
        wdir: working directory, absolute.
        env: the complete environment.

    """

    lines: tuple[str, ...]
    wdir: Path
    env: Mapping[str, str] = field(repr=False)


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


def run(command: Command, output: Callable[[bytes], object]) -> int:
    """Run `command`; give the exit code of the line that failed, or 0.

    Args:
        command: what to run.
        output: takes standard output and standard error, as one stream, in chunks as they come.

    Whatever interrupts this call (an exception raised by a signal handler) ends the whole process group first:
    SIGTERM at once, SIGKILL after four seconds.

    """
    for line in command.lines:
        output(f"> {line}\n".encode())
        code = _run_line(line, command, output)
        if code:
            return code
    return 0


def _argv(line: str, shell: str) -> list[str]:
    return [shell, *_BARE.get(PurePath(shell).name.lower(), ()), "-c", line]


def _run_line(line: str, command: Command, output: Callable[[bytes], object]) -> int:
    with subprocess.Popen(
        _argv(line, command.env.get("SHELL") or "/bin/sh"),
        cwd=command.wdir,
        env=command.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        start_new_session=True,
    ) as process:
        try:
            _pump(process, output)
        except BaseException:
            _end(process)
            raise
        return process.returncode


def _pump(process: subprocess.Popen[bytes], output: Callable[[bytes], object]) -> None:
    """Pass output on until the shell has ended; a survivor that keeps the pipe open does not keep us."""
    assert process.stdout is not None  # noqa: S101 - we asked for a pipe
    pipe = process.stdout.fileno()
    os.set_blocking(pipe, False)
    ended = os.pidfd_open(process.pid)
    # Until it is waited for, the ended shell keeps its process group's number from being given to anybody else.
    try:
        with selectors.DefaultSelector() as ready:
            ready.register(pipe, selectors.EVENT_READ)
            ready.register(ended, selectors.EVENT_READ)
            while ended not in {key.fd for key, _ in ready.select()}:
                if not _take(pipe, output):
                    ready.unregister(pipe)
                    ready.select()
                    break
    finally:
        os.close(ended)
    _signal(process, signal.SIGKILL)
    # Who left the group may go on writing for ever; more than a pipe can hold is not waited for.
    for _ in range(_MOST_HELD):
        _take(pipe, output)
    process.wait()


def _take(pipe: int, output: Callable[[bytes], object]) -> bool:
    """Take some of what the pipe holds; false at its end."""
    try:
        chunk = os.read(pipe, _CHUNK)
    except BlockingIOError:
        return True
    output(chunk)
    return bool(chunk)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process group: ask, wait, then insist; a second signal that arrives meanwhile insists at once."""
    try:
        alive = _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while alive and time.monotonic() < deadline:
            time.sleep(0.02)
            alive = process.poll() is None or _signal(process, 0)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> bool:
    """Signal the whole group, whose leader may be gone while others are not; false where nobody is left."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
