"""What a `foreach` or a `matrix` makes: the keys that name its stages, and what each sees as `item` and `key`.

DVC's rules, quirks included: elements of a list that is written out are named as they stand in commands (`true`),
those of a list that comes from a variable as Python writes them (`True`).
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Final

from runner.pipeline.addresses import JOIN
from runner.pipeline.expressions import Unresolved
from runner.pipeline.unpack import Unpacking, pythonic, to_text
from runner.pipeline.variables import Merged, Unsupported, Variable, elements, entries, supported

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.pipeline.variables import Node

Members = dict[str, dict[str, "Node"]]
"""By key, what the stage sees beside the variables; two elements of one key are one stage, the last one's."""

_ITEM: Final = "item"
_KEY: Final = "key"
_DEFAULT: Final = Unpacking()
_MOST: Final = 100_000  # combinations: a short text must not take all memory


def foreach(data: Any) -> Members:  # noqa: ANN401 - resolved data of any shape
    """Give the stages of a `foreach`.

    Args:
        data: resolved; variables stand in it where an expression is the whole of a value.

    Raises:
        Unresolved: it is neither a list nor a mapping, or an element cannot name a stage.

    """
    named = _mapping(data)
    if named is not None:
        return {key: {_ITEM: _node(value, _ITEM), _KEY: Variable(key)} for key, value in _checked(named.items())}
    listed = _list(data)
    if listed is None:
        message = f"foreach needs a list or a mapping, this is {_kind(data)}"
        raise Unresolved(message, "write a list, a mapping, or one ${...} that is either")
    composite = any(_is_composite(element) for element in listed)
    keys = map(str, range(len(listed))) if composite else map(_word, listed)
    return {key: {_ITEM: _node(value, _ITEM)} for key, value in _checked(zip(keys, listed, strict=True))}


def matrix(data: Mapping[str, Any]) -> Members:
    """Give the stages of a `matrix`: every combination, the last axis fastest.

    Args:
        data: resolved axes; variables stand in it where an expression is the whole of a value.

    Raises:
        Unresolved: there is no axis, one is no list, there are too many combinations, or one cannot name a stage.

    """
    if not data:
        message = "a matrix needs at least one axis"
        raise Unresolved(message, "write an axis as  name: [values]")
    axes = {name: _axis(name, values) for name, values in data.items()}
    if prod(map(len, axes.values())) > _MOST:
        message = f"the matrix has more than {_MOST:,} combinations"
        raise Unresolved(message, "use fewer axes, or shorter ones")
    combined: dict[str, dict[str, Any]] = {}
    for values in product(*(enumerate(axis) for axis in axes.values())):
        words = [
            f"{axis}{number}" if _is_composite(value) else _word(value)
            for axis, (number, value) in zip(axes, values, strict=True)
        ]
        combined["-".join(words)] = {axis: value for axis, (_, value) in zip(axes, values, strict=True)}
    return {key: {_KEY: Variable(key), _ITEM: _node(item, _ITEM)} for key, item in _checked(combined.items())}


def _axis(name: str, values: Any) -> list[Any]:  # noqa: ANN401 - resolved data of any shape
    """Give the values of an axis; of a mapping its keys, of a text its letters (DVC's rule)."""
    if isinstance(values, str):
        return list(values)
    named = _mapping(values)
    listed = list(named) if named is not None else _list(values)
    if listed is None:
        message = f"the axis {name!r} needs a list, this is {_kind(values)}"
        raise Unresolved(message, "write a list, or one ${...} that is a list or a mapping")
    return listed


def _mapping(data: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - resolved data of any shape
    if isinstance(data, (Variable, Merged)):
        return entries(data)
    return {to_text(key, _DEFAULT): value for key, value in data.items()} if isinstance(data, dict) else None


def _list(data: Any) -> list[Any] | None:  # noqa: ANN401 - resolved data of any shape
    if isinstance(data, Variable):
        return elements(data)
    return data if isinstance(data, list) else None


def _is_composite(element: object) -> bool:
    value = element.value if isinstance(element, Variable) else element
    return isinstance(value, (list, dict, Merged))


def _word(element: object) -> str:
    """Give an element as it stands in the name of a stage."""
    return pythonic(element.value) if isinstance(element, Variable) else to_text(element, _DEFAULT)


def _node(value: Any, path: str) -> Node:  # noqa: ANN401 - resolved data of any shape
    try:
        found = supported(value, (path,))
    except Unsupported as error:
        raise Unresolved(error.message, error.hint) from error
    return found if isinstance(found, (Variable, Merged)) else Variable(found, path=path)


def _checked(members: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    """Refuse keys that DVC then cannot find, or cannot name a stage with."""
    found = dict(members)
    for key in found:
        if not key:
            message = "an empty text cannot name a stage"
            raise Unresolved(message, "leave it out, or use a mapping, whose keys name the stages")
        if JOIN in key:
            message = f"{key!r} cannot name a stage: it holds an @"
            raise Unresolved(message, "use a mapping, whose keys name the stages")
    return found.items()


def _kind(data: Any) -> str:  # noqa: ANN401 - resolved data of any shape
    value = data.value if isinstance(data, Variable) else data
    return "nothing" if value is None else f"{value!r}" if len(repr(value)) <= 40 else type(value).__name__  # noqa: PLR2004
