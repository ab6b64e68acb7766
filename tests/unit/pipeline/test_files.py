"""dvc.yaml to the model: what is read, and every mistake with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError, Location
from runner.hashes import Hash
from runner.pipeline import files
from runner.pipeline.files import Sight
from runner.pipeline.model import Dep, LockedPath, LockEntry, Out, Param, Stage
from runner.pipeline.source import Source

if TYPE_CHECKING:
    from runner.pipeline.pipeline import Pipeline

MD5 = "d3b07384d113edec49eaa6238ad5ff00"
ROOT = "/home/me/project"


def load(text: str, root: str = ROOT, **others: str) -> Pipeline:
    texts = {"dvc.yaml": text, **{name.replace("_", "."): other for name, other in others.items()}}
    return files.load([name for name in texts if name != "dvc.lock"], texts.get, root)


def only(text: str) -> Stage:
    """Load a dvc.yaml of one stage `s` given by its inner lines."""
    (stage,) = load("stages:\n  s:\n" + "".join(f"    {line}\n" for line in text.splitlines())).stages
    return stage


def mistakes(text: str, **others: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text, **others)
    return [str(problem) for problem in caught.value.problems]


FULL = f"""\
stages:
  train:
    desc: Trains
    cmd: python train.py
    wdir: models
    deps:
    - ../train.py
    - ./data/
    - {ROOT}/abs.csv
    params:
    - lr
    - train.epochs
    - conf.json:
      - a.b
    - whole.yaml:
    outs:
    - model.pkl
    - keep:
        cache: false
        persist: true
        push: false
        remote: store
        desc: stays
        labels: [a]
    metrics:
    - m.json:
        cache: false
    plots:
    - p.csv:
        x: epoch
        header: true
    frozen: true
    always_changed: true
    meta: {{any: [1]}}
"""


def test_a_stage_is_read_in_full() -> None:
    (stage,) = load(FULL).stages
    assert stage == Stage(
        address="train",
        file="dvc.yaml",
        name="train",
        cmd="python train.py",
        wdir="models",
        deps=(Dep("train.py", "../train.py"), Dep("models/data", "./data/"), Dep("abs.csv", "../abs.csv")),
        params=(
            Param("models/params.yaml", "params.yaml", ("lr", "train.epochs")),
            Param("models/conf.json", "conf.json", ("a.b",)),
            Param("models/whole.yaml", "whole.yaml"),
        ),
        outs=(
            Out("models/model.pkl", "model.pkl"),
            Out("models/keep", "keep", cache=False, persist=True, push=False, remote="store"),
            Out("models/m.json", "m.json", cache=False, metric=True),
            Out("models/p.csv", "p.csv", plot=True, style=(("x", "epoch"), ("header", "True"))),
        ),
        frozen=True,
        always_changed=True,
        desc="Trains",
        meta={"any": [1]},
    )
    assert stage.where == Location("dvc.yaml", 2, 3)


def test_a_stage_with_a_command_alone_has_dvcs_defaults() -> None:
    stage = only("cmd: x")
    assert stage == Stage("s", "dvc.yaml", "s", "x", ".")
    assert stage.is_callback
    assert not stage.is_data_source


@pytest.mark.parametrize(
    ("cmd", "read"), [("[a, b]", ("a", "b")), ("[]", ()), ("''", ""), ("|\n  a\n  b", "a\nb\n"), ("'5'", "5")]
)
def test_a_command_is_text_or_a_list(cmd: str, read: object) -> None:
    assert only(f"cmd: {cmd}\nouts: [o]").cmd == read


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x85", "\u2028"])
def test_a_stage_has_its_place_whatever_ends_the_lines(end: str) -> None:
    text = end.join(("", "", "", "stages:", "  a:", "    cmd: echo", ""))
    (stage,) = load(text).stages
    assert stage.where == Location("dvc.yaml", 5, 3)


def test_an_empty_command_makes_a_data_source() -> None:
    assert only("cmd: ''\nouts: [o]").is_data_source


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "stages: {}", "# nothing\n", "artifacts: {}\nmetrics: [m]\n"])
def test_a_file_without_stages_is_fine(text: str) -> None:
    assert load(text).stages == ()


def test_one_path_named_twice_in_outs_is_one_out_with_the_flags_of_both() -> None:
    stage = only("cmd: x\nouts:\n- a\n- b\n- a: {cache: false}\n- a: {persist: true}")
    assert stage.outs == (Out("a", "a", cache=False, persist=True), Out("b", "b"))


def test_one_map_may_hold_several_outs() -> None:
    assert [out.path for out in only("cmd: x\nouts:\n- {a: {}, b: {cache: false}}").outs] == ["a", "b"]


def test_deps_may_repeat_and_every_spelling_stays() -> None:
    deps = only("cmd: x\ndeps: [a, ./a, a/, b/../a]").deps
    assert [(dep.path, dep.spelled) for dep in deps] == [("a", "a"), ("a", "./a"), ("a", "a/"), ("a", "b/../a")]


@pytest.mark.parametrize(
    ("params", "read"),
    [
        ("[a, b.c]", [("params.yaml", ("a", "b.c"))]),
        ("[a, a]", [("params.yaml", ("a",))]),
        ("[{p.json: [x]}, a, {p.json: [y]}]", [("p.json", ("x", "y")), ("params.yaml", ("a",))]),
        ("[{p.json: }]", [("p.json", ())]),
        ("[{p.json: []}]", [("p.json", ())]),
        ("[{p.json: [x]}, {p.json: }]", [("p.json", ())]),
        ("[a, {params.yaml: }]", [("params.yaml", ())]),
        ("[{./params.yaml: [b]}, a]", [("params.yaml", ("b", "a"))]),
        ("[]", []),
    ],
)
def test_params_are_gathered_by_file_and_a_whole_file_takes_all(params: str, read: list[object]) -> None:
    assert [(param.spelled, param.keys) for param in only(f"cmd: x\nparams: {params}").params] == read


def test_params_are_looked_for_in_wdir_and_recorded_by_the_path_from_there() -> None:
    (param,) = only("cmd: x\nwdir: w\nparams: [{sub//../../conf.json: [a]}]").params
    assert param == Param("conf.json", "../conf.json", ("a",))


def test_stages_of_several_files_have_dvcs_addresses_and_paths() -> None:
    texts = {
        "dvc.yaml": "stages: {a: {cmd: x}}",
        "sub/dvc.yaml": "stages: {b: {cmd: x, wdir: .., deps: [a]}, c: {cmd: x, wdir: d, deps: [a]}}",
        "sub/data.dvc": "outs:\n- path: data\n",
    }
    pipeline = files.load(texts, texts.get)
    assert [stage.address for stage in pipeline.stages] == ["a", "sub/dvc.yaml:b", "sub/dvc.yaml:c", "sub/data.dvc"]
    assert [stage.wdir for stage in pipeline.stages] == [".", ".", "sub/d", "sub"]
    assert [dep.path for stage in pipeline.stages for dep in stage.deps] == ["a", "sub/d/a"]


LOCK = f"""\
schema: '2.0'
stages:
  a:
    cmd: x
    outs:
    - path: o
      hash: md5
      md5: {MD5}
  gone:
    cmd: y
