"""What a stage runs and reads without saying so, and what a shell makes of its lines."""

from __future__ import annotations

import pytest

from tests.support.linting import found, shown

SCRIPTS = dict.fromkeys(
    (
        *("train.py", "src/train.py", "pkg/mod.py", "pkg/sub/__main__.py", "src/lib/run.py"),
        *("run.sh", "scripts/run.sh", "fit.R", "nb/report.ipynb", "bin/tool", "fit.jl", "w/local.py"),
    ),
    "",
)


def stage(*lines: str, name: str = "s") -> str:
    return f"stages:\n  {name}:\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("cmd", "script"),
    [
        ("python train.py --rate 1", "train.py"),
        ("python3.11 -u -W ignore -X dev src/train.py", "src/train.py"),
        ("python -m pkg.mod", "pkg/mod.py"),
        ("python -um pkg.sub", "pkg/sub/__main__.py"),
        ("python -m lib.run", "src/lib/run.py"),
        ("PYTHONPATH=src/lib python -m run", "src/lib/run.py"),
        ("export PYTHONPATH=src/lib && python -m run", "src/lib/run.py"),
        ("bash -eu -o pipefail run.sh", "run.sh"),
        ("./run.sh", "run.sh"),
        ("bin/tool --fast", "bin/tool"),
        (". scripts/run.sh", "scripts/run.sh"),
        ("Rscript --vanilla fit.R", "fit.R"),
        ("julia --project=. fit.jl", "fit.jl"),
        ("papermill nb/report.ipynb out.ipynb -p k v", "nb/report.ipynb"),
        ("jupyter nbconvert --to html --execute nb/report.ipynb", "nb/report.ipynb"),
        ("poetry run python src/train.py", "src/train.py"),
        ("uv run --with numpy src/train.py", "src/train.py"),
        ("conda run -n env --no-capture-output python src/train.py", "src/train.py"),
        ("accelerate launch --num_processes 2 src/train.py --x 1", "src/train.py"),
        ("torchrun --nproc-per-node 2 src/train.py", "src/train.py"),
        ("CUDA_VISIBLE_DEVICES=0 OMP_NUM_THREADS=1 python src/train.py", "src/train.py"),
        ("cd src && python train.py", "src/train.py"),
        ("mkdir -p o; time python train.py > log 2>&1 | tee all", "train.py"),
        ("test -f x || python train.py", "train.py"),
        ("(cd src; python train.py)", "src/train.py"),
    ],
)
def test_a_script_that_a_command_runs_is_told_if_it_is_no_dep(cmd: str, script: str) -> None:
    text = stage(f"cmd: {cmd!r}", "deps: [data]", "outs: [o]")
    (finding,) = found({"dvc.yaml": text, "data": "", **SCRIPTS}, "RT101")
    assert finding.message == f"'s' runs {script}, which is not one of its deps"
    assert found({"dvc.yaml": text.replace("[data]", f"[{script}]"), **SCRIPTS}, "RT101") == []
    folder = script.rpartition("/")[0]
    if folder:
        assert found({"dvc.yaml": text.replace("[data]", f"[{folder}/]"), **SCRIPTS}, "RT101") == []


@pytest.mark.parametrize(
    "cmd",
    [
        "python -c 'import train' train.py",
        "python $SCRIPT",
        "python scripts/*.py",
        "python absent.py",
        "cd $DIR && python train.py",
        "bash -lc 'python train.py'",
        "echo python train.py",
        "cat train.py",
        "pip install -r requirements.txt",
        "docker run image python train.py",
        "echo 'unclosed",
        "make train",
        "dvc pull train.py",
    ],
)
def test_what_is_no_script_of_the_repository_or_cannot_be_told_is_left_alone(cmd: str) -> None:
    text = stage(f"cmd: {cmd!r}" if "'" not in cmd else f'cmd: "{cmd}"', "outs: [o]")
    assert found({"dvc.yaml": text, **SCRIPTS}, "RT101") == []


