"""What a dvc.yaml declares beside its stages: what is read of it, and every mistake with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError
from runner.pipeline import files
from runner.pipeline.declared import Artifact, Declared, Plot
from tests.support.sections import ACCEPTED, REFUSED

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = "/home/me/project"


def load(texts: Mapping[str, str]) -> Declared:
    return files.load(list(texts), texts.get, ROOT).declared


FULL = f"""\
params: [conf.toml, ./sub/../other.py]
metrics:
- m.json
- {ROOT}/eval/
plots:
- roc.csv
- loss/:
- acc.csv: {{x: step, y: [train, val], x_label: Step, y_label: Accuracy, title: Both, template: smooth}}
- both:
    x: {{a.csv: step}}
    y: {{a.csv: loss, sub/b.csv: [loss, best]}}
artifacts:
  model:
    path: model/net.pkl
    type: model
    desc: In use
    labels: [nlp, small]
    meta: {{framework: torch}}
  bare: {{path: x}}
"""


def test_every_section_is_read_in_full() -> None:
    assert load({"dvc.yaml": FULL}) == Declared(
        params=("conf.toml", "other.py"),
        metrics=("m.json", "eval"),
        plots=(
            Plot("dvc.yaml", "roc.csv", {"roc.csv": ()}),
            Plot("dvc.yaml", "loss/", {"loss": ()}),
            Plot("dvc.yaml", "acc.csv", {"acc.csv": ("train", "val")}, "step", "Step", "Accuracy", "Both", "smooth"),
            Plot("dvc.yaml", "both", {"a.csv": ("loss",), "sub/b.csv": ("loss", "best")}, {"a.csv": "step"}),
        ),
        artifacts=(
            Artifact(
                "dvc.yaml", "model", "model/net.pkl", "model", "In use", ("nlp", "small"), {"framework": "torch"}
            ),
            Artifact("dvc.yaml", "bare", "x"),
        ),
    )  # fmt: skip


def test_paths_start_from_the_folder_of_their_dvc_yaml() -> None:
    sub = "metrics: [m.json, ../top.json]\nplots: [p: {y: {q.csv: a}}]\nartifacts: {a: {path: ../x}}\n"
    declared = load({"dvc.yaml": "metrics: [m.json]", "sub/dvc.yaml": sub})
    assert declared.metrics == ("m.json", "sub/m.json", "top.json")
    assert declared.plots == (Plot("sub/dvc.yaml", "p", {"sub/q.csv": ("a",)}),)
    assert declared.artifacts == (Artifact("sub/dvc.yaml", "a", "x"),)


def test_the_later_of_two_plots_definitions_with_one_id_counts() -> None:
    declared = load({"dvc.yaml": "plots: [a.csv: {x: s}, b.csv, a.csv: {y: l}]"})
    assert declared.plots == (Plot("dvc.yaml", "a.csv", {"a.csv": ("l",)}), Plot("dvc.yaml", "b.csv", {"b.csv": ()}))


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_dvc_accepts_is_read(text: str) -> None:
    load({"dvc.yaml": text})


@pytest.mark.parametrize("text", REFUSED)
def test_what_dvc_refuses_is_refused_with_its_place_and_what_to_do(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"dvc.yaml": text})
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"dvc.yaml:{REFUSED[text]}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metrics: [../../m.json]", "dvc.yaml:1:11: '../../m.json' is outside the repository"),
        ("params: ['']", "dvc.yaml:1:10: '' is not a path"),
        ("plots: [a: {y: {/x.csv: b}}]", "dvc.yaml:1:17: '/x.csv' is outside the repository"),
        ("artifacts: {a: {path: /x}}", "dvc.yaml:1:17: '/x' is outside the repository"),
    ],
)
def test_paths_outside_the_repository_are_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"dvc.yaml": text})
    assert str(caught.value).startswith(said)


def test_all_mistakes_of_all_sections_are_told_at_once() -> None:
    text = "metrics: [1]\nparams: [{a: b}]\nplots: [a: {z: 1}, b: {title: 2}]\nartifacts: {c: {tipe: x}}\n"
    with pytest.raises(ConfigError) as caught:
        load({"dvc.yaml": text})
    assert [str(problem).partition("\n")[0] for problem in caught.value.problems] == [
        "dvc.yaml:2:10: expected a string, found a mapping",
        "dvc.yaml:1:11: expected a string, found a whole number (1)",
        "dvc.yaml:3:13: unknown key 'z'",
        "dvc.yaml:3:24: expected a string, found a whole number (2)",
        "dvc.yaml:4:17: unknown key 'tipe'",
        "dvc.yaml:4:13: 'path' is missing",
    ]


VARS = """\
vars:
- {dir: eval, id: model, n: 3, fields: [a, b], of: {a.csv: [loss]}, name: net}
"""
TEMPLATED = """\
params: ["${dir}/p.toml"]
metrics: ["${dir}/m.json", "\\\\${dir}"]
plots:
- ${dir}/roc.csv
- ${id}: {x: "${id}", y: "${fields}", title: "of ${n}", x_label: "${n}"}
- both: {y: "${of}"}
- each: {y: {"${dir}/a.csv": "${id}"}}
artifacts:
  ${id}: {path: "${dir}/${name}.pkl", type: "${id}", labels: ["${n}"], meta: {n: "${n}"}}
"""


def test_templates_are_filled_in_names_and_values_of_any_shape() -> None:
    assert load({"dvc.yaml": VARS + TEMPLATED}) == Declared(
        params=("eval/p.toml",),
        metrics=("eval/m.json", "${dir}"),
        plots=(
            Plot("dvc.yaml", "eval/roc.csv", {"eval/roc.csv": ()}),
            Plot("dvc.yaml", "model", {"model": ("a", "b")}, "model", title="of 3", x_label="3"),
            Plot("dvc.yaml", "both", {"a.csv": ("loss",)}),
            Plot("dvc.yaml", "each", {"eval/a.csv": ("model",)}),
        ),
        artifacts=(Artifact("dvc.yaml", "model", "eval/net.pkl", "model", labels=("3",), meta={"n": 3}),),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('metrics: ["${nope}"]', "dvc.yaml:3:12: there is no variable 'nope'"),
        ('metrics: ["${fields}"]', "dvc.yaml:3:11: expected a string, found a list"),
        ('params: ["${n}"]', "dvc.yaml:3:10: expected a string, found a whole number (3)"),
        ('plots: [a: {y: "${n}"}]', "dvc.yaml:3:13: expected a field, a list of fields, or a mapping"),
        ('plots: ["${of}"]', "dvc.yaml:3:9: expected a string, found a mapping"),
        ('artifacts: {a: {path: "${fields}"}}', "dvc.yaml:3:17: expected a string, found a list"),
        ('artifacts: {"${n}": {path: x}}', "dvc.yaml:3:13: expected a string, found a whole number (3)"),
        ('artifacts: {a: {path: "${id"}, b: {path: "${nope.x}"}}', "dvc.yaml:3:43: there is no variable 'nope'"),
    ],
)
def test_what_a_template_makes_is_checked_again(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"dvc.yaml": VARS + text})
    (problem,) = caught.value.problems
    assert str(problem).startswith(said)
