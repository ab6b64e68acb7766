"""Make legacy_projects.json: small projects as DVC 2.58.2, the last that reads stage files, left them step by step.

Run by hand, in a virtual environment of its own; no test needs that DVC:

    python -m venv venv
    venv/bin/pip install dvc==2.58.2 pathspec==0.11.2 'dulwich<0.22'
    python tests/vectors/make_legacy_projects.py venv/bin/dvc > tests/vectors/legacy_projects.json
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

Files = dict[str, str]

PIPELINE = """\
stages:
  split:
    cmd: mkdir parts; cp data/one data/two parts; cat notes.txt > first.txt; echo 2 > rows.json
    deps: [data, notes.txt]
    params: [rate]
    outs: [parts, first.txt]
    metrics: [rows.json]
  fit:
    cmd: cat first.txt params.yaml > model
    deps: [first.txt]
    params: [rate]
    outs: [model]
"""
PREPARE = """\
# how the words are counted
cmd: sh count.sh words > counted
deps:
- path: count.sh
- path: words   # tracked beside it
outs:
- path: counted
  cache: true
"""
EVALUATE = """\
cmd: wc -c < counted | sed 's/.*/{"score":&}/' > ../score.json; cp counted kept; echo x >> log
wdir: work
locked: false
deps:
- path: ../counted
- path: counted
outs:
- path: ../score.json
  cache: false
  metric:
    type: json
    xpath: $.score
- path: kept
- path: log
  persist: true
"""
COPY = """\
cmd: cp counted work/counted
deps:
- path: counted
outs:
- path: work/counted
  metric: false
"""
FOLDER = """\
cmd: mkdir made; cp counted made/a; cp words made/b
deps:
- path: counted
- path: words
- path: count.sh
outs:
- path: made
meta:
  by: hand
"""
PROJECTS: dict[str, tuple[Files, list[list[str]]]] = {
    "pipeline": (
        {
            "notes.txt": "a\r\nb\r\n",
            "data/one": "x\r\n",
            "data/two": "\0\r\n",
            "params.yaml": "rate: 1\n",
            "dvc.yaml": PIPELINE,
        },
        [["add", "notes.txt", "data"], ["repro"]],
    ),
    "stages": (
        {
            "words": "one\r\ntwo\r\n",
            "count.sh": "wc -l < $1\n",
            "prepare.dvc": PREPARE,
            "copy.dvc": COPY,
            "folder.dvc": FOLDER,
            "Dvcfile": EVALUATE,
            "work/.keep": "",
        },
        [["add", "words"], ["repro", "Dvcfile", "folder.dvc"]],
    ),
}
SECOND: dict[str, Files] = {
    "pipeline": {"params.yaml": "rate: 2\n"},
    "stages": {"words": "one\r\ntwo\r\nthree\r\n"},
}


def main(dvc: str) -> None:
    """Print every project: its files before, after the first run, and after something changed and it ran again."""
    made = {}
    for name, (files, commands) in PROJECTS.items():
        with tempfile.TemporaryDirectory() as folder:
            made[name] = run(Path(folder), dvc, files, [commands, commands[1:]], SECOND[name])
    json.dump(made, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


def run(folder: Path, dvc: str, files: Files, rounds: list[list[list[str]]], second: Files) -> dict[str, object]:
    """Give the files after each round, in base64; the second begins with other contents."""
    root = folder / "project"
    root.mkdir()
    environ = {**os.environ, "DVC_SITE_CACHE_DIR": str(folder / "site"), "DVC_NO_ANALYTICS": "1"}
    for command in (["git", "init", "-q"], [dvc, "init", "-q"]):
        subprocess.run(command, cwd=root, check=True)
    steps = {}
    for name, put, commands in (("ran", files, rounds[0]), ("ran again", second, rounds[1])):
        for path, text in put.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).unlink(missing_ok=True)
            (root / path).write_bytes(text.encode())
        for arguments in commands:
            subprocess.run([dvc, *arguments], cwd=root, env=environ, check=True, stdout=sys.stderr)
        steps[name] = snapshot(root)
    return {"written": {path: base64.b64encode(text.encode()).decode() for path, text in files.items()}, **steps}


def snapshot(root: Path) -> dict[str, str]:
    """Give what lies below `root`, except what git and DVC keep for themselves."""
    unseen = (".git/", ".dvc/tmp/")
    paths = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {
        name: base64.b64encode(path.read_bytes()).decode()
        for name, path in sorted(paths.items())
        if not name.startswith(unseen)
    }


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).absolute()))
