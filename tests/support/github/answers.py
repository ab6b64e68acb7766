"""What is asked and what is answered: requests, refusals in GitHub's words, pages, troubles that a test orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.support.github.fake import FakeGitHub


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]

    @property
    def graphql(self) -> bool:
        return self.path.endswith("/graphql")


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


DROPPED = Answer(0)
"""The connection ends without an answer."""


@dataclass(frozen=True)
class Asked:
    """A request that is well formed, by somebody who may."""

    request: Received
    arguments: Mapping[str, str]
    login: str

    @property
    def number(self) -> int:
        """The issue or pull request."""
        return int(self.arguments.get("issue_number") or self.arguments["pull_number"])

    @property
    def body(self) -> dict[str, Any]:
        given: dict[str, Any] = self.request.body or {}
        return given


@dataclass(frozen=True)
class Route:
    """One operation that the fake knows.

    Attributes:
        answer: gives the answer, and changes what is remembered.
        needs: the permissions as GitHub's header names them: `issues=write; pull_requests=write` is either of
            them; empty: none.

    """

    answer: Callable[[FakeGitHub, Asked], Answer]
    needs: str = ""


@dataclass
class Trouble:
    """An answer given instead of the right one, for the next `times` requests of that method.

    Only to paths that hold `path`; GraphQL has none unless `path` is "graphql".
    """

    method: str
    answer: Answer
    times: int = 1
    done_all_the_same: bool = False
    path: str = ""

    def meets(self, request: Received) -> bool:
        wanted = self.path in request.path and request.graphql == (self.path == "graphql")
        return bool(self.times) and request.method == self.method and wanted


@dataclass
class Meanwhile:
    """Something that somebody else does just before a request of that method to a path that holds `path` is served."""

    method: str
    path: str
    act: Callable[[], object]
    times: int = 1


def refusal(status: int, message: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    said = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Answer(status, said, named)


def not_accessible(needs: str) -> Answer:
    return refusal(403, "Resource not accessible by integration", X_Accepted_GitHub_Permissions=needs)


def secondary_limit(retry_after: int) -> Answer:
    return refusal(403, "You have exceeded a secondary rate limit.", Retry_After=str(retry_after))


def not_found() -> Answer:
    return refusal(404, "Not Found")


def paged(fake: FakeGitHub, asked: Asked, rows: Sequence[Any], within: str = "") -> Answer:
    """Answer one page, with links to the others; `within`: the key of a list that comes with its `total_count`."""
    query = asked.request.query
    size = min(100, int(query.get("per_page", "30")))
    page = int(query.get("page", "1"))
    shown = list(rows[(page - 1) * size : page * size])
    last = max(1, -(-len(rows) // size))
    others = {"prev": page - 1, "next": page + 1, "last": last}
    links = [
        f'<{fake.url}{asked.request.path.removeprefix(fake.prefix)}?{urlencode({**query, "page": to})}>; rel="{name}"'
        for name, to in others.items()
        if 1 <= to <= last and (name != "last" or page < last)
    ]
    body = {"total_count": len(rows), within: shown} if within else shown
    return Answer(200, body, {"Link": ", ".join(links)} if links else {})
