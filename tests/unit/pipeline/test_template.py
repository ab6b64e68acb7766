"""Templates of a dvc.yaml filled in: every place an expression may stand, what comes of it, and where mistakes are."""

from __future__ import annotations

import time

import pytest

from runner.errors import ConfigError, Location
from runner.pipeline import files, yaml12
from runner.pipeline.context import Sources
from runner.pipeline.model import Dep, Out, Param, Stage
from runner.pipeline.projectfile import ProjectFile
from runner.pipeline.shape import Page
from runner.pipeline.unpack import Unpacking

PARAMS = """\
a: 1
s: str
b: true
n: null
f: 1e-3
l: [1, two]
d: {x: 1, y: {z: two, flag: true, off: false}}
up: {dir: ../out}
"""


def load(text: str, unpacking: Unpacking | None = None, params: str = PARAMS) -> tuple[Stage, ...]:
    return files.load(["dvc.yaml"], {"dvc.yaml": text, "params.yaml": params}.get, "/r", unpacking).stages


def only(inner: str, unpacking: Unpacking | None = None) -> Stage:
    """Load a dvc.yaml of one stage `s` given by its inner lines."""
    (stage,) = load("stages:\n  s:\n" + "".join(f"    {line}\n" for line in inner.splitlines()), unpacking)
    return stage


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return [str(problem) for problem in caught.value.problems]


EVERYWHERE = """\
stages:
  s:
    cmd: ['run ${s}', '${s}']
    desc: ${a}
    wdir: w-${s}
    deps: ['${s}', 'p/${a}.txt', '${l[1]}', '${s}']
    params: ['${s}', 'k.${a}', {'${s}.yaml': ['${s}', x]}, {w.json: }]
    outs:
    - ${s}.out
    - o-${a}: {cache: false, remote: '${s}', desc: '${a}'}
    metrics: [{'${s}.json': {cache: false}}]
    plots: [{'${s}.csv': {x: '${s}', title: '${a}', header: true}}]
    meta: {'${s}': ['${b}', {k: '${n} ${f}'}]}
    frozen: true
"""


def test_an_expression_may_stand_in_every_value_and_inner_key_of_a_stage() -> None:
    (stage,) = load(EVERYWHERE)
    assert stage == Stage(
        address="s",
        file="dvc.yaml",
        name="s",
        cmd=("run str", "str"),
        wdir="w-str",
        deps=(
            Dep("w-str/str", "str"),
            Dep("w-str/p/1.txt", "p/1.txt"),
            Dep("w-str/two", "two"),
            Dep("w-str/str", "str"),
        ),
        params=(
            Param("w-str/params.yaml", "params.yaml", ("str", "k.1")),
            Param("w-str/str.yaml", "str.yaml", ("str", "x")),
            Param("w-str/w.json", "w.json"),
        ),
        outs=(
            Out("w-str/str.out", "str.out"),
            Out("w-str/o-1", "o-1", cache=False, remote="str"),
            Out("w-str/str.json", "str.json", cache=False, metric=True),
            Out("w-str/str.csv", "str.csv", plot=True, style=(("x", "str"), ("title", "1"), ("header", "True"))),
        ),
        frozen=True,
        desc="1",
        meta={"str": [True, {"k": "None 0.001"}]},
        used={"params.yaml": ("s", "a", "l.1", "b", "n", "f")},
    )
    assert stage.where == Location("dvc.yaml", 2, 3)


@pytest.mark.parametrize(
    ("cmd", "filled"),
    [
        (r"echo \${s} $HOME $(x) $${s} \\${s}", r"echo ${s} $HOME $(x) $str \${s}"),
        (r"\${s}", "${s}"),
        ("x ${a} ${b} ${n} ${f}", "x 1 true None 0.001"),
        ("x ${d}", "x --x 1 --y.z two --y.flag"),
        ("${d.y} x", "--z two --flag x"),
        ("x ${d.y.z} ${d[y][z]} ${l.0} ${l[-1]}", "x two two 1 two"),
        ("|\n  a ${s}\n  b ${a}", "a str\nb 1\n"),
    ],
)
def test_a_command_is_filled_in(cmd: str, filled: str) -> None:
    assert only(f"cmd: {cmd}").cmd == filled


def test_the_configuration_says_how_mappings_become_options() -> None:
    assert only("cmd: x ${d.y}", Unpacking(negates=True)).cmd == "x --z two --flag --no-off"


@pytest.mark.parametrize("written", [r'"\x24{s}"', r'"$\u007bs}"', '"$\\\n      {s}"'])
def test_an_expression_written_with_escapes_is_one_too(written: str) -> None:
    assert only(f"cmd: {written}").cmd == "str"


