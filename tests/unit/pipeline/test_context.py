"""Where variables come from: params.yaml and `vars`, how they are merged, and every way that this can go wrong."""

from __future__ import annotations

import pytest

from runner.errors import ConfigError
from runner.pipeline import files

FILES = {
    "params.yaml": "a: 1\nd: {x: 1, l: [1]}\n",
    "o.yaml": "o: 2\nd: {y: 2}\np: {q: 3}\n",
    "o.json": '{"j": {"k": [4, 5]}}',
    "o.toml": "t = 6\n",
    "o.py": "class C:\n    v = 7\n",
    "sub/local.yaml": "here: 8\n",
    "empty.yaml": "",
    "list.yaml": "[1]",
    "broken.yaml": "a: [\n",
    "dated.yaml": "ok: 1\ndeep:\n- when: 2020-01-01\n",
    "dated.toml": "when = 2020-01-01\n",
    "dotted.yaml": "a.b: 1\n",
    "numbered.yaml": "m: {2: x, y: 1}\n",
}


def cmd(text: str, **others: str) -> object:
    """Give the cmd of the only stage of a dvc.yaml."""
    texts = {**FILES, **others, "dvc.yaml": text}
    (stage,) = files.load(["dvc.yaml"], texts.get).stages
    return stage.cmd


def mistakes(text: str, files_: dict[str, str] | None = None) -> list[str]:
    texts = {**FILES, **(files_ or {}), "dvc.yaml": text}
    with pytest.raises(ConfigError) as caught:
        files.load(["dvc.yaml"], texts.get)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("given", "expression", "value"),
    [
        ("[]", "${a}", "1"),
        ("[v: x]", "${v}", "x"),
        ("[o.yaml]", "${o} ${d.x} ${d.y} ${p.q}", "2 1 2 3"),
        ("['o.yaml:o']", "${o}", "2"),
        ("['o.yaml:o,p']", "${o} ${p.q}", "2 3"),
        ("['o.yaml:o', 'o.yaml:p']", "${o} ${p.q}", "2 3"),
        ("['o.yaml:']", "${o}", "2"),
        ("[o.yaml, ./o.yaml, sub/../o.yaml]", "${o}", "2"),
        ("[params.yaml]", "${a}", "1"),
        ("[o.json]", "${j.k[1]}", "5"),
        ("[o.toml]", "${t}", "6"),
        ("[o.py]", "${C.v}", "7"),
        ("[empty.yaml]", "${a}", "1"),
        ("['dotted.yaml:a.b']", "${a}", "1"),
        ("[d: {z: {w: 9}}, {d: {z: {u: 8}}}]", "${d.x} ${d.z.w} ${d.z.u}", "1 9 8"),
        ("[{5: x, s: y}]", "${s}", "y"),
        ("[numbered.yaml]", "${m}", "--y 1"),
        (r"['o.yaml:o', {e: '\${a}'}]", "${e}-${o}", "${a}-2"),
    ],
)
def test_variables_come_from_params_yaml_and_vars(given: str, expression: str, value: str) -> None:
    assert cmd(f"vars: {given}\nstages:\n  s: {{cmd: 'x {expression}'}}\n") == f"x {value}"


def test_a_stages_own_vars_are_seen_by_it_alone_and_its_files_start_from_wdir() -> None:
    text = (
        "stages:\n"
        "  s:\n"
        "    wdir: sub\n"
        "    vars: [local.yaml, {v: 1}, ../o.yaml]\n"
        "    cmd: echo ${here} ${v} ${o} ${a}\n"
    )
    assert cmd(text) == "echo 8 1 2 1"
    (problem,) = mistakes(f"{text}  t:\n    cmd: echo ${{v}}\n")
    assert problem.startswith("dvc.yaml:7:15: there is no variable 'v'")


def test_wdir_may_use_variables_but_none_of_the_stages_own() -> None:
    text = "vars: [{w: sub}]\nstages:\n  s: {cmd: 'x ${here}', wdir: '${w}', vars: [local.yaml]}\n"
    assert cmd(text) == "x 8"
    (problem,) = mistakes("stages:\n  s: {cmd: x, wdir: '${v}', vars: [{v: sub}]}\n")
    assert problem.startswith("dvc.yaml:2:22: there is no variable 'v'")


def test_a_dvc_yaml_in_a_folder_has_the_params_yaml_beside_it() -> None:
    texts = {
        "params.yaml": "v: outer\n",
        "sub/params.yaml": "v: inner\n",
        "sub/o.yaml": "o: 1\n",
        "sub/dvc.yaml": "vars: [o.yaml]\nstages: {s: {cmd: 'echo ${v} ${o}', params: [v]}}\n",
    }
    (stage,) = files.load(["sub/dvc.yaml"], texts.get).stages
    assert stage.cmd == "echo inner 1"
    assert stage.used == {"sub/params.yaml": ("v",), "sub/o.yaml": ("o",)}


