"""How the files of the working tree differ from those of a commit, and what they would be in git."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.git import Git


@dataclass(frozen=True, slots=True)
class Modes:
    """A file's modes at HEAD and in the working tree, as git would record them; empty: git knows nothing of it yet."""

    head: str = ""
    now: str = ""


def changed(git: Git) -> dict[str, Modes]:
    """Give the files that differ from HEAD, or that it has not and nothing ignores, by path."""
    ask = ("status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=dirty")
    rows = git.rows(*ask)
    ordinary = [row.split(" ", 8) for row in rows if row.startswith("1 ")]
    unmerged = [row.split(" ", 10) for row in rows if row.startswith("u ")]
    return {
        **{words[8]: Modes(words[3], words[5]) for words in ordinary},
        **{words[10]: Modes(words[4], words[6]) for words in unmerged},
        **{row[2:]: Modes() for row in rows if row.startswith("? ")},
    }


def stored(git: Git, paths: Iterable[str]) -> dict[str, str]:
    """Give the id that each file's content would have in git: what `.gitattributes` makes of it counts."""
    paths = list(paths)
    odd = [path for path in paths if "\n" in path or path.startswith('"')]  # git would read a quoted one
    plain = [path for path in paths if path not in odd]
    asked = b"".join(os.fsencode(path) + b"\n" for path in plain)
    ids = git.run("hash-object", "--stdin-paths", stdin=asked).decode().split() if plain else []
    return {
        **dict(zip(plain, ids, strict=True)),
        **{path: git.line("hash-object", "--", path) for path in odd},
    }


def renames(git: Git, rev: str) -> dict[str, str]:
    """Give the tracked files of the working tree that have another name at `rev`: new name, then old one."""
    answer = git.rows("diff", "--name-status", "-z", "-M", "--diff-filter=R", git.resolve(rev), "--")
    return dict(zip(answer[2::3], answer[1::3], strict=False))
