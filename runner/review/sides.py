"""The two sides of a comparison: metrics and params of the working tree, and of a commit."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from runner.engine.committed import Committed
from runner.hashes import Hash
from runner.pipeline import params
from runner.pipeline.addresses import PARAMS_FILE
from runner.pipeline.declared import Declared
from runner.review.metrics import Unreadable, parse_metrics
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from runner.engine.homes import Wanted
    from runner.engine.objects import Objects
    from runner.git import Git
    from runner.pipeline.model import Excerpt, LockedPath, Out, Stage
    from runner.pipeline.pipeline import Pipeline
    from runner.pipeline.unpack import Unpacking


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the project at a commit, or in the working tree.

    Attributes:
        files: gives the bytes of a file that git or the working tree holds, or why it is not read; `None` where
            there is none.
        inside: gives the paths below a directory there.
        weigh: gives the bytes of a file or a directory there; `None` where there is none.
        pipeline: what the DVC files of that side say; `None` where they cannot be read.
        objects: where cached files are had by hash.

    """

    files: Callable[[str], bytes | Unreadable | None]
    inside: Callable[[str], Iterable[str]]
    weigh: Callable[[str], int | None]
    pipeline: Pipeline | None
    objects: Objects | None

    def metrics_files(self) -> list[str]:
        """Give the metrics files that this side declares, as outs or beside stages, directories opened up."""
        outs = [out.path for stage in self._stages() for out in stage.outs if out.metric]
        return self.opened_up((*outs, *self._declared().metrics))

    def opened_up(self, paths: Iterable[str]) -> list[str]:
        """Give the files at `paths` and, where one is a directory, those in it; sorted."""
        return sorted({file for path in paths for file in (*self.inside(path),) or self._listed(path) or [path]})

    def _stages(self) -> Sequence[Stage]:
        return self.pipeline.stages if self.pipeline else ()

    def _declared(self) -> Declared:
        return self.pipeline.declared if self.pipeline else Declared()

    def metrics(self, paths: Iterable[str] = ()) -> dict[str, object]:
        """Read the metrics files that this side declares, or those at `paths`; one that is not there is unreadable."""
        return self.shown(self._with_absent(self.opened_up(paths) or self.metrics_files()))

    def params_keys(self, *, deps_only: bool = False) -> dict[str, tuple[str, ...]]:
        """Give the params files of this side, each with the dotted keys that count; none means all of it.

        As `dvc params diff` does, the root's params.yaml and files declared beside stages count whole, unless only
        what stages depend on is asked for; of files that nobody declares the variables that templates use.
        """
        tracked = [(param.path, param.keys) for stage in self._stages() for param in stage.params]
        if not deps_only:
            tracked += [(path, ()) for path in self._declared().params]
            tracked += [(PARAMS_FILE, ())] if self.files(PARAMS_FILE) is not None else []
        known = {path for path, _ in tracked}
        tracked += [used for stage in self._stages() for used in stage.used.items() if used[0] not in known]
        whole = {path for path, keys in tracked if not keys}
        found: dict[str, dict[str, None]] = {}
        for path, keys in tracked:
            found.setdefault(path, {}).update(dict.fromkeys(() if path in whole else keys))
        return {path: tuple(keys) for path, keys in sorted(found.items())}

    def params(self, paths: Iterable[str] = (), *, deps_only: bool = False) -> dict[str, object]:
        """Read the params of this side, or the files at `paths` whole; a file that is not there is unreadable."""
        wanted = dict.fromkeys(self.opened_up(paths), ()) or self.params_keys(deps_only=deps_only)
        return {path: _only(document, wanted[path]) for path, document in self._with_absent(wanted).items()}

    def _with_absent(self, paths: Iterable[str]) -> dict[str, object]:
        found = self.documents(paths)
        return {path: found.get(path, Unreadable("does not exist")) for path in paths}

    def documents(self, paths: Iterable[str]) -> dict[str, object]:
        """Read and parse metrics files; one that does not exist on this side is left out."""
        contents = {path: self.content(path) for path in dict.fromkeys(paths)}
        return {path: self._parsed(path, content) for path, content in contents.items() if content is not None}

    def _parsed(self, path: str, content: bytes | Unreadable) -> object:
        if isinstance(content, Unreadable):
            return content
        excerpt = self._excerpt(path)
        if excerpt is None:
            return parse_metrics(path, content)
        from runner.review import excerpts  # noqa: PLC0415 - a parser of paths, which only stage files of DVC 0.x need

        return excerpts.read(excerpt, path, content)

    def _excerpt(self, path: str) -> Excerpt | None:
        """Give what stage files of DVC 0.x say of how a metrics file is read, and what of it is shown."""
        produced = self.pipeline.producer(path) if self.pipeline else None
        return produced[1].excerpt if produced and produced[1].path == path else None

    def shown(self, documents: Mapping[str, object]) -> dict[str, object]:
        """Give of metrics documents what a report shows: the whole, unless a stage file of DVC 0.x picks a part."""
        picks = {path: excerpt for path in documents if (excerpt := self._excerpt(path))}
        if not picks:
            return dict(documents)
        from runner.review import excerpts  # noqa: PLC0415 - see `_parsed`

        return {
            path: excerpts.shown(picks[path], path, document) if path in picks else document
            for path, document in documents.items()
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

    def version(self, path: str) -> object:
        """Give what tells two contents of a file, an out, or two runs of a stage apart; `None` where there is none."""
        content = self.files(path)
        if content is not None:
            return content
        named = self._named(path)
        recorded = self.pipeline.entries.get(path) if self.pipeline else None
        return named[1] if named else recorded

    def origin(self, path: str) -> str:
        """Say where a file is read: where it lies, or the object that the lock names; empty where it is not there."""
        if self.weigh(path) is not None:
            return "the file"
        named = self._named(path)
        return f"the object {named[1].value[:8]} that the lock names" if named else ""

    def size(self, path: str) -> int | Unreadable:
        """Give the bytes of an out, or why they cannot be said: where it lies, else as the lock or the cache has it."""
        found = self.weigh(path)
        if found is not None:
            return found
        recorded = self._entry_of(path)
        if recorded is None:
            return Unreadable(f"{path} does not exist, and no stage makes it")
        out, written = recorded
        if out.path == path and written and written.size is not None:
            return written.size
        named = self._named(path)
        if named and self.objects and not named[1].is_dir:
            weighed = self.objects.size(*named)
            if weighed is not None:
                return weighed
        return Unreadable(f"the size of {path} is recorded nowhere", unrecorded=True)

    def _entry_of(self, path: str) -> tuple[Out, LockedPath | None] | None:
        """Give the out that is or holds a path, and what the lock records of it; `None` where no stage makes it."""
        produced = self.pipeline.producer(path) if self.pipeline else None
        if not produced or not self.pipeline:
            return None
        stage, out = produced
        entry = self.pipeline.entries.get(stage.address)
        return out, entry.out(out.spelled) if entry else None

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
        files = [f"{recorded[0].path}/{inner}" for inner, _ in tree] if tree else []
        return [file for file in files if file.startswith(f"{path}/")]

    def _recorded(self, path: str) -> Wanted | None:
        found = self._entry_of(path)
        return (found[0], found[1].hash) if found and found[1] and found[1].hash else None


def _only(document: object, keys: Sequence[str]) -> object:
    """Give the values at `keys`, by dotted key; all of the document where there are none."""
    if not keys or isinstance(document, Unreadable):
        return document
    found = {key: params.lookup(document, key) for key in keys}
    return {key: value for key, value in found.items() if value is not params.MISSING}


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

    def weigh(path: str) -> int | None:
        try:
            place = root / path
            if not _is_open(place.resolve(), open_):
                return None
            files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
            return sum(one.stat().st_size for one in files) if files or place.is_dir() else None
        except (OSError, ValueError, RuntimeError):
            return None

    return Side(content, inside, weigh, pipeline, objects)


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
    """Whether a place, free of links, may be read: in the cache, or in the project and not in `.git` or `.dvc`.

    Templates of plots, which DVC keeps in `.dvc/plots`, are part of the project.
    """
    root, *caches = open_
    if any(real.is_relative_to(cache) for cache in caches):
        return True
    parts = real.relative_to(root).parts if real.is_relative_to(root) else (".git",)
    return parts[:2] == (".dvc", "plots") or not {".git", ".dvc"} & set(parts)


def committed(git: Git, prefix: str, sha: str, objects: Objects | None, unpacking: Unpacking | None = None) -> Side:
    """Give the side of a commit; its DVC files are read as they were then.

    Args:
        git: the repository.
        prefix: the project's folder inside it, ending in `/`; empty at the top.
        sha: the commit.
        objects: where its cached files are had by hash.
        unpacking: how its templates make options of mappings.

    """
    then = Committed(git, prefix, sha, unpacking)
    if objects and then.pipeline:
        objects.versions.note(then.pipeline)

    def weigh(path: str) -> int | None:
        files = [content for one in (path, *then.inside(path)) if (content := then.content(one)) is not None]
        return sum(map(len, files)) if files else None

    return Side(then.content, then.inside, weigh, then.pipeline, objects)
