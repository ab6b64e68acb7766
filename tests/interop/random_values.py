"""Random values for variables and parameters, and files that hold them: YAML in many spellings, JSON, TOML, Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from runner.pipeline import yaml12

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from random import Random

WORDS: Final = ("red", "green", "blue", "v1", "v2", "us-east", "x_y", "Größe", "0a", "A", "1e", "a.b")
ODD: Final = (
    "a b",
    "it's",
    'say "hi"',
    "#no",
    "x: y",
    "yes",
    "null",
    "1e3",
    "~",
    "-",
    "é",
    "{x}",
    "$HOME",
    "a=b",
    "%d",
)
NUMBERS: Final = (0, 1, -1, 7, 10**12, 0.5, 1.0, 1e-7, 1e20, -2.5, 123456.789, 1e16, 0.1)
SPELLED: Final = ("0x1F", "0o17", "017", "1_000", "1e3", ".5", "1.", "+3", "-0.0", "1e-3", "12:30", "no", "1e+20")
"""Scalars as YAML texts, which YAML 1.1, 1.2 and Python do not all read alike."""

Keys = tuple[str | int, ...]


def word(rng: Random) -> str:
    """Give a string that may stand in a path and in a shell without quotes."""
    return rng.choice(WORDS)


def scalar(rng: Random) -> Any:
    """Give a string, a number, a boolean or nothing."""
    return rng.choice(
        (word(rng), word(rng), rng.choice(ODD), rng.choice(NUMBERS), rng.choice(NUMBERS), True, False, None)
    )


def words(rng: Random, least: int = 1) -> list[str]:
    """Give different words."""
    return rng.sample(WORDS, rng.randint(least, 4))


def scalars(rng: Random) -> list[Any]:
    """Give a list of scalars, which may be empty and hold one twice."""
    return [scalar(rng) for _ in range(rng.choice((0, 1, 2, 3)))]


def options(rng: Random, depth: int = 0) -> dict[str, Any]:
    """Give a mapping that a command may unpack: scalars, lists of scalars, mappings of such."""
    drawn: dict[str, Any] = {}
    for name in rng.sample(("lr", "deep", "use-gpu", "tags", "Name", "x_1", "é"), rng.randint(0, 4)):
        kind = rng.random()
        if kind < 0.2 and depth < 2:
            drawn[name] = options(rng, depth + 1)
        else:
            drawn[name] = scalars(rng) if kind < 0.4 else scalar(rng)
    return drawn


def records(rng: Random) -> list[dict[str, Any]]:
    """Give a list of mappings, each with a word under `name`, all different."""
    return [{"name": name, "size": rng.choice(NUMBERS), "opts": options(rng, 1)} for name in words(rng)]


def tree(rng: Random) -> dict[str, Any]:
    """Give nested mappings whose leaves are words."""
    return {
        "a": word(rng),
        "deep": {"b": word(rng), "c": {"d": word(rng)}},
        "list": words(rng),
    }


KINDS: Final[Mapping[str, Callable[[Random], Any]]] = {
    "w": word,
    "n": lambda rng: rng.choice(NUMBERS),
    "b": lambda rng: rng.random() < 0.5,
    "z": lambda _: None,
    "s": lambda rng: rng.choice(ODD),
    "l": words,
    "q": scalars,
    "m": options,
    "t": tree,
    "r": records,
}
"""Kinds of variables by the first letter of their names, so that what is drawn knows which it may use where."""


def variables(rng: Random, prefix: str = "") -> dict[str, Any]:
    """Give variables of all kinds; each name begins with its kind's letter."""
    drawn = {f"{kind}{prefix}": draw(rng) for kind, draw in KINDS.items()}
    return drawn | {f"{kind}{prefix}2": KINDS[kind](rng) for kind in rng.sample(sorted(KINDS), 3)}


def leaves(value: Any, at: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Yield what lies in nested mappings and lists, and the mappings and lists themselves, with their keys."""
    if at:
        yield at, value
    inside: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inside = tuple(value.items())
    elif isinstance(value, list):
        inside = tuple(enumerate(value))
    for key, inner in inside:
        yield from leaves(inner, (*at, key))


def dotted(keys: Keys) -> str:
    """Give a params key."""
    return ".".join(map(str, keys))


# Files


def as_json(rng: Random, values: Mapping[str, Any]) -> str:
    """Write JSON, on one line or on many."""
    return json.dumps(values, indent=rng.choice((None, 2)), ensure_ascii=rng.random() < 0.5)


def as_yaml(rng: Random, values: Mapping[str, Any]) -> str:
    """Write YAML as blocks or in flow style, with comments, a document mark or a byte order mark now and then."""
    text = as_json(rng, values) if rng.random() < 0.3 else yaml12.render(values)
    dressed = (
        text,
        f"# note\n{text}",
        f"---\n{text}",
        f"\ufeff{text}",
        text.replace("\n", "\r\n"),
        f"{text}\n\n# end\n",
    )
    return rng.choice((text, text, text, *dressed))


def as_toml(_: Random, values: Mapping[str, Any]) -> str:
    """Write TOML; what it does not know (nothing, and lists of mappings that hold it) is left out."""
    plain = {name: value for name, value in values.items() if not _holds_nothing(value)}
    return "".join(f"{json.dumps(name)} = {_toml(value)}\n" for name, value in plain.items())


def as_python(rng: Random, values: Mapping[str, Any]) -> str:
    """Write assignments; mappings also as classes; with code that is only there to be skipped."""
    lines = ["import os", 'HERE = os.path.join("a", "b")'] if rng.random() < 0.5 else []
    for name, value in values.items():
        if isinstance(value, dict) and value and all(key.isidentifier() for key in value) and rng.random() < 0.5:
            lines += [f"class {name}:", *(f"    {key} = {inner!r}" for key, inner in value.items())]
        else:
            annotation = ": object" if rng.random() < 0.2 else ""
            lines.append(f"{name}{annotation} = {value!r}")
    return "\n".join([*lines, ""])


FORMATS: Final[Mapping[str, Callable[[Random, Mapping[str, Any]], str]]] = {
    "yaml": as_yaml,
    "yml": as_yaml,
    "json": as_json,
    "JSON": as_json,
    "toml": as_toml,
    "py": as_python,
}


def _holds_nothing(value: Any) -> bool:
    return value is None or any(inner is None for _, inner in leaves(value))


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def scores(rng: Random) -> str:
    """Draw the text of a metrics file: JSON, which is YAML too; some of its leaves are no metrics."""
    numbers = (0, 1, -2, 0.5, 0.25, 1e-7, 1e21)
    leaves: tuple[Any, ...] = (*numbers, *numbers, True, None, "text", [1, 2], {})
    names = rng.sample(("acc", "loss", "by class", "n.2"), rng.randint(1, 3))
    return json.dumps({**{name: rng.choice(leaves) for name in names}, "deep": {"f1": rng.choice(numbers)}})
