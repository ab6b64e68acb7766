"""The pipelines of many commits, each that differs once. What cannot be read is an error here, never "nothing"."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from runner.engine.committed import Committed
from runner.errors import ConfigError, ConfigErrors
from runner.git import history
from runner.pipeline.addresses import is_dvc_file
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.engine.project import Project
    from runner.git import Git
    from runner.pipeline.pipeline import Pipeline

logger = logging.getLogger("retrain")
_REMEMBERED: Final = 16
"""Commits that a commit is compared with: neighbours in history mostly say the same."""


@dataclass(frozen=True, slots=True)
class Span:
    """Commits beside the working tree, in DVC's words.

    Attributes:
        branches, tags, commits, experiments: all of these; branches of other clones that this one knows count too.
        rev: a commit.
        num: that many commits of `rev` and of each branch, along first parents; below 0: all of them.
        since: `yyyy-mm-dd`, local time: every commit made on that day or later.

    """

    branches: bool = False
    tags: bool = False
    commits: bool = False
    experiments: bool = False
    rev: str = ""
    num: int = 1
    since: str = ""

    def shas(self, git: Git) -> list[str]:
        """Give the ids of the commits, each once.

        Raises:
            ConfigError: history is needed that a shallow clone does not have, or a day that is none.
            GitError: a revision that is not there.

        """
        if (self.branches or self.tags or self.commits or self.since or self.num != 1) and git.is_shallow():
            message = "this clone is shallow: what its missing commits name would count as garbage"
            raise ConfigError(message, "fetch all history first: fetch-depth: 0 in actions/checkout, or --unshallow")
        return list(dict.fromkeys(self._shas(git)))

    def _shas(self, git: Git) -> Iterator[str]:
        tips = [*([self.rev] if self.rev else ()), *(_branches(git) if self.branches else ())]
        for tip in tips:
            yield from history.first_parents(git, tip, self.num)
        if self.commits:
            yield from (sha for sha, _ in history.everywhere(git))
        if self.tags:
            yield from map(git.resolve, (f"refs/tags/{name}" for name in history.tags(git)))
        if self.since:
            start = _day(self.since)
            yield from (sha for sha, made in history.everywhere(git) if made >= start)
        if self.experiments:
            yield from history.experiments(git)


def _branches(git: Git) -> list[str]:
    return [
        *(f"refs/heads/{name}" for name in history.branches(git)),
        *(f"refs/remotes/{name}" for name in history.remote_branches(git)),
    ]


def _day(text: str) -> float:
    """Give the second at which a day begins here (DVC's rule)."""
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%d"))
    except (ValueError, OverflowError) as error:
        message = f"--date {text!r} is no day"
        raise ConfigError(message, "write it as yyyy-mm-dd") from error


def pipelines(project: Project, shas: Sequence[str], *, skip_failed: bool = False) -> Iterator[tuple[str, Pipeline]]:
    """Give the working tree's pipeline, then of each commit that says something else; with a word for what it is.

    Args:
        project: the project.
        shas: the commits.
        skip_failed: leave commits out that cannot be read, and say so; otherwise they are an error.

    Raises:
        ConfigErrors: every mistake in the DVC files of the commits.

    """
    yield "the working tree", project.pipeline
    seen: deque[_Said] = deque(maxlen=_REMEMBERED)
    failed: list[ConfigError] = []
    for sha in shas:
        blobs = _below(project.git.blobs(sha), project.prefix)
        if any(said.is_same(blobs) for said in seen):
            continue
        committed = Committed(project.git, project.prefix, sha, project.unpacking)
        try:
            pipeline = committed.load()
        except ConfigError as error:
            failed.append(_at(sha, error))
            continue
        seen.appendleft(_Said.of(blobs, committed.asked))
        if pipeline:
            yield f"commit {sha[:12]}", pipeline
    if failed and not skip_failed:
        raise ConfigErrors(failed)
    for mistake in failed:
        logger.warning("left out, so what only it names is not kept: %s", mistake.message)


def _below(blobs: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {path[len(prefix) :]: blob for path, blob in blobs.items() if path.startswith(prefix)}


def _at(sha: str, error: ConfigError) -> ConfigError:
    message = f"commit {sha[:12]}: the DVC files cannot be read: {'; '.join(map(str, error.problems))}"
    return ConfigError(message, "--skip-failed leaves such commits out, and what only they name is then not kept")


@dataclass(frozen=True, slots=True)
class _Said:
    """What a commit's DVC files depended on: which of them there were, and what each file that was read held."""

    shape: frozenset[str]
    read: Mapping[str, str | None]

    @classmethod
    def of(cls, blobs: Mapping[str, str], asked: set[str]) -> _Said:
        return cls(_shape(blobs), {path: blobs.get(path) for path in asked})

    def is_same(self, blobs: Mapping[str, str]) -> bool:
        """Whether another commit says the same."""
        return all(blobs.get(path) == blob for path, blob in self.read.items()) and self.shape == _shape(blobs)


def _shape(blobs: Mapping[str, str]) -> frozenset[str]:
    """Give the paths that decide which DVC files are looked at: themselves, .dvcignore, projects inside the project."""
    return frozenset(path for path in blobs if is_dvc_file(path) or path.endswith(".dvcignore") or ".dvc/" in path)
