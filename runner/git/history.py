"""Which commits there are, what leads to them, which of them changed a file, and who wrote one."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.git import Git

_EXPERIMENTS: Final = "refs/exps/"
_AUTHOR: Final = regex(r"^author (.*?) ?<[^>\n]*> (\d{1,11}) ([+-])(\d\d)(\d\d)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Written:
    """Who wrote a commit, when (a date, as it was where they were), and its subject."""

    author: str
    date: str
    subject: str


def branches(git: Git) -> list[str]:
    """Give the names of this clone's branches, sorted."""
    return _refs(git, "refs/heads/")


def tags(git: Git) -> list[str]:
    """Give the names of tags, sorted."""
    return _refs(git, "refs/tags/")


def remote_branches(git: Git) -> list[str]:
    """Give the names of the branches of other clones that this one knows of: `origin/main`."""
    return [name for name in _refs(git, "refs/remotes/") if not name.endswith("/HEAD")]


def _refs(git: Git, below: str) -> list[str]:
    answer = git.run("for-each-ref", "--sort=refname", "--format=%(refname:lstrip=2)", below)
    return os.fsdecode(answer).splitlines()


def commits(git: Git, *paths: str) -> list[str]:
    """Give the ids of all commits that HEAD, branches and tags lead to, newest first.

    Args:
        git: the clone.
        paths: git's patterns; with them only the commits that touched a file like that.

    """
    return git.run("rev-list", *_shared(git), "--", *paths).decode().split()


def touching(git: Git, paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Give the commits behind HEAD that changed any of `paths`, newest first, each with those before it.

    It is git's simplified history: parents are the next commits that changed a path, and where a merge took one
    side as it was, the other is left out.
    """
    asked = ("--literal-pathspecs", "rev-list", "--topo-order", "--parents", "HEAD", "--", *paths)
    rows = [line.split() for line in git.run(*asked).decode().splitlines()] if paths else []
    return {sha: tuple(parents) for sha, *parents in rows}


def mainline(git: Git, rev: str, paths: Sequence[str], most: int) -> list[str]:
    """Give the last commits of a branch that changed any of `paths`, newest first: first parents alone.

    Args:
        git: the clone.
        rev: the branch's tip.
        paths: files or folders, literally.
        most: how many at most.

    """
    how = ("--first-parent", f"--max-count={most}", git.resolve(rev), "--", *paths)
    return git.run("--literal-pathspecs", "rev-list", *how).decode().split() if paths else []


def first_parents(git: Git, rev: str, count: int) -> list[str]:
    """Give the ids of a commit and its first parents, `count` in all; below 0: all of them."""
    most = () if count < 0 else (f"--max-count={count}",)
    return git.run("rev-list", "--first-parent", *most, git.resolve(rev)).decode().split()


def everywhere(git: Git) -> list[tuple[str, int]]:
    """Give the ids of all commits that any ref leads to, experiments left out, and when each was made.

    The times are seconds since 1970. The newest come first.
    """
    rows = git.run("rev-list", "--timestamp", f"--exclude={_EXPERIMENTS}*", "--all").decode().split("\n")
    pairs = (row.split() for row in rows if row)
    return [(sha, int(seconds)) for seconds, sha in pairs]


def experiments(git: Git) -> list[str]:
    """Give the ids of the commits that DVC's experiments consist of, those that are queued included."""
    if not _refs(git, _EXPERIMENTS):
        return []
    return git.run("rev-list", f"--glob={_EXPERIMENTS}*", "--not", *_shared(git)).decode().split()


def cut_off(git: Git) -> frozenset[str]:
    """Give the commits at which a shallow clone ends; none where all history is here."""
    place = git.root / git.line("rev-parse", "--git-path", "shallow")
    return frozenset(place.read_text(encoding="ascii").split()) if place.exists() else frozenset()


def written(git: Git, rev: str) -> Written:
    """Say who wrote a commit, and when."""
    head = git.commit(rev).partition(b"\n\n")[0].decode("utf-8", "replace")
    found = _AUTHOR.search(head)
    if found is None:
        return Written("", "", git.subject(rev))
    name, seconds, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    local = datetime.fromtimestamp(int(seconds), UTC) + (offset if sign == "+" else -offset)
    return Written(name, f"{local:%Y-%m-%d}", git.subject(rev))


def _shared(git: Git) -> tuple[str, ...]:
    """Give what leads rev-list to all that people see: branches, tags, and HEAD where there is a commit."""
    return ("--branches", "--remotes", "--tags", *(("HEAD",) if git.read("HEAD^{commit}") else ()))
