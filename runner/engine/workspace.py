"""The working tree as the pipeline sees it: which DVC files there are, what the paths that stages name hold.

Answers are remembered for the run; whoever changes a path says so with `forget`.
"""

from __future__ import annotations

import os
import posixpath
import stat
from contextlib import contextmanager
from itertools import accumulate, islice
from pathlib import Path
from typing import TYPE_CHECKING

from runner import durable
from runner.engine import dvcignore, walked
from runner.engine.decision import UNTRACKABLE, Content
from runner.engine.dvcignore import Ignore
from runner.engine.seen import Seen
from runner.errors import ConfigError
from runner.hashes import MD5, Hash, Tree
from runner.store import disk
from runner.store.digest import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.engine.seen import Look
    from runner.store.state import State

_SMALL = 1 << 20
SCRATCH = ".dvc/tmp/retrain"
"""Where the runner keeps what is of no use after it has ended, or can be had again; never in git."""


class Workspace:
    """A DVC project's folder."""

    def __init__(self, root: Path, state: State, within: Path | None = None, cache: Path | None = None) -> None:
        """Look at a project.

        Args:
            root: the project's folder, the one that holds `.dvc`.
            state: remembers hashes between runs.
            within: the repository, where who made links in it is not trusted: no text is read that lies outside of it,
                as what templates and params hold is shown. Without it links may lead anywhere, as with DVC.
            cache: where objects lie, wherever that is: a directory may hold links to them.

        """
        self.root = root
        self._state = state
        self._within = within.resolve() if within else None
        self._linked = (cache,) if cache else ()
        self._top = str(root)
        self._seen = Seen()
        self._supposed: dict[str, bytes] = {}
        self._lent: dict[str, set[str]] = {}
        self._ignore = Ignore(self._dvcignore)

    def suppose(self, relative: str, content: bytes) -> None:
        """Take a file for one that holds `content`, whatever it holds on disk."""
        self._supposed[relative] = content
        self.forget(relative)

    def suppose_nothing(self) -> None:
        """Take every file for what it is again."""
        for relative in [*self._supposed]:
            del self._supposed[relative]
            self.forget(relative)

    def lend(self, directory: str, *parts: str) -> None:
        """Take a directory for absent, except `parts`: repository-relative paths of what is complete in it."""
        self._lent.setdefault(directory, set()).update(parts)
        self.forget(directory)

    def unlend(self, directory: str) -> None:
        """Take a directory for what it is again."""
        self._lent.pop(directory, None)
        self.forget(directory)

    @property
    def lends(self) -> bool:
        """Whether any directory is taken for absent."""
        return bool(self._lent)

    def lent(self, directory: str) -> frozenset[str] | None:
        """Give the parts of a directory that are seen though it is taken for absent; `None` where it is not."""
        parts = self._lent.get(directory)
        return None if parts is None else frozenset(parts)

    def look_inside_loan(self, directory: str, kind: str) -> Tree | None:
        """Give what lies in a directory that is taken for absent; `None` where that cannot be tracked."""
        parts = self._lent.pop(directory)
        try:
            look = self.look(directory, kind, whole=True)
        finally:
            self._lent[directory] = parts
        return look[1] if isinstance(look, tuple) else None

    def _is_seen(self, relative: str) -> bool:
        for directory, parts in self._lent.items():
            if f"{relative}/".startswith(f"{directory}/"):
                return any(f"{relative}/".startswith(f"{part}/") for part in parts)
        return True

    def path(self, relative: str) -> Path:
        """Give the place on disk of a repository-relative path."""
        return self.root / relative

    def is_there(self, relative: str) -> bool:
        """Whether anything is at a path."""
        return self._is_seen(relative) and self.path(relative).exists()

    def may_be_lent(self, relative: str) -> bool:
        """Whether nothing is where a directory belongs, not even a broken link, or a part of it that is lent."""
        return relative in self._lent or not os.path.lexists(self._at(relative))

    def read(self, relative: str) -> str | None:
        """Give a text file of the project; `None` where there is none."""
        try:
            return self._bytes(relative).decode("utf-8-sig")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            message = f"{relative} is not UTF-8 text (byte {error.start})"
            raise ConfigError(message, "save the file as UTF-8") from error

    def _bytes(self, relative: str) -> bytes:
        if relative in self._supposed:
            return self._supposed[relative]
        place = self._at(relative)
        with refusals(relative, "read"):
            if not stat.S_ISREG(os.stat(place).st_mode):  # noqa: PTH116 - see `_at`
                message = f"{relative} is not a regular file"
                raise ConfigError(message, "put a file in its place")
            if self._within and not _is_open(Path(place).resolve(), self._within):
                message = f"{relative} is a link to a place outside the repository"
                raise ConfigError(message, "replace the link by the file itself")
            return disk.read(place)

    def _at(self, relative: str) -> str:
        """Do as `path`, for what is asked several times a stage: a Path costs more than what it is asked."""
        return os.path.join(self._top, relative)  # noqa: PTH118 - as said

    def write(self, relative: str, content: bytes) -> None:
        """Replace a file of the project, whole or not at all."""
        with refusals(relative, "written"):
            durable.write(self.path(relative), content)

    def found(self, dvc_files: Iterable[str]) -> list[str]:
        """Give those of `dvc_files` that DVC sees, in its order."""
        return dvcignore.found(dvc_files, self._ignore, lambda folder: self.path(f"{folder}/.dvc").exists())

    def hiding(self, relative: str) -> str:
        """Name the line of a .dvcignore that hides a path from DVC; empty where it is seen."""
        rules = self._ignore.inside(posixpath.dirname(relative))
        pattern = rules.deciding(relative, is_folder=self.path(relative).is_dir()) if rules.patterns else None
        return f"{pattern.text!r} ({pattern.where})" if pattern and pattern.hides else ""

    def observe(self, relative: str, kind: str = MD5) -> Content | None:
        """Hash what is at a path; `None` where there is nothing. A directory's hash is its listing's.

        Args:
            relative: the path.
            kind: how it is hashed: `md5`, or as DVC did before 3.0.

        """
        if (relative, kind) not in self._seen:
            self.remember(relative, kind, self.look(relative, kind))
        return self._seen.content(relative, kind)

    def is_large(self, relative: str) -> bool:
        """Whether hashing what is at a path may take long: a directory, or a file that is no small one."""
        try:
            found = os.stat(self._at(relative))  # noqa: PTH116 - see `_at`
        except OSError:
            return False
        return stat.S_ISDIR(found.st_mode) or found.st_size > _SMALL

    def look(self, relative: str, kind: str = MD5, *, whole: bool = False) -> Look | ConfigError:
        """Hash what is at a path, and change nothing; may be called on any thread. See `remember`.

        The listing of a directory that has not changed since it was hashed last is given only if asked for the `whole`.
        """
        if self._lent and not self._is_seen(relative):
            return None
        try:
            with refusals(relative, "read"):
                return self._content(relative, self._at(relative), kind, whole=whole)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ConfigError as error:
            return error

    def remember(self, relative: str, kind: str, look: Look | ConfigError) -> None:
        """Take an answer of `look` for what `observe` gives from here on; a refusal is asked for again."""
        if isinstance(look, ConfigError):
            raise look
        self._seen.keep(relative, kind, look)

    def observe_out(self, relative: str, kind: str = MD5) -> Content | None:
        """Do as `observe`, but call what cannot be tracked `UNTRACKABLE`: an out may be replaced whatever it is."""
        try:
            return self.observe(relative, kind)
        except ConfigError:
            return UNTRACKABLE

    def tree(self, relative: str, kind: str = MD5) -> Tree:
        """Give the listing of a directory that `observe` has looked at; if it was known, its files are hashed now.

        Raises:
            ConfigError: it has changed since.

        """
        tree = self._seen.tree(relative, kind)
        if tree is None:
            look = self.look(relative, kind, whole=True)
            tree = look[1] if isinstance(look, tuple) and look[0] == self._seen.content(relative, kind) else None
            if tree is None:
                message = f"{relative} changed while it was looked at"
                raise ConfigError(message, "something else writes to it; run again when it holds still")
            self.remember(relative, kind, look)
        return tree

    def forget(self, relative: str) -> None:
        """Look again at `relative`, at what lies in it and at what holds it the next time they are asked for.

        `.` is everything.
        """
        self._seen.forget(relative)

    def check_inside(self, relative: str, *others: Path) -> None:
        """Refuse a path that leads out of the project (and of `others`): what lies there may be a secret."""
        if not self._may_lead_out(relative):
            return
        place = Path(os.path.realpath(self.path(relative)))
        if not any(place.is_relative_to(os.path.realpath(folder)) for folder in (self.root, *others)):
            message = f"{relative} is a link to a place outside the project"
            raise ConfigError(message, "replace the link by the file itself")

    def _may_lead_out(self, relative: str) -> bool:
        """Whether a part of a path is a link or leads up; most are neither, and cost one question a part."""
        parts = relative.split("/")
        if "" in parts or ".." in parts:
            return True
        steps = accumulate(parts, lambda above, part: f"{above}/{part}", initial=self._top)
        return any(os.path.islink(step) for step in islice(steps, 1, None))  # noqa: PTH114 - a Path costs more than it

    def _content(self, relative: str, place: str, kind: str, *, whole: bool) -> Look:
        found = os.stat(place)  # noqa: PTH116 - see `_at`
        if stat.S_ISDIR(found.st_mode):
            return self._look_inside(relative, place, kind, whole=whole)
        if not stat.S_ISREG(found.st_mode):
            message = f"{relative} is neither a file nor a directory"
            raise ConfigError(message, "only regular files and directories can be deps and outs")
        executable = bool(found.st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
        if (supposed := self._supposed.get(relative)) is not None:
            return Content(Hash(_digest(supposed, kind), kind), len(supposed), isexec=executable), None
        return Content(Hash(self._state.hash_file(place, kind), kind), found.st_size, isexec=executable), None

    def _look_inside(self, relative: str, place: str, kind: str, *, whole: bool) -> Look:
        files = walked.Walked(place, self._state.clock())  # what else is known of each takes more memory than all of it
        top = "" if relative == "." else f"{relative}/"
        is_plain = top.isprintable()
        for inner, entry in walked.walk(place, top, self._ignore, self._lent):
            if not (is_plain and inner.isprintable() and entry.is_file(follow_symlinks=False)):  # as nearly all are
                self._check(top + inner, entry)
            files.add(inner, entry.stat())
        supposed = {path.removeprefix(f"{relative}/"): content for path, content in self._supposed.items()}
        known = None if whole or supposed else self._state.listing(files, kind)
        if known:
            return Content(Hash(known, kind), files.bytes, len(files)), None
        rows: Iterator[tuple[str, str]] = zip(files.paths(), self._state.hash_many(files, kind), strict=True)
        if supposed:
            rows = ((path, _digest(supposed[path], kind) if path in supposed else md5) for path, md5 in rows)
        tree = Tree.of(rows, kind)
        if not supposed:
            self._state.learn(files, tree.hash.value, kind)
        return Content(tree.hash, files.bytes, len(tree)), tree

    def _check(self, relative: str, entry: os.DirEntry[str]) -> None:
        """Refuse what cannot be tracked: odd names, devices, links out of the project (they could carry secrets)."""
        if not relative.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in relative):
            message = f"the file name {relative!r} is not UTF-8"
            raise ConfigError(message, "rename the file; DVC cannot track it either")
        if entry.is_symlink():
            self.check_inside(relative, *self._linked)
        # A link that leads to itself is no file, and no error. What is no link is known from reading the folder.
        if not (entry.is_file(follow_symlinks=False) or os.path.isfile(entry.path)):  # noqa: PTH113 - see above
            what = "a broken link" if entry.is_symlink() else "not a regular file"
            message = f"{relative} is {what}"
            raise ConfigError(message, "only regular files can be tracked inside a directory")

    def _dvcignore(self, relative: str) -> str | None:
        """Read a .dvcignore; unlike other texts it keeps its byte order mark, which is part of DVC's first pattern."""
        try:
            return self._bytes(relative).decode()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            message = f"{relative} is not UTF-8 text (byte {error.start})"
            raise ConfigError(message, "save the file as UTF-8") from error


def _digest(content: bytes, kind: str) -> str:
    digest = digest_of(kind)
    digest.update(content)
    return digest.hexdigest()


def _is_open(real: Path, top: Path) -> bool:
    """Whether a place, free of links, lies in a repository, and not in what git keeps for itself."""
    return real.is_relative_to(top) and ".git" not in real.relative_to(top).parts


@contextmanager
def refusals(relative: str, done: str) -> Iterator[None]:
    """Say in words what the system refused ("read", "written"); that there is no such file is passed on.

    Raises:
        ConfigError: no permission, a read-only file system, a link that leads to itself.
        RemoteError: the disk is full.

    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        if is_full := disk.full(error):
            raise is_full from error
        message = f"{relative} cannot be {done}: {error.strerror or error}"
        raise ConfigError(message, disk.refusal(done, error).hint or "mend the file or the name") from error
