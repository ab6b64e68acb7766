"""Params that scripts read unannounced, that are not there, or that DVC does not count."""

from __future__ import annotations

import pytest

from tests.support.linting import found, shown

PARAMS = """\
seed: 1
train:
  lr: 0.1
  epochs: 3
  optimizer: {name: adam, beta: 0.9}
paths:
  data: data/raw
  model: models
"""
STAGE = """\
stages:
  train:
    cmd: python train.py --config params.yaml
    deps: [train.py, data/raw]
    params: [train.epochs]
    outs: [models/m.pkl]
"""


def unannounced(source: str, stage: str = STAGE, **files: str) -> list[str]:
    """Give what is told of a train.py, without its usual beginning and end."""
    texts = {"dvc.yaml": stage, "params.yaml": PARAMS, "train.py": source, "data/raw": "", **files}
    return [
        finding.hint.removesuffix(" to its params, or a change goes unnoticed") for finding in found(texts, "RT201")
    ]


@pytest.mark.parametrize(
    "source",
    [
        'import yaml\nparams = yaml.safe_load(open("params.yaml"))\nlr = params["train"]["lr"]\n',
        'import yaml\nlr = yaml.safe_load(open("params.yaml"))["train"]["lr"]\n',
        'import yaml\np = yaml.safe_load(open("params.yaml"))["train"]\nfit(p.get("lr", 1))\n',
        (
            'import yaml\nwith open("params.yaml") as file:\n'
            '    p = yaml.load(file, Loader=yaml.SafeLoader)\nx = float(p["train"]["lr"])\n'
        ),
        'from ruamel.yaml import YAML\np = YAML(typ="safe").load(open("params.yaml"))\nx = p["train"]["lr"]\n',
        'import dvc.api\nx = dvc.api.params_show()["train"]["lr"]\n',
        'from dvc.api import params_show\np = params_show()\ndef f():\n    return p["train"]["lr"]\n',
        'from omegaconf import OmegaConf\ncfg = OmegaConf.load("params.yaml")\nx = cfg.train.lr\n',
        'import yaml\nfrom box import ConfigBox\np = ConfigBox(yaml.safe_load(open("params.yaml")))\nx = p.train.lr\n',
        (
            "import yaml\nfrom pathlib import Path\n"
            'p = yaml.safe_load((Path(__file__).parent / "params.yaml").read_text())\n'
            'x = p["train"]["lr"]\n'
        ),
        (
            "import os, yaml\ndef load(path):\n    try:\n        with open(path) as f:\n"
            "            p = yaml.safe_load(f)\n        return p\n    except OSError:\n        raise\n"
            'def main():\n    p = load(os.path.join(ROOT, "params.yaml"))\n    x = p["train"]["lr"]\n'
        ),
        (
            'import yaml\ndef load(path="params.yaml"):\n    return yaml.safe_load(open(path))\n'
            'x = load()["train"]["lr"]\n'
        ),
        'import yaml\ndef fit(p):\n    return p["lr"]\nfit(yaml.safe_load(open("params.yaml"))["train"])\n',
        (
            "import yaml\nclass T:\n    def __init__(self):\n"
            '        self.p = yaml.safe_load(open("params.yaml"))\n    def go(self):\n'
            '        return self.p["train"]["lr"]\n'
        ),
        (
            "import argparse, yaml\ndef main(path):\n    with open(path) as f:\n"
            '        config = yaml.safe_load(f)\n    x = config["train"]["lr"]\n'
            "main(parser.parse_args().config)\n"
        ),
        "import yaml\np = yaml.safe_load(open(\"params.yaml\"))\nprint(f\"{p['train']['lr']}\")\n",
    ],
)
def test_a_param_that_a_stages_script_reads_and_the_stage_does_not_declare_is_told(source: str) -> None:
    assert unannounced(source) == ["add train.lr"]
    declared = STAGE.replace("[train.epochs]", "[train]")
    assert unannounced(source, declared) == []
    assert unannounced(source, STAGE.replace("[train.epochs]", "[train.lr]")) == []
    assert unannounced(source, STAGE.replace("[train.epochs]", "[{params.yaml: }]")) == []
    assert unannounced(source, STAGE.replace("[train.py,", "[train.py, params.yaml,")) == []
    assert unannounced(source, STAGE.replace("--config", "--lr ${train.lr} --config")) == []


@pytest.mark.parametrize(
    "loader", ["from lib.io import read_params\n", "from lib.io import read_params as read_params\n"]
)
def test_a_loader_in_another_file_of_the_repository_is_seen_through(loader: str) -> None:
    io = "import yaml\ndef read_params(path):\n    with open(path) as file:\n        return yaml.safe_load(file)\n"
    source = f'{loader}def main(path):\n    config = read_params(path)\n    x = config["train"]["lr"]\n'
    assert unannounced(source, **{"lib/io.py": io}) == ["add train.lr"]
    named = f'{loader}config = read_params("params.yaml")\nx = config["seed"]\n'
    assert unannounced(named, **{"lib/io.py": io}) == ["add seed"]


