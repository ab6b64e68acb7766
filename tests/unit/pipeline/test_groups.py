"""The stages that `foreach` and `matrix` make: their names, and what each sees. Real DVC gave every answer here."""

from __future__ import annotations

import pytest

from runner.errors import ConfigError
from runner.pipeline import files

PARAMS = """\
b: true
n: null
f: 1.0
s: str
l: [1, 2, x]
nums: [1, 2.5, true, null, 1e-3]
mixed: [a, {x: 1}]
mdict: {m1: {lr: 1}, m2: {lr: 2}}
mlist: [{lr: 1}, {lr: 2}]
numbered: {2: x, y: 1}
big: {a: 1, b: 2, c: 3, d: 4, e: 5}
"""


def commands(text: str) -> dict[str, object]:
    """Give the cmd of each stage of a dvc.yaml whose stages are given."""
    found = files.load(["dvc.yaml"], {"dvc.yaml": f"stages:\n  s:\n    {text}\n", "params.yaml": PARAMS}.get)
    return {stage.name: stage.cmd for stage in found.stages}


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        commands(text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("data", "stages"),
    [
        ("[a, b]", {"s@a": "x a", "s@b": "x b"}),
        ("[true, 1e-3, null, 1]", {"s@true": "x true", "s@0.001": "x 0.001", "s@None": "x None", "s@1": "x 1"}),
        (
            "${nums}",
            {"s@1": "x 1", "s@2.5": "x 2.5", "s@True": "x true", "s@None": "x None", "s@0.001": "x 0.001"},
        ),
        (
            "['${b}', '${n}', '${f}', true]",
            {"s@True": "x true", "s@None": "x None", "s@1.0": "x 1.0", "s@true": "x true"},
        ),
        ("['${s}', 'x ${s}']", {"s@str": "x str", "s@x str": "x x str"}),
        ("[a, b, a]", {"s@a": "x a", "s@b": "x b"}),
        ("[1, true, 1.0]", {"s@1": "x 1", "s@true": "x true", "s@1.0": "x 1.0"}),
        ("[c/d, 'e:f', g h]", {"s@c/d": "x c/d", "s@e:f": "x e:f", "s@g h": "x g h"}),
        ("[{x: 1}, a]", {"s@0": "x --x 1", "s@1": "x a"}),
        ("{a: 1, b: {c: 2}}", {"s@a": "x 1", "s@b": "x --c 2"}),
        ("{2: a, true: b, null: c, 1.5: d}", {"s@2": "x a", "s@true": "x b", "s@None": "x c", "s@1.5": "x d"}),
        ("{'x${s}': '${s}'}", {"s@xstr": "x str"}),
        ("${numbered}", {"s@y": "x 1"}),
        ("{a: {2: x, y: 1}}", {"s@a": "x --y 1"}),
        ("${mlist}", {"s@0": "x --lr 1", "s@1": "x --lr 2"}),
        ("[]", {}),
        ("{}", {}),
    ],
)
def test_foreach_makes_a_stage_of_each_element(data: str, stages: dict[str, str]) -> None:
    assert commands(f"foreach: {data}\n    do: {{cmd: 'x ${{item}}'}}") == stages


def test_a_mapping_gives_its_keys_too() -> None:
    made = commands("foreach: ${mdict}\n    do: {cmd: 'x ${key} ${item.lr} ${item[lr]}'}")
    assert made == {"s@m1": "x m1 1 1", "s@m2": "x m2 2 2"}


def test_what_a_group_without_stages_holds_is_not_looked_at() -> None:
    assert commands("foreach: []\n    do: {cmd: '${nope} ${.}'}") == {}
    assert commands("matrix: {x: []}\n    cmd: '${nope}'") == {}


def test_a_matrix_inside_do_is_passed_over() -> None:
    assert commands("foreach: [a]\n    do: {cmd: x, matrix: {q: [1]}}") == {"s@a": "x"}


@pytest.mark.parametrize(
    ("axes", "cmd", "stages"),
    [
        (
            "{m: [a, b], n: [1, 2]}",
            "${item.m} ${item.n} ${key}",
            {"s@a-1": "a 1 a-1", "s@a-2": "a 2 a-2", "s@b-1": "b 1 b-1", "s@b-2": "b 2 b-2"},
        ),
        (
            "{m: [a], n: [{x: 1}, {x: 2}]}",
            "${item.n.x} ${item.n}",
            {"s@a-n0": "1 --x 1", "s@a-n1": "2 --x 2"},
        ),
        ("{m: [true, null, 1.50, 1e-3, x y, a/b]}", "${item.m}", None),
        ("{m: '${mdict}'}", "x ${item.m}", {"s@m1": "x m1", "s@m2": "x m2"}),
        ("{m: '${l}', k: ['${b}']}", "x ${item.m}", {"s@1-True": "x 1", "s@2-True": "x 2", "s@x-True": "x x"}),
        ("{m: abc}", "x ${item.m}", {"s@a": "x a", "s@b": "x b", "s@c": "x c"}),
        ("{m: 'x${f}'}", "x ${item.m}", {"s@x": "x x", "s@1": "x 1", "s@.": "x .", "s@0": "x 0"}),
        ("{'x${f}': [1]}", "x ${key}", {"s@1": "x 1"}),
        ("{m: [a, a]}", "x ${item.m}", {"s@a": "x a"}),
        ("{m: [[1, 2], [3]]}", "x ${item.m[0]}", {"s@m0": "x 1", "s@m1": "x 3"}),
    ],
)
def test_matrix_makes_a_stage_of_each_combination(axes: str, cmd: str, stages: dict[str, str] | None) -> None:
    scalars = {"s@true": "true", "s@None": "None", "s@1.5": "1.5", "s@0.001": "0.001", "s@x y": "x y", "s@a/b": "a/b"}
    wanted = {name: f"x {value}" for name, value in scalars.items()} if stages is None else stages
    assert commands(f"matrix: {axes}\n    cmd: '{'x ' if stages is None else ''}{cmd}'") == wanted


