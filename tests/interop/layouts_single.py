"""Layouts of repositories with one pipeline: courses, demonstrations, experiments, trainings."""

from __future__ import annotations

from tests.interop.layouts import JOIN, SCORE, SPREAD, Layout

GET_STARTED = Layout(
    "a first tutorial: sections of params by stage, artifacts, curves by id, a second dvc.yaml of artifacts only",
    {
        "params.yaml": """\
            prepare:
              split: 0.20
              seed: 20170428
            featurize:
              max_features: 200
              ngrams: 2
            train:
              seed: 20170428
              n_est: 50
              min_split: 0.01
            """,
        **{f"src/{name}.sh": SPREAD for name in ("prepare", "featurize")},
        "src/train.sh": JOIN,
        "src/evaluate.sh": SCORE,
        "data/questions.txt": "what\nwhich\n",
        "live/dvc.yaml": """\
            artifacts:
              text-sorter:
                path: ../model.txt
                type: model
                labels: [text]
            """,
        "dvc.yaml": """\
            artifacts:
              questions:
                path: data/questions.txt
                type: dataset
                desc: What people asked
              sorter:
                path: model.txt
                desc: Sorts questions
                type: model
                labels:
                - text
                - sorting
            stages:
              prepare:
                cmd: sh src/prepare.sh data/prepared data/questions.txt
                deps:
                - data/questions.txt
                - src/prepare.sh
                params:
                - prepare.seed
                - prepare.split
                outs:
                - data/prepared
              featurize:
                cmd: sh src/featurize.sh data/features data/prepared
                deps:
                - data/prepared
                - src/featurize.sh
                params:
                - featurize.max_features
                - featurize.ngrams
                outs:
                - data/features
              train:
                cmd: sh src/train.sh model.txt data/features params.yaml
                deps:
                - data/features
                - src/train.sh
                params:
                - train.min_split
                - train.n_est
                - train.seed
                outs:
                - model.txt
              evaluate:
                cmd: >-
                  sh src/evaluate.sh eval/metrics.json model.txt data/features &&
                  mkdir -p eval/live/roc &&
                  echo '{"roc": [{"fpr": 0, "tpr": 0.5}]}' | tee eval/live/roc/test.json > eval/live/roc/train.json
                deps:
                - data/features
                - model.txt
                - src/evaluate.sh
                outs:
                - eval/live:
                    cache: false
                metrics:
                - eval/metrics.json:
                    cache: false
            plots:
            - Curve:
                template: simple
                x: fpr
                y:
                  eval/live/roc/train.json: tpr
                  eval/live/roc/test.json: tpr
            - eval/live/roc:
                x: fpr
            """,
    },
    added=("data/questions.txt",),
    edits={
        "params.yaml": "prepare: {split: 0.2, seed: 1}\nfeaturize: {max_features: 9, ngrams: 2}\n"
        "train: {seed: 20170428, n_est: 50.0, min_split: 0.01}\n"
    },
)