def test_a_script_is_pointed_at_where_the_command_names_it() -> None:
    text = "stages:\n  s:\n    cmd: >-\n      python src/train.py\n      --out o\n    outs: [o]\n"
    assert shown({"dvc.yaml": text, **SCRIPTS}, "RT101") == [
        "dvc.yaml:4:14: 's' runs src/train.py, which is not one of its deps"
    ]


def test_paths_of_a_command_start_from_wdir() -> None:
    text = stage("wdir: w", "cmd: python local.py", "outs: [o]")
    (finding,) = found({"dvc.yaml": text, **SCRIPTS}, "RT101")
    assert (finding.message, finding.hint[:20]) == (
        "'s' runs w/local.py, which is not one of its deps",
        "add local.py to its ",
    )


@pytest.mark.parametrize("flag", ["frozen: true", "always_changed: true"])
def test_deps_of_stages_that_look_at_none_do_not_matter(flag: str) -> None:
    assert found({"dvc.yaml": stage("cmd: python train.py", "outs: [o]", flag), **SCRIPTS}, "RT10") == []


CHAIN = """\
stages:
  clean:
    cmd: sort raw.csv > clean.csv
    deps: [raw.csv]
    outs: [clean.csv, parts]
  fit:
    cmd: tool clean.csv --config=conf.yaml --into model.bin
    deps: [other]
    outs: [model.bin]
"""


def test_a_whole_out_of_another_stage_or_a_file_of_git_in_a_command_wants_a_dep() -> None:
    texts = {"dvc.yaml": CHAIN, "raw.csv": "", "other": "", "conf.yaml": ""}
    assert shown(texts, "RT102") == [
        "dvc.yaml:7:15: 'fit' names clean.csv, which 'clean' writes, and does not depend on it",
        "dvc.yaml:7:34: 'fit' names conf.yaml, a file of git, and does not depend on it",
    ]
    declared = CHAIN.replace("deps: [other]", "deps: [clean.csv]\n    params: [{conf.yaml: [a]}]")
    assert found({**texts, "dvc.yaml": declared, "conf.yaml": "a: 1\n"}, "RT102") == []


def test_own_outs_what_holds_them_and_what_merely_sounds_like_a_path_want_no_dep() -> None:
    text = stage("cmd: tool data --log train o/deep o", "outs: [o/deep/file, data]", "deps: [train/x]")
    assert found({"dvc.yaml": text, "train/x": ""}, "RT102") == []


def test_what_a_script_imports_from_the_repository_is_noted_once_a_script() -> None:
    texts = {
        "dvc.yaml": stage("cmd: python src/train.py", "deps: [src/train.py]", "outs: [o]"),
        "src/train.py": "import os, numpy\nimport helpers\nfrom lib import model, nothing\nfrom src.deep import x\n",
        "src/helpers.py": "",
        "src/lib/model.py": "",
        "src/deep.py": "",
    }
    (finding,) = found(texts, "RT103")
    assert finding.message == (
        "src/train.py, which 's' runs, imports src/helpers.py, src/lib/model.py: no deps of the stage"
    )
    assert found({**texts, "dvc.yaml": texts["dvc.yaml"].replace("[src/train.py]", "[src]")}, "RT103") == []
    assert found({**texts, "src/train.py": "import helpers ("}, "RT103") == []


def test_a_dep_that_a_checkout_lacks_is_an_error() -> None:
    text = stage("cmd: tool", "deps: [here.csv, gone.csv, local.csv, folder, made/part, made]", "outs: [o]")
    text += "  maker:\n    cmd: tool\n    deps: [here.csv]\n    outs: [made/part]\n"
    texts = {"dvc.yaml": text, "here.csv": "", "local.csv": "", "folder/x": ""}
    assert shown(texts, "RT104", untracked=["local.csv"]) == [
        "dvc.yaml:4:22: gone.csv is in neither git nor DVC",
        "dvc.yaml:4:32: local.csv is in neither git nor DVC, only in this workspace",
    ]


