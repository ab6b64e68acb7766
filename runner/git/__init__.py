"""The only door to git: how it is called, and what a commit holds.

What git says of its index is asked in `index`, of changed files in `worktree`, of commits in `history`; `fetching` gets
more of them. File contents come from one `git cat-file --batch` process that stays open until `close`; not for several
threads.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from runner.errors import GitError
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SHA = regex(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")
_LIKELY_DEFAULTS: Final = ("main", "master", "trunk")
MOVES_THE_TOP: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_CEILING_DIRECTORIES")
_EXCERPT: Final = 300
_FETCH_HINT: Final = "fetch it first, for instance with fetch-depth: 0 in actions/checkout"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a tree has it: git's mode (`100644`, `100755`, `120000`: a link) and the id of its content."""

    mode: str
    blob: str


class Git:
    """A repository with a work tree.

    Every method raises GitError where git cannot answer. Revisions are anything git understands:
    names, ids, `HEAD~1`. Paths are repository-relative.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        """Take the top folder of the work tree and the environment that git is to see."""
        self.root = root
        self.environ = {**environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
        self._batch: subprocess.Popen[bytes] | None = None
        self._begun: dict[tuple[str, ...], subprocess.Popen[bytes]] = {}

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
        """End the process that reads objects, which starts again when it is needed, and what was begun in vain."""
        if self._batch is not None:
            self._batch.communicate()
            self._batch = None
        while self._begun:
            _, process = self._begun.popitem()
            with process:
                process.kill()

    def top(self) -> Path:
        """Give the top folder of the work tree, absolute."""
        return Path(os.fsdecode(self.run("rev-parse", "--show-toplevel").removesuffix(b"\n")))

    def head(self) -> str:
        """Give the id of the commit checked out."""
        return self.resolve("HEAD")

    def resolve(self, rev: str) -> str:
        """Give the id of the commit that `rev` names."""
        found = self.read(f"{rev}^{{commit}}")
        if found is None:
            message = f"git knows no commit {rev!r}"
            hint = "the repository has no commit yet" if rev == "HEAD" else _FETCH_HINT
            raise GitError(message, hint)
        return found[0]

    def show(self, rev: str, path: str) -> bytes | None:
        """Give a file's bytes at a revision; `None` where there is no such file (or it is a folder)."""
        found = self.read(f"{rev}:{path}")
        if found is None:
            self.resolve(rev)
        return found[2] if found and found[1] == "blob" else None

    def link(self, rev: str, path: str) -> str:
        """Give where a symbolic link leads at a revision; empty where there is none of that path."""
        mode = self.run("ls-tree", "-z", "--full-tree", self.resolve(rev), "--", path).partition(b" ")[0]
        return os.fsdecode(self.show(rev, path) or b"") if mode == b"120000" else ""

    def files(self, rev: str) -> list[str]:
        """List every file at a revision, in git's order."""
        return self.rows("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.resolve(rev))

    def blobs(self, rev: str) -> dict[str, str]:
        """Give the id of the content of every file at a revision, by path."""
        return {path: entry.blob for path, entry in self.tree(rev).items()}

    def tree(self, rev: str) -> dict[str, Entry]:
        """Give every file at a revision, by path."""
        rows = self.rows("ls-tree", "-r", "-z", "--full-tree", self.resolve(rev))
        pairs = (row.partition("\t") for row in rows)
        return {path: Entry(about.partition(" ")[0], about.rpartition(" ")[2]) for about, _, path in pairs}

    def parents(self, rev: str) -> tuple[str, ...]:
        """Give the ids of the commit's parents, also of those that a shallow clone does not hold."""
        head = self.commit(rev).partition(b"\n\n")[0]
        lines = head.decode("ascii", "replace").split("\n")
        return tuple(line.removeprefix("parent ") for line in lines if line.startswith("parent "))

    def subject(self, rev: str) -> str:
        """Give the first paragraph of the commit's message, on one line."""
        message = self.commit(rev).partition(b"\n\n")[2].decode("utf-8", "replace")
        return " ".join(message.strip().partition("\n\n")[0].split("\n"))

    def merge_base(self, ours: str, theirs: str) -> str | None:
        """Give the best common ancestor of two commits; `None` where this clone knows of none."""
        commits = (self.resolve(ours), self.resolve(theirs))
        if commits[0] == commits[1]:
            return commits[0]
        return self.line("merge-base", *commits, fine=(0, 1)) or None

    def is_shallow(self) -> bool:
        """Whether the clone lacks a part of history."""
        return self.line("rev-parse", "--is-shallow-repository") == "true"

    def branch(self) -> str:
        """Give the branch checked out; empty where HEAD is detached."""
        return self.line("symbolic-ref", "--quiet", "--short", "HEAD", fine=(0, 1))

    def default_branch(self) -> str:
        """Give the remote's default branch as far as this clone knows; empty where it does not."""
        named = self._remote_head()
        if named:
            return named.removeprefix("origin/")
        places = [
            (name, ref) for name in _LIKELY_DEFAULTS for ref in (f"refs/remotes/origin/{name}", f"refs/heads/{name}")
        ]
        return next((name for name, ref in places if self.read(f"{ref}^{{commit}}")), "")

    def _remote_head(self) -> str:
        """Give what origin's HEAD leads to, from the file that says so where there is one: a process costs 3 ms."""
        place = self.root / ".git"
        usual = not any(name in self.environ for name in (*MOVES_THE_TOP, "GIT_COMMON_DIR"))
        if usual and place.is_dir() and not (place / "reftable").exists():
            try:
                said = (place / "refs/remotes/origin/HEAD").read_text(encoding="utf-8")
            except FileNotFoundError:  # git never packs it
                return ""
            if said.startswith("ref: refs/remotes/"):
                return said.removeprefix("ref: refs/remotes/").rstrip()
        return self.line("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD", fine=(0, 1))

    @contextmanager
    def work_tree(self, rev: str, place: Path) -> Iterator[None]:
        """Have the files of a commit at `place`, which must not exist; in the end it is gone. No hook is run."""
        quiet = ("-c", "core.hooksPath=/dev/null", "worktree")
        self.run(*quiet, "add", "--quiet", "--detach", str(place), self.resolve(rev))
        try:
            yield
        finally:
            self.run(*quiet, "remove", "--force", "--force", str(place))

    # The door

    def commit(self, rev: str) -> bytes:
        """Give a commit as git keeps it: headers, an empty line, the message."""
        found = self.read(f"{self.resolve(rev)}^{{commit}}")
        return found[2] if found else b""

    def read(self, spec: str) -> tuple[str, str, bytes] | None:
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
            self._batch = self._started("cat-file", "--batch", stderr=subprocess.DEVNULL)
        return self._batch

    def _started(self, *command: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(
                ["git", *command], cwd=self.root, env=self.environ, stdin=pipe, stdout=pipe, stderr=stderr
            )
        except FileNotFoundError as error:
            message = "git cannot be started" if self.root.is_dir() else f"{self.root} is not a folder"
            raise GitError(message, "install git, 2.29 or later") from error

    def begin(self, *command: str) -> None:
        """Have git work on a command while we do something else; `run` of the same one then takes its answer."""
        self._begun[command] = self._started(*command)

    def line(self, *command: str, fine: Sequence[int] = (0,)) -> str:
        """Run a command whose answer is one line; empty where it said nothing."""
        return os.fsdecode(self.run(*command, fine=fine)).strip()

    def rows(self, *command: str, stdin: bytes = b"", fine: Sequence[int] = (0,)) -> list[str]:
        """Run a command that separates its rows by NUL (`-z`)."""
        return [os.fsdecode(row) for row in self.run(*command, stdin=stdin, fine=fine).split(b"\0") if row]

    def run(self, *command: str, stdin: bytes = b"", fine: Sequence[int] = (0,), seconds: float | None = None) -> bytes:
        """Run a command and give what it printed.

        Args:
            command: the words after `git`.
            stdin: what it is to read.
            fine: exit codes that are answers; any other is a GitError with what git said.
            seconds: how long it may take; `None`: as long as it likes.

        """
        with self._begun.pop(command, None) or self._started(*command) as process:
            try:
                answer, said = process.communicate(stdin, timeout=seconds)
            except subprocess.TimeoutExpired as error:
                process.kill()
                message = f"git {_verb(command)} took longer than {seconds:.0f} s"
                raise GitError(message, "check the connection, or fetch the history before") from error
            except BaseException:
                process.kill()
                raise
        if process.returncode not in fine:
            raise _failure(command, os.fsdecode(said).strip(), self.root)
        return answer


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
