"""JSONPath over a metrics document, on jsonpath-ng: check an expression, and find values with where they stand."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.arithmetic import Operation
from jsonpath_ng.ext.parser import parse
from jsonpath_ng.jsonpath import Child, DatumInContext, Fields, Index, JSONPath, Root, Wildcard

from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Steps = tuple[str | int, ...]
"""Where a value stands: keys and list indices from the root of the document."""


class Entry(str):
    """An entry of a list by what it is called, spelled as it stands: `[class=cat]`, `[?(@.class=='cat')]`."""

    __slots__ = ()


QUOTING = "a name with other characters than letters, digits, '_' and '-' is written in quotes: $['by class'].f1"
_PLACE = regex(r"(?:\bcol |\b1:)(\d+)")
_PLAIN = regex(r"[A-Za-z0-9_-]+\Z")


class JsonPathError(ValueError):
    """An expression that is no JSONPath.

    Attributes:
        offset: the character at fault, from 0.

    """

    def __init__(self, message: str, offset: int) -> None:
        """Keep where it went wrong."""
        super().__init__(message)
        self.offset = offset


@lru_cache(maxsize=512)
def compiled(expression: str) -> JSONPath:
    """Give jsonpath-ng's form of `expression`.

    Raises:
        JsonPathError: not a JSONPath, or arithmetic, which selects nothing that has a place in the document.

    """
    try:
        path = parse(expression)
    except (JSONPathError, ValueError, TypeError, AttributeError) as error:
        raise JsonPathError(str(error).strip(), _offset(str(error), expression)) from error
    except Exception as error:  # jsonpath-ng's functions raise bare subclasses of Exception for a wrong argument
        raise JsonPathError(str(error).strip(), 0) from error
    if isinstance(path, Operation):
        message = "arithmetic is not allowed: a gate judges values as they stand in the file"
        raise JsonPathError(message, 0)
    return path


def _offset(message: str, expression: str) -> int:
    place = _PLACE.search(message)
    return int(place.group(1)) if place else len(expression)


def find(document: object, expression: str) -> dict[Steps, object]:
    """Give every value that `expression` selects, by its place, in the order found.

    Raises:
        JsonPathError: the expression is wrong, or cannot be evaluated on this document.

    """
    path = compiled(expression)
    plain = _plain(path)
    if plain is not None:
        return _walked(document, plain)
    try:
        return {_steps(match): match.value for match in path.find(document)}
    except Exception as error:  # filters compare whatever the document holds; jsonpath-ng lets any error through
        message = f"it cannot be evaluated on this document: {type(error).__name__}: {error}"
        raise JsonPathError(message, 0) from error


def _plain(path: JSONPath) -> list[str | int | None] | None:
    """Give a path of names, indices and wildcards (`None`) alone as its steps; `None` for every other path.

    These need none of jsonpath-ng's objects, of which it makes several a value: most of the time of a large document.
    """
    steps: list[str | int | None] = []
    while isinstance(path, Child):
        step = _plain_step(path.right)
        if step == ():
            return None
        steps += step
        path = path.left
    return steps[::-1] if isinstance(path, Root) else None


def _plain_step(path: JSONPath) -> tuple[()] | tuple[str | int | None]:
    """Give the one step that `path` is, in a tuple; an empty one for anything else."""
    if isinstance(path, Wildcard):
        return (None,)
    several = path.fields if isinstance(path, Fields) else path.indices if isinstance(path, Index) else ()
    return (several[0],) if len(several) == 1 else ()


def _walked(document: object, steps: Sequence[str | int | None]) -> dict[Steps, object]:
    found: dict[Steps, object] = {(): document}
    for step in steps:
        found = {(*place, key): value for place, node in found.items() for key, value in _children(node, step)}
    return found


def _children(node: object, step: str | int | None) -> Iterable[tuple[str | int, object]]:
    """Give what a step leads to: names lead into mappings, indices into lists, a wildcard into both."""
    if isinstance(node, dict):
        if step is None:
            return node.items()
        return ((step, node[step]),) if isinstance(step, str) and step in node else ()
    if isinstance(node, list):
        if step is None:
            return enumerate(node)
        return ((step, node[step]),) if isinstance(step, int) and -len(node) <= step < len(node) else ()
    return ()


def _steps(match: DatumInContext) -> Steps:
    steps: list[str | int] = []
    datum: DatumInContext | None = match
    while datum is not None and datum.context is not None:
        steps.append(_step(datum.path))
        datum = datum.context
    return tuple(reversed(steps))


def _step(path: JSONPath) -> str | int:
    if isinstance(path, Fields):
        return str(path.fields[0])
    if isinstance(path, Index):
        return int(path.indices[0])
    return str(path)


def spell(steps: Steps) -> str:
    """Give the place as JSONPath text without `$.`: `by_class.cat.f1`, `runs[0]['p 95']`; `$` for the root."""
    text = "".join(_spell_step(step) for step in steps).removeprefix(".")
    return text or "$"


def _spell_step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if isinstance(step, Entry):
        return str(step)
    if _PLAIN.match(step):
        return f".{step}"
    quoted = step.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{quoted}']"


def dotted(steps: Steps) -> str:
    """Give the place as the dotted key by which `metrics.flatten` names it."""
    return ".".join(str(step) for step in steps)
