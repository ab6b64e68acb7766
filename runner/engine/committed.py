"""A project as a commit has it: files through git, and what its DVC files said then."""

from __future__ import annotations

import logging
import os
from bisect import bisect_left
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from runner.engine import dvcignore
from runner.errors import ConfigError
from runner.pipeline import files
from runner.pipeline.addresses import is_dvc_file
from runner.values import dataclass

if TYPE_CHECKING:
    from runner.git import Git
    from runner.pipeline.pipeline import Pipeline
    from runner.pipeline.unpack import Unpacking

logger = logging.getLogger("retrain")


@dataclass(frozen=True)
class Committed:
    """The project at one commit.

    Attributes:
        git: the repository.
        prefix: the project's folder inside it, ending in `/`; empty at the top.
        sha: the commit.
        unpacking: how its templates make options of mappings; as DVC does by default where that is not known.
        asked: the paths whose content was asked for.

    """

    git: Git
    prefix: str
    sha: str
    unpacking: Unpacking | None = None
    asked: set[str] = field(default_factory=set)

    @cached_property
    def _paths(self) -> list[str]:
        found = self.git.files(self.sha)
        return sorted(path.removeprefix(self.prefix) for path in found if path.startswith(self.prefix))

    def content(self, path: str) -> bytes | None:
        """Give a file's bytes; `None` where the commit has none."""
        self.asked.add(path)
        return self.git.show(self.sha, f"{self.prefix}{path}")

    def inside(self, folder: str) -> list[str]:
        """Give the paths of the files below a folder, sorted."""
        start, end = bisect_left(self._paths, f"{folder}/"), bisect_left(self._paths, f"{folder}0")  # 0 follows /
        return self._paths[start:end]

    @cached_property
    def pipeline(self) -> Pipeline | None:
        """What the DVC files said; `None` where there were none, or none that can be read (which is logged)."""
        try:
            return self.load()
        except ConfigError as error:
            logger.warning(
                "the DVC files of %s cannot be read, so only what git holds of it is looked at: %s",
                self.sha[:12],
                error,
            )
            return None

    def load(self) -> Pipeline | None:
        """Read what the DVC files said; `None` where there were none.

        Raises:
            ConfigError: they cannot be read.

        """
        named = [path for path in self._paths if is_dvc_file(path)]
        projects = {path.partition("/.dvc/")[0] for path in self._paths if "/.dvc/" in path}
        try:
            dvc_files = dvcignore.found(named, dvcignore.Ignore(self._ignore_text), projects.__contains__)
            here = os.path.normpath(self.git.root / self.prefix)
            return files.load(dvc_files, self._text, here, self.unpacking) if dvc_files else None
        except UnicodeDecodeError as error:
            message = f"a DVC file of {self.sha[:12]} is not UTF-8 text (byte {error.start})"
            raise ConfigError(message, "correct the file") from error

    def _ignore_text(self, path: str) -> str | None:
        at = bisect_left(self._paths, path)  # most folders have none, and git need not be asked
        found = self.content(path) if self._paths[at : at + 1] == [path] else None
        return None if found is None else found.decode()

    def _text(self, path: str) -> str | None:
        found = self.content(path)
        return None if found is None else found.decode("utf-8-sig")
