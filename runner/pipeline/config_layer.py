"""One file of DVC's configuration: its sections and options in lower case, each with its place.

The syntax is ConfigObj's. Nothing is expanded from the environment.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError, ConfigErrors, Location
from runner.pipeline.config_options import PATHS
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from configobj import ConfigObjError

_NAMED = regex(r'\s*(remote|machine|db)\s*"(.*)"\s*\Z')
_SECTION_LINE = regex(r"\s*\[\s*(.*?)\s*\]\s*(#.*)?\Z")
_URL = regex(r"\w+://")
_INTERPOLATED = regex(r'missing option "(.*)" in interpolation|loop detected in value "(.*)"')

_MOST_CHARACTERS: Final = 1 << 18
"""ConfigObj takes two microseconds and 50 bytes for each, and sections inside sections go 511 deep at most."""


@dataclass(frozen=True)
class Given:
    """One option as a layer gives it: a string, or a list where there is a comma outside quotes."""

    value: Any
    where: Location


Options = dict[str, Given]
Section = tuple[str, str]
"""`("remote", "storage")`, or `("core", "")`."""


def layer(file: str, text: str, folder: str, home: str) -> dict[Section, tuple[Location, Options]]:
    """Give the sections of one file, each with its heading's place.

    Of a section written twice in other letters the last one counts (DVC's rule).
    """
    if len(text) > _MOST_CHARACTERS:
        message = f"too large for a configuration: {len(text):,} characters"
        raise ConfigError(message, f"at most {_MOST_CHARACTERS:,} are read", Location(file))
    lines = _line_numbers(text)
    found: dict[Section, tuple[Location, Options]] = {}
    for heading, written in _content(file, text).items():
        if not isinstance(written, dict):
            where = Location(file, lines.get(("", heading.lower()), 0))
            message = f"the option {heading!r} stands before any section"
            raise ConfigError(message, "put it below [core] or another section", where)
        section = _section(heading)
        options = {}
        for name, value in written.items():
            low = name.lower()
            resolved = _resolved(value, folder, home) if _is_path(section, low) and isinstance(value, str) else value
            options[low] = Given(resolved, Location(file, lines.get((heading.lower(), low), 0)))
        found[section] = Location(file, lines.get((heading.lower(), ""), 0)), options
    return found


def _content(file: str, text: str) -> dict[str, Any]:
    """Read ConfigObj's syntax: repeated sections or options and lines that are neither are mistakes."""
    lines = text.removeprefix("\N{BYTE ORDER MARK}").splitlines()
    if not any(lines):
        return {}
    from configobj import ConfigObj, ConfigObjError  # noqa: PLC0415 - a project without any configuration needs none

    try:
        return dict(ConfigObj(lines).dict())
    except ConfigObjError as error:
        found = getattr(error, "errors", None) or [error]
        hint = "lines are [section], name = value, or begin with #"
        raise ConfigErrors(
            [ConfigError(_sentence(one), hint, Location(file, one.line_number or _asking(one, lines))) for one in found]
        ) from error


def _asking(error: ConfigObjError, lines: Sequence[str]) -> int:
    """Give the number of the line with the `%(name)s` that the error names; 0 where there is none."""
    named = _INTERPOLATED.search(str(error))
    wanted = f"%({named[1] or named[2]})s" if named else ""
    return next((number for number, line in enumerate(lines, 1) if wanted and wanted in line), 0)


def _sentence(error: ConfigObjError) -> str:
    return str(error).partition(" at line ")[0].rstrip(".")


def _line_numbers(text: str) -> dict[tuple[str, str], int]:
    """Give the line of every (section's heading, option), lower-cased, and of the heading with ""; for messages."""
    found: dict[tuple[str, str], int] = {}
    heading = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if section := _SECTION_LINE.match(line):
            name = _unquoted(section[1].strip("[ ]")).lower()
            if section[1].startswith("["):  # a section in a section: it stands in the place of an option
                found.setdefault((heading, name), number)
                continue
            heading = name
            found[heading, ""] = number
        elif "=" in line:
            name = _unquoted(line.partition("=")[0].strip()).lower()
            found.setdefault((heading, name), number)
    return found


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in {"'", '"'} and text[-1:] == text[:1] else text


def _section(heading: str) -> Section:
    named = _NAMED.match(heading.lower())
    return (named[1], named[2]) if named else (heading.lower(), "")


def _is_path(section: Section, option: str) -> bool:
    return (section[0] == "remote" and option in PATHS) or (section[0] == "cache" and option == "dir")


def _resolved(path: str, folder: str, home: str) -> str:
    """Make a path absolute as DVC does: a relative one starts from the folder of its config file."""
    if _URL.match(path) or not path.strip():
        return path
    if home and (path == "~" or path.startswith("~/")):
        path = home + path[1:]
    return path if path.startswith(("/", "~")) else posixpath.normpath(posixpath.join(folder, path))
