"""What a whole run costs, as a user waits for it: from a fresh clone with an empty cache to the verdict.

A project of four stages of which one is stale, its data on S3: `retrain run` against the script that people write
today, `dvc pull`, `dvc repro`, `dvc metrics diff`, `dvc push`; and before it the installation of each program.
`python benchmarks/whole.py` takes five minutes and rewrites its section of docs/performance.md; `--quick` measures
once, installs nothing and writes nothing; `--only TEXT` measures the cases whose name holds TEXT, and writes nothing.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shlex
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import page
from harness import Case, clean_environ, compare, machine, publish
from projects import DVC, RETRAIN
from servers import BUCKET, KEYS, Counter, s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from servers import Counted

PAIRS = 5
RAW = 1_000  # files of 4 KiB
LARGE = 16 << 20  # bytes of what the stages write
NOTE = (
    f"A project of four stages, with {RAW:,} files of 4 KiB of raw data and three files of {LARGE >> 20} MiB that "
    "it reads and writes; everything was pushed, then a commit changed a threshold that only the last stage "
    "reads. Each run starts from a fresh clone with an empty cache and ends with the verdict. The script is `dvc "
    "pull && dvc repro && dvc metrics diff && dvc push`; its gate, its report and its comment would come on top. "
    "The commands of the stages only copy and count. S3 is `rclone serve s3`; requests and received bytes were "
    "counted in a run that was not timed. Installing is `python -m venv` and `pip install` of `dvc[s3]`, or of "
    "the packages in requirements.lock, without pip's cache, in one pair: it says as much of the package index as "
    "of either program."
)
_STAGES = """stages:
  prepare:
    cmd: cat raw/* > prepared
    deps: [raw]
    outs: [prepared]
  featurize:
    cmd: tail -c +2 large > features
    deps: [prepared, large]
    outs: [features]
  train:
    cmd: tail -c +2 features > model && echo 1,2 > sample.csv
    deps: [features]
    outs: [model, sample.csv]
  evaluate:
    cmd: python3 evaluate.py
    deps: [evaluate.py, model, sample.csv]
    params: [threshold]
    metrics:
    - metrics.json:
        cache: false
"""
_EVALUATE = """import json
threshold = float(open("params.yaml").read().split(":")[1])
print(sum(float(cell) for cell in open("sample.csv").read().split(",")))
json.dump({"accuracy": 0.9 + threshold / 100}, open("metrics.json", "w"))
"""
_GATES = "gates:\n  - metric: metrics.json:$.accuracy\n    better: higher\n    at-least: 0.5\n"
_IDENTITY = {f"GIT_{who}_{what}": "bench@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_VERBS = (("pull",), ("repro",), ("metrics", "diff", "main"), ("push",))
_SCRIPT = " && ".join(shlex.join((*DVC, *verb)) for verb in _VERBS)


def main() -> None:
    """Measure, show and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 pair, nothing installed; nothing written")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with TEXT in their name; nothing written")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, s3_server(Path(name) / "s3") as endpoint:
        counter = Counter(endpoint)
        environ = clean_environ(Path(name)) | KEYS | _IDENTITY
        with counter.running():
            every = cases(Path(name), environ, endpoint, counter)
            chosen = [case for case in every if asked.only in case.name and not (asked.quick and case.is_long)]
            outcomes = [compare(case, environ, 0, 1 if asked.quick else PAIRS) for case in chosen]
    page.show(machine(), outcomes)
    if not (asked.quick or asked.only):
        publish("whole", outcomes, NOTE)


def cases(folder: Path, environ: Mapping[str, str], endpoint: str, counter: Counter) -> Iterator[Case]:
    """Give the cases one by one."""
    clones = _Clones(folder, environ, endpoint)
    script = ("sh", "-c", _SCRIPT)

    @contextmanager
    def counting() -> Iterator[Counted]:
        clones.endpoint = counter.address
        with counter.counting() as counted:
            yield counted
        clones.endpoint = endpoint

    yield Case("clone to verdict, 1 of 4 stages stale", (*RETRAIN, "run"), script, 5, clones, counting=counting)
    yield Case(
        "install",
        _install("--requirement", page.ROOT / "requirements.lock"),
        _install("dvc[s3]"),
        0,
        clones,
        is_long=True,
    )


def _install(*what: str | Path) -> tuple[str, ...]:
    pip = ("env/bin/pip", "install", "--no-cache-dir", "--quiet", "--disable-pip-version-check", *map(str, what))
    return ("sh", "-c", f"{shlex.join((sys.executable, '-m', 'venv', 'env'))} && {shlex.join(pip)}")


class _Clones:
    """Gives a side a fresh clone each time, with a commit that nobody has run."""

    def __init__(self, folder: Path, environ: Mapping[str, str], endpoint: str) -> None:
        self.endpoint = endpoint
        self._folder, self._environ = folder, environ
        self._numbers = itertools.count()

    def __call__(self, side: str) -> Path:
        """Give the clone."""
        origin = self._folder / "origin"
        if not origin.exists():
            self._make(origin)
        number = next(self._numbers)
        root = self._folder / f"{side}-{number}"
        self._git(self._folder, "clone", "--quiet", str(origin), str(root))
        self._git(root, "checkout", "--quiet", "-b", "change")
        (root / "params.yaml").write_text(f"threshold: 0.{number + 1:04}\n", encoding="utf-8")
        self._git(root, "commit", "--quiet", "--all", "--message", "Change the threshold")
        self._tell_endpoint(root)
        return root

    def _make(self, origin: Path) -> None:
        """Make the project, run all of it, and push its data."""
        (origin / ".dvc").mkdir(parents=True)
        (origin / "raw").mkdir()
        for number in range(RAW):
            (origin / "raw" / f"{number:06}").write_bytes(os.urandom(4096))
        (origin / "large").write_bytes(os.urandom(LARGE))
        texts = {
            "dvc.yaml": _STAGES,
            "evaluate.py": _EVALUATE,
            "retrain.yaml": _GATES,
            "params.yaml": "threshold: 0.5\n",
            ".gitignore": "/raw\n/large\n",
            ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
            ".dvc/config": f"[core]\n    analytics = false\n    remote = s\n['remote \"s\"']\n    url = s3://{BUCKET}/whole\n",
        }
        for path, text in texts.items():
            (origin / path).write_text(text, encoding="utf-8")
        self._tell_endpoint(origin)
        self._git(origin, "init", "--quiet", "-b", "main")
        self._run(origin, *DVC, "add", "--quiet", "raw", "large")
        self._git(origin, "add", "--all")
        self._run(origin, *RETRAIN, "repro")
        self._run(origin, *RETRAIN, "push")
        self._git(origin, "add", "--all")
        self._git(origin, "commit", "--quiet", "--message", "Train")

    def _tell_endpoint(self, root: Path) -> None:
        text = f"['remote \"s\"']\n    endpointurl = {self.endpoint}\n    region = us-east-1\n"
        (root / ".dvc" / "config.local").write_text(text, encoding="utf-8")

    def _git(self, root: Path, *words: str) -> None:
        self._run(root, "git", *words)

    def _run(self, root: Path, *command: str) -> None:
        subprocess.run(command, cwd=root, env=self._environ, check=True, capture_output=True)


if __name__ == "__main__":
    main()
