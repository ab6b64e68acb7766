"""A GitHub of our own on loopback: it remembers, pages, refuses and limits, and holds every request to the real API's
description.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.support import api_description

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ACTIONS = "github-actions[bot]"
COMMENT_LIMIT = 65_536
_COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
_COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}"
_COMPARE = "/repos/{owner}/{repo}/compare/{basehead}"
_PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
_PERMISSION = "/repos/{owner}/{repo}/collaborators/{username}/permission"
_RUNS = "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs"


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Trouble:
    """An answer given instead of the right one, for the next `times` requests of that method."""

    method: str
    answer: Answer
    times: int = 1
    done_all_the_same: bool = False


def refusal(status: int, message: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, {"message": message, "documentation_url": "https://docs.github.com/rest"}, named)


def secondary_limit(retry_after: int) -> Answer:
    return refusal(403, "You have exceeded a secondary rate limit.", Retry_After=str(retry_after))


class FakeGitHub:
    """One repository. Tokens have a login and may be read-only."""

    def __init__(self, repository: str = "Codertocat/Hello-World") -> None:
        self.repository = repository
        self.url = ""
        self.tokens: dict[str, str] = {}
        self.read_only: set[str] = set()
        self.comments: list[dict[str, Any]] = []
        self.merge_bases: dict[str, str] = {}
        self.pulls: dict[int, tuple[str, list[str]]] = {}
        """Pull requests: their heads and labels as they are now."""
        self.permissions: dict[str, str] = {}
        self.runs: list[dict[str, str]] = []
        """Runs of workflows, the latest first: `workflow`, `head_branch`, `head_sha`, `event`, `conclusion`."""
        self.received: list[Received] = []
        self.violations: list[str] = []
        self.troubles: list[Trouble] = []
        self.prefix = ""
        self._lock = threading.Lock()

    def token(self, token: str, login: str = ACTIONS, *, read_only: bool = False) -> str:
        """Make a token known."""
        self.tokens[token] = login
        if read_only:
            self.read_only.add(token)
        return token

    def say(self, number: int, body: str, login: str = "octocat") -> dict[str, Any]:
        """Have somebody comment."""
        comment: dict[str, Any] = api_description.example("issue-comment")
        identity = len(self.comments) + 1
        here = f"{self.url}/repos/{self.repository}"
        comment |= {
            "id": identity,
            "url": f"{here}/issues/comments/{identity}",
            "issue_url": f"{here}/issues/{number}",
            "html_url": f"https://github.com/{self.repository}/pull/{number}#issuecomment-{identity}",
            "body": body.rstrip(),
        }
        comment["user"]["login"] = login
        self.comments.append(comment)
        return comment

    def bodies(self, login: str = ACTIONS) -> list[str]:
        """Give what somebody wrote, oldest first."""
        return [comment["body"] for comment in self.comments if comment["user"]["login"] == login]

    def sent(self, method: str) -> list[Received]:
        """Give the requests of a method to the REST API."""
        return [request for request in self.received if request.method == method and "graphql" not in request.path]

    def answer(self, request: Received) -> Answer:
        """Answer as GitHub does, in its order: who is it, is it well formed, may they, is there trouble."""
        with self._lock:
            self.received.append(request)
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if token not in self.tokens:
                return refusal(401, "Bad credentials")
            trouble = self._trouble(request)
            answer = self._right_answer(request, token) if not trouble or trouble.done_all_the_same else None
            return trouble.answer if trouble else answer or refusal(500, "unreachable")

    def _trouble(self, request: Received) -> Trouble | None:
        for trouble in self.troubles:
            if trouble.method == request.method and trouble.times and "graphql" not in request.path:
                trouble.times -= 1
                return trouble
        return None

    def _right_answer(self, request: Received, token: str) -> Answer:
        if request.path.endswith("/graphql"):
            return self._graphql(request, self.tokens[token])
        found = api_description.operation(request.method, request.path.removeprefix(self.prefix))
        if found is None:
            return self._broken(request, ["no such operation"])
        broken = api_description.request_violations(found, request.query, request.body)
        if broken:
            return self._broken(request, broken)
        answer = self._rest(request, found, token)
        wrong = api_description.response_violations(found, answer.status, answer.body)
        self.violations += [f"our own answer: {violation}" for violation in wrong if answer.status < 400]
        return answer

    def _broken(self, request: Received, broken: list[str]) -> Answer:
        self.violations += [f"{request.method} {request.path}: {violation}" for violation in broken]
        return refusal(422, "Validation Failed")

    def _graphql(self, request: Received, login: str) -> Answer:
        if request.body != {"query": "query { viewer { login } }"}:
            return self._broken(request, ["a query this fake does not know"])
        return Answer(200, {"data": {"viewer": {"login": login}}})

    def _rest(self, request: Received, found: api_description.Operation, token: str) -> Answer:
        if f"{found.arguments['owner']}/{found.arguments['repo']}" != self.repository:
            return refusal(404, "Not Found")
        if request.method != "GET" and token in self.read_only:
            permissions = "issues=write; pull_requests=write"
            return refusal(403, "Resource not accessible by integration", X_Accepted_GitHub_Permissions=permissions)
        verbs: dict[tuple[str, str], Callable[[Received, Mapping[str, str], str], Answer]] = {
            ("GET", _COMMENTS): self._list,
            ("POST", _COMMENTS): self._create,
            ("PATCH", _COMMENT): self._update,
            ("GET", _COMPARE): self._compare,
            ("GET", _PULL): self._pull,
            ("GET", _PERMISSION): self._permission,
            ("GET", _RUNS): self._workflow_runs,
        }
        verb = verbs.get((request.method, found.template))
        return verb(request, found.arguments, token) if verb else refusal(501, f"{found.template} is not built")

    def _list(self, request: Received, arguments: Mapping[str, str], _token: str) -> Answer:
        issue = f"/issues/{arguments['issue_number']}"
        listed = [comment for comment in self.comments if comment["issue_url"].endswith(issue)]
        size = min(100, int(request.query.get("per_page", "30")))
        page = int(request.query.get("page", "1"))
        headers = {}
        if page * size < len(listed):
            query = urlencode({**request.query, "page": page + 1})
            headers["Link"] = f'<{self.url}{request.path.removeprefix(self.prefix)}?{query}>; rel="next"'
        return Answer(200, listed[(page - 1) * size : page * size], headers)

    def _create(self, request: Received, arguments: Mapping[str, str], token: str) -> Answer:
        if len(request.body["body"]) > COMMENT_LIMIT:
            return refusal(422, "Body is too long (maximum is 65536 characters)")
        return Answer(201, self.say(int(arguments["issue_number"]), request.body["body"], self.tokens[token]))

    def _update(self, request: Received, arguments: Mapping[str, str], _token: str) -> Answer:
        comment = next((one for one in self.comments if str(one["id"]) == arguments["comment_id"]), None)
        if comment is None:
            return refusal(404, "Not Found")
        comment["body"] = request.body["body"].rstrip()
        return Answer(200, comment)

    def _compare(self, _request: Received, arguments: Mapping[str, str], _token: str) -> Answer:
        sha = self.merge_bases.get(arguments["basehead"])
        if sha is None:
            return refusal(404, "Not Found")
        compared = api_description.example("commit-comparison")
        compared["merge_base_commit"]["sha"] = sha
        return Answer(200, compared)

    def _pull(self, _request: Received, arguments: Mapping[str, str], _token: str) -> Answer:
        found = self.pulls.get(int(arguments["pull_number"]))
        if found is None:
            return refusal(404, "Not Found")
        pull = api_description.example("pull-request")
        pull["head"]["sha"] = found[0]
        pull["requested_teams"] = []  # the example's lacks what its own description demands
        pull["labels"] = [{**pull["labels"][0], "name": name} for name in found[1]]
        return Answer(200, pull)

    def _permission(self, _request: Received, arguments: Mapping[str, str], _token: str) -> Answer:
        login = arguments["username"]
        if login not in self.permissions:
            return refusal(404, f"{login} is not a user")
        name = "repository-collaborator-permission-response-if-user-has-admin-permissions"
        answer = {**api_description.example(name), "permission": self.permissions[login], "user": None}
        return Answer(200, answer)  # without the example's user, who lacks what the description demands

    def _workflow_runs(self, request: Received, arguments: Mapping[str, str], _token: str) -> Answer:
        wanted = {"workflow": arguments["workflow_id"], "head_branch": request.query.get("branch")}
        wanted["conclusion"] = request.query.get("status")
        found = [run for run in self.runs if all(run[name] == value for name, value in wanted.items() if value)]
        page = api_description.example("workflow-run-paginated")
        like = page["workflow_runs"][0]
        rows = [{**like, **{name: run[name] for name in run if name != "workflow"}} for run in found]
        return Answer(200, {"total_count": len(rows), "workflow_runs": rows})


@contextmanager
def serving(fake: FakeGitHub, prefix: str = "") -> Iterator[FakeGitHub]:
    """Serve `fake` on a free port of loopback; in the end, nothing may have broken the API's description."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    fake.prefix = prefix
    fake.url = f"http://127.0.0.1:{server.server_port}{prefix}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert fake.violations == []


def _handler(fake: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            split = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
            query = dict(parse_qsl(split.query))
            answer = fake.answer(Received(self.command, unquote(split.path), query, body, dict(self.headers)))
            self._reply(answer)

        def _reply(self, answer: Answer) -> None:
            raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, text in {"Content-Type": "application/json; charset=utf-8", **answer.headers}.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815  the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Keep the tests' output quiet."""

    return Handler
