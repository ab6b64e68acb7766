"""What stages are called: their addresses, and the targets by which people name them. DVC's rules."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from runner.errors import ConfigError, spelled_like

if TYPE_CHECKING:
    from collections.abc import Collection

PROJECT_FILE = "dvc.yaml"
LOCK_FILE = "dvc.lock"
PARAMS_FILE = "params.yaml"
DATA_SUFFIX = ".dvc"
STAGE_FILE = "Dvcfile"
"""What DVC 0.x named a stage's file where it was given no other name."""
JOIN = "@"
"""Between the name of a `foreach` or `matrix` and the key of the stage it made."""


def is_dvc_file(path: str) -> bool:
    """Whether a path names a file of DVC's that holds stages or tracks data."""
    return path.endswith(DATA_SUFFIX) or posixpath.basename(path) in {PROJECT_FILE, STAGE_FILE}


def address(file: str, name: str) -> str:
    """Give the stage's address as DVC prints it from the root: the bare name for the root's dvc.yaml."""
    if not name:
        return file
    return name if file == PROJECT_FILE else f"{file}:{name}"


def targeted(target: str, cwd: str) -> str:
    """Give the address, or the DVC file, that a target means, seen from the folder `cwd`.

    `name` and `:name` are in the dvc.yaml of the folder, `path/dvc.yaml:name` in another; a name may itself hold
    colons and slashes, and is that of a stage or of a group. A path to a DVC file means all that is in it.
    """
    folder, colon, name = target.partition(f"{PROJECT_FILE}:")
    if colon and folder[-1:] in {"", "/"}:
        return address(_from(cwd, folder + PROJECT_FILE), name)
    if is_dvc_file(target):
        return _from(cwd, target)
    return address(_from(cwd, PROJECT_FILE), target.removeprefix(":"))


def _from(cwd: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(cwd, path))


def unknown(target: str, known: Collection[str], writer: str = "") -> ConfigError:
    """Say that no stage is called so; the hint names the nearest, or the stage that writes a path of that name."""
    path = target.partition(":")[0]
    if writer:
        hint = f"it is a path that {writer} writes: name that stage"
    elif posixpath.basename(path) == LOCK_FILE:
        hint = f"did you mean {target.replace(LOCK_FILE, PROJECT_FILE, 1)}?"
    else:
        near = spelled_like(target, known, most=3) or _of_group(target, known)
        hint = f"did you mean {' or '.join(near)}?" if near else "retrain stages lists what there is"
    return ConfigError(f"there is no stage {target!r}", hint)


def _of_group(target: str, known: Collection[str]) -> list[str]:
    """Give some stages of the group that the target names before the key it has not."""
    group, join, _ = target.rpartition(JOIN)
    return [one for one in known if one.startswith(f"{group}{JOIN}")][:3] if join else []