def test_a_null_command_is_a_data_source() -> None:
    stage = only("cmd: ${n}\nouts: [o]")
    assert stage.cmd is None
    assert stage.is_data_source


def test_generated_stages_are_whole_stages_and_know_their_file_variables() -> None:
    text = """\
vars: [{models: [{n: m1, w: a}, {n: m2, w: b}]}, {flag: 1}]
stages:
  one: {cmd: x}
  train:
    foreach: ${models}
    do:
      cmd: run ${item.n} ${s} ${d.x}
      wdir: ${item.w}
      deps: ['${item.n}.py']
      outs: [out]
      always_changed: true
"""
    stages = load(text)
    assert [stage.address for stage in stages] == ["one", "train@0", "train@1"]
    assert stages[2] == Stage(
        address="train@1",
        file="dvc.yaml",
        name="train@1",
        cmd="run m2 str 1",
        wdir="b",
        deps=(Dep("b/m2.py", "m2.py"),),
        outs=(Out("b/out", "out"),),
        always_changed=True,
        used={"params.yaml": ("s", "d.x")},
    )
    assert stages[1].where == stages[2].where == Location("dvc.yaml", 4, 3)


def test_items_of_files_are_known_by_their_place_there() -> None:
    params = "models: {m1: {lr: 1}, m2: {lr: 2}}\nlist: [{v: 1}, {v: 2}]\nx: 9\n"
    text = (
        "stages:\n"
        "  a: {foreach: '${models}', do: {cmd: 'x ${key} ${item.lr}'}}\n"
        "  b: {foreach: '${list}', do: {cmd: 'x ${item.v}'}}\n"
        "  c: {foreach: ['${x}', lit], do: {cmd: 'x ${item}'}}\n"
        "  d: {foreach: [{k: '${x}'}], do: {cmd: 'x ${item.k} ${item}'}}\n"
        "  e: {matrix: {m: '${list}'}, cmd: 'x ${item.m.v}'}\n"
        "  f: {matrix: {m: '${models}'}, cmd: 'x ${item.m}'}\n"
    )
    used = {stage.name: dict(stage.used).get("params.yaml") for stage in load(text, params=params)}
    assert used == {
        "a@m1": ("models.m1.lr",),
        "a@m2": ("models.m2.lr",),
        "b@0": ("list.0.v",),
        "b@1": ("list.1.v",),
        "c@9": ("x",),
        "c@lit": None,
        "d@0": ("x",),
        "e@m0": ("list.0.v",),
        "e@m1": ("list.1.v",),
        "f@m1": None,
        "f@m2": None,
    }


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("cmd: x ${nope}", "3:12: there is no variable 'nope'"),
        ("cmd: |\n  a\n  b ${nope}", "5:9: there is no variable 'nope'"),
        ("cmd: x ${d.xx}", "3:12: there is no variable 'd.xx'\n  did you mean 'd.x'?"),
        ("cmd: x ${upp}", "3:12: there is no variable 'upp'\n  did you mean 'up'?"),
        ("cmd: x ${HOME}", "write \\${HOME} if it is the shell's"),
        ("cmd: x ${a.b}", "3:12: there is no 'a.b': 'a' holds no names\n  write ${a}"),
        ("cmd: x ${l[2]}", "3:12: there is no 'l.2': 'l' is a list of 2\n  count from 0"),
        ("cmd: x ${l.x}", "3:12: there is no 'l.x'"),
        ("cmd: x ${l}", "3:12: ${l} is a list, which cannot stand here"),
        ("cmd: x\ndeps: ['${d}']", "4:13: ${d} is a mapping, which cannot stand here"),
        ("cmd: x\ndeps: [a, 'b/${nope}/c']", "4:18: there is no variable 'nope'"),
        ("cmd: x\nouts:\n- ${nope}:\n    cache: false", "5:7: there is no variable 'nope'"),
        ("cmd: x\nmeta: {k: [1, '${nope}']}", "4:20: there is no variable 'nope'"),
        ("cmd: x ${a..b}", "3:12: ${a..b} is not a name"),
        ("cmd: x ${}", "3:12: ${} names no variable"),
        ("cmd: ${a}", "3:5: expected a string, a list of strings or nothing, found a whole number (1)"),
        ("cmd: [x, '${a}']", "3:14: expected a string, a list of strings or nothing, found a whole number (1) in it"),
        ("cmd: ${d}", "3:5: expected a string, a list of strings or nothing, found a mapping"),
        ("cmd: x\ndeps: ['${a}']", "4:12: expected a list of strings, found a whole number (1) in it"),
        ("cmd: x\nouts: ['${a}']", "4:12: expected a mapping, found a whole number (1)"),
        ("cmd: x\nouts: [{'${a}': {cache: false}}]", "4:12: expected a string, found a whole number (1)"),
        ("cmd: x\nouts: [{o: {remote: '${a}'}}]", "4:17: expected a string, found a whole number (1)"),
        ("cmd: x\nouts: [{o: {cache: '${b}'}}]", "4:17: expected true or false, found a string"),
        ("cmd: x\nparams: [{p.yaml: '${s}'}]", "4:15: expected a list of keys, found 'str'"),
        ("cmd: x\nparams: ['${a}']", "4:14: expected a mapping, found a whole number (1)"),
        ("cmd: x\nwdir: ${a}", "4:5: expected a string or nothing, found a whole number (1)"),
        ("cmd: x\nwdir: ../${s}", "4:5: the wdir '../str' is outside the repository"),
        ("cmd: x\nouts: ['${up.dir}']", "4:12: '../out' is outside the repository"),
        ("cmd: x\ndeps: ['${s}.dvc']", "4:12: the DVC file 'str.dvc' can be neither dep nor out"),
        ("cmd: x\nfrozen: ${b}", "4:5: expected true or false, found a string ('${b}')"),
        ("cmd: x\n${s}: 1", "4:5: unknown key '${s}'"),
    ],
)
def test_what_cannot_be_filled_in_or_used_is_refused_with_its_place(inner: str, expected: str) -> None:
    (problem,) = mistakes("stages:\n  s:\n" + "".join(f"    {line}\n" for line in inner.splitlines()))
    assert problem.startswith("dvc.yaml:")
    assert expected in problem


