"""Values as text, and mappings as the options of a command: `{lr: 0.1}` becomes `--lr 0.1`. DVC's rules."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from runner.pipeline.expressions import Unresolved
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.pipeline.config import Config


@dataclass(frozen=True, slots=True)
class Unpacking:
    """How a mapping becomes options: the section `parsing` of `.dvc/config`.

    Attributes:
        negates: `bool = boolean_optional`: false is `--no-flag` (otherwise it is left out).
        repeats: `list = append`: the option is repeated for each element (otherwise named once).

    """

    negates: bool = False
    repeats: bool = False

    @classmethod
    def of(cls, config: Config) -> Unpacking:
        """Take it from DVC's configuration."""
        settings = config.settings
        return cls(
            negates=settings.get("parsing.bool") == "boolean_optional",
            repeats=settings.get("parsing.list") == "append",
        )


def to_text(value: Any, unpacking: Unpacking) -> str:  # noqa: ANN401 - any value of a params file
    """Give a value as it stands inside a text: `true` and `false`, `None`, numbers as Python writes them.

    Raises:
        Unresolved: it cannot be written so.

    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return " ".join(_options(value, unpacking)).rstrip()
    return value if isinstance(value, str) else pythonic(value)


def pythonic(value: object) -> str:
    """Give what Python's `str` says, which DVC puts into names and commands: `True`, `None`, `1e-07`.

    Raises:
        Unresolved: a number of more digits than Python writes.

    """
    try:
        return str(value)
    except ValueError as error:
        message = "a number of more than 4,300 digits cannot be put into a text"
        raise Unresolved(message, "put it in quotes") from error


def _options(mapping: Mapping[str, Any], unpacking: Unpacking) -> Iterator[str]:
    seen: set[str] = set()
    for name, value in _leaves(mapping, ""):
        if name in seen:
            message = f"two values of the mapping become the option --{name}"
            raise Unresolved(message, "rename one of them")
        seen.add(name)
        yield from _option(name, value, unpacking)


def _leaves(mapping: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _option(name: str, value: object, unpacking: Unpacking) -> Iterator[str]:
    if isinstance(value, bool):
        if value or unpacking.negates:
            yield f"--{name}" if value else f"--no-{name}"
    elif isinstance(value, str):
        yield f"--{name} {shlex.quote(value)}"
    elif isinstance(value, list):
        for number, element in enumerate(value):
            yield f"--{name} {_element(name, element)}" if unpacking.repeats or not number else _element(name, element)
    else:
        yield f"--{name} {pythonic(value)}"


def _element(name: str, element: object) -> str:
    if isinstance(element, (list, dict)):
        message = f"{name!r} is a list that holds a {'list' if isinstance(element, list) else 'mapping'}"
        raise Unresolved(message, "options of a command are made of flat lists only")
    return shlex.quote(element) if isinstance(element, str) else pythonic(element)
