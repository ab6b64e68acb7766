"""What moving data costs: `retrain` against `dvc` on many small files and on one large one, in a directory and on S3.

`python benchmarks/storage.py` measures everything and rewrites its section of docs/performance.md; `--quick` moves less
data, few times, and writes nothing; `--only TEXT` measures the cases whose name holds TEXT; `--files N`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Case, clean_environ, compare, publish, s3_server, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

RETRAIN = (sys.executable, "-I", "-m", "runner")
DVC = (sys.executable, "-m", "dvc")
SMALL = 4096  # bytes of a small file
PAIRS = 5
_STAGE = "stages:\n  make:\n    cmd: mv made data\n    outs:\n    - data\n"
NOTE = (
    "One directory of many files of 4 KiB, or one large file, made by one stage (`mv`, which costs nothing). Each side "
    "has its own project, cache and remote; the commands run in turn, each from the same state: `add` hashes the out "
    "and brings it into the cache, `push` sends all of it to an empty remote, `pull` starts without cache and "
    "workspace, `checkout` without workspace. S3 is `rclone serve s3` on the same machine, so it takes CPU from both. "
    "retrain hashes everything before it is sent and when it arrives, and asks for every object when there is nothing "
    "to push; dvc does neither. Wall time moves with the machine's other work; the ratio of CPU seconds is steadier. "
    "CPU seconds and peak memory are retrain / dvc."
)


def main() -> None:
    """Measure what was asked for, show it, and publish a complete run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer files, 32 MiB, 1 pair; nothing written")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with TEXT in their name; nothing written")
    parser.add_argument(
        "--files",
        type=int,
        metavar="N",
        help="how many small files; nothing written",
    )
    parser.add_argument("--budget", type=float, default=40, metavar="SECONDS", help="time for each case, about")
    asked = parser.parse_args()
    files, large, fewest = (500, 32, 1) if asked.quick else (asked.files or 10_000, 256, PAIRS)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, s3_server(Path(name)) as endpoint:
        environ = clean_environ(Path(name)) | {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        data = {f"{files:,} files": (files, SMALL), f"1 file of {large} MiB": (1, large << 20)}
        chosen = (
            case
            for (what, (count, size)), where in itertools.product(data.items(), ("directory", "S3"))
            for case in cases(_Projects(Path(name), endpoint, count, size, where), f"{what}, {where}", environ)
            if asked.only in case.name
        )
        outcomes = [compare(case, environ, 0 if asked.quick else asked.budget, fewest) for case in chosen]
    show(outcomes)
    if not (asked.quick or asked.only or asked.files):
        publish("storage", outcomes, NOTE)


def cases(projects: _Projects, name: str, environ: Mapping[str, str]) -> Iterator[Case]:
    """Give the cases of one kind of data and one kind of remote."""
    many = projects.count > 1
    projects.environ = environ

    def case(what: str, verb: str, target: float, place: Callable[[str], Path]) -> Case:
        return Case(f"{what}: {name}", (*RETRAIN, verb), (*DVC, verb), target if many else 0, place)

    s3 = projects.where == "S3"
    if not s3:
        yield case("add", "repro", 2.6, projects.unmade)
        yield case("nothing to add", "repro", 0, projects.made)
    yield case("push", "push", 5 if s3 else 0, projects.unpushed)
    yield case("nothing to push", "push", 8 if s3 else 0, projects.pushed)
    yield case("pull", "pull", 8 if s3 else 6, projects.unpulled)
    yield case("nothing to pull", "pull", 0, projects.pushed)
    if not s3:
        yield case("checkout", "checkout", 2.8, projects.not_checked_out)


class _Projects:
    """The project of each side, brought into the state a case starts from. Made at the first call."""

    environ: Mapping[str, str]

    def __init__(self, folder: Path, endpoint: str, count: int, size: int, where: str) -> None:
        self.count, self.where = count, where
        self._size = size
        self._folder, self._endpoint = folder, endpoint
        self._numbers = itertools.count()

    def unmade(self, side: str) -> Path:
        """Give a fresh project whose stage has not run."""
        return self._new(f"{side}-{next(self._numbers)}")

    def made(self, side: str) -> Path:
        """Give the project of that side after its stage has run."""
        root = self._root(side)
        if not root.exists():
            self._run(side, "repro", self._new(root.name))
        return root

    def unpushed(self, side: str) -> Path:
        """Give the same with a remote that holds nothing."""
        root = self.made(side)
        self._configure(root, f"{root.name}-{next(self._numbers)}")
        return root

    def pushed(self, side: str) -> Path:
        """Give the same with everything where it belongs: workspace, cache and remote."""
        root = self.made(side)
        self._configure(root, root.name)
        if not (root / "pushed").exists():
            self._run(side, "push", root)
            (root / "pushed").touch()
        if not (root / "data").exists():
            self._run(side, "pull", root)
        return root

    def unpulled(self, side: str) -> Path:
        """Give the same without cache and workspace."""
        root = self.pushed(side)
        self._put_away(root / "data")
        self._put_away(root / ".dvc" / "cache")
        return root

    def not_checked_out(self, side: str) -> Path:
        """Give the same without workspace."""
        root = self.pushed(side)
        self._put_away(root / "data")
        return root

    def _root(self, side: str) -> Path:
        return self._folder / f"{self.where}-{self.count}-{side}"

    def _put_away(self, path: Path) -> None:
        """Rename, do not delete: a disk that has just deleted many files is slow to make new ones."""
        (self._folder / "away").mkdir(exist_ok=True)
        path.rename(self._folder / "away" / f"{self.where}-{self.count}-{next(self._numbers)}")

    def _run(self, side: str, verb: str, root: Path) -> None:
        command = RETRAIN if side == "ours" else DVC
        subprocess.run([*command, verb], cwd=root, env=self.environ, capture_output=True, check=True)

    def _new(self, name: str) -> Path:
        root = self._folder / name
        (root / ".dvc").mkdir(parents=True)
        (root / "dvc.yaml").write_text(_STAGE, encoding="utf-8")
        self._configure(root, name)
        source = self._source()
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / "made")
        subprocess.run(["git", "init", "--quiet", "-b", "main"], cwd=root, check=True)
        return root

    def _source(self) -> Path:
        """Give the data to copy into each project."""
        source = self._folder / f"source-{self.count}"
        if self.count == 1 and not source.exists():
            with source.open("wb") as file:
                for _ in range(self._size >> 20):
                    file.write(os.urandom(1 << 20))
        elif not source.exists():
            source.mkdir()
            for number in range(self.count):
                (source / f"{number:06}").write_bytes(os.urandom(self._size))
        return source

    def _configure(self, root: Path, remote: str) -> None:
        url = f"s3://bucket/{remote}" if self.where == "S3" else str(self._folder / "remotes" / remote)
        server = f"    endpointurl = {self._endpoint}\n    region = us-east-1\n" if self.where == "S3" else ""
        text = f"[core]\n    analytics = false\n    remote = storage\n['remote \"storage\"']\n    url = {url}\n{server}"
        (root / ".dvc" / "config").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
