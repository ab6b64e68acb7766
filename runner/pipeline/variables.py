"""Variables of templates: values with where they come from, merged from several places, looked up by name.

Values are plain; a `Variable` stands before one with its source, a `Merged` is a mapping whose entries come from
several sources. `Scope` is what the expressions of a stage can see.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final

from runner.errors import spelled_like
from runner.pipeline.expressions import Unresolved
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.pipeline.expressions import Expression

Keys = tuple[str | int, ...]

_MOST_NAMES: Final = 8
_PLAIN: Final = frozenset({str, bytes, int, float, bool, type(None)})


@dataclass(frozen=True, slots=True)
class Variable:
    """A value, and where it comes from.

    Attributes:
        value: plain, of any shape; inside the items of a literal list or mapping there may be variables.
        source: the file, `vars[0]`, `train.vars[1]`; empty for an item.
        path: dotted, inside the source.
        in_file: whether the source is a file: `params diff` shows what a stage uses of it.

    """

    value: Any
    source: str = ""
    path: str = ""
    in_file: bool = False

    def at(self, key: str | int, value: Any) -> Node:  # noqa: ANN401 - any value
        """Give what lies one step inside."""
        if isinstance(value, (Variable, Merged)):
            return value
        return Variable(value, self.source, f"{self.path}.{key}" if self.path else str(key), self.in_file)


@dataclass(frozen=True, slots=True)
class Merged:
    """A mapping whose entries come from several sources."""

    entries: Mapping[str, Node]


Node = Variable | Merged


def entries(node: Node) -> Mapping[str, Node] | None:
    """Give what a mapping holds; `None` for anything else."""
    if isinstance(node, Merged):
        return node.entries
    if isinstance(node.value, dict):
        return {key: node.at(key, value) for key, value in node.value.items()}
    return None


def elements(node: Node) -> list[Node] | None:
    """Give what a list holds; `None` for anything else."""
    if isinstance(node, Variable) and isinstance(node.value, list):
        return [node.at(number, value) for number, value in enumerate(node.value)]
    return None


def plain(value: Any) -> Any:  # noqa: ANN401 - any value
    """Give a value without where it comes from, at any depth."""
    if isinstance(value, Variable):
        return value.value if value.in_file else plain(value.value)
    if isinstance(value, Merged):
        return {key: plain(inner) for key, inner in value.entries.items()}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


class Unsupported(Exception):
    """A value that cannot be a variable.

    Args:
        kind: the name of its type.
        keys: where it is, from the top.

    """

    def __init__(self, kind: str, keys: Keys) -> None:
        """Keep both parts."""
        super().__init__()
        self.keys = keys
        self.message = f"the value of {'.'.join(map(str, keys))!r} is a {kind}, which cannot be a variable"
        self.hint = "put it in quotes" if kind.startswith("date") else "use text, numbers, lists and mappings"


def supported(value: Any, keys: Keys = ()) -> Any:  # noqa: ANN401 - any value of a file
    """Give a value as templates see it: entries of mappings whose keys are not text are left out (DVC's rule).

    Raises:
        Unsupported: it, or something in it, is not text, a number, a boolean, null, a list or a mapping.

    """
    if type(value) in _PLAIN or isinstance(value, (Variable, Merged)):
        return value
    if isinstance(value, dict):
        return {key: supported(inner, (*keys, key)) for key, inner in value.items() if isinstance(key, str)}
    if isinstance(value, list):
        return [supported(inner, (*keys, number)) for number, inner in enumerate(value)]
    raise Unsupported(type(value).__name__, keys)


class Redefined(Exception):
    """A variable that two sources define.

    Args:
        new: the later definition.
        old: the earlier one.
        keys: its path from the top.

    """

    def __init__(self, new: Node, old: Node, keys: tuple[str, ...]) -> None:
        """Keep the three parts."""
        super().__init__()
        self.new, self.old, self.keys = new, old, keys


def merge(into: Mapping[str, Node], new: Mapping[str, Node], above: tuple[str, ...] = ()) -> dict[str, Node]:
    """Join two mappings, at every depth; a leaf or a list may be defined by one of them only (DVC's rule).

    Raises:
        Redefined: both define it, even with the same value.

    """
    result = dict(into)
    for name, node in new.items():
        if name not in into:
            result[name] = node
            continue
        left, right = entries(into[name]), entries(node)
        if left is None or right is None:
            raise Redefined(node, into[name], (*above, name))
        result[name] = Merged(merge(left, right, (*above, name)))
    return result


def source_of(node: Node) -> str:
    """Name the place that a variable comes from; of a merged mapping the first."""
    while isinstance(node, Merged):
        node = next(iter(node.entries.values()), Variable(None))
    return node.source


@dataclass(frozen=True, slots=True)
class Scope:
    """What expressions can see.

    Attributes:
        variables: from params.yaml and `vars`.
        loaded: the files read so far: their keys where they were named one by one, `None` for whole files.
        items: `item` and `key` of a generated stage; they stand before the variables, and `vars` may not set them.

    """

    variables: Mapping[str, Node] = field(default_factory=dict)
    loaded: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    items: Mapping[str, Node] = field(default_factory=dict)

    def of(self, items: Mapping[str, Node]) -> Scope:
        """Give the scope of a generated stage."""
        return replace(self, items=items)

    def find(self, expression: Expression) -> Node:
        """Give what an expression names.

        Raises:
            Unresolved: there is no such variable; the hint names the nearest.

        """
        first, *rest = expression.segments
        found = self.items.get(first) or self.variables.get(first)
        if found is None:
            raise _unknown(expression, 0, {**self.items, **self.variables})
        for depth, segment in enumerate(rest, start=1):
            inside = _inside(found, segment)
            if inside is None:
                raise _unknown(expression, depth, entries(found), elements(found))
            found = inside
        return found


def _inside(node: Node, segment: str) -> Node | None:
    """Give what lies at a key of a mapping or an index of a list, from the end where negative."""
    if isinstance(node, Merged):
        return node.entries.get(segment)
    value = node.value
    if isinstance(value, dict):
        return node.at(segment, value[segment]) if segment in value else None
    if not isinstance(value, list):
        return None
    try:
        number = range(len(value))[int(segment)]
    except (ValueError, IndexError):
        return None
    return node.at(number, value[number])


def _unknown(
    expression: Expression, depth: int, known: Mapping[str, Node] | None, listed: list[Node] | None = None
) -> Unresolved:
    """Say which name is not known, and what there is in its place."""
    name = ".".join(expression.segments[: depth + 1])
    above = ".".join(expression.segments[:depth])
    if listed is not None:
        return Unresolved(
            f"there is no {name!r}: {above!r} is a list of {len(listed)}", "count from 0", expression.text
        )
    if known is None:
        return Unresolved(f"there is no {name!r}: {above!r} holds no names", f"write ${{{above}}}", expression.text)
    if (dotted := ".".join(expression.segments[depth:])) in known:
        hint = f"the key {dotted!r} holds a dot, which no expression reaches; rename it"
        return Unresolved(f"there is no variable {name!r}", hint, expression.text)
    hint = _nearest(expression.segments[depth], known, above)
    if not depth:
        shell = f"write \\{expression.text} if it is the shell's"
        hint = f"{hint}; {shell}" if hint else f"{shell}; there are no variables here (no params.yaml, no vars)"
    return Unresolved(f"there is no variable {name!r}", hint, expression.text)


def _nearest(word: str, known: Mapping[str, Node], above: str) -> str:
    prefix = f"{above}." if above else ""
    near = spelled_like(word, known)
    if near:
        return f"did you mean {prefix + near[0]!r}?"
    names = [f"{prefix}{name}" for name in known]
    return f"known: {', '.join(names[:_MOST_NAMES])}{', ...' if len(names) > _MOST_NAMES else ''}" if names else ""
