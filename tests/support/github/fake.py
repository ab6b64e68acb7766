"""What the fake remembers, and how it answers: in GitHub's order, whose token, in what limits, well formed, allowed."""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.support import api_description
from tests.support.github import checks, gitdata, graphql, pulls, runs, talk
from tests.support.github.answers import (
    Answer,
    Asked,
    Meanwhile,
    Received,
    Route,
    Trouble,
    not_accessible,
    not_found,
    refusal,
    secondary_limit,
)
from tests.support.github.bare import Bare

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACTIONS = "github-actions[bot]"
_ROUTES: Final[Mapping[tuple[str, str], Route]] = {
    **talk.ROUTES,
    **pulls.ROUTES,
    **gitdata.ROUTES,
    **checks.ROUTES,
    **runs.ROUTES,
}
_DELETED_FORK = "head/repo: null"
"""Which GitHub does answer, though the description has it not."""
_LEVELS: Final = {"read": 1, "write": 2}


class FakeGitHub:
    """One repository, and what everybody did to it. Tests read and change the attributes at will.

    Attributes:
        repository: `owner/name`.
        url: the API's address, once it is served.
        clock: seconds since 1970.
        tokens: whose each token is.
        grants: what a token may (`{"issues": "write"}`); a token that is not named here may everything.
        allowance: requests left before the primary limit; None: no limit.
        writes_apart: seconds that two writes must be apart, or the secondary limit answers; 0: no limit.
        received: every request to the API, in order.
        downloads: requests to the host that artifacts come from.
        violations: what broke the API's description; a test with any fails.

    """

    def __init__(
        self,
        repository: str = "Codertocat/Hello-World",
        git: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Remember nothing yet; `git` is a bare repository to use in place of a new one."""
        self.repository = repository
        self.url = ""
        self.prefix = ""
        self.storage_url = ""
        self.clock = clock
        self.tokens: dict[str, str] = {}
        self.grants: dict[str, dict[str, str]] = {}
        self.allowance: int | None = None
        self.writes_apart = 0.0
        self.received: list[Received] = []
        self.downloads: list[Received] = []
        self.violations: list[str] = []
        self.troubles: list[Trouble] = []
        self.meanwhile: list[Meanwhile] = []

        self.default_branch = "main"
        self.allow_auto_merge = True
        self.actions_may_open_pulls = True
        self.permissions: dict[str, str] = {}
        """What collaborators may: `admin`, `maintain`, `write`, `triage`, `read`."""
        self.comments: list[dict[str, Any]] = []
        self.minimized: dict[str, str] = {}
        """Hidden comments by node id, and why."""
        self.reactions: list[tuple[int, str, str]] = []
        """The comment, what was felt, and who felt it."""
        self.issues: dict[int, dict[str, Any]] = {}
        """Issues by number, those of pull requests too."""
        self.pulls: dict[int, dict[str, Any]] = {}
        self.auto_merges: dict[int, dict[str, Any]] = {}
        self.merge_bases: dict[str, str] = {}
        """Of pairs of revisions (`main...topic`) that the git repository does not have."""
        self.activity: list[dict[str, Any]] = []
        """Pushes, the latest first."""
        self.signed: set[str] = set()
        self.check_runs: list[dict[str, Any]] = []
        self.annotations: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.statuses: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        """Runs of workflows, the latest first: `workflow`, `head_branch`, `head_sha`, `event`, `conclusion`."""
        self.artifacts: list[dict[str, Any]] = []
        self.stored: dict[str, bytes] = {}
        """What the other host gives, by path."""

        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._git = Bare(git) if git else None
        self._identities = 0
        self._last_write = 0.0
        self._lock = threading.RLock()

    def token(
        self,
        token: str,
        login: str = ACTIONS,
        *,
        read_only: bool = False,
        permissions: Mapping[str, str] | None = None,
    ) -> str:
        """Make a token known: one that may everything, only read, or exactly what `permissions:` of a job grants."""
        self.tokens[token] = login
        self.grants.pop(token, None)
        if read_only or permissions is not None:
            every = {} if permissions is not None else dict.fromkeys(_permissions(), "read")
            self.grants[token] = {**every, **{name.replace("-", "_"): to for name, to in (permissions or {}).items()}}
        return token

    @property
    def git(self) -> Bare:
        """The repository's commits and refs."""
        if self._git is None:
            self._scratch = tempfile.TemporaryDirectory()
            self._git = Bare(Path(self._scratch.name) / "repository.git")
        return self._git

    @property
    def has_commits(self) -> bool:
        """Whether a test put any commits here; before that, every commit's name is taken for one."""
        return self._git is not None

    def close(self) -> None:
        if self._scratch:
            self._scratch.cleanup()

    def identity(self) -> int:
        """Number the next thing."""
        self._identities += 1
        return self._identities

    def now(self) -> str:
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def open_issue(self, title: str, body: str = "", login: str = "octocat", **more: Any) -> dict[str, Any]:
        """Have somebody open an issue."""
        return talk.open_issue(self, title, body, login, **more)

    def open_pull(self, **given: Any) -> dict[str, Any]:
        """Have somebody open a pull request: see `pulls.open_pull`."""
        return pulls.open_pull(self, **given)

    def say(self, number: int, body: str, login: str = "octocat") -> dict[str, Any]:
        """Have somebody comment."""
        return talk.say(self, number, body, login)

    def push(self, branch: str, files: Mapping[str, bytes | None], login: str = "octocat", **more: Any) -> str:
        """Have somebody commit to a branch and push; gives the commit."""
        return gitdata.push(self, branch, files, login, **more)

    def pushed(self, branch: str, sha: str, login: str = "octocat") -> None:
        """Have somebody push a commit that another repository of git holds, such as a test's own."""
        gitdata.record_push(self, f"refs/heads/{branch}", None, sha, login)

    def push_to_fork(self, fork: str, branch: str, sha: str, login: str = "mallory") -> None:
        """Have somebody push a commit to a branch of a fork."""
        gitdata.push_to_fork(self, fork, branch, sha, login)

    def upload(self, run_id: int, name: str, files: Mapping[str, bytes] | bytes, **more: Any) -> dict[str, Any]:
        """Have a workflow's run upload an artifact: files, or the very bytes of its archive."""
        return runs.upload(self, run_id, name, files, **more)

    def bodies(self, login: str = ACTIONS) -> list[str]:
        """Give what somebody wrote, oldest first."""
        return [comment["body"] for comment in self.comments if comment["user"]["login"] == login]

    def sent(self, method: str, path: str = "") -> list[Received]:
        """Give the requests of a method to the REST API whose path holds `path`."""
        return [one for one in self.received if one.method == method and not one.graphql and path in one.path]

    def answer(self, request: Received) -> Answer:
        """Answer one request."""
        with self._lock:
            self.received.append(request)
            answer = self._answer(request)
            return Answer(answer.status, answer.body, {**self._limits(), **answer.headers}) if answer.status else answer

    def _answer(self, request: Received) -> Answer:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return refusal(401, "Bad credentials")
        limit = self._limit(request)
        if limit:
            return limit
        for event in [one for one in self.meanwhile if one.times and _meets(one, request)]:
            event.times -= 1
            event.act()
        trouble = next((one for one in self.troubles if one.meets(request)), None)
        if trouble is None:
            return self._spent(request, self._right_answer(request, token))
        trouble.times -= 1
        if trouble.done_all_the_same:
            self._right_answer(request, token)
        return trouble.answer

    def _limit(self, request: Received) -> Answer | None:
        if self.allowance is not None and self.allowance <= 0:
            return refusal(403, "API rate limit exceeded for installation ID 1.")
        if request.method == "GET" or request.body == graphql.WHO:
            return None
        since, self._last_write = self.clock() - self._last_write, self.clock()
        return secondary_limit(1) if since < self.writes_apart else None

    def _limits(self) -> dict[str, str]:
        left = 1000 if self.allowance is None else max(0, self.allowance)
        return {
            "X-RateLimit-Limit": "1000",
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(int(self.clock()) + 42),
        }

    def _spent(self, request: Received, answer: Answer) -> Answer:
        """Give a document its ETag, and say that it did not change to who has it already, which costs nothing."""
        etag = f'W/"{hashlib.sha256(json.dumps(answer.body).encode()).hexdigest()}"'
        if request.method == "GET" and answer.status == 200:
            if request.headers.get("If-None-Match") == etag:
                return Answer(304, None, {**answer.headers, "ETag": etag})
            answer = Answer(200, answer.body, {**answer.headers, "ETag": etag})
        if self.allowance is not None:
            self.allowance -= 1
        return answer

    def _right_answer(self, request: Received, token: str) -> Answer:
        if request.graphql:
            return self._of_graphql(request, token)
        found = api_description.operation(request.method, request.path.removeprefix(self.prefix))
        if found is None:
            return self._broken(request, ["no such operation"])
        broken = api_description.request_violations(found, request.query, request.body)
        if broken:
            return self._broken(request, broken)
        answer = self._rest(request, found, token)
        wrong = api_description.response_violations(found, answer.status, answer.body)
        if answer.status < 400:
            self.violations += [f"our own answer: {violation}" for violation in wrong if _DELETED_FORK not in violation]
        return answer

    def _broken(self, request: Received, broken: list[str]) -> Answer:
        self.violations += [f"{request.method} {request.path}: {violation}" for violation in broken]
        return refusal(422, "Validation Failed")

    def _of_graphql(self, request: Received, token: str) -> Answer:
        answer, broken = graphql.answer(self, request.body, self.tokens[token], self.grants.get(token))
        self.violations += [f"GraphQL: {violation}" for violation in broken]
        return answer

    def _rest(self, request: Received, found: api_description.Operation, token: str) -> Answer:
        route = _ROUTES.get((request.method, found.template))
        if route is None:
            return self._broken(request, [f"{found.template} is not built: see tests/support/github"])
        if "repo" in found.arguments and not self._is_here(found):
            return not_found()
        if not may(self.grants.get(token), route.needs):
            return not_accessible(route.needs)
        return route.answer(self, Asked(request, found.arguments, self.tokens[token]))

    def _is_here(self, found: api_description.Operation) -> bool:
        # What was pushed to a fork may be asked of the fork.
        asked = f"{found.arguments['owner']}/{found.arguments['repo']}".lower()
        return asked == self.repository.lower() or found.template == gitdata.ACTIVITY


def may(granted: Mapping[str, str] | None, needs: str) -> bool:
    """Tell whether a token's permissions are enough; without any restriction they are."""
    if granted is None or not needs:
        return True
    either = [[part.strip().split("=") for part in way.split(",")] for way in needs.split(";")]
    return any(all(_LEVELS.get(granted.get(name, ""), 0) >= _LEVELS[level] for name, level in way) for way in either)


def _meets(event: Meanwhile, request: Received) -> bool:
    return event.method == request.method and event.path in request.path


def _permissions() -> set[str]:
    ways = [way for route in _ROUTES.values() for needs in route.needs.split(";") for way in needs.split(",")]
    return {way.split("=")[0].strip() for way in ways if way.strip()}