def test_items_stand_before_variables_of_their_name_while_the_stage_is_made() -> None:
    texts = {
        "dvc.yaml": (
            "vars: [{item: zz, key: yy}]\n"
            "stages:\n"
            "  s: {foreach: [1], do: {cmd: 'x ${item} ${key}'}}\n"
            "  t: {cmd: 'x ${item} ${key}'}\n"
        )
    }
    assert [stage.cmd for stage in files.load(["dvc.yaml"], texts.get).stages] == ["x 1 yy", "x zz yy"]


def test_vars_of_a_generated_stage_may_set_key_where_foreach_does_not() -> None:
    assert commands("foreach: [1]\n    do: {cmd: 'x ${key}', vars: [{key: 4}]}") == {"s@1": "x 4"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foreach: ${s}\n    do: {cmd: x}", "3:5: foreach needs a list or a mapping, this is 'str'"),
        ("foreach: abc\n    do: {cmd: x}", "3:5: foreach needs a list or a mapping, this is 'abc'"),
        ("foreach: x ${l}\n    do: {cmd: x}", "3:5: foreach needs a list or a mapping"),
        ("foreach: ${n}\n    do: {cmd: x}", "3:5: foreach needs a list or a mapping, this is nothing"),
        ("foreach: 5\n    do: {cmd: x}", "3:5: expected a list, a mapping or one ${...}, found a whole number (5)"),
        ("foreach: ${nope}\n    do: {cmd: x}", "3:14: there is no variable 'nope'"),
        ("foreach: [a, '${nope}']\n    do: {cmd: x}", "3:19: there is no variable 'nope'"),
        ("foreach: {'${s}': 1}\n    do: {cmd: x}", "3:16: ${s} cannot be a key"),
        ("foreach: ['']\n    do: {cmd: x}", "3:5: an empty text cannot name a stage"),
        ("foreach: [a@b]\n    do: {cmd: x}", "3:5: 'a@b' cannot name a stage: it holds an @"),
        ("foreach: [2020-01-01]\n    do: {cmd: x}", "3:5: the value of 'item' is a date"),
        ("foreach: [a]", "2:3: 'do' is missing"),
        ("do: {cmd: x}", "2:3: 'foreach' is missing"),
        ("foreach: [a]\n    do: x", "4:5: expected a mapping, found a string ('x')"),
        ("foreach: [a]\n    do: {cmd: x}\n    desc: d", "5:5: unknown key 'desc'"),
        ("foreach: [a]\n    do: {cmd: x}\n    matrix: {m: [1]}", "5:5: unknown key 'matrix'"),
        ("foreach: [a]\n    do: {foreach: [b], do: {cmd: x}}", "4:10: foreach cannot stand inside do"),
        ("foreach: [a]\n    do: {deps: [x]}", "4:5: 'cmd' is missing"),
        ("foreach: [a]\n    do: {cmd: x, frozen: '${b}'}", "4:18: expected true or false, found a string ('${b}')"),
        ("foreach: [a]\n    do: {cmd: x, matrix: {q: 1}}", "4:27: expected a list or one ${...}, found a whole number"),
        ("foreach: [1]\n    do: {cmd: x, vars: [{item: 4}]}", "4:26: 'item' is set by foreach or matrix"),
        ("foreach: {a: 1}\n    do: {cmd: x, vars: [{key: 4}]}", "4:26: 'key' is set by foreach or matrix"),
        ("foreach: [1]\n    do: {cmd: 'x ${key}'}", "4:18: there is no variable 'key'"),
        ("matrix: {}\n    cmd: x", "3:5: a matrix needs at least one axis"),
        ("matrix: {m: '${s}'}\n    cmd: x", "3:5: the axis 'm' needs a list, this is 'str'"),
        ("matrix: {m: 1}\n    cmd: x", "3:14: expected a list or one ${...}, found a whole number (1)"),
        (f"matrix: {{a: &l [{', '.join(map(str, range(50)))}], b: *l, c: *l}}\n    cmd: x", "3:5: the matrix has more"),
        ("matrix: [a]\n    cmd: x", "3:5: expected a mapping, found a list"),
        ("matrix: {m: ['']}\n    cmd: x", "3:5: an empty text cannot name a stage"),
        ("matrix: {m: [a@b]}\n    cmd: x", "3:5: 'a@b' cannot name a stage"),
        ("matrix: {m: [{d: 2020-01-01}]}\n    cmd: x", "3:5: the value of 'item.m.d' is a date"),
    ],
)
def test_what_dvc_refuses_is_refused_with_its_place(text: str, expected: str) -> None:
    (problem,) = mistakes(text)
    assert problem.startswith(f"dvc.yaml:{expected}")


def test_what_is_wrong_in_a_template_is_told_once_for_all_its_stages() -> None:
    problems = mistakes("foreach: ${big}\n    do: {cmd: '${nope} ${item.x}', deps: ['${item']}")
    assert [problem.partition("\n")[0] for problem in problems] == [
        "dvc.yaml:4:16: there is no variable 'nope'",
        "dvc.yaml:4:24: there is no 'item.x': 'item' holds no names",
    ]
