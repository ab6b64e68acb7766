"""The files through which a step answers GitHub: its summary and its outputs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from runner.errors import ForgeError
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.forge.protocol import Render

SUMMARY_LIMIT: Final = 1_048_576
"""Bytes of a step's summary; a larger one is dropped by GitHub without failing the step."""

_OUTPUT_NAME: Final = regex(r"[A-Za-z_][A-Za-z0-9_-]*")


def append_summary(path: Path, render: Render) -> None:
    """Add to the step's summary, the file of GITHUB_STEP_SUMMARY, what still has room in it.

    Raises:
        ForgeError: the file cannot be read or written.

    """
    try:
        room = SUMMARY_LIMIT - (path.stat().st_size if path.exists() else 0)
        added = f"{render(room - 1).rstrip()}\n".encode() if room > 1 else b""
        with path.open("ab") as summary:
            summary.write(added)
    except OSError as error:
        msg = f"the step summary cannot be written: {error.strerror}"
        raise ForgeError(msg) from error


def write_outputs(path: Path, outputs: Mapping[str, str]) -> None:
    """Add to the step's outputs, the file of GITHUB_OUTPUT. A value of several lines cannot end early.

    Raises:
        ForgeError: the file cannot be written.

    """
    lines = [_output(name, value) for name, value in outputs.items()]
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
    except OSError as error:
        msg = f"the outputs cannot be written: {error.strerror}"
        raise ForgeError(msg) from error


def _output(name: str, value: str) -> str:
    if not _OUTPUT_NAME.fullmatch(name):
        msg = f"{name!r} is no name for an output"
        raise ValueError(msg)
    if "\n" not in value and "\r" not in value:
        return f"{name}={value}\n"
    # Nothing that could be known when the value was made.
    delimiter = f"end_{os.urandom(16).hex()}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
