"""Layouts of repositories that are about data, lie inside of others, or are older than DVC 3."""

from __future__ import annotations

from tests.interop.layouts import JOIN, SCORE, SPREAD, Layout

REGISTRY = Layout(
    "a registry of data: nothing but .dvc files in folders, an artifact that names one, no stage",
    {
        **{f"images/raw/{n % 5}/{n}.png": f"{n}\n" for n in range(25)},
        **{f"tutorials/{name}/data.zip": f"{name}\n" for name in ("nlp", "versions", "older")},
        "start/data.xml": "<a/>\n",
        "start/labels.csv": "1,2\n",
        "dvc.yaml": """\
            artifacts:
              start-data:
                path: start/data.xml.dvc
                type: dataset
                desc: 'What to start with'
                labels:
                  - text
            """,
    },
    added=(
        "images/raw",
        "start/data.xml",
        "start/labels.csv",
        *(f"tutorials/{name}/data.zip" for name in ("nlp", "versions", "older")),
    ),
    edits={"start/labels.csv": "1,3\n", "images/raw/0/new.png": "n\n", "images/raw/1/1.png": None},
)

CONSUMER = Layout(
    "a project that imports from a registry and from URLs, beside data of its own",
    {
        "src/join.sh": JOIN,
        "own/rows.txt": "own\n",
        "dvc.yaml": """\
            stages:
              merge:
                cmd: sh src/join.sh merged.txt own/rows.txt data/words.txt data/table.csv data/page.txt
                deps: [src/join.sh, own/rows.txt, data/words.txt, data/table.csv, data/page.txt]
                outs: [merged.txt]
              count:
                cmd: wc -c < merged.txt > count.txt
                deps: [merged.txt]
                metrics:
                - count.txt:
                    cache: false
            """,
    },
    added=("own/rows.txt",),
    registry={"texts/words.txt": "words\n", "tables/one.csv": "1,2\n"},
    imported={"data/words.txt": "texts/words.txt", "data/table.csv": "tables/one.csv"},
    fetched={"data/page.txt": "page.txt"},
    edits={"own/rows.txt": "own now\n"},
)

SUBDIRECTORY = Layout(
    "a product of which the model is one folder: the project lies below the root of the repository, deps are folders",
    {
        "params.yaml": "pipeline: {path: scripts/in.csv, rate: 0.5}\nstages: {phrases: {chance: 0.25, case: 0.2}}\n",
        "pipeline/spread.sh": SPREAD,
        "pipeline/core/words.txt": "core\n",
        "scripts/in.csv": "1\n",
        "dvc.yaml": """\
            stages:
              s00_dictionary:
                cmd: >-
                  sh pipeline/spread.sh
                  data/dictionary
                  pipeline/core
                deps:
                  - pipeline/core/words.txt
                outs:
                  - data/dictionary/

              s01_phrases:
                cmd: >-
                  sh pipeline/spread.sh data/s01_phrases
                  scripts/in.csv
                deps:
                  - pipeline/
                  - scripts/in.csv
                outs:
                  - data/s01_phrases/
                params:
                  - pipeline.path
                  - stages.phrases.chance
                  - stages.phrases.case

              s02_vocabulary:
                cmd: >-
                  sh pipeline/spread.sh data/s02_vocabulary
                  data/s01_phrases data/dictionary/deep
                deps:
                  - data/s01_phrases/
                  - data/dictionary/deep/size.txt
                  - pipeline/
                outs:
                  - data/s02_vocabulary/
            """,
    },
    folder="ml",
    around={"README.md": "# A product\n", "src/app/main.txt": "main\n", ".gitignore": "*.tmp\n"},
    edits={"params.yaml": "pipeline: {path: scripts/in.csv, rate: 0.5}\nstages: {phrases: {chance: 0.5, case: 0.2}}\n"},
)

NESTED = Layout(
    "a repository with a project at its root and another in a folder that the outer one passes over",
    {
        "dvc.yaml": "stages:\n  outer:\n    cmd: cat seed > outer\n    deps: [seed]\n    outs: [outer]\n",
        "seed": "s\n",
        "teams/inner/.dvc/config": "[core]\n    analytics = false\n",
        "teams/inner/dvc.yaml": "stages:\n  inner:\n    cmd: cat missing > inner\n    deps: [missing]\n    outs: [inner]\n",
        "teams/other/dvc.yaml": "stages:\n  other:\n    cmd: cat ../../outer > other\n    deps: [../../outer]\n"
        "    outs: [other]\n",
    },
    edits={"seed": "t\n"},
)

