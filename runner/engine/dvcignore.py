""".dvcignore: which paths DVC does not see. Git's pattern language, matched by pathspec.

A file in a sub-directory adds to its parents' patterns and is stronger than they are; its patterns are anchored
to its own directory. What lies in an ignored directory cannot be brought back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = ".dvcignore"
_GLOB = re.compile(r"([*?\[\]\\])")


def patterns(text: str) -> list[str]:
    """Give the lines of a .dvcignore that say something, stripped at both ends as DVC does."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


class Ignore:
    """The patterns of a whole project, compiled once."""

    def __init__(self, files: Mapping[str, list[str]]) -> None:
        """Take the patterns by directory (repository-relative, `.` for the root)."""
        by_depth = sorted(files, key=lambda folder: (folder != ".", folder.count("/"), folder))
        lines = [_anchor(folder, line) for folder in by_depth for line in files[folder]]
        self._spec = GitIgnoreSpec.from_lines(lines) if lines else None
        self._folders: dict[str, bool] = {"": False}

    def __contains__(self, path: str) -> bool:
        """Whether `path` (a directory ends in `/`) or a directory above it is ignored.

        A pattern that brings a path back does so only where its directory is seen (git's rule, and DVC's).
        """
        if self._spec is None:
            return False
        above = path.rstrip("/").rpartition("/")[0]
        return self._is_folder_ignored(above) or self._spec.match_file(path)

    def _is_folder_ignored(self, folder: str) -> bool:
        if folder not in self._folders:
            self._folders[folder] = f"{folder}/" in self
        return self._folders[folder]


def _anchor(folder: str, line: str) -> str:
    """Make a pattern of the file in `folder` mean the same at the root."""
    if folder == ".":
        return line
    negated = "!" if line.startswith("!") else ""
    body = line.removeprefix("!")
    inner = body.rstrip("/")
    depth = "" if "/" in inner else "**/"
    literal = _GLOB.sub(r"\\\1", folder)
    return f"{negated}/{literal}/{depth}{body.removeprefix('/')}"
