"""The project of each side whose data is moved, brought into the state that a case starts from."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from projects import DVC, RETRAIN
from servers import BUCKET

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALL = 4096  # bytes of a small file
_STAGE = "stages:\n  make:\n    cmd: mv made data\n    outs:\n    - data\n"
_LARGE = 1 << 28


class Moving:
    """Projects with one directory of many small files, or with one large file; each is made when it is first needed.

    What a case must not find is renamed, not deleted: a disk that has just deleted many files is slow to make new
    ones. A large file is deleted, for disks end.

    Attributes:
        environ: the environment in which commands bring a project into a state.
        endpoint: where the S3 server is to be asked from now on.

    """

    def __init__(self, folder: Path, environ: Mapping[str, str], endpoint: str, count: int, size: int) -> None:
        """Keep everything below `folder`; `count` files of `size` bytes."""
        self.environ, self.endpoint = environ, endpoint
        self.count, self._size = count, size
        self._folder = folder
        self._numbers = itertools.count()
        self._newest: dict[str, Path] = {}
        self._remotes: dict[Path, str] = {}

    def remote(self, root: Path) -> str:
        """Give the name of the remote that a project has now, below the bucket or the folder of remotes."""
        return self._remotes[root]

    def unmade(self, side: str) -> Path:
        """Give a fresh project whose stage has not run."""
        root = self._new(self._root(f"{side}-{next(self._numbers)}"))
        self._newer(f"unmade-{side}", root)
        return root

    def made(self, side: str) -> Path:
        """Give the project of that side after its stage has run."""
        root = self._root(side)
        if not root.exists():
            self._run(side, "repro", self._new(root))
        return root

    def unknown(self, side: str) -> Path:
        """Give the same without what either program remembers of files beside the cache."""
        root = self.in_place(side)
        for remembered in (root / ".dvc" / "tmp", Path(self.environ["DVC_SITE_CACHE_DIR"])):
            self._discard(remembered)
        return root

    def in_place(self, side: str) -> Path:
        """Give the same with its data in the workspace."""
        root = self.made(side)
        if not (root / "data").exists():
            self._run(side, "checkout", root)
        return root

    def unpushed(self, side: str, where: str) -> Path:
        """Give the same with a remote that holds nothing."""
        root = self.in_place(side)
        name = f"{root.name}-{next(self._numbers)}"
        self._configure(root, where, name)
        before = self._newer(f"unpushed-{side}", self._place(where, name))
        if before and where == "S3" and self._size >= _LARGE:  # a server that keeps objects in memory is to forget them
            requests.delete(f"{self.endpoint}/{BUCKET}", params={"prefix": f"{before.name}/"}, timeout=60)
        return root

    def pushed(self, side: str, where: str) -> Path:
        """Give the same with everything where it belongs: workspace, cache and remote."""
        root = self._in_remote(side, where)
        if not (root / "data").exists():
            self._run(side, "pull", root)
        return root

    def unpulled(self, side: str, where: str) -> Path:
        """Give the same without cache and workspace."""
        root = self._in_remote(side, where)
        self._discard(root / "data")
        self._discard(root / ".dvc" / "cache")
        return root

    def not_checked_out(self, side: str, link: str) -> Path:
        """Give the same without workspace, and with a type of link."""
        root = self.made(side)
        if not (root / ".dvc" / "cache").exists():
            root = self.pushed(side, "directory")
        self._configure(root, "directory", root.name, link)
        self._discard(root / "data")
        return root

    def _in_remote(self, side: str, where: str) -> Path:
        root = self.made(side)
        self._configure(root, where, root.name)
        mark = root / f"pushed-{where}"
        if not mark.exists():
            if not (root / ".dvc" / "cache").exists():
                self._configure(root, "directory", root.name)
                self._run(side, "pull", root)
                self._configure(root, where, root.name)
            self._run(side, "push", root)
            mark.touch()
        return root

    def _root(self, name: str) -> Path:
        return self._folder / f"{self.count}-{name}"

    def _place(self, where: str, remote: str) -> Path:
        return self._folder / "s3" / BUCKET / remote if where == "S3" else self._folder / "remotes" / remote

    def _newer(self, role: str, path: Path) -> Path | None:
        """Take `path` for what plays the role now; give what did so before, which is in the way if it is large."""
        before = self._newest.get(role)
        if before and self._size >= _LARGE:
            self._discard(before)
        self._newest[role] = path
        return before

    def _discard(self, path: Path) -> None:
        if not path.exists():
            return
        (self._folder / "away").mkdir(exist_ok=True)
        aside = self._folder / "away" / str(next(self._numbers)) / str(self.count)
        aside.parent.mkdir(exist_ok=True)
        path.rename(aside)
        if self._size >= _LARGE:
            subprocess.run(["rm", "-rf", aside], check=True)

    def _run(self, side: str, verb: str, root: Path) -> None:
        command = RETRAIN if side == "ours" else DVC
        subprocess.run([*command, verb], cwd=root, env=self.environ, capture_output=True, check=True)

    def _new(self, root: Path) -> Path:
        (root / ".dvc").mkdir(parents=True)
        (root / "dvc.yaml").write_text(_STAGE, encoding="utf-8")
        self._configure(root, "directory", root.name)
        source = self._source()
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / "made")
        subprocess.run(["git", "init", "--quiet", "-b", "main"], cwd=root, check=True)
        return root

    def _source(self) -> Path:
        """Give the data to copy into each project."""
        source = self._root("source")
        if self.count == 1 and not source.exists():
            with source.open("wb") as file:
                for _ in range(self._size >> 20):
                    file.write(os.urandom(1 << 20))
        elif not source.exists():
            source.mkdir()
            for number in range(self.count):
                (source / f"{number:06}").write_bytes(os.urandom(self._size))
        return source

    def _configure(self, root: Path, where: str, remote: str, link: str = "") -> None:
        self._remotes[root] = remote
        url = f"s3://{BUCKET}/{remote}" if where == "S3" else str(self._place(where, remote))
        server = f"    endpointurl = {self.endpoint}\n    region = us-east-1\n" if where == "S3" else ""
        links = f"[cache]\n    type = {link}\n" if link else ""
        text = f"[core]\n    analytics = false\n    remote = storage\n{links}"
        text += f"['remote \"storage\"']\n    url = {url}\n{server}"
        (root / ".dvc" / "config").write_text(text, encoding="utf-8")