def test_stages_that_depend_on_nothing_are_noted() -> None:
    text = stage("cmd: download", "outs: [raw]") + "  ping:\n    cmd: ping\n  made:\n    cmd: x\n    outs: [y]\n"
    text += "    always_changed: true\n"
    assert [f"{one.where.line} {one.rule.name}" for one in found({"dvc.yaml": text}, "RT10")] == [
        "2 no-deps",
        "5 runs-every-time",
    ]


@pytest.mark.parametrize(
    ("cmd", "code"),
    [
        ("|\n      cd src\n      python train.py", "RT107"),
        ("|\n      export RATE=1\n      python src/train.py", "RT107"),
        ("|\n      source env/bin/activate\n      python src/train.py", "RT107"),
        ("|\n      set -e\n      cd src && conda activate env\n      make", "RT107"),
        ("|\n      python src/train.py \\\n        --rate 1", "RT108"),
        ("|\n      if true; then\n        echo 1\n      fi", "RT108"),
        ("|\n      for x in 1 2; do\n        echo $x\n      done", "RT108"),
        (">\n      python src/train.py \\\n      --rate 1", "RT108"),
        ("python src/train.py \\\n      --rate 1", "RT108"),
    ],
)
def test_lines_of_a_command_that_need_one_another_are_told(cmd: str, code: str) -> None:
    texts = {"dvc.yaml": stage(f"cmd: {cmd}", "deps: [src]", "outs: [o]"), **SCRIPTS}
    assert {one.rule.code for one in found(texts) if one.rule.code in {"RT107", "RT108"}} == {code}


@pytest.mark.parametrize(
    "cmd",
    [
        "|\n      python a.py\n      python b.py",
        "|\n      cd src && python train.py\n      echo done",
        "|\n      python a.py\n      cd src",
        "|\n      for x in 1 2; do echo $x; done\n      if true; then echo 1; fi",
        "\n    - |\n      cd src\n      for x in 1 2; do\n        echo $x \\\n          again\n      done",
        ">-\n      python a.py\n      --rate 1",
        "cat a\\ b.txt",
        "\"grep 'a\\\\ b' x\"",
        "cd src",
        "|\n      export A=1; python a.py\n      python b.py",
        "|\n      set -x\n      (cd src; python a.py) > log\n      ls",
    ],
)
def test_lines_that_stand_alone_are_left_alone(cmd: str) -> None:
    texts = {"dvc.yaml": stage(f"cmd: {cmd}", "deps: [src]", "outs: [o]"), **SCRIPTS}
    codes = {one.rule.code for one in found(texts)}
    assert not codes & ({"RT108"} if "set -x" in cmd else {"RT107", "RT108"})


@pytest.mark.parametrize(
    ("cmd", "word"),
    [
        ("source env.sh && python a.py", "source"),
        ("[[ -f x ]] && y", "[["),
        ("diff <(sort a) <(sort b)", "<("),
        ("set -o pipefail; a | b", "set -o pipefail"),
        ("set -euo pipefail; a | b", "set -euo pipefail"),
        ("cat <<< text", "<<<"),
        ("a &> log", "&>"),
    ],
)
def test_what_only_bash_knows_is_told(cmd: str, word: str) -> None:
    (finding,) = found({"dvc.yaml": stage(f"cmd: {cmd!r}", "outs: [o]")}, "RT109")
    assert finding.message.startswith(repr(word))


@pytest.mark.parametrize(
    "cmd",
    ["bash -c 'source env.sh'", "echo '[[ x ]]'", "[ -f x ] && y", "a > b 2>&1", "echo source", "a << E", "x && y"],
)
def test_what_every_shell_knows_is_left_alone(cmd: str) -> None:
    assert found({"dvc.yaml": stage(f'cmd: "{cmd}"', "outs: [o]")}, "RT109") == []
