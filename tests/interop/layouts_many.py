"""Layouts of repositories with many dvc.yaml files, or with many stages."""

from __future__ import annotations

from tests.interop.layouts import JOIN, SCORE, SPREAD, Layout

SETS = ("small", "k100", "m1")
ALGORITHMS = ("Bias", "Pop", "II", "ALS")


def _each(names: tuple[str, ...], text: str) -> str:
    return "".join(text.replace("NAME", name) for name in names)


STEPS_BY_FOLDER = Layout(
    "a comparison of algorithms: a dvc.yaml a folder, each step working from the root, archives taken in by URL",
    {
        "params.yaml": "random: {seed: 20}\n",
        "split.sh": SPREAD,
        "run.sh": SPREAD,
        "report.txt": "# Report\n",
        "archives/dvc.yaml": "# unpacks\nstages:\n"
        + _each(
            SETS,
            """\
  NAME:
    cmd: mkdir -p NAME && cp NAME.zip NAME/rows.txt
    deps:
      - NAME.zip
    outs:
      - NAME/

""",
        ),
        "splits/dvc.yaml": "stages:\n"
        + _each(
            SETS,
            """\
  split-NAME:
    cmd: sh split.sh splits/NAME archives/NAME
    wdir: ..
    deps:
      - split.sh
      - archives/NAME
    outs:
      - splits/NAME
    params:
      - random.seed

""",
        ),
        "runs/dvc.yaml": "stages:\n"
        + _each(
            SETS,
            """\
  NAME:
    foreach:
      - Bias
      - Pop
      - II
      - ALS
    do:
      cmd: sh run.sh runs/NAME-${item} splits/NAME && echo ${item} > runs/NAME-${item}/name
      wdir: ..
      deps:
        - splits/NAME
      outs:
        - runs/NAME-${item}
""",
        ),
        "dvc.yaml": "# the ends of it all\nstages:\n"
        + _each(
            SETS,
            """\
  report-NAME:
    cmd: cat report.txt runs/NAME-*/name > report.NAME.txt
    deps:
      - report.txt
"""
            + "".join(f"      - runs/NAME-{algorithm}\n" for algorithm in ALGORITHMS)
            + """\
    outs:
      - report.NAME.txt:
          cache: false

""",
        ),
    },
    fetched={f"archives/{name}.zip": f"{name}.zip" for name in SETS},
    edits={"params.yaml": "random: {seed: 21}\n", "run.sh": f"{SPREAD}# newer\n"},
)

SHARED_VALUES = Layout(
    "pipelines in folders that share a file of values: lists of commands, models as a list of records, scores as YAML",
    {
        "pipelines/shared.yaml": """\
            vocab: {file: corpora/terms.txt, manifest: out/vocab.json, labels: true}
            embedding: {model: small, port: 8090}
            completion:
              file: done.txt
              sampling: {temperature: 0.5, top_p: .9, stop: null}
              models:
              - {short: first, name: org/First-1B}
              - {short: second-3b, name: org/Second}
            mapping: {out: mapped.txt, hyper: {alpha: 0.25}}
            """,
        **{
            f"pipelines/{name}/params.yaml": f"predict: {{text: ../../corpora/{name}.txt, kind: title}}\n"
            for name in ("train", "predict")
        },
        "corpora/terms.txt": "a\nb\n",
        "corpora/train.txt": "one\n",
        "corpora/predict.txt": "two\n",
        "src/join.sh": JOIN,
        "src/score.sh": SCORE,
        **{
            f"pipelines/{name}/dvc.yaml": """\
                vars:
                  - ../shared.yaml
                  - params.yaml

                stages:
                  collect:
                    frozen: false
                    desc: Make a collection of the terms.
                    cmd:
                      - >
                        sh ../../src/join.sh manifest-NAME.json ../../${vocab.file} \\
                          && : --labels ${vocab.labels} \\
                          --port ${embedding.port}
                    deps:
                      - ../../src/join.sh
                      - ../../${vocab.file}
                    params:
                      - ../shared.yaml:
                        - vocab.labels
                        - embedding.model
                    outs:
                      - manifest-NAME.json:
                          cache: false

                  complete:
                    foreach: ${completion.models}
                    do:
                      desc: Complete for each model
                      cmd:
                      - mkdir -p by_model/${item.short}/
                      - >
                        sh ../../src/join.sh by_model/${item.short}/${completion.file} ${predict.text} \\
                          ../shared.yaml && : ${item.name}
                      params:
                        - predict.kind
                        - ../shared.yaml:
                          - completion.sampling
                      deps:
                      - ../../src/join.sh
                      - ${predict.text}
                      - manifest-NAME.json
                      outs:
                      - by_model/${item.short}/${completion.file}

                  score:
                    foreach: ${completion.models}
                    do:
                      cmd:
                        - >
                          echo 'f1: 0.5' > by_model/${item.short}/scores.yaml
                      deps:
                        - by_model/${item.short}/${completion.file}
                      metrics:
                        - by_model/${item.short}/scores.yaml:
                            cache: false

                  summarize:
                    always_changed: false
                    cmd:
                    - >
                      sh ../../src/score.sh ../../out/NAME/score.json \\
                        by_model/first/${completion.file} \\
                        by_model/second-3b/${completion.file}
                    deps:
                    - by_model/first/${completion.file}
                    - by_model/second-3b/${completion.file}
                    outs:
                    - ../../out/NAME/score.json
                metrics:
                - ../../out/NAME/score.json
                """.replace("NAME", name)
            for name in ("train", "predict")
        },
    },
    edits={"pipelines/predict/params.yaml": "predict: {text: ../../corpora/train.txt, kind: title}\n"},
)

