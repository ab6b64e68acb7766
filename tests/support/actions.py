"""How the code host reads a step's log: an independent reading of the Actions runner's two parse rules.

After the behaviour of actions/runner: lines end at CR, LF or CRLF; `::name properties::message` is a command at
the start of a trimmed line, `##[name properties]message` anywhere in one; after `::stop-commands::TOKEN` nothing is a
command until `::TOKEN::`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MARKS = ("group", "endgroup", "notice", "warning", "error", "debug", "echo")
_STATE = ("add-mask", "add-matcher", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands")
KNOWN = frozenset({*_MARKS, *_STATE})
SHOWN_OF_A_KIND = 10


@dataclass(frozen=True)
class Command:
    name: str
    message: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass
class StepLog:
    """What the code host made of a log: the commands it obeyed and the lines it showed."""

    commands: list[Command] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    deaf: bool = False

    def named(self, *names: str) -> list[Command]:
        return [command for command in self.commands if command.name in names]


def read(text: str) -> StepLog:
    log, token = StepLog(), ""
    for line in re.split(r"\r\n|\n|\r", text):
        command = _v2(line, token) or _v1(line, token)
        if command is None or (token and command.name.lower() != token.lower()):
            log.lines.append(line)
        elif token:
            token = ""
        elif command.name == "stop-commands":
            token = command.message
        else:
            log.commands.append(command)
    log.deaf = bool(token)
    return log


def _v2(line: str, token: str) -> Command | None:
    match = re.match(r"\s*::([^ :]*(?: .*?)?)::(.*)", line, re.DOTALL)
    if not match:
        return None
    name, _, properties = match[1].partition(" ")
    if name.lower() not in KNOWN | {token.lower()}:
        return None
    return Command(name, _unescape(match[2]), dict(_properties(properties, ",")))


def _v1(line: str, token: str) -> Command | None:
    match = re.search(r"##\[([^ \]]*)([^\]]*)\](.*)", line)
    if not match or match[1].lower() not in KNOWN | {token.lower()}:
        return None
    return Command(match[1], match[3], dict(_properties(match[2], ";")))


def _properties(text: str, separator: str) -> Iterator[tuple[str, str]]:
    for pair in filter(None, text.strip().split(separator)):
        name, _, value = pair.partition("=")
        yield name.strip(), _unescape(value.replace("%3A", ":").replace("%2C", ","))


def _unescape(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
