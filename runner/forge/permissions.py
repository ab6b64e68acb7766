"""Whether a token may do what the settings ask of it, found out before hours are spent on what could not be told.

Each permission is asked for by one request that nobody can fulfil: its body is well formed, and names what cannot be.
A token that lacks the permission is refused for that; any other answer is about the body. Nothing is ever made. Checks
and statuses are not asked for: they are begun when the run begins, and what is missing for them is said then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import ForgeError
from runner.forge.answers import RefusedError
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from runner.forge.repository import Repository


@dataclass(frozen=True, slots=True)
class Need:
    """Something that is to be done at GitHub.

    Attributes:
        what: in words, as in "the comment".
        path: where it is done, below the repository.
        body: a request to do it that must fail.

    """

    what: str
    path: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a token may not do; the refusal names the line missing under `permissions:`, or what else."""

    what: str
    refused: RefusedError

    @property
    def why(self) -> str:
        """What to do about it, or what GitHub said."""
        return self.refused.hint or self.refused.message


def comment(number: int) -> Need:
    """Need to write on a pull request; an empty comment is none."""
    return Need("the comment", f"issues/{number}/comments", {"body": ""})


def issue() -> Need:
    """Need to open an issue; one without a title is none."""
    return Need("the issue", "issues", {"title": ""})


def branch() -> Need:
    """Need to commit; a branch cannot lead to a commit that there is not."""
    return Need("the lock's commit", "git/refs", {"ref": "refs/heads/retrain", "sha": "0" * 40})


def pull_request() -> Need:
    """Need to open a pull request; none goes from nowhere to nowhere."""
    return Need("the lock's pull request", "pulls", {"title": "retrain", "head": "", "base": ""})


def lacks(repository: Repository, needs: Iterable[Need]) -> Iterator[Lack]:
    """Give what the token may not do; what GitHub does not answer now is left to be found out later."""
    for need in needs:
        try:
            repository.api.attempt(repository.path(need.path), need.body)
        except RefusedError as refused:
            if refused.forbids:
                yield Lack(need.what, refused)
        except ForgeError:
            continue