LIVE = Layout(
    "experiments whose logger leaves metrics and plots inside of cached folders, named by top-level sections",
    {
        "params.yaml": "base: {seed: 42}\ndata_split: {parts: [a, b]}\ntrain: {lr: 0.001, epochs: 8}\nevaluate: {n: 5}\n",
        "src/split.sh": SPREAD,
        "src/train.sh": "mkdir -p models out/train/plots/metrics\ncat data/train_data/all.txt params.yaml > models/m.pkl\n"
        "cat models/m.pkl params.yaml > models/m.pth\nprintf 'step\\tloss\\n0\\t1\\n' > out/train/plots/metrics/loss.tsv\n"
        "echo '{\"loss\": 0.25, \"step\": 1}' > out/train/metrics.json\necho 'lr: 0.001' > out/train/params.yaml\n",
        "src/evaluate.sh": 'sh src/split.sh out/evaluate/plots "$@"\necho \'{"dice": 0.75}\' > out/evaluate/metrics.json\n',
        "data/pool/a.txt": "a\n",
        "data/pool/b.txt": "b\n",
        "dvc.yaml": """\
            params:
            - out/train/params.yaml
            metrics:
            - out/train/metrics.json
            - out/evaluate/metrics.json
            plots:
            - out/train/plots/metrics:
                x: step
            - out/evaluate/plots
            artifacts:
              pools:
                path: models/m.pkl
                type: model
                desc: This one finds pools, and its description runs on for so long that the line
                  has to be folded.
                labels: [images, small]
            stages:
              data_split:
                cmd: sh src/split.sh data/train_data data/pool && cp -r data/train_data data/test_data
                deps: [data/pool, src/split.sh]
                params: [base, data_split]
                outs: [data/test_data, data/train_data]
              train:
                cmd: sh src/train.sh
                deps: [data/train_data, src/train.sh]
                params: [base, train]
                outs: [models/m.pkl, models/m.pth, out/train]
              evaluate:
                cmd: mkdir -p out/evaluate && sh src/evaluate.sh data/test_data models/m.pkl
                deps: [data/test_data, models/m.pkl, src/evaluate.sh]
                params: [base, evaluate]
                outs: [out/evaluate]
              package:
                cmd: cp models/m.pth code.pth && cat code.pth code.pth > package.bin
                  && rm code.pth
                deps: [models/m.pth]
                outs: [package.bin]
            """,
    },
    added=("data/pool",),
    edits={"data/pool/c.txt": "c\n"},
)

CONFIGURED = Layout(
    "a course: one configuration, paths put together from it, a check of packages that always runs",
    {
        "params.yaml": """\
            # what everything shares
            base:
              seed: 42
              packages: packages.txt
            data_load:
              dir: data
              name: tiles
            data_split:
              train: data/train/images
              test: data/test/images
              share: 0.2
            train:
              dir: models
              name: net.pkl
              valid: 0.1
            evaluate: {rows: 4}
            """,
        **{f"src/stages/{name}.sh": SPREAD for name in ("load", "split")},
        "src/stages/train.sh": JOIN,
        "src/stages/eval.sh": SCORE,
        "raw.txt": "1\n2\n",
        "dvc.yaml": """\
            # All of the pipeline
            stages:
            # First the packages
              check_packages:
                cmd: echo sh > ${base.packages}
                always_changed: true
                outs:
                  - ${base.packages}
              data_load:
                cmd: sh src/stages/load.sh ${data_load.dir}/${data_load.name}/images raw.txt
                deps:
                  - src/stages/load.sh
                  - ${base.packages}
                  - raw.txt
                params:
                  - base
                  - data_load
                outs:
                  - ${data_load.dir}/${data_load.name}/images
              data_split:
                cmd:
                - sh src/stages/split.sh ${data_split.train} ${data_load.dir}/${data_load.name}/images
                - sh src/stages/split.sh ${data_split.test} ${data_load.dir}/${data_load.name}/images
                deps:
                  - src/stages/split.sh
                  - ${base.packages}
                  - ${data_load.dir}/${data_load.name}/images
                params:
                  - base
                  - data_load
                  - data_split
                outs:
                  - ${data_split.train}
                  - ${data_split.test}
              train:
                cmd: sh src/stages/train.sh ${train.dir}/${train.name} ${data_split.train}
                deps:
                  - ${data_split.train}
                  - src/stages/train.sh
                  - ${base.packages}
                params:
                  - base
                  - data_split
                  - train

                outs:
                  - '${train.dir}/${train.name}'
              evaluate:
                cmd: sh src/stages/eval.sh metrics.json ${data_split.test} ${train.dir}/${train.name}
                deps:
                  - ${data_split.test}
                  - models/net.pkl
                  - src/stages/eval.sh
                params:
                  - base
                  - train
                  - data_split
                  - evaluate

                metrics:
                - metrics.json:

                    cache: false
            """,
    },
    edits={
        "params.yaml": """\
            base: {seed: 43, packages: packages.txt}
            data_load: {dir: data, name: plates}
            data_split: {train: data/train/images, test: data/test/images, share: 0.2}
            train: {dir: models, name: net.pkl, valid: 0.1, new: 1}
            evaluate: {rows: 4}
            """
    },
)