MODELS_AND_DATA = Layout(
    "models and data each with a dvc.yaml of records: deps on a folder, a file in it, and a metric beside it",
    {
        "raw/test.csv": "1\n",
        "raw/train.csv": "2\n",
        "src/make.sh": JOIN,
        "src/spread.sh": SPREAD,
        "src/score.sh": SCORE,
        "models/linear/model.py": "L = 1\n",
        "models/conv/model.py": "C = 1\n",
        "data/dvc.yaml": """\
            stages:
              prepare:
                foreach: [words, tokens]
                do:
                  wdir: ../
                  cmd: sh src/spread.sh data/prepared/${item} raw/train.csv && echo ${item} > data/prepared/${item}/kind
                  deps: [raw/train.csv, src/spread.sh]
                  outs:
                    - data/prepared/${item}
            """,
        "models/dvc.yaml": """\
            stages:
              train:
                foreach:
                  - preprocessor: words
                    model: linear
                    output: model.bin
                  - preprocessor: tokens
                    model: conv
                    output: model.h5
                do:
                  wdir: ../
                  cmd: sh src/make.sh models/${item.model}/${item.output} data/prepared/${item.preprocessor} &&
                    sh src/score.sh models/${item.model}_train.json data/prepared/${item.preprocessor}
                  deps:
                    - data/prepared/${item.preprocessor}/all.txt
                    - data/prepared/${item.preprocessor}/kind
                    - src/make.sh
                    - models/${item.model}/model.py
                  outs:
                    - models/${item.model}/${item.output}
                  metrics:
                    - models/${item.model}_train.json:
                        cache: false

              predict:
                foreach:
                  - model: linear
                    output: model.bin
                  - model: conv
                    output: model.h5
                do:
                  wdir: ../
                  cmd: sh src/make.sh predictions/${item.model}.csv raw/test.csv models/${item.model}
                  deps:
                    - raw/test.csv
                    - models/${item.model}
                    - models/${item.model}_train.json
                    - models/${item.model}/${item.output}
                  outs:
                    - predictions/${item.model}.csv
            """,
    },
    edits={"models/conv/model.py": "C = 2\n"},
)