"""


def test_entries_come_from_the_lock_beside_the_file_by_address() -> None:
    text = "stages: {a: {cmd: x, outs: [o]}, new: {cmd: x}}"
    texts = {"sub/dvc.yaml": text, "sub/dvc.lock": LOCK, "dvc.yaml": text}
    pipeline = files.load(["dvc.yaml", "sub/dvc.yaml"], texts.get)
    assert pipeline.entries == {"sub/dvc.yaml:a": LockEntry("x", outs=(LockedPath("o", Hash(MD5)),))}


def test_a_broken_lock_is_told_beside_the_mistakes_of_other_files() -> None:
    assert [line.partition("\n")[0] for line in mistakes("stages: {a: {}}", dvc_lock="stages: 3\n")] == [
        "dvc.yaml:1:10: 'cmd' is missing",
        "dvc.lock:1:1: expected a mapping, found a whole number (3)",
        "dvc.lock:1:1: 'schema' is missing",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stage: {}", "dvc.yaml:1:1: unknown key 'stage'\n  did you mean 'stages'?"),
        ("- a", "dvc.yaml:1:1: expected a mapping, found a list"),
        ("hello", "dvc.yaml:1:1: expected a mapping, found a string ('hello')"),
        ("stages:", "dvc.yaml:1:1: expected a mapping, found nothing"),
        ("stages: {a: }", "dvc.yaml:1:10: expected a mapping, found nothing"),
        ("stages: {1: {cmd: x}}", "dvc.yaml:1:10: 1 cannot name a stage"),
        ("stages: {'': {cmd: x}}", "dvc.yaml:1:10: '' cannot name a stage"),
        ("stages: {a@b: {cmd: x}}", "dvc.yaml:1:10: the stage name 'a@b' holds an @"),
        ("params: a", "dvc.yaml:1:1: expected a list, found a string"),
        ("plots: {a: }", "dvc.yaml:1:1: expected a list, found a mapping"),
        ("a: 1\na: 2", "dvc.yaml:2:1: the key 'a' comes twice"),
        ("\tstages: {}", "dvc.yaml:1:1:"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(text: str, expected: str) -> None:
    (problem,) = mistakes(text)
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("cmd: 5", "1: expected a string or a list of strings, found a whole number (5)\n  put it in quotes"),
        ("cmd:", "1: expected a string or a list of strings, found nothing"),
        ("cmd: [1]", "1:11: expected a string or a list of strings, found a whole number (1) in it"),
        ("cmd: x\ndep: [a]", "2: unknown key 'dep'\n  did you mean 'deps'?"),
        ("cmd: x\ndeps: a", "2: expected a list of strings, found a string ('a')"),
        ("cmd: x\ndeps:", "2: expected a list of strings, found nothing"),
        ("cmd: x\ndeps: [1]", "2: expected a list of strings"),
        ("cmd: x\nfrozen: yes", "2: expected true or false, found a string ('yes')\n  YAML 1.2 has"),
        ("cmd: x\nwdir: 1", "2: expected a string"),
        ("cmd: x\nwdir: ../..", "2: the wdir '../..' is outside"),
        ("cmd: x\ndeps:\n- a\n- ../b", "4: '../b' is outside the repository"),
        ("cmd: x\ndeps:\n- /etc/passwd", "3: '/etc/passwd' is outside the repository"),
        ("cmd: x\nouts:\n- /home/me/other", "3: '/home/me/other' is outside the repository"),
        ("cmd: x\ndeps:\n- ''", "3: '' is not a path"),
        ('cmd: x\nouts:\n- "q\\nparams.yaml"', "3: 'q\\nparams.yaml' is not a path: it holds a control character"),
        ('cmd: x\ndeps:\n- "a\\x7f"', "3: 'a\\x7f' is not a path: it holds a control character"),
        ("cmd: x\ndeps:\n- ds://d", "3: there is no dataset 'd'"),
        ("cmd: x\nouts:\n- remote://r/k", "3: the URL 'remote://r/k' cannot be an out"),
        ("cmd: x\ndeps:\n- data.csv.dvc", "3: the DVC file 'data.csv.dvc' can be neither"),
        ("cmd: x\nouts:\n- sub/dvc.yaml", "3: the DVC file 'sub/dvc.yaml' can be neither"),
        ("cmd: x\nouts:\n- .git/hooks", "3: '.git/hooks' is inside .git"),
        ("cmd: x\nouts:\n- a/../.github/w", "3: 'a/../.github/w' is inside .github"),
        ("cmd: x\nouts:\n- a: {cach: false}", "3: unknown key 'cach'\n  did you mean 'cache'?"),
        ("cmd: x\nouts:\n- a: {cache: no}", "3: expected true or false, found a string ('no')"),
        ("cmd: x\nouts:\n- a:", "3: expected a mapping, found nothing"),
        ("cmd: x\nouts:\n- 1", "3: expected a mapping, found a whole number (1)"),
        ("cmd: x\nouts:\n- 1: {}", "3: expected a string, found a whole number (1)"),
        ("cmd: x\nouts:\n- a: {x: epoch}", "3: unknown key 'x'"),
        ("cmd: x\nmetrics:\n- a: {xpath: q}", "3: unknown key 'xpath'"),
        ("cmd: x\nplots:\n- a: {header: 1}", "3: expected true or false"),
        ("cmd: x\nparams: [1]", "2: expected a mapping, found a whole number (1)"),
        ("cmd: x\nparams:\n- p.json: a", "3: expected a list of keys, found 'a'\n  write [a]"),
        ("cmd: x\nparams:\n- p.json: [1]", "3: expected a list of strings"),
        ("cmd: x\nparams: {a: }", "2: expected a list, found a mapping"),
    ],
)
def test_a_broken_stage_is_refused_with_its_line(inner: str, expected: str) -> None:
    text = "stages:\n  s:\n" + "".join(f"    {line}\n" for line in inner.splitlines())
    (problem,) = mistakes(text)
    line, _, rest = expected.partition(":")
    assert problem.startswith(f"dvc.yaml:{int(line) + 2}:")
    assert rest.strip() in problem


@pytest.mark.parametrize("url", ["s3://b/k", "https://h/x?y=1", "remote://shop/k"])
def test_a_url_is_a_dep_with_a_source(url: str) -> None:
    stage = only(f"cmd: x\ndeps: ['{url}', a]")
    assert stage.deps == (Dep(url, url, Source(url)), Dep("a", "a"))
    assert stage.reads == ("a",)


def test_a_dollar_without_braces_is_nothing_special() -> None:
    assert only("cmd: echo $HOME $(ls)").cmd == "echo $HOME $(ls)"


def test_every_mistake_of_every_file_is_told_at_once() -> None:
    text = "stages:\n  a: {cmd: 1, depz: []}\n  b: {cmd: x, deps: [../k, s3://x/y], outs: [{o: {cache: 1}}]}\n  c: 3\n"
    found = mistakes(text, x_dvc="outs:\n- md5: 1\n")
    assert [problem.partition(": ")[0] for problem in found] == [
        "dvc.yaml:2:7",
        "dvc.yaml:2:15",
        "dvc.yaml:3:22",
        "dvc.yaml:3:51",
        "dvc.yaml:4:3",
        "x.dvc:2:3",
        "x.dvc:2:3",
    ]


WALKS = {
    "an out of the folder above": (["d.dvc", "d/x.dvc", "d/e/y.dvc", "f/z.dvc"], ["d.dvc", "f/z.dvc"]),
    "an out of a file that comes later": (["a/x.dvc", "b/a.dvc"], ["a/x.dvc", "b/a.dvc"]),
    "an out of a sister folder, settled before it was read": (
        ["top/a/c.dvc", "top/b/x.dvc"],
        ["top/a/c.dvc", "top/b/x.dvc"],
    ),
    "a file that lies beside an out": (["d.dvc", "de/x.dvc"], ["d.dvc", "de/x.dvc"]),
}
_OUTS = {"d.dvc": "d", "b/a.dvc": "../q", "top/a/c.dvc": "../q"}


@pytest.mark.parametrize("name", WALKS)
def test_a_folder_that_is_an_out_found_so_far_is_not_looked_into(name: str) -> None:
    given, expected = WALKS[name]
    texts = {path: f"outs:\n- path: {_OUTS.get(path, 'o')}\n" for path in given}
    assert [stage.file for stage in files.load(given, texts.get).stages] == expected


def test_a_lock_that_git_ignores_is_a_mistake_even_where_there_is_none() -> None:
    texts = {"dvc.yaml": "stages: {}", "sub/dvc.yaml": "stages: {}"}
    with pytest.raises(ConfigError, match=r"git ignores sub/dvc\.lock") as caught:
        files.load(texts, texts.get, sight=Sight(ignored_locks={"sub/dvc.lock"}))
    assert caught.value.problems[0].where == Location("sub/dvc.lock")


def test_an_out_that_dvc_does_not_see_is_a_mistake_and_a_lock_it_does_not_see_is_none() -> None:
    hidden = {"o.tmp": "'*.tmp' (.dvcignore:1)", "dvc.lock": "'*.lock' (.dvcignore:2)"}
    sight = Sight(lambda path: hidden.get(path, ""))
    texts = {"dvc.yaml": "stages:\n  a: {cmd: x, deps: [o.tmp]}\n", "dvc.lock": "broken"}
    assert files.load(["dvc.yaml"], texts.get, sight=sight).entries == {}
    texts["dvc.yaml"] = "stages:\n  a: {cmd: x, outs: [o.tmp]}\n"
    with pytest.raises(ConfigError) as caught:
        files.load(["dvc.yaml"], texts.get, sight=sight)
    assert str(caught.value.problems[0]).startswith(
        "dvc.yaml:2:22: 'o.tmp', an out of 'a', is hidden from DVC by '*.tmp' (.dvcignore:1)"
    )


def test_a_named_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"there is no gone\.dvc"):
        files.load(["gone.dvc"], lambda _: None)


def test_each_file_is_read_once() -> None:
    asked: list[str] = []
    texts = {"dvc.yaml": FULL, "a.dvc": "outs:\n- path: a\n"}

    def read(path: str) -> str | None:
        asked.append(path)
        return texts.get(path)

    files.load(texts, read, ROOT)
    assert asked == ["dvc.yaml", "params.yaml", "dvc.lock", "a.dvc"]


def test_a_survey_gives_what_can_be_read_and_all_that_is_wrong_with_the_kind_of_each_mistake() -> None:
    texts = {
        "dvc.yaml": "stages:\n  a: {cmd: x, oust: [o]}\n  b: {cmd: x, outs: [o, ../p]}\n  c: {cmd: x, outs: [o]}\n",
        "sub/dvc.yaml": "stages: [",
        "d.dvc": "outs:\n- path: d\n  size: many\n- md5: abc\n",
        "e/dvc.yaml": "stages:\n  e: {cmd: x, deps: [o], outs: [o]}\n",
    }
    pipeline, errors = files.survey(texts, texts.get, ROOT)
    assert [stage.address for stage in pipeline.stages if stage.name] == ["a", "b", "c", "e/dvc.yaml:e"]
    assert [(error.kind, str(error.where)) for error in errors] == [
        ("unknown-key", "dvc.yaml:2:15"),
        ("outside-repository", "dvc.yaml:3:25"),
        ("not-yaml", "sub/dvc.yaml:2:1"),
        ("wrong-value", "d.dvc:3:3"),
        ("missing-key", "d.dvc:4:3"),
        ("clashing-outs", "dvc.yaml:4:22"),
        ("circular-stages", "e/dvc.yaml:2:33"),
    ]
