"""The projects that are measured: chains, a foreach, many files, a history; written as text, the same each time."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

RETRAIN = (sys.executable, "-I", "-m", "runner")
DVC = (sys.executable, "-m", "dvc")


class Finished:
    """Gives a side its copy of a project that was run; made at the first call, by `retrain`, for DVC takes long."""

    def __init__(self, folder: Path, write: Callable[[Path], None], environ: Mapping[str, str]) -> None:
        """Keep what to write below `folder`, and where programs are found to run it."""
        self._folder, self._write, self._environ = folder, write, environ

    def __call__(self, side: str) -> Path:
        """Give the folder of a side, `ours` or `theirs`."""
        if not self._folder.exists():
            self._write(self._folder / "ours")
            repro = [*RETRAIN, "repro", "--quiet"]
            subprocess.run(repro, cwd=self._folder / "ours", env=self._environ, capture_output=True, check=True)
            shutil.copytree(self._folder / "ours", self._folder / "theirs", symlinks=True)
        return self._folder / side


class Written:
    """Gives both sides one project that was written and not run, for commands that only read."""

    def __init__(self, folder: Path, write: Callable[[Path], None]) -> None:
        """Keep what to write into `folder`."""
        self._folder, self._write = folder, write

    def __call__(self, _side: str) -> Path:
        """Give the folder."""
        if not self._folder.exists():
            self._write(self._folder)
        return self._folder


def write_side_by_side(root: Path, stages: int, cmd: str) -> None:
    """Write a project of `stages` stages that do not depend on each other and each run `cmd`."""
    texts = (f"  s{at}:\n    cmd: {json.dumps(f'{cmd} && touch o{at}')}\n    outs: [o{at}]\n" for at in range(stages))
    _begin(root, {"dvc.yaml": f"stages:\n{''.join(texts)}"})


def write_chain(root: Path, stages: int, params: int = 0) -> None:
    """Write a project of `stages` stages, each copying the out of the one before and reading `params` parameters."""
    names = [f"p{number}" for number in range(stages * params)]
    files = {
        "o0": "seed\n",
        "params.yaml": "".join(f"{name}: 0.{at}\n" for at, name in enumerate(names)),
        "dvc.yaml": "stages:\n" + "".join(_link(at, params) for at in range(stages)),
    }
    _begin(root, files)


def write_foreach(root: Path, stages: int) -> None:
    """Write one foreach over a mapping of params.yaml with `stages` entries: each stage reads two parameters."""
    models = "".join(f"  m{at}:\n    lr: 0.{at}\n    depth: {at}\n" for at in range(stages))
    stage = (
        "  train:\n    foreach: ${models}\n    do:\n      cmd: cp seed ${key}.out # ${item.lr}\n"
        "      deps:\n      - seed\n      params:\n      - models.${key}.lr\n      - models.${key}.depth\n"
        "      outs:\n      - ${key}.out\n"
    )
    _begin(root, {"seed": "seed\n", "params.yaml": f"models:\n{models}", "dvc.yaml": f"stages:\n{stage}"})


def write_monorepo(root: Path, folders: int, stages: int) -> None:
    """Write `folders` folders with a dvc.yaml of a chain of `stages` stages each; all begin with the same dep."""
    text = "stages:\n" + "".join(_link(at, 0) for at in range(1, stages))
    first = "  s0:\n    cmd: cp ../seed o1\n    deps:\n    - ../seed\n    outs:\n    - o1\n"
    text = text.replace("stages:\n", f"stages:\n{first}")
    _begin(root, {"seed": "seed\n", **{f"f{at}/dvc.yaml": text for at in range(folders)}})


def write_history(root: Path, stages: int) -> None:
    """Write two commits of a project whose stages have a parameter and a metrics file each; all values differ."""
    text = "stages:\n" + "".join(
        f"  s{at}:\n    cmd: train {at}\n    params:\n    - p{at}\n"
        f"    metrics:\n    - m{at}.json:\n        cache: false\n"
        for at in range(stages)
    )
    _begin(root, {"dvc.yaml": text, **_values(stages, 0)})
    _put(root, _values(stages, 1))
    _commit(root, "Train again")


def _values(stages: int, run: int) -> dict[str, str]:
    metrics = {f"m{at}.json": json.dumps({"accuracy": at + run / 10, "loss": run}) for at in range(stages)}
    return {"params.yaml": "".join(f"p{at}: {run}.{at}\n" for at in range(stages)), **metrics}


def _link(at: int, params: int) -> str:
    """Give the text of one stage of a chain."""
    keys = [f"p{at * params + number}" for number in range(params)]
    reads = f"    params: {json.dumps(keys)}\n" if keys else ""
    return f"  s{at}:\n    cmd: cp o{at} o{at + 1}\n    deps:\n    - o{at}\n{reads}    outs:\n    - o{at + 1}\n"


def _begin(root: Path, files: Mapping[str, str]) -> None:
    """Make a repository and a DVC project with a first commit of `files`, text by path."""
    settings = {
        ".dvc/config": "[core]\n    analytics = false\n    check_update = false\n",
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    }
    _put(root, {**settings, **files})
    subprocess.run(["git", "init", "--quiet", "-b", "main"], cwd=root, check=True)
    _commit(root, "Begin")


def _put(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def _commit(root: Path, message: str) -> None:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    subprocess.run(["git", *identity, "commit", "--quiet", "-m", message], cwd=root, check=True)