def test_one_expression_alone_keeps_its_type_and_the_hint_says_so() -> None:
    (problem,) = mistakes("stages: {s: {cmd: '${a}'}}")
    assert "one ${...} alone keeps the type of its value" in problem


def test_all_mistakes_of_a_templated_file_are_told_at_once() -> None:
    found = mistakes(
        "stages:\n"
        "  a: {cmd: '${x1} ${s} ${x2}', depz: [], deps: ['${x3}']}\n"
        "  b: {foreach: [1, 2], do: {cmd: '${x4} ${item.y}', outs: ['${item}', {o: {cache: 1}}]}}\n"
        "  c: {cmd: '${s}', outs: [../k]}\n"
    )
    assert [problem.partition("\n")[0].partition(": ")[2] for problem in found] == [
        "unknown key 'depz'",
        "there is no variable 'x1'",
        "there is no variable 'x2'",
        "there is no variable 'x3'",
        "expected true or false, found a whole number (1)",
        "there is no variable 'x4'",
        "there is no 'item.y': 'item' holds no names",
        "'../k' is outside the repository",
    ]


def test_a_clash_between_generated_stages_is_shown_where_the_template_names_the_path() -> None:
    (problem,) = mistakes(
        "stages:\n  s:\n    foreach: [1, 2]\n    do:\n      cmd: x ${item}\n      outs: [p, 'o-${s}']\n"
    )[:1]
    assert problem.startswith("dvc.yaml:6:14: 'p' is an out of 's@2' and also of 's@1'")


def test_sections_outside_stages_take_values_of_any_shape() -> None:
    text = "vars: [{k: 1}]\nplots: [{'p${k}.csv': {y: '${l}'}}, 'x ${d}', '${nope}']\n"
    project = ProjectFile(
        Page("dvc.yaml", text), yaml12.parse(text, "dvc.yaml"), {}, Sources({"params.yaml": PARAMS}.get)
    )
    filled = project.template.value(project.document["plots"], ("plots",))
    assert filled == [{"p1.csv": {"y": [1, "two"]}}, "x --x 1 --y.z two --y.flag", "${nope}"]
    assert [str(error).partition("\n")[0] for error in project.page.errors()] == [
        "dvc.yaml:2:48: there is no variable 'nope'"
    ]


def test_a_commit_is_read_with_its_own_variables() -> None:
    then = {"dvc.yaml": "stages: {s: {cmd: 'x ${a} ${o}', vars: [o.yaml]}}", "params.yaml": "a: old", "o.yaml": "o: 2"}
    (stage,) = files.load(["dvc.yaml"], then.get).stages
    assert stage.cmd == "x old 2"


def test_a_thousand_broken_stages_are_told_in_short_time() -> None:
    stages = "".join(f"  s{number}: {{cmd: 'x ${{nope{number}}}', deps: ['${{a}}']}}\n" for number in range(1000))
    start = time.thread_time()
    assert len(mistakes(f"stages:\n{stages}")) == 1000
    assert time.thread_time() - start < 2
