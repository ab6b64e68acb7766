"""What is kept where: outs, metrics and gates, git, remotes."""

from __future__ import annotations

import pytest

from runner.errors import Location
from tests.support.linting import REMOTE, found, shown

STAGE = """\
stages:
  fit:
    cmd: tool
    deps: [data]
    outs: [model]
    metrics:
    - eval/m.json:
        cache: false
    - eval/n.json
"""
TEXTS = {"dvc.yaml": STAGE, "data": "", "eval/m.json": ""}
GATE = Location("retrain.yaml", 2, 5)


def test_a_cached_out_that_git_tracks_is_an_error() -> None:
    assert shown({**TEXTS, "model/.gitkeep": ""}, "RT301") == [
        "dvc.yaml:5:12: git tracks model, which 'fit' writes and DVC is to keep"
    ]
    assert shown(TEXTS, "RT301") == []
    data = "outs:\n- path: big.csv\n  hash: md5\n  md5: d3b07384d113edec49eaa6238ad5ff00\n"
    assert shown({"big.csv.dvc": data, "big.csv": ""}, "RT301")[0].startswith("big.csv.dvc:2:9: git tracks big.csv")


def test_an_uncached_out_that_git_ignores_is_told() -> None:
    assert shown(TEXTS, "RT304", ignored=["eval/m.json", "eval/n.json", "model"]) == [
        "dvc.yaml:7:7: nothing keeps the metric eval/m.json: it is not cached, and git ignores it"
    ]


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("eval/m.json", []),
        ("eval/n.json", ["RT302 dvc.yaml:9:7"]),
        ("eval/typo.json", ["RT303 retrain.yaml:2:5"]),
        ("data", []),
    ],
)
def test_a_gate_needs_a_file_with_a_history(metric: str, told: list[str]) -> None:
    findings = found(TEXTS, "RT30", gates=[(metric, GATE)])
    assert [f"{one.rule.code} {one.where}" for one in findings] == told


def test_cached_outs_want_a_default_remote() -> None:
    assert shown({**TEXTS, ".dvc/config": ""}, "RT501") == [
        ".dvc/config:1:1: no default remote is set, so model and what else is cached stays on one machine"
    ]
    config = REMOTE.replace("remote = store", "analytics = false")
    (finding,) = found({**TEXTS, ".dvc/config": config}, "RT501")
    assert finding.hint == "dvc remote default store"
    own = STAGE.replace("[model]", "[model: {remote: store}]").replace("    - eval/n.json\n", "")
    assert found({**TEXTS, "dvc.yaml": own, ".dvc/config": config}, "RT501") == []


def test_a_secret_in_the_committed_configuration_is_an_error() -> None:
    config = f"{REMOTE}    access_key_id = known\n    secret_access_key = hunter2\n"
    (finding,) = found({**TEXTS, ".dvc/config": config}, "RT502")
    assert str(finding.where) == ".dvc/config:6:5"
    assert "hunter2" not in finding.message + finding.hint


def test_a_default_remote_that_is_a_folder_is_noted() -> None:
    assert shown({**TEXTS, ".dvc/config": REMOTE.replace("s3://bucket/store", "/mnt/store")}, "RT503") == [
        ".dvc/config:4:1: the default remote 'store' is the folder /mnt/store"
    ]