def _grid(pipelines: tuple[str, ...]) -> dict[str, str]:
    """Give an evaluation of `pipelines` on sets of news: groups that pass their list on to a matrix."""
    recommend = "".join(
        f"""\
  recommend-{name}:
    foreach: ${{pipelines}}
    do:
      cmd: >-
        mkdir -p outputs/{name}/${{item}} && cd outputs/{name}/${{item}} &&
        echo {name} ${{item}} > recommended.txt && cp recommended.txt embedded.txt && echo 1 > task.json
      deps:
        - src/generate/
        - src/configurations/${{item}}.cfg
        - weights/model/
      outs:
        - outputs/{name}/${{item}}/recommended.txt
        - outputs/{name}/${{item}}/embedded.txt
        - outputs/{name}/${{item}}/task.json
"""
        for name in ("val", "subset")
    )
    return {
        "src/generate/main.txt": "main\n",
        "src/measure.sh": SCORE,
        **{f"src/configurations/{name}.cfg": f"{name}\n" for name in pipelines},
        "weights/model/w.txt": "1\n",
        "weights/dvc.yaml": "stages:\n  fit:\n    cmd: cp ../src/measure.sh fitted\n    deps:\n"
        "      - ../src/measure.sh\n    outs:\n      - fitted\n",
        "dvc.yaml": "vars:\n  - pipelines:\n"
        + "".join(f"      - {name}\n" for name in pipelines)
        + f"""
stages:
  # one stage for each pipeline
{recommend}
  measure:
    matrix:
      data:
        - val
        - subset
      pipeline: ${{pipelines}}
    cmd: >-
      sh src/measure.sh outputs/${{item.data}}/${{item.pipeline}}/metrics.json
      outputs/${{item.data}}/${{item.pipeline}}/recommended.txt &&
      cp outputs/${{item.data}}/${{item.pipeline}}/metrics.json outputs/${{item.data}}/${{item.pipeline}}/rows.csv
    deps:
      - src/measure.sh
      - outputs/${{item.data}}/${{item.pipeline}}/recommended.txt
    outs:
      - outputs/${{item.data}}/${{item.pipeline}}/rows.csv
    metrics:
      - outputs/${{item.data}}/${{item.pipeline}}/metrics.json:
          cache: false

  collect:
    foreach:
      - val
      - subset
    do:
      cmd: cat outputs/${{item}}/*/rows.csv > all-${{item}}.csv
      deps:
        - outputs/${{item}}/
      outs:
        - all-${{item}}.csv:
            cache: false
""",
    }


NEWS = Layout(
    "recommendations by several pipelines on several sets: a list of variables in foreach and matrix, folders of outs",
    _grid(("plain", "softer")),
    added=("weights/model",),
    edits={"src/configurations/plain.cfg": "plainer\n"},
)

NEWS_IN_FULL = Layout("the same with as many pipelines as teams have", _grid(tuple(f"p{n}" for n in range(40))))

TABLES = Layout(
    "a schema for each of 63 tables, their paths being names of stages, written by a program into many folders",
    {
        "dvc.yaml": "stages:\n  schema:\n    foreach:\n"
        + "".join(f"      - store{n % 7}/{'simple/' * (n % 3)}table-{n}\n" for n in range(63))
        + '    do:\n      cmd: "cat ${item}.parquet > ${item}.json"\n      deps:\n        - "${item}.parquet"\n'
        '      outs:\n        - "${item}.json":\n            cache: false\n',
        **{
            f"store{store}/dvc.yaml": "stages:\n"
            + "".join(
                f"  table-{n}:\n    cmd: echo {n} > {'simple/' * (n % 3)}table-{n}.parquet\n    outs:\n"
                f"    - {'simple/' * (n % 3)}table-{n}.parquet\n"
                for n in range(store, 63, 7)
            )
            for store in range(7)
        },
    },
)

FOLDERS = Layout(
    "101 folders with the same pipeline, each with parameters of its own",
    {
        f"{n}/{name}": text
        for n in range(101)
        for name, text in {
            "params.yaml": f"seed: {n}\n",
            "script.py": "print(1)\n",
            "dvc.yaml": "stages:\n  generate_table:\n    cmd: python script.py > table.csv\n    params:\n    - seed\n"
            "    deps:\n    - script.py\n    outs:\n    - table.csv\n",
        }.items()
    },
)

SWEEP = Layout(
    "hundreds of stages of one file: a map of 300 settings in params.yaml, and a matrix of sets, models and seeds",
    {
        "params.yaml": "sets: [cora, cite, pub]\nsettings:\n"
        + "".join(
            f"  fig{n}: {{runs: r{n % 9}, level: {n}, flags: {{fast: true, n: [1, {n}]}}}}\n" for n in range(300)
        ),
        **{f"runs/r{n}.txt": f"{n}\n" for n in range(9)},
        "dvc.yaml": """\
            stages:
              figure:
                foreach: ${settings}
                do:
                  cmd: cat runs/${item.runs}.txt > figures/${key}.txt && true ${item.flags}
                  deps: ["runs/${item.runs}.txt"]
                  params: ["settings.${key}.level"]
                  outs: ["figures/${key}.txt"]
              train:
                matrix:
                  set: ${sets}
                  model: [Avg, Exp, GRU, ConcatGRU, {name: MLP, layers: 2}]
                  seed: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
                cmd: echo ${item.set} ${item.seed} > models/${key}.txt
                deps: [figures/fig7.txt]
                outs: ["models/${key}.txt"]
            """,
    },
)

RUN = (STEPS_BY_FOLDER, SHARED_VALUES, MODELS_AND_DATA, NEWS)
READ = (NEWS_IN_FULL, TABLES, FOLDERS, SWEEP)
