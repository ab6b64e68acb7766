"""A value in a params file replaced where it stands, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from runner.errors import ConfigError
from runner.pipeline import assignment, documents, rewriting

YAML = """\
# top
rate: 0.1  # note
name: 'a b'
empty:
model:
  depth: 3   # d
  layers: # of all
  - 1
  - 2

  # after
  inner: {a: 1, b: x}
list:
  - a: 1
    b: 2
  - 5
text: |
  some
  lines
1: one
"""
TOML = """\
# top
rate = 0.1 # note
name = "a # b"   # name
dotted.a = 1
multi = [
  1, # one
]
[model] # m
inner = {a = 1, b = "x"}
"quoted key" = 5
[[tables]]
rate = 5
"""
PYTHON = """\
# top
rate = 0.1  # note
name: str = "é"; other = 1
train = {"lr": 0.1, "opt": {"a": 1}}
layers = [1, 2]
class Model:
    depth = 3  # d
    def __init__(self):
        self.width = 5
computed = len("x")
"""


def changed(path: str, text: str, *assignments: str) -> str:
    return rewriting.rewritten(path, text, [assignment.parse(one) for one in assignments])


@pytest.mark.parametrize(
    ("path", "text", "said", "old", "new"),
    [
        ("p.yaml", YAML, "rate=1", "rate: 0.1  # note", "rate: 1  # note"),
        ("p.yaml", YAML, "name=null", "name: 'a b'", "name: null"),
        ("p.yaml", YAML, "name='1'", "name: 'a b'", "name: '1'"),
        ("p.yaml", YAML, "empty=x", "empty:\n", "empty: x\n"),
        ("p.yaml", YAML, "model.depth='a: b'", "depth: 3   # d", "depth: 'a: b'   # d"),
        ("p.yaml", YAML, "model.layers=[9]", "layers: # of all\n  - 1\n  - 2\n", "layers: [9] # of all\n"),
        ("p.yaml", YAML, "model.layers.1=9", "- 2", "- 9"),
        ("p.yaml", YAML, "model.inner.b=y", "b: x", "b: y"),
        ("p.yaml", YAML, "model.inner={b: y}", "b: x", "b: y"),
        ("p.yaml", YAML, "list.0=5", "- a: 1\n    b: 2\n", "- 5\n"),
        ("p.yaml", YAML, "text=z", "text: |\n  some\n  lines\n", "text: z\n"),
        ("p.yaml", YAML, "1=two", "1: one", "1: two"),
        ("p.yml", "\ufeffrate: 1\r\nb: 2\r\n", "rate=3", "rate: 1\r", "rate: 3\r"),
        ("p.toml", TOML, "rate=1e-3", "0.1 # note", "0.001 # note"),
        ("p.toml", TOML, "name=x", '"a # b"   #', '"x"   #'),
        ("p.toml", TOML, "dotted.a=true", "dotted.a = 1", "dotted.a = true"),
        ("p.toml", TOML, "multi=[2,3]", "[\n  1, # one\n]", "[2, 3]"),
        ("p.toml", TOML, "model.inner.a=2", '{a = 1, b = "x"}', '{"a" = 2, "b" = "x"}'),
        ("p.py", PYTHON, "rate=2", "rate = 0.1  #", "rate = 2  #"),
        ("p.py", PYTHON, "name='it'", '"é"; other', "'it'; other"),
        ("p.py", PYTHON, "other=null", "other = 1", "other = None"),
        ("p.py", PYTHON, "train.opt.a=2", '{"a": 1}', '{"a": 2}'),
        ("p.py", PYTHON, "layers.1=9", "[1, 2]", "[1, 9]"),
        ("p.py", PYTHON, "Model.depth=4", "depth = 3  #", "depth = 4  #"),
        ("p.py", PYTHON, "Model.width=x", "self.width = 5", "self.width = 'x'"),
        ("p.json", '{"a": {"b": 1}, "é": 2}\n', "a.b=x", '"b": 1', '"b": "x"'),
        ("p.json", '{\n  "a": [\n    1\n  ]\n}', "a.0=2", "1", "2"),
    ],
)
def test_only_the_value_changes(path: str, text: str, said: str, old: str, new: str) -> None:
    assert text.count(old) == 1
    assert changed(path, text, said) == text.replace(old, new)


def test_one_is_set_after_the_other() -> None:
    document = documents.parse("p.yaml", changed("p.yaml", YAML, "model.depth=[1,2]", "model.depth.0=7", "rate=9"))
    assert (document["model"]["depth"], document["rate"]) == ([7, 2], 9)


def test_a_value_that_is_there_already_leaves_the_text_alone() -> None:
    assert changed("p.yaml", YAML, "name='a b'", "model.layers=[1,2]") == YAML
    assert changed("p.json", '{"a":1}', "a=1") == '{"a":1}'


@pytest.mark.parametrize(
    ("path", "text", "said", "part"),
    [
        ("p.yaml", YAML, "rte=1", "did you mean rate"),
        ("p.yaml", YAML, "model.dept=1", "did you mean model.depth"),
        ("p.yaml", YAML, "model={dept: 1}", "did you mean model.depth"),
        ("p.yaml", YAML, "model.layers.2=1", "did you mean model.layers"),
        ("p.yaml", "", "rate=1", "only keys that are there"),
        ("p.yaml", "a: &x {b: 1}\nc: *x\n", "c.b=2", "change the file"),
        ("p.yaml", "a: &x {b: 1}\nc:\n  <<: *x\n", "c.b=2", "change the file"),
        ("p.toml", TOML, "tables.0.rate=1", "change the file"),
        ("p.toml", TOML, "rate=null", "change the file"),
        ("p.py", PYTHON, "computed=1", "only keys that are there"),
    ],
)
def test_what_cannot_be_set_is_refused(path: str, text: str, said: str, part: str) -> None:
    with pytest.raises(ConfigError) as refused:
        changed(path, text, said)
    assert part in refused.value.hint


def test_every_scalar_survives_every_format() -> None:
    texts: dict[str, str] = {"p.yaml": "k: 0\n", "p.toml": "k = 0\n", "p.json": '{"k": 0}', "p.py": "k = 0\n"}
    values: list[Any] = [
        1,
        -0.5,
        1e300,
        True,
        "",
        "yes",
        "null",
        "1",
        "a: b",
        "#x",
        "- x",
        'q"',
        "it's",
        "é\u2028",
        "~",
    ]
    for path, text in texts.items():
        for value in [*values, [values], {"x": values}]:
            one = assignment.Assignment("", "k", value)
            assert documents.parse(path, rewriting.rewritten(path, text, [one])) == {"k": value}, (path, value)


@pytest.mark.parametrize(
    ("path", "text", "key", "line"),
    [
        ("p.yaml", YAML, "model.depth", 6),
        ("p.yaml", YAML, "list.1", 16),
        ("p.yaml", YAML, "gone", 0),
        ("p.yaml", "a: [", "a", 0),
        ("p.json", '{\n "a": {\n  "b": 1\n }\n}', "a.b", 3),
        ("p.toml", "a = 1\n[t]\nb = [\n 1,\n]\nc.d = 2\n", "t.c.d", 6),
        ("p.toml", "a = 1\n[[t]]\nb = 1\n", "t.0.b", 0),
        ("p.py", "A = 1\n\nclass T:\n    b = 1\n    c = {\n        'd': 2,\n    }\n", "T.c.d", 6),
        ("p.py", "A = 1\n", "B", 0),
    ],
)
def test_the_line_of_a_param_is_that_of_its_key_or_its_literal(path: str, text: str, key: str, line: int) -> None:
    assert rewriting.line(path, text, key) == line
