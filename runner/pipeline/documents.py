"""A file of values to a document, as DVC reads it: by the file's suffix as JSON, TOML or Python, all others as YAML."""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError, Location
from runner.pipeline import yaml12
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST_MARKS: Final = 500_000  # about a second, as YAML's half a million events
_MOST_TOML: Final = 1 << 20  # Python's reader takes most of a second for that
_MOST_PYTHON: Final = 1 << 18  # Python's own parser takes up to 500 bytes a character
JSON_MARKS: Final = ",:[{"
_TOML_PLACE: Final = regex(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")


def parse(path: str, text: str) -> Any:  # noqa: ANN401 - a document is of any shape
    """Give the document in `text`: `.json`, `.toml` and `.py` in any case by their own rules, all others as YAML 1.2.

    Raises:
        ConfigError: it cannot be read, with line and column.

    """
    return _READERS.get(suffix(path), yaml12.parse)(text, path)


def suffix(path: str) -> str:
    """Give the suffix by which a file is read, in small letters: `.json`; empty where there is none."""
    return posixpath.splitext(path)[1].lower()


def bounded(text: str, path: str, marks: str) -> str:
    """Give the text back, unless it holds more values than a file of values may: seen by the marks between them.

    Raises:
        ConfigError: there are too many of them.

    """
    if len(text) > _MOST_MARKS and sum(map(text.count, marks)) > _MOST_MARKS:
        message = f"more than {_MOST_MARKS:,} values and keys in one file"
        raise ConfigError(message, "keep what is that long in a file of its own, as an out or a dep", Location(path))
    return text


def told(error: ValueError) -> str:
    """Say what a reader complained of, without Python's advice on its own limit of digits."""
    return "a number of more than 4,300 digits" if "set_int_max_str_digits" in str(error) else str(error)


def _json(text: str, path: str) -> Any:  # noqa: ANN401 - a document is of any shape
    bounded(text, path, JSON_MARKS)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg}"
        raise ConfigError(message, "", Location(path, error.lineno, error.colno)) from error
    except (RecursionError, ValueError) as error:
        raise _beyond(error, "JSON", path) from error


def _toml(text: str, path: str) -> dict[str, Any]:
    if len(text) > _MOST_TOML:
        raise _too_large(text, path, _MOST_TOML)
    import tomllib  # noqa: PLC0415 - few projects have TOML

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), text, path) from error
    except (RecursionError, ValueError) as error:
        raise _beyond(error, "TOML", path) from error


def _not_toml(said: str, text: str, path: str) -> ConfigError:
    """Take the place out of tomllib's message: as numbers it is there only since Python 3.14."""
    place = _TOML_PLACE.search(said)
    if place and place.group(1):
        line, column = int(place.group(1)), int(place.group(2))
    else:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    return ConfigError(f"not TOML: {_TOML_PLACE.sub('', said)}", "", Location(path, line, column))


def _too_large(text: str, path: str, most: int) -> ConfigError:
    message = f"too large for a {suffix(path)} file of values: {len(text):,} characters"
    return ConfigError(message, f"at most {most:,} are read; move the values to YAML", Location(path))


def _beyond(error: RecursionError | ValueError, language: str, path: str) -> ConfigError:
    what = "nested too deeply" if isinstance(error, RecursionError) else f"that is not read: {told(error)}"
    return ConfigError(f"{language} {what}", "", Location(path))


def _python(text: str, path: str) -> dict[str, Any]:
    if len(text) > _MOST_PYTHON:
        raise _too_large(text, path, _MOST_PYTHON)
    from runner.pipeline import literals  # noqa: PLC0415 - few projects have params in Python

    return literals.parse(text, path)


_READERS: Final[Mapping[str, Callable[[str, str], Any]]] = {".json": _json, ".toml": _toml, ".py": _python}
