"""Reads a step's outputs as the Actions runner does: `name=value`, or `name<<END` up to a line that is END."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def parse_outputs(path: Path) -> dict[str, str]:
    outputs: dict[str, str] = {}
    lines = iter(path.read_bytes().decode().split("\n"))
    for line in lines:
        equals, here = line.find("="), line.find("<<")
        if here >= 0 and (equals < 0 or here < equals):
            outputs[line[:here]] = "\n".join(_until(lines, line[here + 2 :]))
        elif equals >= 0:
            outputs[line[:equals]] = line[equals + 1 :]
        elif line:
            msg = f"the runner refuses the line {line!r}"
            raise ValueError(msg)
    return outputs


def _until(lines: Iterator[str], end: str) -> Iterator[str]:
    for line in lines:
        if line == end:
            return
        yield line
    msg = f"the runner misses the end {end!r}"
    raise ValueError(msg)
