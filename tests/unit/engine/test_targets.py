"""What targets name: stages before paths, parts of outs, each out once."""

from __future__ import annotations

import pytest

from runner.engine.targets import named, stages, with_upstream
from runner.errors import ConfigError
from runner.pipeline import files

PIPELINE = """\
stages:
  model:
    cmd: x
    deps: [data]
    outs: [other/a, other/b]
  fit:
    cmd: x
    deps: [other/a]
    outs: [model]
"""
DATA = "outs:\n- path: data\n"
TEXTS = {"dvc.yaml": PIPELINE, "data.dvc": DATA}
PROJECT = files.load(["dvc.yaml", "data.dvc"], TEXTS.get)


def told(*targets: str, cwd: str = ".") -> list[tuple[str, str]]:
    return [(one.out.path, one.inside) for one in named(PROJECT, targets, cwd)]


def test_no_target_means_every_out_producers_first() -> None:
    assert told() == [("data", ""), ("other/a", ""), ("other/b", ""), ("model", "")]


def test_a_word_is_a_stage_before_it_is_a_path() -> None:
    assert told("model") == [("other/a", ""), ("other/b", "")]
    assert told("./model") == [("model", "")]


def test_paths_name_outs_folders_that_hold_some_and_what_is_inside_one() -> None:
    assert told("other") == [("other/a", ""), ("other/b", "")]
    assert told("a", cwd="other") == [("other/a", "")]
    assert told("data/x/y", "data.dvc") == [("data", "")], "the whole covers the part"
    assert told("data/x/y", "data/z") == [("data", "x/y"), ("data", "z")]


def test_what_is_neither_is_an_error() -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        told("nowhere")


def test_stages_are_named_by_themselves_or_by_an_out() -> None:
    found = stages(PROJECT, ["fit", "other/a"], ".")
    assert [(stage.address, set(outs)) for stage, outs in found] == [("fit", {"model"}), ("model", {"other/a"})]
    upstream = stages(PROJECT, ["fit"], ".", with_deps=True)
    assert [stage.address for stage, _ in upstream] == ["data.dvc", "model", "fit"]
    assert [stage.address for stage, _ in stages(PROJECT, [], ".")] == ["model", "fit", "data.dvc"]


def test_upstream_of_a_stage_is_named_from_the_folder_and_a_path_names_itself() -> None:
    assert with_upstream(PROJECT, ["fit"], ".") == ["data.dvc", "dvc.yaml:model", "dvc.yaml:fit"]
    inside = with_upstream(PROJECT, ["../dvc.yaml:fit"], "other")
    assert [one.stage.address for one in named(PROJECT, inside, "other")] == ["data.dvc", "model", "model", "fit"]
    assert with_upstream(PROJECT, ["./other", "nothing"], ".") == ["./other", "nothing"]
