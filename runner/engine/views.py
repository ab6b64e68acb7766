"""What `known` looks at: files where they lie, objects, and places outside the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from runner.hashes import MD5

if TYPE_CHECKING:
    from runner.engine.decision import Content
    from runner.hashes import Hash, Tree
    from runner.pipeline.model import Dep, LockedPath, Out


class Stock(Protocol):
    """The objects that outs are made of, here or in a remote."""

    def at_hand(self, name: Hash, /) -> bool:
        """Whether the cache holds the object and, of a directory, every member."""

    def listing(self, name: Hash, /) -> Tree | None:
        """Give a directory's listing; `None` where nobody has it."""

    def read(self, out: Out, name: Hash, /) -> bytes | None:
        """Give one file's bytes; `None` where nobody has them."""


class Lying(Protocol):
    """The files of a project, in its working tree (`workspace.Workspace`) or in a commit (`history`)."""

    def is_there(self, relative: str, /) -> bool:
        """Whether anything is at a path."""

    def may_be_lent(self, relative: str, /) -> bool:
        """Whether files may be put where a directory is not, for a while."""

    def read(self, relative: str, /) -> str | None:
        """Give a text file; `None` where there is none."""

    def observe(self, relative: str, kind: str = MD5, /) -> Content | None:
        """Hash what is at a path; `None` where there is nothing."""

    def observe_out(self, relative: str, kind: str = MD5, /) -> Content | None:
        """Do as `observe`, but call what cannot be tracked `UNTRACKABLE`."""

    def tree(self, relative: str, kind: str = MD5, /) -> Tree:
        """Give the listing of a directory that `observe` has hashed."""

    def forget(self, relative: str, /) -> None:
        """Look again the next time."""


class Asked(Protocol):
    """Places outside the project."""

    def look(self, dep: Dep, recorded: LockedPath | None, /) -> Content | None:
        """Ask what a dep's source holds; `recorded` is what it held before."""
