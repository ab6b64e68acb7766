"""A repository that tests commit to, and how they open it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from runner.git import Git

if TYPE_CHECKING:
    from tests.support.environment import Program

Opened = Callable[[Path], Git]
GONE = "1234567890" * 4
"""The id of no commit."""


class Repository:
    """A repository that tests commit to."""

    def __init__(self, root: Path, program: Program) -> None:
        self.root = root
        self.program = program
        root.mkdir()
        self("init", "-q")

    def __call__(self, *arguments: str) -> str:
        return self.program(*arguments, cwd=self.root).stdout.strip()

    def commit(self, message: str, **files: str) -> str:
        for name, text in files.items():
            path = self.root / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self("add", "-A")
        self("commit", "-q", "--allow-empty", "-m", message)
        return self("rev-parse", "HEAD")

    def clone(self, place: Path, *options: str) -> Path:
        self("clone", "-q", *options, f"file://{self.root}", str(place))
        return place
