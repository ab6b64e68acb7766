"""The two sides of a comparison: metrics and params of the working tree, and of a commit."""

from __future__ import annotations

import logging
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import ConfigError
from runner.hashes import Hash
from runner.pipeline import files
from runner.review.metrics import Unreadable, parse_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from runner.engine.objects import Objects, Wanted
    from runner.git import Git
    from runner.pipeline.model import Pipeline

logger = logging.getLogger("retrain")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the project at a commit, or in the working tree.

    Attributes:
        files: gives the bytes of a file that git or the working tree holds, or why it is not read; `None` where
            there is none.
        inside: gives the paths below a directory there.
        pipeline: what the DVC files of that side say; `None` where they cannot be read.
        objects: where cached files are had by hash.

    """

    files: Callable[[str], bytes | Unreadable | None]
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
    """Give the candidate's side: the working tree, as it is now.

    What is read here is published, so a checkout cannot have read what it only points to: nothing outside of `root`
    but the cache, and nothing that git or DVC keep for themselves.
    """
    open_ = (root.resolve(), *((objects.cache.root.resolve(),) if objects else ()))

    def content(path: str) -> bytes | Unreadable | None:
        try:
            return _read(root, path, open_)
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a link to itself, before Python 3.13
            return Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or error}")

    def inside(path: str) -> list[str]:
        try:
            folder = root / path
            if not _is_open(folder.resolve(), open_):
                return []
            return sorted(place.relative_to(root).as_posix() for place in folder.rglob("*") if place.is_file())
        except (OSError, ValueError, RuntimeError):
            return []  # reading it says why

    return Side(content, inside, pipeline, objects)


def _read(root: Path, path: str, open_: Sequence[Path]) -> bytes | Unreadable | None:
    place = root / path
    real = place.resolve()
    if not _is_open(real, open_):
        return Unreadable(
            "is a link to a place outside the project" if place.is_symlink() else "is outside the project"
        )
    try:
        mode = real.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(mode):
        return None
    return real.read_bytes() if stat.S_ISREG(mode) else Unreadable("is not a regular file")


def _is_open(real: Path, open_: Sequence[Path]) -> bool:
    """Whether a place, free of links, may be read: in the cache, or in the project and not in `.git` or `.dvc`."""
    root, *caches = open_
    if any(real.is_relative_to(cache) for cache in caches):
        return True
    return real.is_relative_to(root) and not {".git", ".dvc"} & set(real.relative_to(root).parts)


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
