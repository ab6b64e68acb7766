"""The git repository behind the fake: real commits, real trees, refs that move or refuse to."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOTHING = "0" * 40
_BOT = {"NAME": "github-actions[bot]", "EMAIL": "41898282+github-actions[bot]@users.noreply.github.com"}


class GitSays(Exception):
    """Git refused, in its own words."""


@dataclass(frozen=True)
class Entry:
    """A line of a tree; without a sha the path is taken out."""

    path: str
    sha: str | None
    mode: str = "100644"


class Bare:
    """A bare repository, made where there is none yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "HEAD").exists():
            self.git("init", "--quiet", "--bare", "--initial-branch=main", str(folder), inside=False)

    def git(self, *arguments: str, given: bytes = b"", inside: bool = True, environ: Mapping[str, str] = {}) -> str:
        return self.raw(*arguments, given=given, inside=inside, environ=environ).decode().strip()

    def raw(self, *arguments: str, given: bytes = b"", inside: bool = True, environ: Mapping[str, str] = {}) -> bytes:
        there = [f"--git-dir={self.folder}"] if inside else []
        people = {f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER") for what, text in _BOT.items()}
        plain = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            [str(require("git")), *there, *arguments],
            input=given,
            capture_output=True,
            check=False,
            env={**plain, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **people, **environ},
        )
        if done.returncode:
            raise GitSays(done.stderr.decode())
        return done.stdout

    def resolve(self, revision: str, kind: str = "commit") -> str | None:
        """Give the object's name, or None where there is none of that kind."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{{kind}}}")
        except GitSays:
            return None

    def tip(self, branch: str) -> str | None:
        return self.resolve(f"refs/heads/{branch}")

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Give refs and the commits they point to; the prefix may end within a name."""
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {name: sha for name, sha in (line.split(" ") for line in listed) if name.startswith(prefix)}

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", given=content)

    def tree(self, entries: Iterable[Entry], base: str | None = None) -> str:
        """Write a tree: `base`, with these entries put in or taken out."""
        lines = "".join(f"{one.mode if one.sha else 0} {one.sha or NOTHING}\t{one.path}\0" for one in entries)
        with tempfile.TemporaryDirectory() as scratch:
            environ = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            if base:
                self.git("read-tree", base, environ=environ)
            self.git("update-index", "-z", "--index-info", given=lines.encode(), environ=environ)
            return self.git("write-tree", environ=environ)

    def record(self, tree: str, parents: Iterable[str], message: str, environ: Mapping[str, str] = {}) -> str:
        """Write a commit that no ref names yet."""
        ancestry = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *ancestry, given=message.encode(), environ=environ)

    def move(self, ref: str, to: str, was: str | None = None) -> None:
        """Point a ref at a commit; `was` is what it must point to now, forty zeros: it must not exist.

        Raises:
            GitSays: it points elsewhere.

        """
        self.git("update-ref", ref, to, *([was] if was is not None else []))

    def delete(self, ref: str) -> None:
        self.git("update-ref", "-d", ref)

    def has_ancestor(self, ancestor: str, of: str) -> bool:
        try:
            self.git("merge-base", "--is-ancestor", ancestor, of)
        except GitSays:
            return False
        return True

    def merge_base(self, one: str, other: str) -> str | None:
        try:
            return self.git("merge-base", one, other)
        except GitSays:
            return None

    def commit(
        self, branch: str, files: Mapping[str, bytes | None], message: str = "change", parent: str | None = None
    ) -> str:
        """Commit files to a branch as somebody who pushes would; None deletes one. A new branch starts at `parent`."""
        was = self.tip(branch)
        start = parent or was
        entries = [Entry(path, None if content is None else self.blob(content)) for path, content in files.items()]
        sha = self.record(self.tree(entries, start), [start] if start else [], message)
        self.move(f"refs/heads/{branch}", sha)
        return sha

    def files(self, revision: str) -> dict[str, bytes]:
        """Give every file of a commit."""
        names = self.git("ls-tree", "-r", "--name-only", "-z", revision).split("\0")
        return {name: self.raw("cat-file", "blob", f"{revision}:{name}") for name in names if name}