_SECOND_LOCK = """\
schema: '2.0'
stages:
  clean:
    cmd: sort raw.txt > clean.txt
    deps:
    - path: raw.txt
      md5: d6b441411dbef1d4999fdc4fbdbc7828
      size: 4
    outs:
    - path: clean.txt
      md5: dd8c6a395b5dd36c56d23275028f526c
      size: 4
"""

SECOND = Layout(
    "a project of DVC 2: a lock and .dvc files that know no kind of hash, objects gone, so that it runs anew",
    {
        "dvc.yaml": """\
            stages:
              clean:
                cmd: sort raw.txt > clean.txt
                deps: [raw.txt]
                outs: [clean.txt]
              score:
                cmd: sh score.sh score.json clean.txt
                deps: [clean.txt, score.sh]
                metrics: [score.json: {cache: false}]
            """,
        "dvc.lock": _SECOND_LOCK,
        "raw.txt": "b\na\n",
        "score.sh": SCORE,
        ".gitignore": "/clean.txt\n",
    },
    edits={"raw.txt": "c\n"},
)

CHECKPOINTS = Layout(
    "a project of DVC 2 with checkpoints and a live logger, which DVC 3 has no more",
    {
        "dvc.yaml": "stages:\n  train:\n    cmd: sh train.sh\n    deps: [train.sh]\n    outs:\n"
        "    - model/seq.h5:\n        checkpoint: true\n    live:\n      dvclive:\n        summary: true\n        html: true\n",
        "train.sh": "true\n",
    },
)


def _stage_file(cmd: str, wdir: str, deps: tuple[str, ...], outs: tuple[str, ...]) -> str:
    """Give a stage file of DVC 0.x as `dvc run --no-exec` left it: each out with its three flags, no hash."""
    return (
        f"cmd: {cmd}\nwdir: {wdir}\ndeps:\n"
        + "".join(f"- path: {dep}\n" for dep in deps)
        + "outs:\n"
        + "".join(f"- path: {out}\n  cache: true\n  metric: false\n  persist: false\n" for out in outs)
    )


_GRAPHS, _MODELS = ("cite", "cora", "pub"), ("Avg", "Exp", "GRU")
_STAGES = "experiments/dvc/stages"

STAGE_FILES = Layout(
    "a paper of DVC 0.x: a tree of stage files, one for each set and model, and a Dvcfile that stands for all",
    {
        "experiments/scripts/join.sh": JOIN,
        "experiments/scripts/spread.sh": SPREAD,
        **{f"experiments/configs/{graph}.yml": f"{graph}: 1\n" for graph in _GRAPHS},
        **{
            f"{_STAGES}/make-dataset/{graph}.dvc": _stage_file(
                f"sh experiments/scripts/join.sh data/sets/{graph}.txt experiments/configs/{graph}.yml",
                "../../../..",
                ("experiments/scripts/join.sh", f"experiments/configs/{graph}.yml"),
                (f"data/sets/{graph}.txt",),
            )
            for graph in _GRAPHS
        },
        **{
            f"{_STAGES}/train/{graph}/{model}.dvc": _stage_file(
                f"sh experiments/scripts/spread.sh data/models/{graph}/{model} data/sets/{graph}.txt"
                f" && sh experiments/scripts/join.sh data/metrics/{graph}/{model}.txt data/models/{graph}/{model}",
                "../../../../..",
                ("experiments/scripts/spread.sh", f"data/sets/{graph}.txt"),
                (f"data/models/{graph}/{model}", f"data/metrics/{graph}/{model}.txt"),
            )
            for graph in _GRAPHS
            for model in _MODELS
        },
        f"{_STAGES}/summarize.dvc": _stage_file(
            "sh experiments/scripts/join.sh data/plots/summary.txt data/metrics",
            "../../..",
            ("data/metrics",),
            ("data/plots/summary.txt",),
        ),
        "Dvcfile": "cmd: echo done\ndeps:\n- path: data/plots\n",
    },
    edits={"experiments/configs/cora.yml": "cora: 2\n"},
)

RUN = (REGISTRY, CONSUMER, SUBDIRECTORY, NESTED, SECOND)
