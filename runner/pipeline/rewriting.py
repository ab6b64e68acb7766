"""A params file's text with other values in it: everything else, comments and order too, stays as it is written.

Only keys that are there get values, as with DVC's `--set-param` of plain keys. What was written is read again, and
refused if it does not say exactly what was asked for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError, Location, spelled_like
from runner.pipeline import documents, rewriting_python, rewriting_toml, rewriting_yaml, yaml12
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.pipeline.assignment import Assignment

    Path = tuple[Any, ...]

_INDENT: Final = regex(r"\n([ \t]+)\S")


def rewritten(path: str, text: str, assignments: Sequence[Assignment]) -> str:
    """Give the text of the params file at `path` after `assignments`, one after the other.

    Raises:
        ConfigError: a key that is not there (the hint names the nearest), or one that cannot be set alone.

    """
    for one in assignments:
        document = documents.parse(path, text) or {}
        for keys, value in list(_leaves(document, _found(document, one.key, path), one.value, path)):
            text = _with(path, text, keys, value)
    return text


def line(path: str, text: str, key: str) -> int:
    """Give the line, from 1, on which a dotted key of the params file at `path` is written; 0: it is not found."""
    try:
        keys = _found(documents.parse(path, text) or {}, key, path)
        return _LINES.get(documents.suffix(path), _line_of_yaml)(text, keys)
    except (ConfigError, LookupError, TypeError, ValueError):
        return 0


def _line_of_yaml(text: str, keys: Path) -> int:
    return yaml12.locate(text, *keys)[0]


def _with(path: str, text: str, keys: Path, value: Any) -> str:  # noqa: ANN401 - of any shape
    document = documents.parse(path, text)
    if repr(_at(document, keys)) == repr(value):
        return text
    wanted = _replaced(document, keys, value)
    write = _WRITERS.get(documents.suffix(path), rewriting_yaml.rewritten)
    try:
        changed = write(text, keys, wanted)
        done = repr(documents.parse(path, changed)) == repr(wanted)
    except (ConfigError, LookupError, TypeError, ValueError):
        done = False
    if not done:
        message = f"{'.'.join(map(str, keys))} of {path} cannot be set to {value!r} by itself"
        raise ConfigError(message, "it is shared, computed, or of another form: change the file", Location(path))
    return changed


def _found(document: Any, key: str, path: str) -> Path:  # noqa: ANN401 - a document is of any shape
    """Give the keys and indices that lead to a dotted key."""
    node, keys = document, []
    for segment in key.split("."):
        step = _step(node, segment)
        if step is None:
            near = spelled_like(key, list(_known(document)))
            hint = f"did you mean {near[0]}?" if near else "only keys that are there can be set"
            message = f"--set-param: {path} has no key {key!r}"
            raise ConfigError(message, hint, Location(path))
        keys.append(step)
        node = node[step]
    return tuple(keys)


def _step(node: Any, segment: str) -> Any:  # noqa: ANN401 - a document is of any shape
    """Give the key or index that a segment names; `None` where there is none."""
    if isinstance(node, dict):
        candidates = [segment, *([int(segment)] if segment.isdecimal() else [])]
        return next((one for one in candidates if one in node), None)
    if isinstance(node, list) and segment.isdecimal() and int(segment) < len(node):
        return int(segment)
    return None


def _known(node: Any, above: str = "") -> Iterator[str]:  # noqa: ANN401 - a document is of any shape
    for key, inner in node.items() if isinstance(node, dict) else ():
        name = f"{above}.{key}" if above else str(key)
        yield name
        yield from _known(inner, name)


def _leaves(document: Any, keys: Path, value: Any, path: str) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401
    """Give what is to be set: a mapping for a mapping changes the keys it names (Hydra's rule)."""
    old = _at(document, keys)
    if not (isinstance(old, dict) and isinstance(value, dict)):
        yield keys, value
        return
    for key, inner in value.items():
        step = _found(document, ".".join(map(str, (*keys, key))), path)
        yield from _leaves(document, step, inner, path)


def _at(document: Any, keys: Path) -> Any:  # noqa: ANN401 - a document is of any shape
    for key in keys:
        document = document[key]
    return document


def _replaced(node: Any, keys: Path, value: Any) -> Any:  # noqa: ANN401 - a document is of any shape
    """Give a copy of the document with another value at `keys`; what an anchor shares with it stays as it was."""
    if not keys:
        return value
    copied = node.copy()
    copied[keys[0]] = _replaced(node[keys[0]], keys[1:], value)
    return copied


def _json(text: str, _: Path, wanted: Any) -> str:  # noqa: ANN401 - a document is of any shape
    """Write JSON as it was indented; on one line as DVC does."""
    indent = _INDENT.search(text)
    end = "\n" if text.endswith("\n") else ""
    return json.dumps(wanted, indent=indent.group(1) if indent else None, ensure_ascii=text.isascii()) + end


_WRITERS: Final[Mapping[str, Callable[[str, Path, Any], str]]] = {
    ".json": _json,
    ".toml": rewriting_toml.rewritten,
    ".py": rewriting_python.rewritten,
}
_LINES: Final[Mapping[str, Callable[[str, Path], int]]] = {".toml": rewriting_toml.line, ".py": rewriting_python.line}
