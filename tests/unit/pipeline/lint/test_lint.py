"""The linter as a whole: errors of loading, comments, order, templates, speed."""

from __future__ import annotations

from typing import get_args

import pytest

from runner.errors import Kind
from runner.pipeline.lint import catalogue, errors
from tests.support.linting import found, shown


def test_every_file_that_cannot_be_read_is_told_with_the_code_of_its_mistake() -> None:
    texts = {
        "a/dvc.yaml": "stages:\n  s: {cmd: x, oust: [o]}\n  t: {outs: [../../o]}\n",
        "b/dvc.yaml": "stages: [\n",
        "c/dvc.yaml": (
            "stages:\n  s: {cmd: 1}\n  t: {cmd: x, outs: [o]}\n"
            "  u: {cmd: x, outs: [o], deps: [p]}\n  v: {cmd: x, deps: [q], outs: [q]}\n"
        ),
        "d.dvc": "outs:\n- path: d\n  md5: abc\n",
    }
    assert [f"{one.where.file} {one.rule.code}" for one in found(texts, "RT0")] == [
        "a/dvc.yaml RT002",
        "a/dvc.yaml RT003",
        "a/dvc.yaml RT005",
        "b/dvc.yaml RT001",
        "c/dvc.yaml RT004",
        "c/dvc.yaml RT006",
        "c/dvc.yaml RT007",
        "d.dvc RT008",
    ]


def test_an_unknown_key_comes_with_the_nearest_valid_one() -> None:
    (finding,) = found({"dvc.yaml": "stages:\n  s: {cmd: x, otus: [o]}\n"}, "RT002")
    assert finding.hint == "did you mean 'outs'?"


def test_every_kind_of_mistake_has_a_rule() -> None:
    assert set(errors.RULES) == set(get_args(Kind))


def test_codes_and_names_are_given_once_and_in_order() -> None:
    codes = [rule.code for rule in catalogue.RULES]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in catalogue.RULES}) == len(codes)


@pytest.mark.parametrize(
    ("word", "codes"),
    [("RT401", {"RT401"}), ("rt50", {"RT501", "RT502", "RT503"}), ("no-deps", {"RT105"}), ("", set()), ("XX1", set())],
)
def test_a_word_names_rules_by_code_by_its_beginning_or_by_name(word: str, codes: set[str]) -> None:
    assert {rule.code for rule in catalogue.named(word)} == codes


STAGE = "stages:\n  s:{stage}\n    cmd: python a.py{cmd}\n    deps: [b]\n    outs: [o]\n"


@pytest.mark.parametrize(
    ("stage", "cmd", "silent"),
    [
        ("", "", False),
        ("", "  # retrain: ignore[RT101]", True),
        ("", "  # retrain: ignore[RT401, script-not-a-dep]  as always", True),
        ("  # retrain: ignore[RT101]", "", True),
        ("  # retrain: ignore[RT1]", "", True),
        ("", "  # retrain: ignore[RT102]", False),
        ("\n    # retrain: ignore[RT101]", "", True),
        ("", "  # ignore[RT101]", False),
    ],
)
def test_a_comment_silences_rules_on_its_line_below_it_or_for_its_stage(stage: str, cmd: str, *, silent: bool) -> None:
    texts = {"dvc.yaml": STAGE.format(stage=stage, cmd=cmd), "a.py": "", "b": ""}
    assert (found(texts, "RT101") == []) is silent


def test_where_a_file_cannot_be_read_nothing_is_said_that_needs_all_of_them() -> None:
    good = "stages:\n  s: {cmd: python a.py, deps: [made], outs: [o]}\n"
    texts = {"dvc.yaml": good, "a.py": "", "sub/dvc.yaml": "stages:\n  t: {cmd: x, outs: [../made], oops: 1}\n"}
    assert {one.rule.code for one in found(texts)} == {"RT002", "RT101", "RT401"}


def test_findings_of_generated_stages_point_at_their_template() -> None:
    text = (
        "stages:\n  fit:\n    foreach: [a, b]\n    do:\n      cmd: python fit.py ${item}\n"
        "      deps: [d]\n      outs: ['${item}.o']\n"
    )
    lines = shown({"dvc.yaml": text, "fit.py": "", "d": ""}, "RT101")
    assert [line.partition(": ")[0] for line in lines] == ["dvc.yaml:5:19", "dvc.yaml:5:19"]


@pytest.mark.slow
def test_each_of_a_thousand_stages_is_told_of() -> None:
    stages = "".join(
        f"  s{n}:\n    cmd: python src/s{n}.py --in d{n} --out d{n + 1}\n    deps: [d{n}, other{n}]\n"
        f"    params: [p{n}]\n    outs: [d{n + 1}]\n"
        for n in range(1000)
    )
    texts = {"dvc.yaml": f"stages:\n{stages}", "params.yaml": "".join(f"p{n}: {n}\n" for n in range(1000)), "d0": ""}
    texts |= {
        f"src/s{n}.py": 'import yaml\np = yaml.safe_load(open("params.yaml"))\nx = p["p7"]\n' for n in range(1000)
    }
    assert sum(one.rule.code == "RT101" for one in found(texts)) == 1000
