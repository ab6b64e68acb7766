"""Where a call's project and its repository are, and how a text beside them is read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from runner import inputs
from runner.errors import ConfigError, RunnerError
from runner.git import Git

if TYPE_CHECKING:
    from collections.abc import Mapping


def located(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> tuple[Path, Git, str]:
    """Give the project's folder, its repository, and the folder's place there: ending in `/`, empty at the top.

    Raises:
        ConfigError: the directory asked for is none.
        GitError: there is no repository.

    """
    start = directory(flags, environ)
    root = find_root(start)
    git = Git.discover(root or start, environ)
    root = root or git.root
    return root, git, "" if git.root == root or git.root.samefile(root) else _inside(git.root, root)


def folder(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> str:
    """Give the project's place in its repository, as `located` does; empty where there is none to be found."""
    try:
        _, git, prefix = located(flags, environ)
    except RunnerError:
        return ""
    git.close()
    return prefix


def directory(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Path:
    """Give the folder that a call starts from, absolute.

    Raises:
        ConfigError: it is no folder.

    """
    place = Path(os.path.abspath(inputs.early("working-directory", flags, environ)))  # noqa: PTH100 - follows no links
    if not place.is_dir():
        message = f"{place} is not a folder"
        raise ConfigError(message, "name the project's folder with -C DIR")
    return place


def find_root(directory: Path) -> Path | None:
    """Find the folder with a `.dvc` folder in it, from `directory` upwards, as DVC does.

    Not above the repository that one is in: what surrounds a submodule is another project, with other gates.
    """
    for folder in (directory, *directory.parents):
        if (folder / ".dvc").is_dir():
            return folder
        if (folder / ".git").exists():
            break
    return None


def root_of(directory: Path) -> Path:
    """Give the project's folder as `find_root` does; where there is no project, `directory` itself."""
    return find_root(directory) or directory


def no_project(directory: Path) -> ConfigError:
    """Say that there is no DVC project."""
    message = f"{directory} is not inside a DVC project (no .dvc folder here or above)"
    return ConfigError(message, "go to the project's folder, or name it with -C DIR")


def _inside(top: Path, root: Path) -> str:
    return f"{root.resolve().relative_to(top.resolve()).as_posix()}/"


def read_text(place: Path, name: str) -> str | None:
    """Read a text file; `None` where there is none."""
    try:
        if not stat.S_ISREG(place.stat().st_mode):
            message = f"{name} is not a regular file"
            raise ConfigError(message, "put a file in its place")
        return place.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (UnicodeDecodeError, OSError) as error:
        message = f"{name} cannot be read: {error}"
        raise ConfigError(message, "make it a readable UTF-8 file") from error
