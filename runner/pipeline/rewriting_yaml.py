"""One value in a YAML text replaced where it stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from runner.pipeline import yaml12

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOM = "\ufeff"


def rewritten(text: str, keys: tuple[Any, ...], wanted: Any) -> str:  # noqa: ANN401 - a document is of any shape
    """Give the text with the value at `keys` as in the document `wanted`; may be wrong where anchors share values."""
    source = text.removeprefix(_BOM)
    node: Any = yaml.compose(source, Loader=yaml.CBaseLoader)
    key: Any = None
    value = wanted
    for step in keys:
        key, node = _child(node, step)
        value = value[step]
    written = _flow(value)
    start, end = node.start_mark.index, max((leaf.end_mark.index for leaf in _leaves(node)), default=0)
    if isinstance(node, yaml.CollectionNode) and node.flow_style:
        end = node.end_mark.index
    end = start + len(source[start:end].rstrip("\r\n"))  # a literal block ends in the line behind it
    between = source[key.end_mark.index : start] if key else ""
    if key and ("\n" in between or start == end):
        colon = source.index(":", key.end_mark.index) + 1
        kept = source[colon:start].rpartition("\n")[0] if "\n" in between else source[colon:start]
        return text[: len(text) - len(source)] + f"{source[:colon]} {written}{kept}{source[max(start, end) :]}"
    return text[: len(text) - len(source)] + source[:start] + written + source[end:]


def _child(node: Any, step: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a node, a key or an index
    """Give a node's key (none in a list) and value at `step`."""
    if isinstance(node, yaml.SequenceNode):
        return None, node.value[step]
    found = [(key, inner) for key, inner in node.value if _read(key) == step]
    return found[-1]


def _read(key: yaml.Node) -> Any:  # noqa: ANN401 - any scalar
    """Read a key as DVC does, from its text: `1` is a number and `'1'` is none."""
    if not isinstance(key, yaml.ScalarNode):
        return None
    return key.value if key.style in {"'", '"'} else yaml12.parse(key.value, "")


def _leaves(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.CollectionNode):
        if node.flow_style:
            yield node
            return
        for inner in node.value:
            for part in inner if isinstance(inner, tuple) else (inner,):
                yield from _leaves(part)
    else:
        yield node


def _flow(value: Any) -> str:  # noqa: ANN401 - of any shape
    """Write a value on one line: scalars as DVC does, lists and mappings in brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if value is None:
        return "null"
    written = yaml12.render([value]).removeprefix("- ").removesuffix("\n")
    if isinstance(value, str) and ("\n" in written or (written[0] not in "'\"" and set(written) & set(",[]{}:#"))):
        return json.dumps(value)
    return written