BROKEN = [
    ("[a: 5]", "1:8: the variable 'a' of vars[0] is defined already, in params.yaml"),
    ("[a: 1]", "1:8: the variable 'a' of vars[0] is defined already"),
    ("[d: {x: 1}]", "1:12: the variable 'd.x' of vars[0] is defined already, in params.yaml"),
    ("[d: {l: [2]}]", "1:12: the variable 'd.l' of vars[0]"),
    ("[a: {b: 1}]", "1:8: the variable 'a' of vars[0]"),
    ("[d: 1]", "1:8: the variable 'd' of vars[0]"),
    ("[v: 1, v2: 1, {v: 2}]", "1:22: the variable 'v' of vars[2] is defined already, in vars[0]"),
    ("[o.yaml, {o: 3}]", "1:17: the variable 'o' of vars[1] is defined already, in o.yaml"),
    ("[{o: 3}, o.yaml]", "1:16: the variable 'o' of o.yaml is defined already, in vars[0]"),
    ("[gone.yaml]", "1:8: there is no file 'gone.yaml'"),
    ("[../x.yaml]", "1:8: '../x.yaml' is outside the repository"),
    ("[/etc/x.yaml]", "1:8: '/etc/x.yaml' is outside the repository"),
    ("['o.yaml:zz']", "1:8: there is no key 'zz' in o.yaml"),
    ("['o.yaml:d.y']", "1:8: there is no key 'd.y' in o.yaml"),
    ("['o.yaml:oo']", "did you mean 'o'?"),
    ("['o.yaml:o', o.yaml]", "1:20: 'o.yaml' cannot be read: parts of o.yaml are read already"),
    ("[o.yaml, 'o.yaml:o']", "1:16: 'o.yaml:o' cannot be read: all of o.yaml is read already"),
    ("['o.yaml:o', './o.yaml:p,o']", "1:20: './o.yaml:p,o' cannot be read: 'o' of o.yaml is read already"),
    ("['params.yaml:a']", "1:8: 'params.yaml:a' cannot be read: all of params.yaml is read already"),
    ("[{v: '${a}'}]", "1:9: vars may not hold ${...}"),
    ("['${a}.yaml']", "1:8: vars may not hold ${...}"),
    ("[{v: [1, 'x${a}']}]", "1:16: vars may not hold ${...}"),
    ("[{'${a}': 1}]", "1:9: vars may not hold ${...}"),
    ("[v: 2020-01-01]", "1:8: the value of 'v' is a date, which cannot be a variable\n  put it in quotes"),
    ("[v: {w: [1, 2020-01-01T10:00:00]}]", "the value of 'v.w.1' is a datetime"),
    ("[5]", "1:8: expected a string or a mapping, found a whole number (5)"),
    ("{v: 1}", "1:1: expected a list, found a mapping"),
    ("[list.yaml]", "list.yaml:1:1: a file that variables come from must hold a mapping, this is a list"),
    ("[dated.yaml]", "dated.yaml:3:3: the value of 'deep.0.when' is a date, which cannot be a variable"),
    ("[dated.toml]", "dated.toml: the value of 'when' is a date"),
    ("[broken.yaml]", "broken.yaml:2:1: "),
]


@pytest.mark.parametrize(("given", "expected"), BROKEN, ids=lambda text: text[:40])
def test_vars_that_dvc_refuses_are_refused_with_their_place(given: str, expected: str) -> None:
    (problem,) = mistakes(f"vars: {given}\nstages: {{}}\n")
    assert expected in problem


@pytest.mark.parametrize("given", [given for given, _ in BROKEN if given != "{v: 1}"])
def test_a_stages_own_vars_are_refused_for_the_same_reasons(given: str) -> None:
    (problem,) = mistakes(f"stages:\n  s:\n    cmd: x\n    vars: {given}\n")
    assert problem.startswith(("dvc.yaml:4:", "list.yaml", "dated.", "broken.yaml:2"))


def test_every_mistake_of_vars_is_told_and_none_that_follows_from_it() -> None:
    found = mistakes("vars: [a: 5, {v: '${a}'}, gone.yaml, w: 1]\nstages:\n  s: {cmd: '${v} ${w} ${nope}'}\n")
    assert [problem.partition(": ")[0] for problem in found] == ["dvc.yaml:1:8", "dvc.yaml:1:15", "dvc.yaml:1:27"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x:\n  y: 2020-01-01\n", "params.yaml:2:3: the value of 'x.y' is a date"),
        ("x: [\n", "params.yaml:2:1: "),
        ("just text", "params.yaml:1:1: a file that variables come from must hold a mapping, this is a string"),
    ],
)
def test_a_params_yaml_that_cannot_be_read_stops_everything_used_or_not(text: str, expected: str) -> None:
    (problem,) = mistakes("stages: {s: {cmd: x}}", {"params.yaml": text})
    assert problem.startswith(expected)


def test_a_broken_file_is_told_once_however_many_read_it() -> None:
    stages = "".join(f"  s{number}: {{cmd: x, vars: [dated.yaml]}}\n" for number in range(3))
    assert len(mistakes(f"stages:\n{stages}")) == 1


def test_no_params_yaml_is_no_mistake() -> None:
    (stage,) = files.load(["dvc.yaml"], {"dvc.yaml": "vars: [v: 1]\nstages: {s: {cmd: 'x ${v}'}}"}.get).stages
    assert stage.cmd == "x 1"


def test_a_file_of_variables_is_read_once() -> None:
    asked: list[str] = []
    stages = "".join(f"  s{number}: {{cmd: x, vars: ['o.yaml:p']}}\n" for number in range(3))
    texts = {**FILES, "dvc.yaml": f"vars: ['o.yaml:o']\nstages:\n{stages}", "sub/dvc.yaml": "vars: [../o.yaml]"}

    def read(path: str) -> str | None:
        asked.append(path)
        return texts.get(path)

    files.load(["dvc.yaml", "sub/dvc.yaml"], read)
    assert asked.count("o.yaml") == asked.count("params.yaml") == 1
