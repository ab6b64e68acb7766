"""Layouts that public DVC repositories have: what the linter says of each, and above all what it does not say.

Each is in shape like projects that teams publish, not in text. Of a lock nothing is said here.
"""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.support.linting import found

if TYPE_CHECKING:
    from collections.abc import Mapping

MD5 = "d3b07384d113edec49eaa6238ad5ff00"
READ_YAML = "import yaml\ndef read_params(path):\n    with open(path) as file:\n        return yaml.safe_load(file)\n"
LOAD = """\
import logging, os, yaml
logger = logging.getLogger("x")
def load_params(path: str) -> dict:
    try:
        with open(path, "r") as file:
            params = yaml.safe_load(file)
        logger.debug("read %s", path)
        return params
    except yaml.YAMLError as error:
        logger.error(error)
        raise
"""

LAYOUTS: dict[str, tuple[Mapping[str, str], set[str]]] = {
    "a tutorial: scripts with arguments, sections of params by the names of stages": (
        {
            "data/data.xml.dvc": f"outs:\n- path: data.xml\n  hash: md5\n  md5: {MD5}\n",
            "params.yaml": "prepare: {split: 0.2, seed: 1}\ntrain: {n: 50, seed: 1}\n",
            "src/prepare.py": 'import yaml\nparams = yaml.safe_load(open("params.yaml"))["prepare"]\n'
            'split = params["split"]\nrandom.seed(params["seed"])\n',
            "src/train.py": 'import yaml\nparams = yaml.safe_load(open("params.yaml"))["train"]\n'
            'fit(n=params["n"], seed=params["seed"])\n',
            "dvc.yaml": """\
                stages:
                  prepare:
                    cmd: python src/prepare.py data/data.xml
                    deps: [data/data.xml, src/prepare.py]
                    params: [prepare.seed, prepare.split]
                    outs: [data/prepared]
                  train:
                    cmd: python src/train.py data/prepared model.pkl
                    deps: [data/prepared, src/train.py]
                    params: [train]
                    outs: [model.pkl]
                """,
        },
        set(),
    ),
    "one configuration for all, read by a helper; a split that declares nothing": (
        {
            "params.yaml": "base: {seed: 1}\nsplit: {ratio: 0.2, train: data/train.csv}\nmodel_dir: models\n",
            "raw.csv": "",
            "src/get_data.py": READ_YAML,
            "src/split.py": "from get_data import read_params\ndef main(path):\n    config = read_params(path)\n"
            '    cut(config["split"]["ratio"], config["split"]["train"], config["base"]["seed"])\n',
            "src/fit.py": "from get_data import read_params\ndef main(path):\n    config = read_params(path)\n"
            '    save(config["model_dir"], config["base"]["seed"])\n',
            "dvc.yaml": """\
                stages:
                  split:
                    cmd: python src/split.py --config=params.yaml
                    deps: [src/get_data.py, src/split.py, raw.csv]
                    outs: [data/train.csv]
                  fit:
                    cmd: python src/fit.py --config=params.yaml
                    deps: [src/get_data.py, src/fit.py, data/train.csv]
                    params: [base.seed]
                    outs: [models/m.joblib]
                """,
        },
        {"RT201 split"},
    ),
    "modules run by name, the whole params file as a dep": (
        {
            "params.yaml": "train: {lr: 0.1}\n",
            "src/models/train.py": "import yaml\nfrom src.models.net import build\n"
            "cfg = yaml.safe_load(open(args.params))\n"
            'lr = float(cfg["train"]["lr"])\n',
            "src/models/net.py": "",
            "data/raw.dvc": f"outs:\n- path: raw\n  hash: md5\n  md5: {MD5}.dir\n",
            "dvc.yaml": """\
                stages:
                  train:
                    cmd: python -m src.models.train --params params.yaml
                    deps: [src/models/train.py, src/models/net.py, params.yaml, data/raw]
                    outs: [models/model.keras]
                    metrics: [reports/metrics.json: {cache: false}]
                """,
        },
        set(),
    ),
    "loaders with logging, paths from the script's own place": (
        {
            "params.yaml": "build: {depth: 3, ngrams: [1, 3]}\n",
            "src/build.py": f"{LOAD}def main():\n    root = os.path.dirname(__file__)\n"
            '    params = load_params(os.path.join(root, "params.yaml"))\n'
            '    fit(params["build"]["depth"], tuple(params["build"]["ngrams"]))\n',
            "data.csv": "",
            "dvc.yaml": """\
                stages:
                  build:
                    cmd: python src/build.py
                    deps: [data.csv, src/build.py]
                    params:
                    - build.depth
                    - build.ngrams
                    outs: [model.pkl]
                  register:
                    cmd: python src/register.py
                    deps: [model.pkl]
                """,
            "src/register.py": "",
        },
        {"RT101 register"},
    ),
    "templates, foreach and matrix": (
        {
            "params.yaml": "figs: {a: {runs: r1, level: 3}, b: {runs: r2, level: 4}}\nformat: png\nlog: INFO\n",
            **dict.fromkeys(("data/r1.jsonl", "data/r2.jsonl", "src/wrangle.py", "src/plot.py", "matplotlibrc"), ""),
            "dvc.yaml": """\
                stages:
                  wrangle:
                    foreach: &figs
                      a: ${figs.a}
                      b: ${figs.b}
                    do:
                      cmd: >-
                        python -m src.wrangle --name ${key}
                        --runs data/${item.runs}.jsonl
                        --out wrangled/${key}.csv
                      deps: [src/wrangle.py, "data/${item.runs}.jsonl"]
                      params: ["figs.${key}"]
                      outs: ["wrangled/${key}.csv"]
                  plot:
                    matrix:
                      fig: [a, b]
                      show: [true, false]
                    cmd: >-
                      python -m src.plot --in wrangled/${item.fig}.csv
                      --show ${item.show} --log ${log}
                      --out plots/${item.fig}_${item.show}.${format}
                    deps: [src/plot.py, "wrangled/${item.fig}.csv", matplotlibrc]
                    params: [format, log]
                    plots: ["plots/${item.fig}_${item.show}.${format}"]
                """,
        },
        set(),
    ),
    "an installed command behind uv, in a folded text": (
        {
            **dict.fromkeys(("raw.pdf", "src/pkg/extraction.py", "pyproject.toml", "uv.lock"), ""),
            "dvc.yaml": """\
                stages:
                  extract:
                    cmd: >-
                      uv run --locked extract raw.pdf
                      --json out/text.json
                    deps: [raw.pdf, src/pkg/extraction.py, pyproject.toml, uv.lock]
                    outs: [out/text.json: {cache: false}]
                """,
        },
        set(),
    ),
    "PYTHONPATH, paths with a dot in front, plots at the top": (
        {
            **dict.fromkeys(("data/train.csv", "src/pipeline/train.py", "src/pipeline/utils.py"), ""),
            "configs/conf.yml": "train: {share: 0.8}\n",
            "dvc.yaml": """\
                stages:
                  train:
                    cmd: export PYTHONPATH=./src/pipeline/:$PYTHONPATH && python3 ./src/pipeline/train.py
                    deps: [./data/train.csv, src/pipeline/train.py]
                    params: [configs/conf.yml: [train.share]]
                    outs: [./out/]
                metrics: [out/metrics.json]
                plots:
                - out/plots: {x: step}
                """,
        },
        set(),
    ),
    "a monorepo: a dvc.yaml a service, folders as deps": (
        {
            "lib/io.py": "",
            "a/src/run.py": "from helpers import x\n",
            "a/src/helpers.py": "",
            "a/params.yaml": "k: 1\n",
            "a/dvc.yaml": """\
                stages:
                  clean: {cmd: python src/run.py, deps: [src, ../lib], params: [k], outs: [clean.csv]}
                """,
            "b/dvc.yaml": """\
                stages:
                  use: {wdir: .., cmd: python b/use.py a/clean.csv, deps: [b/use.py, a/clean.csv], outs: [b/out.csv]}
                """,
            "b/use.py": "",
        },
        set(),
    ),
    "notebooks, R and shell": (
        {
            **dict.fromkeys(("nb/eda.ipynb", "scripts/align.sh", "scripts/de.R", "counts.csv", "lib.R"), ""),
            "dvc.yaml": """\
                stages:
                  eda:
                    cmd: papermill nb/eda.ipynb nb/eda.out.ipynb -p data counts.csv
                    deps: [nb/eda.ipynb, counts.csv]
                    outs: [nb/eda.out.ipynb: {cache: false}]
                  align:
                    cmd:
                    - mkdir -p aligned
                    - bash scripts/align.sh counts.csv > aligned/log.txt 2>&1
                    deps: [scripts/align.sh, counts.csv]
                    outs: [aligned]
                  de:
                    cmd: Rscript scripts/de.R aligned
                    deps: [scripts/de.R, aligned]
                    outs: [degs.csv]
                """,
        },
        set(),
    ),
    "deep learning: omegaconf, unpacked options, a script that lost its name": (
        {
            "params.yaml": "model: {name: cnn, width: 3}\ntrain: {lr: 0.1}\n",
            "train.py": 'from omegaconf import OmegaConf\ncfg = OmegaConf.load("params.yaml")\n'
            "net = build(**cfg.model)\nopt = Adam(net, lr=cfg.train.lr)\n",
            "data.dvc": f"outs:\n- path: data\n  hash: md5\n  md5: {MD5}.dir\n",
            "dvc.yaml": """\
                stages:
                  train:
                    cmd: python3 train.py
                    deps: [train.py, data, training.py]
                    params: [model]
                    outs: [best.pt: {persist: true}, logs: {cache: false}]
                """,
        },
        {"RT104 training.py", "RT201 train"},
    ),
    "a download that runs once, and data that was imported": (
        {
            "raw.csv.dvc": f"frozen: true\ndeps:\n- path: https://example.org/raw.csv\n  checksum: '\"x\"'\nouts:\n"
            f"- path: raw.csv\n  hash: md5\n  md5: {MD5}\n",
            "dvc.yaml": """\
                stages:
                  download: {cmd: curl -sSf -o maps.zip https://example.org/maps.zip, outs: [maps.zip]}
                  unpack: {cmd: unzip -q maps.zip -d maps; wc raw.csv, deps: [maps.zip, raw.csv], outs: [maps]}
                """,
        },
        {"RT105 download"},
    ),
    "pipes, variables, a docker image": (
        {
            **dict.fromkeys(("conf/a.json", "in.tsv", "sort.sh"), ""),
            "dvc.yaml": """\
                stages:
                  sort:
                    cmd: cut -f1 in.tsv | sort -u | tee sorted.txt | wc -l
                    deps: [in.tsv]
                    outs: [sorted.txt]
                  box:
                    cmd: docker run --rm -v "$PWD":/w -w /w image:1 python /opt/app.py sorted.txt boxed
                    deps: [sorted.txt]
                    outs: [boxed]
                  loop:
                    cmd: for f in boxed/*; do ./sort.sh "$f"; done && touch done.txt
                    deps: [boxed, sort.sh]
                    outs: [done.txt]
                """,
        },
        set(),
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_of_a_usual_layout_only_what_is_wrong_is_told(layout: str) -> None:
    files, wrong = LAYOUTS[layout]
    texts = {path: dedent(text) for path, text in files.items()}
    told = [one for one in found(texts) if one.rule.code not in {"RT103", "RT401"}]
    assert len(told) == len(wrong), [f"{one.where}: {one.rule.code} {one.message}" for one in told]
    for one in told:
        assert any(
            expected.startswith(one.rule.code) and expected.partition(" ")[2] in f"{one.message}" for expected in wrong
        )
