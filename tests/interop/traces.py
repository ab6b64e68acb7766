"""What a run leaves behind, as values that can be compared."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = ("dvc.lock", "*.dvc", ".gitignore")


def records(root: Path) -> dict[str, bytes]:
    """Give DVC's own files in the workspace: path to bytes."""
    found = (path for pattern in RECORDS for path in root.rglob(pattern) if ".git" not in path.parts and path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def workspace(root: Path) -> dict[str, tuple[bool, bytes]]:
    """Give every file outside .git and .dvc: path to whether its owner may execute it, and bytes.

    The other mode bits are not compared: DVC resets those of an executable out to 0744, we leave what the command set.
    """
    files = (path for path in root.rglob("*") if path.is_file())
    inside = ((path.relative_to(root), path) for path in files)
    return {
        str(name): (bool(path.stat().st_mode & stat.S_IXUSR), path.read_bytes())
        for name, path in inside
        if name.parts[0] not in {".git", ".dvc"}
    }


def objects(root: Path) -> dict[str, tuple[int, bytes]]:
    """Give the objects of the cache: name to mode and bytes."""
    folder = root / ".dvc" / "cache" / "files" / "md5"
    return {
        f"{path.parent.name}{path.name}": (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def runs(root: Path) -> dict[str, bytes]:
    """Give the records of the run cache: path to bytes."""
    folder = root / ".dvc" / "cache" / "runs"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def contents(root: Path) -> dict[str, bytes]:
    """Give the bytes of every file in the workspace; modes inside directories do not travel."""
    return {path: content for path, (_, content) in workspace(root).items()}


def remote_objects(remote: Path) -> dict[str, bytes]:
    """Give the objects of a directory remote by their path."""
    return {str(path.relative_to(remote)): path.read_bytes() for path in remote.glob("files/**/*") if path.is_file()}
