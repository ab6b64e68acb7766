"""Which commit a candidate is compared with, and the metrics and params of either side. Never compares with nothing.

The ladder on a pull request: the merge base with the target branch (on a checkout of the merge commit its first
parent, which the merge already contains), else the target's tip. On a push the commit before it; on a schedule or a
dispatch HEAD itself; on a laptop the merge base with the default branch.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import ConfigError, GitError
from runner.hashes import Hash
from runner.pipeline import files
from runner.review.metrics import Unreadable, parse_metrics
from runner.review.model import Commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from runner.engine.objects import Objects, Wanted
    from runner.git import Git
    from runner.pipeline.model import Pipeline

logger = logging.getLogger("retrain")
MERGE_BASE = "merge-base"
_NOBODY = "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is known of the comparison that is wanted.

    Attributes:
        rev: revision named on the command line; empty: none.
        rule: the gate file's `baseline`: merge-base, target, previous, or a git revision.
        event: kind of run, as `forge.event` names it; empty or `local` on a laptop.
        target: name of the target branch.
        target_sha: the target branch's tip when the event was sent.
        head_sha: the pull request's own head.
        before: the commit before a push.

    """

    rev: str = ""
    rule: str = MERGE_BASE
    event: str = "local"
    target: str = ""
    target_sha: str = ""
    head_sha: str = ""
    before: str = ""


def choose(git: Git, wish: Wish, compared: Callable[[str, str], str | None] | None = None) -> Commit | None:
    """Find the commit to compare with, and say how it was found; `None` where there is none.

    Args:
        git: the repository.
        wish: what is known.
        compared: asks the code host for the merge base of two commits, for history that cannot be had.

    """
    if wish.rev:
        return _commit(git, wish.rev, f"{wish.rev}, as asked")
    if not _present(git, "HEAD"):
        return None
    if wish.rule == "previous":
        return _parent(git, "the previous commit")
    if wish.rule == "last-success":
        message = "baseline: last-success is not supported yet"
        raise ConfigError(message, "use merge-base, target, previous, or a git revision")
    if wish.rule == "target":
        return _tip(git, wish)
    if wish.rule != MERGE_BASE:
        return _commit(git, wish.rule, f"{wish.rule}, as the gate file says")
    if wish.event in {"pull-request", "fork", "merge-group", "pull-request-target"}:
        return _of_pull_request(git, wish, compared)
    if wish.event == "push":
        return _of_push(git, wish)
    if wish.event == "local":
        return _of_branch(git)
    return _commit(git, "HEAD", "HEAD, the committed state")


def _of_pull_request(git: Git, wish: Wish, compared: Callable[[str, str], str | None] | None) -> Commit | None:
    parents = git.parents("HEAD")
    if len(parents) > 1 and parents[1] == wish.head_sha:
        return _commit(git, parents[0], f"{wish.target}, which this checkout merges the pull request into")
    target = _present(git, wish.target_sha, f"origin/{wish.target}", wish.target)
    found = _met(git, target or wish.target_sha)
    if found:
        return _commit(git, found, f"merge base with {wish.target}")
    told = compared(wish.target_sha, wish.head_sha) if compared and wish.target_sha and wish.head_sha else None
    if told and _fetched(git, told):
        return _commit(git, told, f"merge base with {wish.target}, as the code host says")
    return _commit(git, target, f"tip of {wish.target}: no common history here") if target else None


def _of_push(git: Git, wish: Wish) -> Commit | None:
    if wish.before and wish.before != _NOBODY and _fetched(git, wish.before):
        return _commit(git, wish.before, "the commit before this push")
    return _parent(git, "the previous commit, as this push has no earlier one")


def _of_branch(git: Git) -> Commit | None:
    """On a laptop: where this branch left the default one; HEAD while there is nothing else."""
    default = git.default_branch()
    found = git.merge_base("HEAD", default) if default else None
    if found:
        return _commit(git, found, f"merge base with {default}")
    return _commit(git, "HEAD", "HEAD, as there is no default branch to compare with")


def _tip(git: Git, wish: Wish) -> Commit | None:
    target = _present(git, wish.target_sha, f"origin/{wish.target}", wish.target) if wish.target else ""
    target = target or git.default_branch() or ""
    return _commit(git, target, f"tip of {wish.target or target}") if target else None


def _parent(git: Git, how: str) -> Commit | None:
    parents = git.parents("HEAD")
    return _commit(git, parents[0], how) if parents else None


def _present(git: Git, *revisions: str) -> str:
    """Give the first of `revisions` that this clone has."""
    for revision in revisions:
        if revision.strip("/"):
            try:
                return git.resolve(revision)
            except GitError:
                continue
    return ""


def _met(git: Git, target: str) -> str | None:
    """Give the merge base, fetching as little history as it takes; `None` where it cannot be had."""
    if not target:
        return None
    try:
        return git.meet(git.head(), target, "origin")
    except GitError as error:
        logger.debug("history could not be fetched: %s", error)
        return None


