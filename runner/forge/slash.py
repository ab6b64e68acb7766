"""`/retrain [stage ...] [key=value ...]`, said in a comment on a pull request: which stages, with which params. Pure.

The first line that is not blank is the command, if it begins with `/retrain`; what follows below is for people. Words
are separated as in a shell, so that a value may hold blanks: `/retrain train note="two words"`.
"""

from __future__ import annotations

import shlex
from typing import Final

from runner.errors import ConfigError
from runner.values import dataclass

NAME: Final = "/retrain"
_LONGEST: Final = 1000
"""Characters of the command; nobody types more."""
_USAGE: Final = "write `/retrain`, `/retrain train`, or `/retrain train model.depth=3`"


@dataclass(frozen=True, slots=True)
class Command:
    """What is asked for.

    Attributes:
        line: the command as it was written, on one line.
        stages: stages, or DVC files; none: all.
        params: values that params files hold for this run, as `[file:]key=value`.

    """

    line: str
    stages: tuple[str, ...]
    params: tuple[str, ...]


def find(body: str) -> str:
    """Give the line of a comment that is a command; empty where it has none."""
    line = next((line.strip() for line in body.splitlines() if line.strip()), "")
    return line if line.partition(" ")[0].partition("\t")[0] == NAME else ""


def parse(line: str) -> Command:
    """Read a command.

    Raises:
        ConfigError: it cannot be followed; says why.

    """
    if len(line) > _LONGEST:
        message = f"a command of {len(line):,} characters is too long"
        raise ConfigError(message, _USAGE)
    if not line.replace("\t", " ").isprintable():
        message = "the command has characters in it that cannot be seen"
        raise ConfigError(message, "type it, rather than copy it from somewhere")
    try:
        words = shlex.split(line, comments=False)[1:]
    except ValueError:
        message = "the command has a quote that is never closed"
        raise ConfigError(message, 'close it: `/retrain note="two words"`') from None
    for word in words:
        _check(word)
    params = tuple(word for word in words if "=" in word)
    return Command(line, tuple(word for word in words if "=" not in word), params)


def _check(word: str) -> None:
    if not word or word.startswith("-"):
        message = f"{word} is an option, and a comment takes none" if word else "the command has an empty word"
        raise ConfigError(message, _USAGE)
