"""The working tree as the pipeline sees it: which DVC files there are, what the paths that stages name hold.

Answers are remembered for the run; whoever changes a path says so with `forget`.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from runner import durable
from runner.engine.decide import UNTRACKABLE, Content
from runner.errors import ConfigError
from runner.hashes import MD5, Hash, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from runner.engine.dvcignore import Ignore
    from runner.store.state import State

SCRATCH = ".dvc/tmp/retrain"
"""Where the runner keeps what is of no use after it has ended, or can be had again; never in git."""

_UNSEEN = {".git", ".hg", ".dvc"}


class Workspace:
    """A DVC project's folder."""

    def __init__(self, root: Path, state: State, listed: Callable[[], Iterable[str]]) -> None:
        """Look at the project in `root`.

        Args:
            root: the folder that holds `.dvc`.
            state: remembers the hashes of files that did not change.
            listed: gives every DVC file and .dvcignore that git does not ignore, relative to `root`.

        """
        self.root = root
        self._state = state
        self._listed = listed
        self._seen: dict[tuple[str, str], Content | None] = {}
        self._trees: dict[tuple[str, str], Tree] = {}
        self._ignore: Ignore | None = None

    def path(self, relative: str) -> Path:
        """Give the place on disk of a repository-relative path."""
        return self.root / relative

    def read(self, relative: str) -> str | None:
        """Give a text file of the project; `None` where there is none."""
        place = self.path(relative)
        try:
            with refusals(relative, "read"):
                if not stat.S_ISREG(place.stat().st_mode):
                    message = f"{relative} is not a regular file"
                    raise ConfigError(message, "put a file in its place")
                return place.read_bytes().decode("utf-8-sig")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            message = f"{relative} is not UTF-8 text (byte {error.start})"
            raise ConfigError(message, "save the file as UTF-8") from error

    def write(self, relative: str, content: bytes) -> None:
        """Replace a file of the project, whole or not at all."""
        with refusals(relative, "written"):
            durable.write(self.path(relative), content)

    def dvc_files(self) -> list[str]:
        """Give every `dvc.yaml` and `*.dvc` that DVC would find, a directory's files before its sub-directories'."""
        listed = list(self._listed())
        self._ignore = self._load_ignore(path for path in listed if path.endswith(".dvcignore"))
        wanted = (path for path in listed if path.endswith(".dvc") or PurePosixPath(path).name == "dvc.yaml")
        nested: dict[str, bool] = {}
        found = [path for path in wanted if self._is_ours(path, nested) and not self._is_ignored(path)]
        return sorted(found, key=lambda path: (PurePosixPath(path).parts[:-1], path))

    def observe(self, relative: str, kind: str = MD5) -> Content | None:
        """Hash what is at a path; `None` where there is nothing. A directory's hash is its listing's.

        Args:
            relative: the path.
            kind: how it is hashed: `md5`, or as DVC did before 3.0.

        """
        if (relative, kind) not in self._seen:
            self._seen[relative, kind] = self._look(relative, kind)
        return self._seen[relative, kind]

    def observe_out(self, relative: str, kind: str = MD5) -> Content | None:
        """Do as `observe`, but call what cannot be tracked `UNTRACKABLE`: an out may be replaced whatever it is."""
        try:
            return self.observe(relative, kind)
        except ConfigError:
            return UNTRACKABLE

    def tree(self, relative: str, kind: str = MD5) -> Tree:
        """Give the listing of a directory that `observe` has hashed."""
        return self._trees[relative, kind]

    def forget(self, relative: str) -> None:
        """Look again at `relative`, at what lies in it and at what holds it the next time they are asked for.

        `.` is everything.
        """
        for seen in [seen for seen in self._seen if _related(seen[0], relative)]:
            del self._seen[seen]
            self._trees.pop(seen, None)

    def check_inside(self, relative: str, *others: Path) -> None:
        """Refuse a path that leads out of the project (and of `others`): what lies there may be a secret."""
        place = Path(os.path.realpath(self.path(relative)))
        if not any(place.is_relative_to(os.path.realpath(folder)) for folder in (self.root, *others)):
            message = f"{relative} is a link to a place outside the project"
            raise ConfigError(message, "replace the link by the file itself")

    def _look(self, relative: str, kind: str) -> Content | None:
        try:
            with refusals(relative, "read"):
                return self._content(relative, self.path(relative), kind)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _content(self, relative: str, place: Path, kind: str) -> Content:
        found = place.stat()
        if stat.S_ISDIR(found.st_mode):
            return self._look_inside(relative, place, kind)
        if not stat.S_ISREG(found.st_mode):
            message = f"{relative} is neither a file nor a directory"
            raise ConfigError(message, "only regular files and directories can be deps and outs")
        executable = bool(found.st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
        return Content(Hash(self._state.hash_file(place, kind), kind), found.st_size, isexec=executable)

    def _look_inside(self, relative: str, place: Path, kind: str) -> Content:
        files = list(self._walk(place, relative))
        digests = self._state.hash_many([Path(entry.path) for _, entry in files], kind)
        tree = Tree.of(((inner, digest) for (inner, _), digest in zip(files, digests, strict=True)), kind)
        self._trees[relative, kind] = tree
        return Content(tree.hash, sum(entry.stat().st_size for _, entry in files), len(tree))

    def _walk(self, place: Path, relative: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Give every file below a directory that DVC sees, with its path inside; links to directories are skipped."""
        folders = [("", str(place))]
        while folders:
            prefix, folder = folders.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    inner = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if self._enters(f"{relative}/{inner}", entry):
                            folders.append((f"{inner}/", entry.path))
                    elif not (self._is_ignored(f"{relative}/{inner}") or _leads_to_folder(entry)):
                        yield inner, self._checked(f"{relative}/{inner}", entry)

    def _enters(self, relative: str, entry: os.DirEntry[str]) -> bool:
        if entry.name in _UNSEEN or self._is_ignored(f"{relative}/"):
            return False
        return not Path(entry.path, ".dvc").is_dir()

    def _checked(self, relative: str, entry: os.DirEntry[str]) -> os.DirEntry[str]:
        """Refuse what cannot be tracked: odd names, devices, links out of the project (they could carry secrets)."""
        if not relative.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in relative):
            message = f"the file name {relative!r} is not UTF-8"
            raise ConfigError(message, "rename the file; DVC cannot track it either")
        if entry.is_symlink():
            self.check_inside(relative)
        if not os.path.isfile(entry.path):  # noqa: PTH113 - a link that leads to itself is no file, and no error
            what = "a broken link" if entry.is_symlink() else "not a regular file"
            message = f"{relative} is {what}"
            raise ConfigError(message, "only regular files can be tracked inside a directory")
        return entry

    def _is_ours(self, path: str, nested: dict[str, bool]) -> bool:
        """Whether no folder between the root and `path` is a DVC project of its own."""
        for parent in PurePosixPath(path).parents:
            folder = str(parent)
            if folder == ".":
                break
            if folder not in nested:
                nested[folder] = self.path(f"{folder}/.dvc").is_dir()
            if nested[folder]:
                return False
        return not path.startswith(".dvc/")

    def _is_ignored(self, path: str) -> bool:
        return self._ignore is not None and path in self._ignore

    def _load_ignore(self, files: Iterable[str]) -> Ignore | None:
        """Compile the patterns; most projects have none, and those do not pay for the matcher."""
        texts = {str(PurePosixPath(path).parent): self.read(path) or "" for path in files}
        lines = (line.strip() for text in texts.values() for line in text.splitlines())
        if all(not line or line.startswith("#") for line in lines):
            return None
        dvcignore = import_module("runner.engine.dvcignore")
        ignore: Ignore = dvcignore.Ignore({folder: dvcignore.patterns(text) for folder, text in texts.items()})
        return ignore


@contextmanager
def refusals(relative: str, done: str) -> Iterator[None]:
    """Say in words what the system refused ("read", "written"); that there is no such file is passed on.

    Raises:
        ConfigError: no permission, a read-only file system, a link that leads to itself.

    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        message = f"{relative} cannot be {done}: {error.strerror or error}"
        raise ConfigError(message, "mend the file or the name") from error


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and os.path.isdir(entry.path)  # noqa: PTH112 - a link that leads to itself is no error


def _related(path: str, changed: str) -> bool:
    everything = "." in {path, changed}
    return everything or path == changed or path.startswith(f"{changed}/") or changed.startswith(f"{path}/")