CONTAINERS = Layout(
    "a detector run in containers: variables of the file beside params, folded commands, many uncached pictures",
    {
        "params.yaml": """\
            data: {dataset: coco, train: sets/train.yaml}
            train: {weights: n.pt, dir: models/weights, epochs: 3, project: runs/train, flags: --nosave --quad}
            val: {project: runs/val, conf: 0.001, flags: ''}
            export:
              size: 640
              formats:
              - {name: onnx, ext: onnx}
              - {name: script, ext: torchscript}
              - {name: tf, ext: pb}
            """,
        "sets/train.yaml": "names: [cat]\n",
        "dvc.yaml": """\
            vars:
              - workdir: /srv/app
              - IMAGE: detector:latest

            stages:

              # download:
              #   cmd: get ${data.dataset}

              weights:
                params:
                  - train
                cmd:
                - |
                  mkdir -p ${train.dir} \\
                    && echo "${IMAGE} ${workdir} \\${HOME:+x} $(true)" \\
                    > ${train.dir}/${train.weights}
                outs:
                  - models/weights/${train.weights}:
                      cache: false

              train:
                params:
                  - train
                  - data.train
                cmd: >-
                  mkdir -p ${train.project}/weights &&
                  echo
                  --weights ${train.dir}/${train.weights}
                  --data ${data.train}
                  --epochs ${train.epochs}
                  --name ''
                  ${train.flags}
                  > ${train.project}/weights/best.pt &&
                  cp ${train.project}/weights/best.pt ${train.project}/weights/last.pt &&
                  printf 'epoch,map\\n0,0.5\\n1,0.75\\n' > ${train.project}/results.csv &&
                  echo 'lr0: 0.01' > ${train.project}/hyp.yaml &&
                  for name in confusion F1_curve labels; do echo $name > ${train.project}/$name.png; done
                deps:
                  - models/weights/${train.weights}
                  - ${data.train}
                outs:
                  - ${train.project}/weights/last.pt
                  - ${train.project}/weights/best.pt
                metrics:
                  - ${train.project}/hyp.yaml:
                      cache: false
                plots:
                  - ${train.project}/results.csv:
                      cache: false
                      x: epoch
                  - ${train.project}/confusion.png:
                      cache: false
                  - ${train.project}/F1_curve.png:
                      cache: false
                  - ${train.project}/labels.png:
                      cache: false

              val:
                cmd: >-
                  mkdir -p ${val.project} && echo
                  ${val.conf}
                  ${val.flags}
                  > ${val.project}/best.json
                params:
                  - val
                deps:
                  - ${train.project}/weights/best.pt
                outs:
                  - ${val.project}/best.json:
                      cache: false

              exports:
                foreach: ${export.formats}
                do:
                  cmd: >-
                    cp ${train.project}/weights/best.pt ${train.project}/weights/best.${item.ext}
                    && : ${item.name} ${export.size}
                  deps:
                    - ${train.project}/weights/best.pt
                  outs:
                    - ${train.project}/weights/best.${item.ext}
            """,
    },
    edits={"sets/train.yaml": "names: [dog]\n"},
)

