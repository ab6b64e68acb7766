"""What libyaml complains of, told as an error with a place and a way out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from runner.errors import ConfigError, Location
from runner.regexes import regex

if TYPE_CHECKING:
    from yaml.error import YAMLError

_CONFLICT: Final = regex(r"^(?:<{7}|\|{7}|>{7})(?: |$)|^={7}$", re.MULTILINE)

_NO_COLON: Final = "could not find expected ':'"
_TAB: Final = ("not valid YAML: a tab where only blanks may stand", "use blanks, or put a value with tabs in quotes")

# Part of libyaml's message -> what mostly mends it.
_HINTS: Final = {
    "scanning an anchor": "in the name of an anchor only letters of ASCII, digits, '-' and '_' are read",
    "scanning an alias": "a value that starts with '*' needs quotes",
    "mapping values are not allowed": "a value that holds ': ' needs quotes; otherwise check the indentation",
    "unknown directive": "of the lines that start with '%' only %YAML and %TAG are read",
    "cannot start any token": "a value that starts with this character needs quotes",
    _NO_COLON: "a key needs a colon and a blank after it; a value of several lines is indented",
    "did not find expected key": "check the indentation and the quotes of the lines above",
    "did not find expected '-' indicator": "the dashes of one list stand in one column",
    "did not find expected ',' or": "close the bracket, add the comma, or quote a template such as ${name}",
    "block sequence entries are not allowed": "a list starts on its own line; text with '- ' in front needs quotes",
    "expected <document start>": "check the indentation of the lines above",
    "unexpected end of stream": "a quote is not closed",
    "unknown escape character": "in double quotes a backslash is written twice; single quotes need no escapes",
    "undefined tag handle": "remove the tag; only plain YAML values are read",
}


def syntax_error(error: YAMLError | UnicodeEncodeError, source: str, file: str) -> ConfigError:
    """Translate what libyaml raised on `source`, which `file` holds."""
    conflict = _CONFLICT.search(source)
    if conflict is not None:
        place = _place(source, conflict.start(), file)
        return ConfigError(
            "an unresolved merge conflict", "resolve it and remove the conflict markers", place, kind="not-yaml"
        )
    if isinstance(error, UnicodeEncodeError):
        return unreadable(source, error.start, file)
    if isinstance(error, ReaderError):
        # libyaml counts bytes.
        return unreadable(source, len(source.encode()[: error.position].decode(errors="ignore")), file)
    if not isinstance(error, MarkedYAMLError):
        return ConfigError(f"not valid YAML: {error}", "", Location(file), kind="not-yaml")
    return _marked(error, source, file)


def misplaced_tab(source: str, index: int, file: str) -> ConfigError:
    """Say that the tab at `index` of `source` stands where only blanks may."""
    return ConfigError(*_TAB, _place(source, index, file), kind="not-yaml")


def _marked(error: MarkedYAMLError, source: str, file: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    if error.problem == _NO_COLON and error.context_mark is not None:
        mark = error.context_mark  # the key itself; libyaml sees only further on that no colon comes
    if mark is None:
        return ConfigError(f"not valid YAML: {error}", "", Location(file), kind="not-yaml")
    place = Location(file, mark.line + 1, mark.column + 1)
    if "\t" in _leading_blanks(source, mark.index - mark.column) or source[mark.index : mark.index + 1] == "\t":
        return ConfigError(*_TAB, place, kind="not-yaml")
    problem = error.problem or "it cannot be read"
    context = f" ({error.context})" if error.context else ""
    hint = next((hint for part, hint in _HINTS.items() if part in problem + context), "")
    return ConfigError(f"not valid YAML: {problem}{context}", hint, place, kind="not-yaml")


def unreadable(source: str, index: int, file: str) -> ConfigError:
    """Say that the character at `index` of `source` may not stand there."""
    place = _place(source, index, file)
    character = f"U+{ord(source[index]):04X}" if index < len(source) else "a character"
    message = f"not valid YAML: {character} may not stand here"
    return ConfigError(message, "remove it, or write it as an escape in double quotes", place, kind="not-yaml")


def _leading_blanks(source: str, start: int) -> str:
    end = start
    while source[end : end + 1] in {" ", "\t"}:
        end += 1
    return source[start:end]


def _place(source: str, index: int, file: str) -> Location:
    line_start = source.rfind("\n", 0, index) + 1
    return Location(file, source.count("\n", 0, index) + 1, index - line_start + 1)
