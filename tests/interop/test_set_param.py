"""`--set-param` against DVC's: every value is read as Hydra reads it, every file says what DVC's would say."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from dvc.utils.hydra import apply_overrides
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString

from runner.errors import ConfigError
from runner.pipeline import assignment, documents, rewriting
from tests.unit.pipeline.test_rewriting import TOML, YAML

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PARTS = [
    *(
        "1",
        "0",
        "-3",
        "1.5",
        ".5",
        "1e-3",
        "1_000",
        "007",
        "true",
        "False",
        "null",
        "abc",
        "a-b",
        '"q"',
        "'x y'",
        "inf",
    ),
    *('"a\\"b"', "'it\\'s'", '"c\\\\"', " ", "\t", ",", ":", "[", "]", "{", "}", "a:", "b: 2", "/", "\\", "\\,", "\\ "),
    *(".", "$", "%", "@", "=", "nan", "+1", "-", "é", "#", "(", ")", "_", "1.", "1e5", "\\\\", ";", '"', "'"),
]
VALUES = ["5", "0.25", "abc", "true", "null", "[1,2]", "{a: 3}", '"q: x"', "1e-5", "", "yes", "2020-01-01", '"5"']
REFUSED = object()


def _theirs(text: str) -> Any:
    try:
        found = OverridesParser.create().parse_override(text)
    except Exception:  # noqa: BLE001 - any refusal of Hydra
        return REFUSED
    return REFUSED if found.is_sweep_override() else _plain(found._value)


def _plain(value: Any) -> Any:
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, dict):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _ours(text: str) -> Any:
    try:
        return assignment.parse(text).value
    except ConfigError:
        return REFUSED


def _texts(rng: random.Random) -> Iterator[str]:
    for _ in range(300):
        yield "".join(rng.choice(PARTS) for _ in range(rng.randint(0, 6)))
        yield "[" + ",".join(rng.choice(PARTS) for _ in range(rng.randint(0, 3))) + "]"
        yield "{" + ",".join(f"{rng.choice(PARTS)}:{rng.choice(PARTS)}" for _ in range(rng.randint(0, 3))) + "}"


@pytest.mark.parametrize("seed", range(3))
def test_every_value_is_read_as_hydra_reads_it(seed: int) -> None:
    for text in _texts(random.Random(seed)):
        assert repr(_ours(f"k={text}")) == repr(_theirs(f"k={text}")), text


def _keys(node: Any, above: str = "") -> Iterator[str]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in items:
        name = f"{above}.{key}" if above else str(key)
        yield name
        yield from _keys(inner, name)


@pytest.mark.parametrize(
    ("name", "text"), [("p.yaml", YAML), ("p.toml", TOML), ("p.json", '{"a": {"b": [1]}, "c": 2}')]
)
def test_a_file_says_what_dvc_would_have_it_say(name: str, text: str, tmp_path: Path) -> None:
    compared = 0
    for key in _keys(documents.parse(name, text)):
        for value in VALUES if name != "p.toml" else [one for one in VALUES if not one.startswith("{")]:
            # DVC's writer of TOML puts a mapping where the keys behind it become its own.
            try:
                ours = documents.parse(name, rewriting.rewritten(name, text, [assignment.parse(f"{key}={value}")]))
                (tmp_path / name).write_text(text)
                apply_overrides(tmp_path / name, [f"{key}={value}"])
            except Exception:  # noqa: BLE001, S112 - what one of both refuses is no case; DVC refuses more than we do
                continue
            assert ours == documents.parse(name, (tmp_path / name).read_text()), (key, value)
            compared += 1
    assert compared > 40
