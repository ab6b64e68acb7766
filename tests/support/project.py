"""A small DVC project on a code host: trained on main, with branches that change one thing each.

Stages are shell commands of a few milliseconds. Each run of one leaves a line in `ran.log` beside the workspace,
so that a test sees what really ran. The remote is a directory beside it.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.environment import Program

DATA = "some rows\n" * 100
PIPELINE = """\
stages:
  prepare:
    cmd: cat data.txt > prepared.txt; echo prepare >> ../ran.log
    deps:
    - data.txt
    outs:
    - prepared.txt
  train:
    cmd: sh train.sh
    deps:
    - prepared.txt
    - train.sh
    params:
    - strength
    outs:
    - model.txt
  evaluate:
    cmd: sh evaluate.sh
    deps:
    - evaluate.sh
    - model.txt
    metrics:
    - metrics.json:
        cache: false
"""
TRAIN = """\
echo train >> ../ran.log
sed -n 's/^strength: //p' params.yaml > model.txt
wc -l < prepared.txt >> model.txt
"""
EVALUATE = """\
echo evaluate >> ../ran.log
read strength < model.txt
printf '{"accuracy": 0.%s}\\n' "$strength" > metrics.json
"""
GATES = """\
gates:
  - metric: metrics.json:$.accuracy
    better: higher
    at-least: 0.85
    allow-drop: 0.01
"""
FILES = {
    ".gitignore": "/data.txt\n/prepared.txt\n/model.txt\n",
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    ".dvc/config": "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../remote\n",
    "data.txt.dvc": (
        f"outs:\n- md5: {hashlib.md5(DATA.encode()).hexdigest()}\n  size: {len(DATA)}\n  hash: md5\n  path: data.txt\n"
    ),
    "dvc.yaml": PIPELINE,
    "params.yaml": "strength: 90\n",
    "train.sh": TRAIN,
    "evaluate.sh": EVALUATE,
    "retrain.yaml": GATES,
}


@dataclass(frozen=True)
class Project:
    """`origin` (the code host's repository), `remote` (DVC's) and clones, side by side below `place`."""

    place: Path
    git: Program

    @property
    def origin(self) -> Path:
        return self.place / "origin"

    @property
    def remote(self) -> Path:
        return self.place / "remote"

    @property
    def ran(self) -> list[str]:
        """The stages that ran since this was last asked, in order."""
        log = self.place / "ran.log"
        lines = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def rev(self, name: str) -> str:
        return self.git("rev-parse", name, cwd=self.origin).stdout.strip()

    def objects(self) -> set[str]:
        """Everything in the remote."""
        return {str(file.relative_to(self.remote)) for file in self.remote.rglob("*") if file.is_file()}

    def commit(self, branch: str, files: Mapping[str, str], message: str = "Change") -> str:
        """Commit `files` on `branch`, made from main if it is new; give the commit."""
        exists = (
            self.git("rev-parse", "--verify", "-q", f"refs/heads/{branch}", cwd=self.origin, exits=None).returncode == 0
        )
        self.git("checkout", "-q", *([] if exists else ["-b"]), branch, *([] if exists else ["main"]), cwd=self.origin)
        write(self.origin, files)
        self.git("add", "-A", cwd=self.origin)
        self.git("commit", "-q", "-m", message, cwd=self.origin)
        self.git("checkout", "-q", "main", cwd=self.origin)
        return self.rev(branch)

    def merge_ref(self, branch: str, number: int) -> str:
        """Make `refs/pull/N/merge` as the code host does; give the merge commit."""
        self.git("checkout", "-q", "--detach", "main", cwd=self.origin)
        self.git("merge", "-q", "--no-ff", "-m", f"Merge {branch} into main", branch, cwd=self.origin)
        self.git("update-ref", f"refs/pull/{number}/merge", "HEAD", cwd=self.origin)
        self.git("checkout", "-q", "main", cwd=self.origin)
        return self.rev(f"refs/pull/{number}/merge")

    def checkout(self, ref: str, *, depth: int = 0, name: str = "workspace") -> Path:
        """Check out as `actions/checkout` does: detached, with `fetch-depth: N` (0: all); give the workspace."""
        workspace = self.place / name
        if workspace.exists():
            shutil.rmtree(workspace)
        workspace.mkdir()
        self.git("init", "-q", cwd=workspace)
        self.git("remote", "add", "origin", self.origin.as_uri(), cwd=workspace)
        shallow = [f"--depth={depth}"] if depth else []
        branches = [] if depth else ["+refs/heads/*:refs/remotes/origin/*"]
        place = "refs/remotes/pull/merge" if ref.startswith("refs/pull/") else ref.replace("heads", "remotes/origin", 1)
        self.git("fetch", "-q", "--no-tags", *shallow, "origin", *branches, f"+{ref}:{place}", cwd=workspace)
        self.git("checkout", "-q", "--detach", place, cwd=workspace)
        return workspace


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def trained(place: Path, git: Program, retrain: Program) -> Project:
    """Make the project, train it on main, push it, and commit its lock: what every test starts from."""
    project = Project(place, git)
    project.remote.mkdir()
    project.origin.mkdir()
    git("init", "-q", "-b", "main", cwd=project.origin)
    git("config", "receive.denyCurrentBranch", "ignore", cwd=project.origin)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=project.origin)
    write(project.origin, {**FILES, "data.txt": DATA})
    digest = hashlib.md5(DATA.encode()).hexdigest()
    write(project.remote / "files" / "md5" / digest[:2], {digest[2:]: DATA})
    git("add", "-A", cwd=project.origin)
    git("commit", "-q", "-m", "The project", cwd=project.origin)
    retrain("repro", cwd=project.origin)
    retrain("push", cwd=project.origin)
    git("add", "-A", cwd=project.origin)
    git("commit", "-q", "-m", "Trained", cwd=project.origin)
    assert project.ran == ["prepare", "train", "evaluate"]
    return project


def copied(project: Project, place: Path) -> Project:
    """Give a copy of its own to one test; nothing in it knows where it lies."""
    shutil.copytree(project.place, place, symlinks=True)
    return Project(place, project.git)