HYDRA = Layout(
    "composed configurations: params.yaml is the out of a stage, templates read it, and a folder of fragments is a dep",
    {
        "setup.cfg": "[metadata]\n",
        "conf/config.yaml": "defaults: [model: torch]\n",
        "conf/model/torch.yaml": "layers: 3\n",
        "examples/power/params.yaml": """\
            data: {name: digits, sample: {n: 100, random_state: 0}}
            model: {init: {layers: 3}, trainer: {epochs: 1}}
            attack: {size: 10}
            files: {directory: output, reports: reports, name: default, scores: score.json, file: a, type: .pkl}
            device_id: cpu
            """,
        "examples/power/conf/power.yaml": "hydra: {run: {dir: '${files.directory}'}}\n",
        "examples/power/dvc.yaml": """\
            stages:
              install:
                cmd: mkdir -p ../../tool.info && echo 1 > ../../tool.info/version
                deps:
                  - ../../setup.cfg
                outs:
                  - ../../tool.info:
                      cache: False
                      persist: True
              parse_params:
                cmd: "true # ${data.name}.yaml"
                deps:
                  - conf/
                outs:
                  - params.yaml:
                      cache: False
                      persist: True
              train:
                cmd: >-
                  mkdir -p ${files.directory}/${files.reports}/train/${files.name}
                  && echo '{"accuracy": 0.5}' > ${files.directory}/${files.reports}/train/${files.name}/${files.scores}
                params:
                  - data
                  - model
                  - files
                  - device_id
                # outs:
                  # - ${files.directory}/${files.file}
                metrics:
                  - ${files.directory}/${files.reports}/train/${files.name}/${files.scores}:
                      cache : false
              attack:
                cmd: >-
                  mkdir -p ${files.directory}/attack ${files.directory}/${files.reports}/attack/${files.name}
                  && cat params.yaml > ${files.directory}/attack/${files.file}${files.type}
                  && echo '{"accuracy": 0.25}' > ${files.directory}/${files.reports}/attack/${files.name}/${files.scores}
                params:
                  - data
                  - model
                  - attack
                  - files
                deps:
                    - params.yaml
                outs:
                  - ${files.directory}/attack/${files.file}${files.type}:
                      cache : false
                metrics:
                  - ${files.directory}/${files.reports}/attack/${files.name}/${files.scores}:
                      cache: false
              attacks:
                cmd: echo ++attack.size=${attack.size} >> ${files.directory}/${data.name}.db
                deps:
                  - ${files.directory}/${files.reports}/attack/${files.name}/${files.scores} # so that it runs after it
                outs:
                  - ${files.directory}/${data.name}.db:
                      cache: false
                      persist: true
            """,
    },
    edits={"examples/power/conf/power.yaml": "hydra: {}\n"},
)

VALIDATED = Layout(
    "one model checked on the sets of several customers: metrics of a group in a folder that the next stage reads",
    {
        "params.yaml": """\
            reports_dir: reports
            data_load: {rows: 3}
            train: {lr: 0.1}
            evaluate:
              metrics_dir: metrics
              datasets: [micro, customer-1, customer-2]
            collect_metrics: {metrics: metrics.json}
            check_metrics: {report: alerts.csv}
            """,
        "params-default.yaml": "epochs: 10\nsize: {w: 1, h: 2}\n",
        "params-test.yaml": "epochs: 1\nsize: {w: 1, h: 1}\n",
        **{f"stages/{name}.sh": SCORE for name in ("evaluate", "collect")},
        "stages/train.sh": JOIN,
        "dvc.yaml": """\
            stages:

              train:
                cmd: sh stages/train.sh model params.yaml
                deps:
                - stages/train.sh
                params:
                - train
                - params-default.yaml:
                  - epochs
                  - size
                - params-test.yaml:
                outs: [model]


              evaluate:
                foreach:
                  ${evaluate.datasets}
                do:
                  cmd: sh stages/evaluate.sh ${reports_dir}/${evaluate.metrics_dir}/of_${item}.json model
                  deps:
                  - stages/evaluate.sh
                  - model
                  params:
                  - reports_dir
                  - evaluate
                  metrics:
                  - ${reports_dir}/${evaluate.metrics_dir}/of_${item}.json:
                      cache: false


              collect_metrics:
                cmd: sh stages/collect.sh ${reports_dir}/${collect_metrics.metrics} ${reports_dir}/${evaluate.metrics_dir}
                deps:
                - stages/collect.sh
                - ${reports_dir}/${evaluate.metrics_dir}
                params:
                - reports_dir
                - collect_metrics
                metrics:
                - ${reports_dir}/${collect_metrics.metrics}:
                    cache: false


              check_metrics:
                cmd: printf 'a,b\\n1,2\\n' > ${reports_dir}/${check_metrics.report}
                deps:
                - ${reports_dir}/${collect_metrics.metrics}
                params:
                - check_metrics
                plots:
                - ${reports_dir}/${check_metrics.report}:
                    cache: false
            """,
    },
    edits={"params-test.yaml": "epochs: 2\nsize: {w: 1, h: 1}\n"},
)