def test_one_finding_names_all_params_of_a_file_and_the_first_place() -> None:
    source = (
        'import yaml\np = yaml.safe_load(open("params.yaml"))\na = p["seed"]\nb = p["train"]["lr"]\nc = p["seed"]\n'
    )
    texts = {"dvc.yaml": STAGE, "params.yaml": PARAMS, "train.py": source, "data/raw": ""}
    assert shown(texts, "RT201") == [
        "dvc.yaml:5:5: train.py:3 reads seed and train.lr of params.yaml, which 'train' does not declare"
    ]


def test_a_mapping_counts_only_where_it_is_unpacked() -> None:
    head = 'import yaml\np = yaml.safe_load(open("params.yaml"))\n'
    assert unannounced(f'{head}log(p["train"])\n') == []
    assert unannounced(f'{head}Adam(**p["train"]["optimizer"])\n') == ["add train.optimizer.name, train.optimizer.beta"]


@pytest.mark.parametrize(
    "source",
    [
        'import yaml\np = yaml.safe_load(open("other.yaml"))\nx = p["train"]["lr"]\n',
        'import json\nm = json.load(open("metrics.json"))\nx = m["train"]["lr"]\n',
        'params = {"train": {"lr": 1}}\nx = params["train"]["lr"]\n',
        'import yaml\np = yaml.safe_load(open("params.yaml"))\nx = p["absent"]["lr"]\n',
        'import yaml\np = yaml.safe_load(open("params.yaml"))\nx = p[name]["lr"]\n',
        'import yaml\np = yaml.safe_load(open("params.yaml"))\nx = p["paths"]["data"], p["paths"]["model"]\n',
        'import yaml\np = yaml.safe_load(open("params.yaml"))\nx = p["train"].items()\n',
        "import yaml\nthis is no python\n",
    ],
)
def test_what_is_no_param_or_stands_in_the_stage_already_is_left_alone(source: str) -> None:
    assert unannounced(source) == []


def test_of_a_module_that_stages_share_only_what_no_stage_declares_is_told() -> None:
    shared = (
        'import yaml\np = yaml.safe_load(open("params.yaml"))\ndef f(): return p["train"]["lr"]\n'
        'def g(): return p["seed"]\n'
    )
    text = """\
stages:
  a:
    cmd: python a.py
    deps: [a.py, shared.py]
    params: [train.lr]
    outs: [x]
  b:
    cmd: python b.py
    deps: [b.py, shared.py]
    outs: [y]
"""
    texts = {"dvc.yaml": text, "params.yaml": PARAMS, "shared.py": shared, "a.py": "", "b.py": ""}
    assert shown(texts, "RT201") == [
        "dvc.yaml:5:5: shared.py:4 reads seed of params.yaml, which 'a' does not declare",
        "dvc.yaml:7:3: shared.py:4 reads seed of params.yaml, which 'b' does not declare",
    ]


def test_a_declared_param_that_its_file_does_not_have_is_an_error_with_the_nearest_name() -> None:
    text = (
        "stages:\n  s:\n    cmd: x\n    params:\n    - train.ir\n    - seed\n    - gone.json:\n"
        "      - a\n    outs: [o]\n"
    )
    findings = found({"dvc.yaml": text, "params.yaml": PARAMS}, "RT202")
    assert [(str(one.where), one.message) for one in findings] == [
        ("dvc.yaml:5:7", "params.yaml has no train.ir"),
        ("dvc.yaml:7:7", "there is no params file gone.json"),
    ]
    assert findings[0].hint == "did you mean train.lr?"


def test_a_params_file_that_a_stage_writes_may_not_be_there_yet() -> None:
    text = "stages:\n  a: {cmd: x, outs: [made.yaml]}\n  s: {cmd: x, params: [{made.yaml: [a]}], outs: [o]}\n"
    assert found({"dvc.yaml": text}, "RT202") == []


def test_a_params_file_that_cannot_be_read_is_told_at_its_own_place() -> None:
    text = "stages:\n  s: {cmd: x, params: [a], outs: [o]}\n  t: {cmd: x, params: [b], outs: [p]}\n"
    assert shown({"dvc.yaml": text.replace("params: [b], ", ""), "params.yaml": "a: [\n"}, "RT0")[0].startswith(
        "params.yaml:2:1: not valid YAML"
    )


@pytest.mark.parametrize(
    ("keys", "params", "told"),
    [
        ("[size]", "size: 3\n", ["size"]),
        ("[nfiles, lr]", "nfiles: 3\nlr: 1\n", ["nfiles"]),
        ("[batch]", "batch: {size: 3}\n", ["batch"]),
        ("[batch.size]", "batch: {size: 3}\n", []),
        ("[batch_size]", "batch_size: 3\n", []),
    ],
)
def test_params_that_dvcs_run_cache_leaves_out_are_told(keys: str, params: str, told: list[str]) -> None:
    text = f"stages:\n  s:\n    cmd: x\n    params: {keys}\n    outs: [o]\n"
    messages = [finding.message for finding in found({"dvc.yaml": text, "params.yaml": params}, "RT203")]
    assert [message.rpartition(" ")[2] for message in messages] == told
