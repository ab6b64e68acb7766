"""What stages ask for below `meta:`."""

from __future__ import annotations

from typing import Any

import pytest

from runner.errors import ConfigErrors, Location
from runner.pipeline import wishes
from runner.pipeline.model import Stage
from runner.pipeline.wishes import Resources, Wishes


def stage(meta: Any, name: str = "train") -> Stage:
    return Stage(name, "dvc.yaml", name, "true", ".", meta=meta, where=Location("dvc.yaml", 3, 5))


def test_resources_timeout_and_retries_are_read() -> None:
    meta = {"resources": {"cpu": 0.5, "memory": "16 GB", "gpu": 1}, "timeout": "2 h", "retries": 2, "owner": "Ada"}
    assert wishes.of_all([stage(meta)]) == {"train": Wishes(Resources(500, 16_000_000_000, 1), 7200, 2)}


def test_what_is_not_asked_for_is_one_core_and_one_try() -> None:
    assert wishes.of_all([stage({"timeout": 60})]) == {"train": Wishes(Resources(1000, 0, 0), 60, 0)}


@pytest.mark.parametrize("meta", [None, "text", ["resources"], {}, {"owner": {"cpu": "many"}}, {"resources": None}])
def test_meta_of_another_kind_is_its_owners_business(meta: Any) -> None:
    assert wishes.of_all([stage(meta)]) == {}


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ({"resources": "big"}, "resources: 'big' is not a mapping with cpu, memory or gpu"),
        ({"resources": {"cores": 1}}, "resources: 'cores' is none of cpu, memory, gpu"),
        ({"resources": {"cpu": 0}}, "resources.cpu: 0 is not a number of cores, such as 4 or 0.5"),
        ({"resources": {"cpu": "all"}}, "resources.cpu: 'all' is not a number of cores"),
        ({"resources": {"cpu": True}}, "resources.cpu: True is not a number of cores"),
        ({"resources": {"cpu": float("nan")}}, "resources.cpu: nan is not a number of cores"),
        ({"resources": {"memory": "much"}}, "resources.memory: 'much' is not a size above 0"),
        ({"resources": {"gpu": 0.5}}, "resources.gpu: 0.5 is not a whole number from 0 to"),
        ({"timeout": "soon"}, "timeout: 'soon' is not a duration above 0"),
        ({"timeout": 0}, "timeout: 0 is not a duration above 0"),
        ({"retries": -1}, "retries: -1 is not a whole number from 0 to 100"),
        ({"retries": "2"}, "retries: '2' is not a whole number from 0 to 100"),
    ],
)
def test_a_wrong_value_is_told_with_stage_and_line(meta: Any, told: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        wishes.of_all([stage(meta)])
    assert raised.value.problems[0].message.startswith(f"stage train, meta: {told}")
    assert raised.value.problems[0].where == Location("dvc.yaml", 3, 5)


def test_the_mistakes_of_all_stages_are_told_at_once() -> None:
    with pytest.raises(ConfigErrors) as raised:
        wishes.of_all([stage({"retries": "x"}, "a"), stage({"timeout": "x"}, "b")])
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Resources(), "1 core"),
        (Resources(cpu=2000, memory=10**13, gpu=1), "2 cores, 10,000 GB of memory, 1 GPU"),
        (Resources(cpu=500, memory=16 * 10**9, gpu=2), "0.5 cores, 16 GB of memory, 2 GPUs"),
        (Resources(cpu=10**9), "1,000,000 cores"),
    ],
)
def test_resources_are_said_in_words(asked: Resources, said: str) -> None:
    assert str(asked) == said