SCRIPTED = Layout(
    "a pull request workflow: settings in Python and TOML, rows of metrics, a confusion matrix, files kept out of sight",
    {
        ".github/workflows/train.yaml": "on: pull_request\njobs: {train: {steps: [{run: dvc repro}]}}\n",
        ".dvcignore": "# of no use to DVC\n**/inference\n*.log\n!keep.log\n",
        "src/config.py": "import os\n\nSEED = 3\nSIZES: tuple = (1, 2)\nHOME = os.getcwd()\nclass Train:\n    lr = 1e-3\n    deep = {'a': [1]}\n",
        "pyproject.toml": "[project]\nname = 'x'\n[tool.train]\nepochs = 3\nrates = [0.1, 1.0]\n",
        "src/train.sh": JOIN,
        "src/inference/own.txt": "not seen\n",
        "src/train.log": "not seen\n",
        "src/keep.log": "seen\n",
        "dvc.yaml": """\
            stages:
              train:
                cmd: sh src/train.sh out/model.bin src/config.py pyproject.toml
                deps: [src]
                params:
                - src/config.py:
                  - SEED
                  - SIZES
                  - Train.lr
                  - Train.deep.a
                - pyproject.toml:
                  - tool.train
                outs: [out/model.bin]
              evaluate:
                cmd: >-
                  printf 'actual,predicted\\ncat,dog\\n' > out/confusion.csv;
                  printf 'loss: 0.125\\nby: {cat: 1, dog: 2.0}\\n' > out/summary.yaml;
                  printf '{"acc": 0.1}\\n{"acc": 0.2}\\n' > out/rows.jsonl
                deps: [out/model.bin]
                metrics:
                - out/summary.yaml: {cache: false}
                plots:
                - out/confusion.csv:
                    cache: false
                    template: confusion
                    x: actual
                    y: predicted
                    title: What was taken for what
                - out/rows.jsonl:
                    cache: false
            """,
    },
    edits={
        "src/config.py": "SEED = 4\nSIZES = (1, 2)\nclass Train:\n    lr = 1e-3\n    deep = {'a': [1]}\n",
        "src/new.log": "x\n",
    },
)

GENERATED = Layout(
    "a pipeline that a tool wrote from its own project file: every step takes and gives the same few folders",
    {
        "dvc.yaml": """\
            # This file was written from project.yml. Do not edit it, edit project.yml instead.
            stages:
              preprocess:
                cmd:
                - mkdir -p corpus
                - sort assets/train.txt > corpus/train.bin
                - sort assets/dev.txt > corpus/dev.bin
                deps:
                - assets/train.txt
                - assets/dev.txt
                outs:
                - corpus/train.bin
                - corpus/dev.bin
            """,
        "sub/dvc.yaml": """\
            stages:
              train:
                cmd:
                - mkdir -p ../training/model-best
                - cat ../corpus/*.bin config.cfg > ../training/model-best/model
                deps:
                - config.cfg
                - ../corpus/train.bin
                - ../corpus/dev.bin
                outs:
                - ../training/model-best
              evaluate:
                cmd:
                - "echo '{\\"cats_score\\": 0.9, \\"speed\\": 1e4, \\"per\\": {\\"POS\\": {\\"p\\": 1}}}' > ../training/metrics.json"
                deps:
                - ../corpus/dev.bin
                - ../training/model-best
                metrics:
                - ../training/metrics.json:
                    cache: false
            """,
        "sub/config.cfg": "[training]\nseed = 0\n",
        "assets/train.txt": "b\na\n",
        "assets/dev.txt": "d\nc\n",
    },
    added=("assets/train.txt", "assets/dev.txt"),
    edits={"assets/dev.txt": "e\n"},
)

RUN = (GET_STARTED, LIVE, CONFIGURED, CONTAINERS, HYDRA, VALIDATED, SCRIPTED, GENERATED)
