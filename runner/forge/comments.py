"""The report as a comment on a pull request: found again by a hidden first line and its author, on all pages.

A run that ends late leaves alone what a run of a later commit wrote.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from runner.errors import ForgeError
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.forge.protocol import Job, Standing
    from runner.forge.repository import Repository

logger = logging.getLogger("retrain")

LIMIT: Final = 65_536
"""Characters of a comment, the hidden line included."""

Mode = Literal["update", "new", "hide-old", "correct"]

_MARK: Final = regex(r"<!-- retrain:(\S+) head=([0-9a-f]*) run=(\d+)\.(\d+) -->")
_SHOWN: Final = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on IssueComment { id isMinimized } } }"
_HIDE: Final = (
    "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) "
    "{ minimizedComment { isMinimized } } }"
)
_AT_ONCE: Final = 100
"""Nodes that GraphQL gives for one query."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The hidden first line of a comment: whose report it is, of which commit, by which run."""

    project: str
    head: str
    run: int
    attempt: int

    @classmethod
    def of(cls, job: Job) -> Mark:
        """Give the mark of what `job` writes."""
        # Two hyphens could end the line where HTML is read strictly.
        return cls(quote(job.project, safe="/:").replace("--", "-%2D"), job.head, job.run, job.attempt)

    @classmethod
    def read(cls, body: str) -> Mark | None:
        """Find the mark of a comment; it may have come back with other line ends."""
        found = _MARK.fullmatch(body.splitlines()[0]) if body.strip() else None
        return cls(found[1], found[2], int(found[3]), int(found[4])) if found else None

    def __str__(self) -> str:
        """Give the line."""
        return f"<!-- retrain:{self.project} head={self.head} run={self.run}.{self.attempt} -->"

    def is_later_than(self, other: Mark) -> bool:
        """Whether a later run wrote this. One that was started again for the same commit is the later one itself."""
        if self.run == other.run:
            return self.attempt > other.attempt
        started_again = self.head == other.head and other.attempt > 1
        return self.run > other.run and not started_again


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment of ours. `node` is its name in GraphQL."""

    number: int
    node: str
    url: str
    body: str
    mark: Mark


class Comments:
    """The comment of one run on its pull request."""

    def __init__(self, repository: Repository, job: Job, mode: Mode) -> None:
        """Ask nothing yet.

        Args:
            repository: where the pull request is.
            job: the run.
            mode: `update` what an earlier run wrote, write a `new` one, write a new one and `hide-old` ones, or only
                `correct` what an earlier run wrote, and write nothing where none did.

        """
        self.repository = repository
        self._api = repository.api
        self._number = job.number
        self._mark = Mark.of(job)
        self._mode = mode
        self._written: int | None = None

    def write(self, standing: Standing) -> str:
        """Write where the run stands; see `Forge.comment`. What is there already is not written again.

        Raises:
            ForgeError: refused; names the permission that is missing, if that is why.

        """
        self._api = self.repository.api_for(standing)
        body = standing.render(LIMIT - len(str(self._mark)) - 1)
        whole = f"{self._mark}\n{body}"
        if len(whole) > LIMIT:
            message = f"a comment of {len(whole):,} characters is more than GitHub takes ({LIMIT:,})"
            raise ForgeError(message, "the whole report is in the step summary")
        mine = self._mine()
        earlier = [] if mine or self._mode == "new" else list(self._earlier())
        if later := next((one for one in [mine, *earlier] if one and one.mark.is_later_than(self._mark)), None):
            logger.info("the comment is left alone: a later run, %d, has written %s", later.mark.run, later.url)
            return ""
        if mine is None and self._mode in {"update", "correct"} and earlier:
            mine = earlier.pop()
        if mine is None and self._mode == "correct":
            return ""
        url = self._put(mine, whole)
        self._hide(earlier)
        return url

    def _put(self, mine: _Comment | None, whole: str) -> str:
        if mine is None:
            there = self._api.create(self._path(f"issues/{self._number}/comments"), {"body": whole})
            self._written = int(str(there["id"]))
            return str(there.get("html_url", ""))
        self._written = mine.number
        if mine.mark.head != self._mark.head or _text(mine.body) != _text(whole):
            self._api.update(self._path(f"issues/comments/{mine.number}"), {"body": whole})
        return mine.url

    def _mine(self) -> _Comment | None:
        """Read again what this run wrote; somebody may have removed it, or written over it."""
        if self._written is None:
            return None
        return self._ours(self._api.find(self._path(f"issues/comments/{self._written}")))

    def _earlier(self) -> Iterator[_Comment]:
        """Give what runs of this project wrote on the pull request, oldest first."""
        for comment in self._api.pages(self._path(f"issues/{self._number}/comments")):
            if ours := self._ours(comment):
                yield ours

    def _ours(self, comment: object) -> _Comment | None:
        match comment:
            case {"id": int(number), "user": {"login": author}, "body": str(body), **more}:
                mark = Mark.read(body)
                if mark and mark.project == self._mark.project and author == self.repository.login:
                    return _Comment(number, str(more.get("node_id", "")), str(more.get("html_url", "")), body, mark)
        return None

    def _hide(self, comments: Sequence[_Comment]) -> None:
        """Fold comments up as outdated; one that cannot be is no reason to take back what was written."""
        try:
            for start in range(0, len(comments), _AT_ONCE):
                nodes = [one.node for one in comments[start : start + _AT_ONCE]]
                for node in self._unhidden(nodes):
                    self._api.mutate(_HIDE, id=node)
        except ForgeError as error:
            logger.warning("an outdated comment cannot be hidden (it takes pull-requests: write): %s", error)

    def _unhidden(self, nodes: Sequence[str]) -> list[str]:
        match self._api.graphql(_SHOWN, ids=nodes):
            case {"data": {"nodes": list(found)}}:
                return [str(one["id"]) for one in found if isinstance(one, dict) and one.get("isMinimized") is False]
        return []

    def _path(self, rest: str) -> str:
        return self.repository.path(rest)


def _text(body: str) -> str:
    """Give a body as GitHub keeps it, CRLF as LF and the end trimmed, without our first line, which names the run."""
    return body.replace("\r\n", "\n").rstrip().partition("\n")[2]
