"""Params in Python: what DVC sees of a module's assignments, and that nothing of it is ever run."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from runner.errors import ConfigError
from runner.pipeline import literals


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("a = 1", {"a": 1}),
        ("a: int = 1\nb: str", {"a": 1}),
        ("a = 1\nb = 2\na = 3", {"a": 3, "b": 2}),
        ("a = -1\nb = +2.5\nc = 1_000\nd = 0x1F\ne = 'x' 'y'", {"a": -1, "b": 2.5, "c": 1000, "d": 31, "e": "xy"}),
        ("a = (1, [2, {'k': (3,)}])", {"a": (1, [2, {"k": (3,)}])}),
        ("a = {1, 2}\nb = set()", {"a": {1, 2}, "b": set()}),
        ("a = None\nb = True\nc = b'x'\nd = 1j", {"a": None, "b": True, "c": b"x", "d": 1j}),
        ("a = f()\nb = 1 + 2\nc = x\nd = [*a]\ne = {**a}\nf = f'{a}'\ng = lambda: 1\nh = 1", {"h": 1}),
        ("a = b = 1\nc, d = 1, 2\n[e] = [1]\nf[0] = 1\ng.x = 1\ng.h.x = 1\ni += 1\n(j) = 1", {"j": 1}),
        ("if True:\n  a = 1\nfor b in c:\n  d = 1\nwith x:\n  e = 1\ntry:\n  f = 1\nfinally:\n  pass", {}),
        ("def f():\n  a = 1", {}),
        ("self.x = 1", {"x": 1}),
        ("{[1]: 2}", {}),
        ("a = '\\d'", {"a": "\\d"}),
    ],
)  # fmt: skip
def test_a_module_gives_the_literals_that_it_assigns(text: str, values: dict[str, Any]) -> None:
    assert list(literals.parse(text, "p.py").items()) == list(values.items())


def test_a_class_is_a_mapping_of_its_body_and_of_what_its_init_sets_on_self() -> None:
    text = """
    class Train:
        epochs = 3
        class Optimizer:
            name: str = "adam"
        def __init__(self, other):
            self.epochs = 4
            self.rate = 0.1
            local = 5
            other.x = 6
            if other:
                self.late = 7
        def other(self):
            self.y = 8
        async def __init__(self):
            self.z = 9
    """
    train = {"epochs": 4, "Optimizer": {"name": "adam"}, "rate": 0.1}
    assert literals.parse(dedent(text), "p.py") == {"Train": train}


def test_nothing_of_the_file_is_run(tmp_path: Any) -> None:
    text = f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\na = 1\nraise SystemExit\n"
    assert literals.parse(text, "p.py") == {"a": 1}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = (", "p.py:2:5: not Python: '(' was never closed"),
        ("  a = 1", "p.py:1:2: not Python: unexpected indent"),
        ("a = 1\nü = 1 é", "p.py:2:7: not Python: invalid syntax"),
        ("a = '\0'", "p.py:1:1: not Python: "),
        ("a = 1\nb = {[1]: 2}", "p.py:2:1: the value of 'b' cannot be built: unhashable type"),
        (f"a = {'-' * 100_000}1", "p.py: Python nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        literals.parse(text, "p.py")
    assert str(caught.value).startswith(said)
