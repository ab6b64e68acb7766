"""Who the runner is in the action's container, where it starts as root: for files it becomes the repository's owner.

What it writes then belongs to the workspace's owner, as git and the next steps need it. Commands become that user for
good: no capabilities, no other groups, and nothing that they start gains rights. The runner's real user stays root, so
that they can neither read its memory and environment nor signal it. In a job on the host, where the commands are the
same user as the runner, its memory and environment are closed to them too.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE: Final = "RETRAIN_AS_OWNER"
"""The image sets it to 1."""
ROOT: Final = (0, 0)
_NO_NEW_PRIVILEGES: Final = 38  # PR_SET_NO_NEW_PRIVS of linux/prctl.h
_DUMPABLE: Final = 4  # PR_SET_DUMPABLE; at 0 nobody but root may read /proc/PID/environ and mem, or trace the process


def take(environ: Mapping[str, str]) -> None:
    """Become the owner of the repository, where the image asks for it and that is not root; in any job, hide."""
    if environ.get("GITHUB_ACTIONS") == "true" and os.geteuid() != 0:
        _prctl(_DUMPABLE, 0)
    if environ.get(VARIABLE) != "1" or os.geteuid() != 0:
        return
    owner = _owner(Path(environ.get("GITHUB_WORKSPACE") or "."))
    if owner is None or owner[0] == 0:
        return
    os.setgroups([])
    os.setegid(owner[1])
    os.seteuid(owner[0])
    _prctl(_NO_NEW_PRIVILEGES, 1)


def _prctl(option: int, value: int) -> None:
    import ctypes  # noqa: PLC0415 - in a job alone

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _owner(workspace: Path) -> tuple[int, int] | None:
    """Give who owns the repository: of a checkout in a job's own container that is not the workspace's owner."""
    for place in (workspace / ".git", workspace):
        try:
            found = place.stat()
        except OSError:
            continue
        return found.st_uid, found.st_gid
    return None


def of_commands() -> tuple[int, int] | None:
    """Give the user and the group that commands run as; `None`: those that the runner has."""
    return (os.geteuid(), os.getegid()) if os.getuid() != os.geteuid() else None


def of_setup() -> tuple[int, int] | None:
    """Give the user and the group that the setup runs as, which installs packages."""
    return ROOT if of_commands() else None


def hand_over(root: Path) -> None:
    """Give to the owner what the setup wrote in the project as root. For when nothing else is at work."""
    owner = of_commands()
    if owner is None:
        return
    with _as_root():
        for folder, folders, files in os.walk(root):
            for name in (*folders, *files):
                place = os.path.join(folder, name)  # noqa: PTH118 - asked of every file
                if os.lstat(place).st_uid == 0:
                    os.chown(place, *owner, follow_symlinks=False)


@contextmanager
def _as_root() -> Iterator[None]:
    owner = (os.geteuid(), os.getegid())
    os.seteuid(0)
    try:
        yield
    finally:
        os.setegid(owner[1])
        os.seteuid(owner[0])