def _fetched(git: Git, sha: str) -> bool:
    """Have a commit, fetched by its id if this clone lacks it."""
    if _present(git, sha):
        return True
    try:
        git.deepen("origin", [sha], 1)
    except GitError:
        return False
    return bool(_present(git, sha))


def _commit(git: Git, revision: str, how: str) -> Commit:
    sha = git.resolve(revision)
    return Commit(sha=sha, ref=revision if revision != sha else "", subject=git.subject(sha), how=how)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the project at a commit, or in the working tree.

    Attributes:
        files: gives the bytes of a file that git or the working tree holds; `None` where there is none.
        inside: gives the paths below a directory there.
        pipeline: what the DVC files of that side say; `None` where they cannot be read.
        objects: where cached files are had by hash.

    """

    files: Callable[[str], bytes | None]
    inside: Callable[[str], Iterable[str]]
    pipeline: Pipeline | None
    objects: Objects | None

    def metrics_files(self) -> list[str]:
        """Give the metrics files that the stages of this side declare, directories opened up."""
        outs = (
            [(stage, out) for stage in self.pipeline.stages for out in stage.outs if out.metric]
            if self.pipeline
            else []
        )
        found: dict[str, None] = {}
        for _, out in outs:
            members = list(self.inside(out.path)) or self._listed(out.path)
            found.update(dict.fromkeys(members or [out.path]))
        return sorted(found)

    def params_files(self) -> list[str]:
        """Give the params files that the stages of this side read."""
        stages = self.pipeline.stages if self.pipeline else ()
        return sorted({param.path for stage in stages for param in stage.params})

    def documents(self, paths: Iterable[str]) -> dict[str, object]:
        """Read and parse metrics files; one that does not exist on this side is left out."""
        contents = {path: self.content(path) for path in dict.fromkeys(paths)}
        return {
            path: content if isinstance(content, Unreadable) else parse_metrics(path, content)
            for path, content in contents.items()
            if content is not None
        }

    def content(self, path: str) -> bytes | Unreadable | None:
        """Give a file's bytes: from the working tree or git, else by its hash from the cache or the remote."""
        content = self.files(path)
        if content is not None:
            return content
        named = self._named(path)
        if named is None or self.objects is None:
            return None
        out, name = named
        found = self.objects.read(out, name)
        return Unreadable(f"object {name} is neither in the cache nor in the remote") if found is None else found

    def _named(self, path: str) -> Wanted | None:
        recorded = self._recorded(path)
        if recorded is None or self.objects is None:
            return None
        out, name = recorded
        if out.path == path:
            return None if name.is_dir else (out, name)
        tree = self.objects.listing(name) if name.is_dir else None
        found = tree.lookup(path.removeprefix(f"{out.path}/")) if tree else None
        return (out, found) if isinstance(found, Hash) else None

    def _listed(self, path: str) -> list[str]:
        """Give the files of an absent directory, from its listing."""
        recorded = self._recorded(path)
        if recorded is None or self.objects is None or not recorded[1].is_dir:
            return []
        tree = self.objects.listing(recorded[1])
        return [f"{path}/{inner}" for inner, _ in tree.files] if tree else []

    def _recorded(self, path: str) -> Wanted | None:
        produced = self.pipeline.producer(path) if self.pipeline else None
        if not produced or not self.pipeline:
            return None
        stage, out = produced
        entry = self.pipeline.entries.get(stage.address)
        recorded = entry.out(out.spelled) if entry else None
        return (out, recorded.hash) if recorded and recorded.hash else None


def working(root: Path, pipeline: Pipeline | None, objects: Objects | None) -> Side:
    """Give the candidate's side: the working tree, as it is now."""

    def content(path: str) -> bytes | None:
        place = root / path
        return place.read_bytes() if place.is_file() else None

    def inside(path: str) -> list[str]:
        folder = root / path
        return sorted(place.relative_to(root).as_posix() for place in folder.rglob("*") if place.is_file())

    return Side(content, inside, pipeline, objects)


def committed(git: Git, prefix: str, sha: str, objects: Objects | None) -> Side:
    """Give the side of a commit; its DVC files are read as they were then.

    Args:
        git: the repository.
        prefix: the project's folder inside it, ending in `/`; empty at the top.
        sha: the commit.
        objects: where its cached files are had by hash.

    """
    paths = [path.removeprefix(prefix) for path in git.files(sha) if path.startswith(prefix)]

    def content(path: str) -> bytes | None:
        return git.show(sha, f"{prefix}{path}")

    def text(path: str) -> str | None:
        found = content(path)
        return None if found is None else found.decode("utf-8-sig")

    def inside(path: str) -> list[str]:
        return [name for name in paths if name.startswith(f"{path}/")]

    dvc_files = [path for path in paths if path.endswith(".dvc") or path.rpartition("/")[2] == "dvc.yaml"]
    try:
        pipeline = files.load(dvc_files, text) if dvc_files else None
    except (ConfigError, UnicodeDecodeError) as error:
        logger.warning("the DVC files of %s cannot be read, so only what git holds is compared: %s", sha[:12], error)
        pipeline = None
    return Side(content, inside, pipeline, objects)
