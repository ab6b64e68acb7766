"""What of a checkout is believed: who wrote it decides whether its configuration and its sources count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.engine.workspace import SCRATCH
from runner.errors import ConfigError
from runner.git import index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runner.asked import Asked
    from runner.engine.committed import Committed
    from runner.git import Git
    from runner.pipeline.pipeline import Pipeline
    from runner.pipeline.source import Source


def is_trusted_event(asked: Asked) -> bool:
    """Whether everything in the checkout was written or reviewed by somebody who is trusted."""
    return asked.event.trusted and not asked.event.base_remote


def may_configure(asked: Asked, git: Git) -> bool:
    """Whether the checkout's own configuration may say where credentials go, where no base says so.

    After a stranger's run the checkout is the default branch's, unless the workflow took the stranger's in its place.
    """
    if not asked.event.rights.beside_secrets:
        return True
    return asked.remote_from == "" and git.head() == asked.event.sha


def trusts(pipeline: Pipeline, base: Committed, asked: Asked) -> Callable[[Source], bool]:
    """Give a function that says whether somebody who is trusted chose a source.

    On a pull request that is so if a DVC file of the base names the very same; one that only begins alike may be
    another bucket, host or port.
    """
    if is_trusted_event(asked):
        return lambda _: True
    then = base.pipeline if base.sha and any(_sources(pipeline)) else None
    known = [source.place for source in _sources(then)] if then else []
    return lambda source: source.place in known and not _has_file_of_checkout(source)


def _sources(pipeline: Pipeline) -> Iterator[Source]:
    return (dep.source for stage in pipeline.stages for dep in stage.deps if dep.source and not dep.dataset)


def _has_file_of_checkout(source: Source) -> bool:
    """Whether a file decides where a source is, which a pull request may have changed."""
    return bool(source.repo and source.repo.config and isinstance(source.repo.config, str))


def check_scratch(root: Path, git: Git) -> None:
    """Refuse a folder of our own that came with the checkout.

    What we find there is believed: repositories with their configuration, what a killed run left to be done.

    Raises:
        ConfigError: git tracks something in it.

    """
    place = scratch(root, git)
    if place and index.tracks(git, place):
        message = f"{SCRATCH} is tracked by git, and nothing in it is to be believed"
        raise ConfigError(message, f"git rm -r --cached {SCRATCH}, then remove it")


def scratch(root: Path, git: Git) -> str:
    """Give the place of our own folder in the repository; empty where it is not there, or not inside."""
    place, top = (root / SCRATCH).resolve(), git.root.resolve()
    return place.relative_to(top).as_posix() if place.exists() and place.is_relative_to(top) else ""
