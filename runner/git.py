"""The only door to git: revisions, files at a revision, history. Writes fetched objects, and work trees of its own.

File contents come from one `git cat-file --batch` process that stays open until `close`; not for several threads.
"""

from __future__ import annotations

import base64
import os
import posixpath
import re
import subprocess
from bisect import bisect_left
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Self

from runner.errors import GitError
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

STEPS: Final = (50, 500, 5000)
FETCH_SECONDS: Final = 600
QUIETLY: Final = ("--quiet", "--no-auto-gc")
"""How to fetch: git's housekeeping would go on in the background, as nobody's child."""
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")
_LIKELY_DEFAULTS: Final = ("main", "master", "trunk")
MOVES_THE_TOP: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_CEILING_DIRECTORIES")
_EXCERPT: Final = 300
_EXPERIMENTS: Final = "refs/exps/"
_AUTHOR: Final = re.compile(r"^author (.*?) ?<[^>\n]*> (\d{1,11}) ([+-])(\d\d)(\d\d)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Listed:
    """The DVC files of a folder, relative to it.

    Attributes:
        files: every dvc.yaml, `*.dvc` and `Dvcfile` that is not ignored.
        ignored_locks: each dvc.lock beside them that is, whether it is there or not.

    """

    files: list[str]
    ignored_locks: set[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a tree has it: git's mode (`100644`, `100755`, `120000`: a link) and the id of its content."""

    mode: str
    blob: str


@dataclass(frozen=True, slots=True)
class Modes:
    """A file's modes at HEAD and in the working tree, as git would record them; empty: git knows nothing of it yet."""

    head: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """Who wrote a commit, when (a date, as it was where they were), and its subject."""

    author: str
    date: str
    subject: str


class Git:
    """A repository with a work tree.

    Every method raises GitError where git cannot answer. Revisions are anything git understands:
    names, ids, `HEAD~1`. Paths are repository-relative.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        """Take the top folder of the work tree and the environment that git is to see."""
        self.root = root
        self._environ = {**environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
        self._batch: subprocess.Popen[bytes] | None = None

    @classmethod
    def discover(cls, start: Path, environ: Mapping[str, str]) -> Git:
        """Find the repository that holds `start`.

        Raises:
            GitError: there is none, or git is not installed. That git distrusts the folder's owner comes out at the
                first question: to ask now would cost every run a process.

        """
        asked = any(name in environ for name in MOVES_THE_TOP)
        found = (
            None if asked else next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)
        )
        return cls(found or cls(start, environ).top(), environ)

    def __enter__(self) -> Self:
        """Give itself; `close` follows."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """End the process that reads objects; it starts again when it is needed."""
        if self._batch is not None:
            self._batch.communicate()
            self._batch = None

    # What there is

    def top(self) -> Path:
        """Give the top folder of the work tree, absolute."""
        return Path(os.fsdecode(self._run("rev-parse", "--show-toplevel").removesuffix(b"\n")))

    def head(self) -> str:
        """Give the id of the commit checked out."""
        return self.resolve("HEAD")

    def resolve(self, rev: str) -> str:
        """Give the id of the commit that `rev` names."""
        found = self._object(f"{rev}^{{commit}}")
        if found is None:
            message = f"git knows no commit {rev!r}"
            hint = "the repository has no commit yet" if rev == "HEAD" else _FETCH_HINT
            raise GitError(message, hint)
        return found[0]

    def show(self, rev: str, path: str) -> bytes | None:
        """Give a file's bytes at a revision; `None` where there is no such file (or it is a folder)."""
        found = self._object(f"{rev}:{path}")
        if found is None:
            self.resolve(rev)
        return found[2] if found and found[1] == "blob" else None

    def link(self, rev: str, path: str) -> str:
        """Give where a symbolic link leads at a revision; empty where there is none of that path."""
        mode = self._run("ls-tree", "-z", "--full-tree", self.resolve(rev), "--", path).partition(b" ")[0]
        return os.fsdecode(self.show(rev, path) or b"") if mode == b"120000" else ""

    def files(self, rev: str) -> list[str]:
        """List every file at a revision, in git's order."""
        return _split(self._run("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.resolve(rev)))

    def blobs(self, rev: str) -> dict[str, str]:
        """Give the id of the content of every file at a revision, by path."""
        return {path: entry.blob for path, entry in self.tree(rev).items()}

    def tree(self, rev: str) -> dict[str, Entry]:
        """Give every file at a revision, by path."""
        rows = _split(self._run("ls-tree", "-r", "-z", "--full-tree", self.resolve(rev)))
        pairs = (row.partition("\t") for row in rows)
        return {path: Entry(about.partition(" ")[0], about.rpartition(" ")[2]) for about, _, path in pairs}

    def changed(self) -> dict[str, Modes]:
        """Give the files that differ from HEAD, or that it has not and nothing ignores, by path."""
        ask = ("status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=dirty")
        rows = _split(self._run(*ask))
        ordinary = [row.split(" ", 8) for row in rows if row.startswith("1 ")]
        unmerged = [row.split(" ", 10) for row in rows if row.startswith("u ")]
        return {
            **{words[8]: Modes(words[3], words[5]) for words in ordinary},
            **{words[10]: Modes(words[4], words[6]) for words in unmerged},
            **{row[2:]: Modes() for row in rows if row.startswith("? ")},
        }

    def stored(self, paths: Iterable[str]) -> dict[str, str]:
        """Give the id that each file's content would have in git: what `.gitattributes` makes of it counts."""
        paths = list(paths)
        odd = [path for path in paths if "\n" in path or path.startswith('"')]  # git would read a quoted one
        plain = [path for path in paths if path not in odd]
        asked = b"".join(os.fsencode(path) + b"\n" for path in plain)
        ids = self._run("hash-object", "--stdin-paths", stdin=asked).decode().split() if plain else []
        return {
            **dict(zip(plain, ids, strict=True)),
            **{path: self._line("hash-object", "--", path) for path in odd},
        }

    def listed(self, folder: Path) -> Listed:
        """Give the DVC files below `folder` that no ignore file names, tracked or not, as DVC does.

        Repositories inside this one (submodules, clones) are looked into, unless they are DVC projects of their own.
        """
        names = ("dvc.yaml", "*/dvc.yaml", "Dvcfile", "*/Dvcfile", "*.dvc", "*/")  # the last one: other repositories
        ask = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", *names)
        found = _split(self._run("-C", str(folder), *ask))
        own = [path for path in found if (folder / path).is_file()]
        locks = [f"{path.removesuffix('dvc.yaml')}dvc.lock" for path in own if path.endswith("dvc.yaml")]
        hidden = self._named_by_ignore_files(folder, [*own, *locks])
        inside = [path.rstrip("/") for path in found if path.endswith("/")] + self._submodules(folder)
        others = [f"{place}/{path}" for place in inside for path in self._listed_inside(folder / place)]
        return Listed([path for path in own if path not in hidden] + others, hidden & set(locks))

    def _named_by_ignore_files(self, folder: Path, paths: Sequence[str]) -> set[str]:
        """Give those of `paths` that an ignore file names, whether git tracks them or not."""
        asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
        ask = ("-C", str(folder), "check-ignore", "--no-index", "--stdin", "-z")
        return set(_split(self._run(*ask, stdin=asked, fine=(0, 1)))) if paths else set()

    def _submodules(self, folder: Path) -> list[str]:
        """Give the places of submodules below `folder`; a repository without any is not asked."""
        if not (self.root / ".gitmodules").exists():
            return []
        staged = _split(self._run("-C", str(folder), "ls-files", "-z", "--stage"))
        return [entry.partition("\t")[2] for entry in staged if entry.startswith("160000 ")]

    def _listed_inside(self, place: Path) -> list[str]:
        """Give the DVC files of another repository; none where it is not checked out, or a project of its own."""
        if not (place / ".git").exists() or (place / ".dvc").exists():
            return []
        return Git(place, self._environ).listed(place).files

    def tracked(self, paths: Iterable[str]) -> set[str]:
        """Give those of `paths` that are in git's index, or folders with a file in it."""
        wanted = list(paths)
        known = sorted(_split(self._run("ls-files", "-z"))) if wanted else []
        return {path for path in wanted if _holds(known, path)}

    def staged(self) -> list[str]:
        """List every file in git's index."""
        return _split(self._run("ls-files", "-z"))

    def tracks(self, path: str) -> bool:
        """Whether git's index has `path`, or anything below it; asks for that alone."""
        return bool(self._run("ls-files", "-z", "--", f":(literal){path}"))

    def checked_out(self, paths: Iterable[str]) -> set[str]:
        """Give those of `paths` that a checkout has: tracked, or inside a submodule or behind a link that is."""
        wanted = list(paths)
        known = sorted(_split(self._run("ls-files", "-z"))) if wanted else []
        entries = frozenset(known)
        parents = {path: [str(parent) for parent in PurePosixPath(path).parents] for path in wanted}
        return {path for path in wanted if _holds(known, path) or not entries.isdisjoint(parents[path])}

    def ignored(self, paths: Iterable[str]) -> set[str]:
        """Give those of `paths` that git ignores; a tracked file is never ignored, nor what lies behind a link."""
        paths = list(paths)
        behind = {folder for folder in {posixpath.dirname(path) for path in paths} if self._leads_elsewhere(folder)}
        seen = (path for path in paths if posixpath.dirname(path) not in behind)
        wanted = b"".join(os.fsencode(path) + b"\0" for path in seen)
        return set(_split(self._run("check-ignore", "--stdin", "-z", stdin=wanted, fine=(0, 1)))) if wanted else set()

    def _leads_elsewhere(self, folder: str) -> bool:
        """Whether a link is on the way to `folder`: git knows the link, and refuses to be asked about more."""
        return any(
            (self.root / part).is_symlink() for part in (folder, *map(str, PurePosixPath(folder).parents)) if part
        )

    def branch(self) -> str:
        """Give the branch checked out; empty where HEAD is detached."""
        return self._line("symbolic-ref", "--quiet", "--short", "HEAD", fine=(0, 1))

    def default_branch(self) -> str:
        """Give the remote's default branch as far as this clone knows; empty where it does not."""
        named = self._remote_head()
        if named:
            return named.removeprefix("origin/")
        places = [
            (name, ref) for name in _LIKELY_DEFAULTS for ref in (f"refs/remotes/origin/{name}", f"refs/heads/{name}")
        ]
        return next((name for name, ref in places if self._object(f"{ref}^{{commit}}")), "")

    def _remote_head(self) -> str:
        """Give what origin's HEAD leads to, from the file that says so where there is one: a process costs 3 ms."""
        place = self.root / ".git"
        usual = not any(name in self._environ for name in (*MOVES_THE_TOP, "GIT_COMMON_DIR"))
        if usual and place.is_dir() and not (place / "reftable").exists():
            try:
                said = (place / "refs/remotes/origin/HEAD").read_text(encoding="utf-8")
            except FileNotFoundError:  # git never packs it
                return ""
            if said.startswith("ref: refs/remotes/"):
                return said.removeprefix("ref: refs/remotes/").rstrip()
        return self._line("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD", fine=(0, 1))

    # Commits

    def branches(self) -> list[str]:
        """Give the names of this clone's branches, sorted."""
        return self._refs("refs/heads/")

    def tags(self) -> list[str]:
        """Give the names of tags, sorted."""
        return self._refs("refs/tags/")

    def _refs(self, below: str) -> list[str]:
        answer = self._run("for-each-ref", "--sort=refname", "--format=%(refname:lstrip=2)", below)
        return os.fsdecode(answer).splitlines()

    def commits(self, *paths: str) -> list[str]:
        """Give the ids of all commits that HEAD, branches and tags lead to, newest first.

        Args:
            paths: git's patterns; with them only the commits that touched a file like that.

        """
        refs = ("--branches", "--remotes", "--tags", *(("HEAD",) if self._object("HEAD^{commit}") else ()))
        return self._run("rev-list", *refs, "--", *paths).decode().split()

    def history(self, paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Give the commits behind HEAD that changed any of `paths`, newest first, each with those before it.

        It is git's simplified history: parents are the next commits that changed a path, and where a merge took one
        side as it was, the other is left out.
        """
        asked = ("--literal-pathspecs", "rev-list", "--topo-order", "--parents", "HEAD", "--", *paths)
        rows = [line.split() for line in self._run(*asked).decode().splitlines()] if paths else []
        return {sha: tuple(parents) for sha, *parents in rows}

    def renames(self, rev: str) -> dict[str, str]:
        """Give the tracked files of the working tree that have another name at `rev`: new name, then old one."""
        answer = _split(self._run("diff", "--name-status", "-z", "-M", "--diff-filter=R", self.resolve(rev), "--"))
        return dict(zip(answer[2::3], answer[1::3], strict=False))

    def mainline(self, rev: str, paths: Sequence[str], most: int) -> list[str]:
        """Give the last commits of a branch that changed any of `paths`, newest first: first parents alone.

        Args:
            rev: the branch's tip.
            paths: files or folders, literally.
            most: how many at most.

        """
        how = ("--first-parent", f"--max-count={most}", self.resolve(rev), "--", *paths)
        return self._run("--literal-pathspecs", "rev-list", *how).decode().split() if paths else []

    def cut_off(self) -> frozenset[str]:
        """Give the commits at which a shallow clone ends; none where all history is here."""
        place = self.root / self._line("rev-parse", "--git-path", "shallow")
        return frozenset(place.read_text(encoding="ascii").split()) if place.exists() else frozenset()

    def written(self, rev: str) -> Written:
        """Say who wrote a commit, and when."""
        head = self._commit(rev).partition(b"\n\n")[0].decode("utf-8", "replace")
        found = _AUTHOR.search(head)
        if found is None:
            return Written("", "", self.subject(rev))
        name, seconds, sign, hours, minutes = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        local = datetime.fromtimestamp(int(seconds), UTC) + (offset if sign == "+" else -offset)
        return Written(name, f"{local:%Y-%m-%d}", self.subject(rev))

    def everywhere(self) -> list[tuple[str, int]]:
        """Give the ids of all commits that any ref leads to, experiments left out, and when each was made.

        The times are seconds since 1970. The newest come first.
        """
        rows = self._run("rev-list", "--timestamp", f"--exclude={_EXPERIMENTS}*", "--all").decode().split("\n")
        pairs = (row.split() for row in rows if row)
        return [(sha, int(seconds)) for seconds, sha in pairs]

    def line(self, rev: str, count: int) -> list[str]:
        """Give the ids of a commit and its first parents, `count` in all; below 0: all of them."""
        most = () if count < 0 else (f"--max-count={count}",)
        return self._run("rev-list", "--first-parent", *most, self.resolve(rev)).decode().split()

    def remote_branches(self) -> list[str]:
        """Give the names of the branches of other clones that this one knows of: `origin/main`."""
        return [name for name in self._refs("refs/remotes/") if not name.endswith("/HEAD")]

    def experiments(self) -> list[str]:
        """Give the ids of the commits that DVC's experiments consist of, those that are queued included."""
        if not self._refs(_EXPERIMENTS):
            return []
        others = ("--branches", "--remotes", "--tags", *(("HEAD",) if self._object("HEAD^{commit}") else ()))
        return self._run("rev-list", f"--glob={_EXPERIMENTS}*", "--not", *others).decode().split()

    def parents(self, rev: str) -> tuple[str, ...]:
        """Give the ids of the commit's parents, also of those that a shallow clone does not hold."""
        head = self._commit(rev).partition(b"\n\n")[0]
        lines = head.decode("ascii", "replace").split("\n")
        return tuple(line.removeprefix("parent ") for line in lines if line.startswith("parent "))

    def subject(self, rev: str) -> str:
        """Give the first paragraph of the commit's message, on one line."""
        message = self._commit(rev).partition(b"\n\n")[2].decode("utf-8", "replace")
        return " ".join(message.strip().partition("\n\n")[0].split("\n"))

    def merge_base(self, ours: str, theirs: str) -> str | None:
        """Give the best common ancestor of two commits; `None` where this clone knows of none."""
        commits = (self.resolve(ours), self.resolve(theirs))
        if commits[0] == commits[1]:
            return commits[0]
        return self._line("merge-base", *commits, fine=(0, 1)) or None

    def is_shallow(self) -> bool:
        """Whether the clone lacks a part of history."""
        return self._line("rev-parse", "--is-shallow-repository") == "true"

    def deepen(self, remote: str, revs: Sequence[str], depth: int) -> None:
        """Fetch commits, by branch or id, with `depth` commits of history each; 0: all history.

        In a complete clone nothing is cut off. Tags and branches of this clone stay as they are.
        """
        how = ["--unshallow"] if not depth else [f"--depth={depth}"]
        shallow = self.is_shallow()
        self.close()
        options = ["--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", *(how if shallow else [])]
        slow = ["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60"]
        self._run(*slow, "fetch", *QUIETLY, *options, "--", remote, *revs, seconds=FETCH_SECONDS)

    @contextmanager
    def work_tree(self, rev: str, place: Path) -> Iterator[None]:
        """Have the files of a commit at `place`, which must not exist; in the end it is gone. No hook is run."""
        quiet = ("-c", "core.hooksPath=/dev/null", "worktree")
        self._run(*quiet, "add", "--quiet", "--detach", str(place), self.resolve(rev))
        try:
            yield
        finally:
            self._run(*quiet, "remove", "--force", "--force", str(place))

    def meet(self, ours: str, theirs: str, remote: str, steps: Sequence[int] = STEPS) -> str | None:
        """Give the merge base, fetching as little history as it takes.

        Args:
            ours: the id of a commit; one that is absent is fetched by its id.
            theirs: the same of the other.
            remote: its name or url.
            steps: depths tried one after the other before all history is fetched.

        """
        known = [rev for rev in (ours, theirs) if self._object(f"{rev}^{{commit}}")]
        found = self.merge_base(ours, theirs) if len(known) == 2 else None  # noqa: PLR2004 - both
        for depth in (*steps, 0):
            if found or (len(known) == 2 and not self.is_shallow()):  # noqa: PLR2004 - both
                break
            self.deepen(remote, (ours, theirs), depth)
            known = [ours, theirs]
            found = self.merge_base(ours, theirs)
        return found

    # The door

    def _commit(self, rev: str) -> bytes:
        found = self._object(f"{self.resolve(rev)}^{{commit}}")
        return found[2] if found else b""

    def _object(self, spec: str) -> tuple[str, str, bytes] | None:
        """Ask for an object: its id, type and bytes; `None` where there is none."""
        if "\n" in spec or spec.startswith(("^", ":")):
            return None
        batch = self._reader()
        assert batch.stdin is not None  # noqa: S101 - opened as pipes just below
        assert batch.stdout is not None  # noqa: S101
        try:
            batch.stdin.write(os.fsencode(spec) + b"\n")
            batch.stdin.flush()
        except BrokenPipeError:
            pass  # the empty answer below tells
        answer = batch.stdout.readline().split()
        if not answer:
            self.close()
            self.top()  # says why, where git does not take the repository at all
            message = "git stopped while it was reading objects"
            raise GitError(message, "run git fsck; the repository may be damaged")
        if len(answer) != 3 or not _SHA.match(answer[0].decode("ascii", "replace")):  # noqa: PLR2004 - id, type, size
            return None
        content = batch.stdout.read(int(answer[2]))
        batch.stdout.read(1)
        return answer[0].decode(), answer[1].decode(), content

    def _reader(self) -> subprocess.Popen[bytes]:
        if self._batch is None:
            self._batch = subprocess.Popen(
                ["git", "cat-file", "--batch"],
                cwd=self.root,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._batch

    def _line(self, *command: str, fine: Sequence[int] = (0,)) -> str:
        return os.fsdecode(self._run(*command, fine=fine)).strip()

    def _run(
        self, *command: str, stdin: bytes = b"", fine: Sequence[int] = (0,), seconds: float | None = None
    ) -> bytes:
        try:
            done = subprocess.run(
                ["git", *command],
                cwd=self.root,
                env=self._environ,
                input=stdin,
                capture_output=True,
                check=False,
                timeout=seconds,
            )
        except FileNotFoundError as error:
            message = "git cannot be started" if self.root.is_dir() else f"{self.root} is not a folder"
            raise GitError(message, "install git, 2.29 or later") from error
        except subprocess.TimeoutExpired as error:
            message = f"git {_verb(command)} took longer than {seconds:.0f} s"
            raise GitError(message, "check the connection, or fetch the history before") from error
        if done.returncode not in fine:
            raise _failure(command, os.fsdecode(done.stderr).strip(), self.root)
        return done.stdout


_FETCH_HINT: Final = "fetch it first, for instance with fetch-depth: 0 in actions/checkout"


def as_header(server: str, token: str) -> dict[str, str]:
    """Give the environment in which git shows a token to one host, for one call: in no url, argument or file.

    What actions/checkout left in the repository's configuration is put aside: a header sent twice is refused.
    """
    name = f"http.{server.rstrip('/')}/.extraheader"
    secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    pairs = [(name, ""), (name, f"AUTHORIZATION: basic {secret}")]
    numbered = {
        f"GIT_CONFIG_{kind}_{number}": text
        for number, pair in enumerate(pairs)
        for kind, text in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return {"GIT_CONFIG_COUNT": str(len(pairs)), **numbered}


def is_commit(rev: str) -> bool:
    """Whether `rev` is the whole id of a commit, which nothing can move."""
    return bool(_SHA.match(rev))


def _failure(command: Sequence[str], said: str, root: Path) -> GitError:
    """Turn what git says into what to do next."""
    if "dubious ownership" in said:
        return GitError(
            f"git does not trust {root}: it belongs to another user",
            f"git config --global --add safe.directory {root}",
        )
    if "not a git repository" in said or "must be run in a work tree" in said:
        return GitError(f"{root} is not inside a git work tree", "run in a clone, or git init first")
    last = said.rpartition("\n")[2].removeprefix("fatal: ").removeprefix("error: ")
    hint = _FETCH_HINT if "fetch" in command else ""
    return GitError(f"git {_verb(command)} failed: {last[:_EXCERPT]}", hint)


def _verb(command: Sequence[str]) -> str:
    """Give git's sub-command: the first word that is neither an option nor an option's value."""
    words = [word for before, word in zip(("", *command), command, strict=False) if before != "-c"]
    return next((word for word in words if not word.startswith("-")), "")


def _split(answer: bytes) -> list[str]:
    return [os.fsdecode(path) for path in answer.split(b"\0") if path]


def _holds(known: Sequence[str], path: str) -> bool:
    """Whether the sorted list has the path, or one inside it."""
    at = bisect_left(known, path)
    inside = bisect_left(known, f"{path}/")
    return known[at : at + 1] == [path] or (inside < len(known) and known[inside].startswith(f"{path}/"))
