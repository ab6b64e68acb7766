"""A program on a real terminal: what it writes there, and what it is answered."""

from __future__ import annotations

import os
import pty
import subprocess
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Shown:
    """What stood on the terminal, control characters and all, and the exit code."""

    text: str
    code: int


def on_terminal(
    command: Sequence[str],
    cwd: Path,
    environ: Mapping[str, str],
    answer: str = "",
    terminal: Mapping[str, str] = MappingProxyType({}),
) -> Shown:
    """Run a command whose three streams are one terminal; `answer` is typed ahead.

    `terminal` are variables in the place of those that say it is a terminal that can do everything.
    """
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, cwd=cwd, env={**environ, "TERM": "xterm", **terminal}, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        if answer:
            os.write(ours, answer.encode())
        text = b"".join(_written(ours))
        os.close(ours)
        return Shown(text.decode(), process.wait())


def _written(fd: int) -> list[bytes]:
    chunks: list[bytes] = []
    while True:
        try:
            chunk = os.read(fd, 1 << 16)
        except OSError:  # Linux' way to say that the other side is closed
            return chunks
        if not chunk:
            return chunks
        chunks.append(chunk)
