"""Branches on GitHub: what they hold, commits that GitHub signs, and refs that move only from where they were seen.

Nothing is merged here. A branch that moved meanwhile is never written over: every move says what it expects.
"""

from __future__ import annotations

import base64
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from runner.engine.proposal import PLAIN
from runner.errors import ForgeError
from runner.forge.answers import RefusedError
from runner.git import Entry
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.engine.proposal import Change
    from runner.forge.repository import Repository

NOWHERE: Final = "0" * 40
"""What GitHub calls the place of a ref that does not exist."""
_MOST_FILES: Final = 100
_MOST_BYTES: Final = 20 * 1024 * 1024
"""What one commit through GraphQL may hold; more goes file by file."""
_COMMIT: Final = """\
mutation ($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }"""
_MOVE: Final = "mutation ($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }"
_CONTENTS: Final = "contents=write"
_HINT: Final = "somebody else, or another run, wrote to it: nothing of theirs was touched; start this run again"


class MovedError(ForgeError):
    """A branch was not where it had been seen."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A commit: its parents, its tree and its message."""

    parents: tuple[str, ...]
    tree: str
    message: str


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit that is to be made: on top of which one, its message, and what it changes there."""

    parent: str
    message: str
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Move:
    """A branch that is to move: from the commit where it was seen, to another. `NOWHERE`: it is not there."""

    branch: str
    before: str
    after: str


class Branches:
    """The branches of one repository. Every method raises `ForgeError` where GitHub says no or nothing."""

    def __init__(self, repository: Repository) -> None:
        """Ask nothing yet."""
        self._repository = repository
        self._api = repository.api

    def tip(self, branch: str) -> str:
        """Give a branch's commit; `NOWHERE` where there is no such branch."""
        match self._api.find(self._path(f"git/ref/heads/{quote(branch)}")):
            case {"object": {"sha": str(sha)}}:
                return sha
            case None:
                return NOWHERE
        raise _strange(branch, kind="branch")

    def commit(self, sha: str) -> Recorded:
        """Give a commit."""
        match self._api.get(self._path(f"git/commits/{sha}")):
            case {"tree": {"sha": str(tree)}, "message": str(message), "parents": list(parents)}:
                return Recorded(tuple(str(parent["sha"]) for parent in parents), tree, message)
        raise _strange(sha, kind="commit")

    def tree(self, sha: str) -> dict[str, Entry]:
        """Give every file of a commit, by path.

        Raises:
            ForgeError: also where the commit has more files than GitHub lists at once: 100,000 or so.

        """
        match self._api.get(self._path(f"git/trees/{sha}"), {"recursive": "1"}):
            case {"truncated": True}:
                message = f"{sha[:12]} has more files than GitHub lists, so it cannot be compared with the checkout"
                raise ForgeError(message, "commit the lock from a job that has checked that commit out")
            case {"tree": list(rows)}:
                return {str(row["path"]): Entry(row["mode"], row["sha"]) for row in rows if row["type"] != "tree"}
        raise _strange(sha, kind="tree")

    def ahead(self, base: str, head: str) -> int:
        """Count the commits that `head` has and `base` has not."""
        path = self._path(f"compare/{quote(base, safe='')}...{quote(head, safe='')}")
        match self._api.get(path, {"per_page": "1"}):
            case {"ahead_by": int(count)}:
                return count
        raise _strange(head, kind="comparison with")

    def commit_on(self, branch: str, new: NewCommit) -> str:
        """Put one commit on a branch whose tip is its parent; give its id. GitHub signs it.

        Raises:
            MovedError: its tip is another one.

        """
        if _fits_graphql(new.changes):
            return self._signed(branch, new)
        made = self._recorded(new)
        self.move([Move(branch, new.parent, made)])
        return made

    def replace(self, branch: str, before: str, new: NewCommit, aside: str) -> str:
        """Make a branch lead to one new commit; give that commit's id.

        The branch moves once, and at no time leads to the new one's parent: GitHub would close its pull request.

        Args:
            branch: moves.
            before: where it was seen; `NOWHERE`: it was not there.
            new: the commit.
            aside: a branch that is there only while the commit is made, because GitHub signs none but on a branch.

        Raises:
            MovedError: it is elsewhere.

        """
        if not _fits_graphql(new.changes):
            made = self._recorded(new)
            self.move([Move(branch, before, made)])
            return made
        self._clear(aside)
        self._api.create(self._path("git/refs"), {"ref": f"refs/heads/{aside}", "sha": new.parent})
        try:
            made = self._signed(aside, new)
            self.move([Move(branch, before, made), Move(aside, made, NOWHERE)])
        except BaseException:
            self._clear(aside)
            raise
        return made

    def move(self, moves: Sequence[Move]) -> None:
        """Move branches, all of them or none.

        Raises:
            MovedError: one was not where it had been seen.

        """
        updates = [
            {"name": f"refs/heads/{one.branch}", "beforeOid": one.before, "afterOid": one.after, "force": True}
            for one in moves
        ]
        try:
            self._api.mutate(_MOVE, _CONTENTS, input={"repositoryId": self._id, "refUpdates": updates})
        except RefusedError as refused:
            raise self._moved(refused, moves) from refused

    def _signed(self, branch: str, new: NewCommit) -> str:
        """Make it on a branch, by the one call whose commits GitHub signs for every kind of token."""
        headline, _, body = new.message.partition("\n\n")
        kept = [change for change in new.changes if change.content is not None]
        files = {
            "additions": [{"path": one.path, "contents": _encoded(one)} for one in kept],
            "deletions": [{"path": one.path} for one in new.changes if one.content is None],
        }
        wanted = {
            "branch": {"repositoryNameWithOwner": self._repository.name, "branchName": branch},
            "message": {"headline": headline, "body": body},
            "expectedHeadOid": new.parent,
            "fileChanges": files,
        }
        try:
            answer = self._api.mutate(_COMMIT, _CONTENTS, input=wanted)
        except RefusedError as refused:
            raise self._moved(refused, [Move(branch, new.parent, "")]) from refused
        match answer:
            case {"data": {"createCommitOnBranch": {"commit": {"oid": str(sha)}}}}:
                return sha
        raise _strange(branch, kind="new commit on")

    def _recorded(self, new: NewCommit) -> str:
        """Make it file by file, with no branch that leads to it yet: for modes, which GraphQL has not, and many files.

        https://docs.github.com/rest/git: GitHub signs it where the token is that of an app, as a job's own is.
        """
        rows = [
            {"path": one.path, "mode": one.mode, "type": "blob", "sha": self._blob(one)}
            if one.content is not None
            else {"path": one.path, "mode": PLAIN, "type": "blob", "sha": None}
            for one in new.changes
        ]
        tree = self._api.create(self._path("git/trees"), {"base_tree": self.commit(new.parent).tree, "tree": rows})
        made = {"message": new.message, "tree": tree["sha"], "parents": [new.parent]}
        return str(self._api.create(self._path("git/commits"), made)["sha"])

    def _blob(self, change: Change) -> str:
        made = self._api.create(self._path("git/blobs"), {"content": _encoded(change), "encoding": "base64"})
        return str(made["sha"])

    def _clear(self, branch: str) -> None:
        """Remove a branch of our own that a run left which was ended in the middle."""
        there = self.tip(branch)
        if there != NOWHERE:
            self.move([Move(branch, there, NOWHERE)])

    def _moved(self, refused: RefusedError, moves: Iterable[Move]) -> ForgeError:
        """Tell a branch that moved from any other refusal: GitHub has no word of its own for it."""
        for one in moves:
            now = self.tip(one.branch)
            if now != one.before:
                where = "is gone" if now == NOWHERE else f"is at {now[:12]}"
                return MovedError(f"the branch {one.branch} moved meanwhile: it {where}", _HINT)
        return refused

    @cached_property
    def _id(self) -> str:
        match self._api.get(self._path("").rstrip("/")):
            case {"node_id": str(identity)}:
                return identity
        raise _strange(self._repository.name, kind="repository")

    def _path(self, rest: str) -> str:
        return self._repository.path(rest)


def _fits_graphql(changes: Sequence[Change]) -> bool:
    """Whether one mutation can hold the changes: it knows no modes, and has an end."""
    size = sum(len(change.content or b"") for change in changes)
    return len(changes) <= _MOST_FILES and size <= _MOST_BYTES and all(one.is_plain for one in changes)


def _encoded(change: Change) -> str:
    return base64.b64encode(change.content or b"").decode()


def _strange(name: str, *, kind: str) -> ForgeError:
    message = f"GitHub does not say what its {kind} {name} is"
    return ForgeError(message, "check GITHUB_API_URL; does a proxy answer in its place?")
