"""Requests to GitHub's API: authenticated, tried again where that helps and cannot do harm, refusals explained.

The token is in no URL, argument, representation or error.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from runner.errors import ForgeError
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADERS: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_Timeout = tuple[float, float]
_TIMEOUT: Final[_Timeout] = (10, 30)
"""Seconds to connect, and between two pieces of an answer."""
_ATTEMPTS: Final = 5
_HASTY: Final[_Timeout] = (3, 5)
_LONGEST_WAIT: Final = 60.0
"""Seconds; to be asked to wait longer means: not in this run."""
_UNSAID: Final = 60.0
"""Seconds to wait for a secondary limit that says nothing of its end, as GitHub's documentation has it."""
_REMEMBERED: Final = 32
"""Answers kept in case that they did not change."""
_BETWEEN_WRITES: Final = 1.0
"""Seconds; GitHub asks for it, and answers with a secondary limit otherwise."""
_BACKOFF: Final = wait_random_exponential(multiplier=0.5, max=8)

_NOT_MODIFIED: Final = 304
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
TOO_MANY: Final = 429
SERVER_ERROR: Final = 500

Query = Mapping[str, str]
_Answer = requests.Response | requests.RequestException


class RefusedError(ForgeError):
    """GitHub answered, and not with what was asked for."""

    def __init__(self, message: str, hint: str, status: int, *, forbids: bool = False) -> None:
        """Keep the HTTP status beside the words, and whether it is this token that may not, at any time."""
        super().__init__(message, hint)
        self.status = status
        self.forbids = forbids


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes: seconds since 1970 (to read GitHub's rate limits by), and waiting."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


REAL_TIME: Final = Pace()
_ON_PULLS: Final = "pull_requests=write"


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    query: Query | None
    body: object
    repeatable: bool
    """Sending it twice does what sending it once does."""
    etag: str = ""
    """Of the answer that is here already; empty: none is."""
    leaves: bool = False
    """It is answered with the address of another host, or goes to one, which does not get the token."""


class Api:
    """GitHub's API at one address, github.com or an Enterprise server, as one user."""

    def __init__(self, url: str, token: str, session: requests.Session, pace: Pace) -> None:
        """Connect nothing yet; `url` is GITHUB_API_URL, for example `https://api.github.com`."""
        self._url = url.rstrip("/")
        self._auth = _Token(token)
        self._session = session
        self._pace = pace
        self._wrote = _Wrote()
        self._read_before: dict[tuple[str, str], requests.Response] = {}
        self._attempts, self._timeout = _ATTEMPTS, _TIMEOUT

    def __repr__(self) -> str:
        """Name the place, not the token."""
        return f"{type(self).__name__}({self._url!r})"

    def hasty(self) -> Api:
        """Give the same API for what is not worth waiting for: nothing is tried again."""
        twin = copy(self)
        twin._attempts, twin._timeout = 1, _HASTY  # noqa: SLF001 - it is one of us
        return twin

    def get(self, path: str, query: Query | None = None) -> object:
        """Read one document.

        Raises:
            RefusedError: GitHub said no.
            ForgeError: it did not answer.

        """
        return _document(self._read(self._url + path, query))

    def pages(self, path: str) -> Iterator[Mapping[str, object]]:
        """Give the elements of every page of a list; errors as `get`."""
        url: str | None = self._url + path
        query: Query | None = {"per_page": "100"}
        while url:
            answer = self._read(url, query)
            yield from _listed(_document(answer))
            url, query = answer.links.get("next", {}).get("url"), None
            if url and not url.startswith(f"{self._url}/"):
                msg = "GitHub's list goes on at another address, to which the token is not sent"
                raise ForgeError(msg, "check GITHUB_API_URL")

    def download(self, path: str, limit: int) -> bytes:
        """Read a file that GitHub keeps at another host, which does not get the token.

        Args:
            path: of the API; answered with that host's address.
            limit: bytes that it may have.

        Raises:
            RefusedError: GitHub or the other host said no.
            ForgeError: neither answered, or the file is larger.

        """
        asked = _Request("GET", self._url + path, None, None, repeatable=True, leaves=True)
        address = self._send(asked).headers.get("Location", "")
        if not address.startswith("https://") and urlsplit(address).scheme != urlsplit(self._url).scheme:
            raise ForgeError(_STRANGE, "check GITHUB_API_URL")
        there = dataclasses.replace(asked, url=address)
        with self._send(there, f"what {path} leads to") as answer:
            return _bounded(answer, limit)

    def create(self, path: str, body: object) -> Mapping[str, object]:
        """Make something new; tried again only where GitHub said that it did nothing. Errors as `get`."""
        return self._write(_Request("POST", self._url + path, None, body, repeatable=False))

    def attempt(self, path: str, body: object) -> None:
        """Ask for what cannot be made, for the refusal's sake; no write has to wait for it. Errors as `get`."""
        self._send(_Request("POST", self._url + path, None, body, repeatable=False))

    def update(self, path: str, body: object) -> Mapping[str, object]:
        """Change what exists. Errors as `get`."""
        return self._write(_Request("PATCH", self._url + path, None, body, repeatable=True))

    def graphql(self, query: str, **variables: object) -> object:
        """Read by GraphQL, which lies beside the REST API. Errors as `get`."""
        return _granted(_document(self._send(self._query(query, variables))))

    def mutate(self, query: str, needs: str = _ON_PULLS, **variables: object) -> object:
        """Change something by GraphQL, so that twice is as once; `needs` is the permission for it. Errors as `get`."""
        return _granted(self._write(self._query(query, variables)), needs)

    def _read(self, url: str, query: Query | None) -> requests.Response:
        """Read once more only what changed: what did not costs nothing of the rate limit."""
        place = (url, str(query))
        before = self._read_before.pop(place, None)
        etag = before.headers["ETag"] if before else ""
        answer = self._send(_Request("GET", url, query, None, repeatable=True, etag=etag))
        if before and answer.status_code == _NOT_MODIFIED:
            answer = before
        if "ETag" in answer.headers:
            self._read_before[place] = answer
            for oldest in list(self._read_before)[:-_REMEMBERED]:
                del self._read_before[oldest]
        return answer

    def _query(self, query: str, variables: Mapping[str, object]) -> _Request:
        url = re.sub(r"/v3$", "", self._url) + "/graphql"
        body = {"query": query, "variables": variables} if variables else {"query": query}
        return _Request("POST", url, None, body, repeatable=True)

    def _write(self, request: _Request) -> Mapping[str, object]:
        """Send a request that changes something, not at once after the last one."""
        self._pace.sleep(max(0.0, self._wrote.at + _BETWEEN_WRITES - self._pace.now()))
        try:
            return _mapping(_document(self._send(request)))
        finally:
            self._wrote.at = self._pace.now()

    def _send(self, request: _Request, called: str = "") -> requests.Response:
        """Send a request, again where that helps; `called` stands for a url that is nobody's to read."""
        retrying = Retrying(
            retry=retry_if_result(lambda answer: self._worth_retrying(request, answer)),
            wait=self._wait,
            stop=stop_after_attempt(self._attempts),
            sleep=self._pace.sleep,
            retry_error_callback=_last_answer,
        )
        answer = retrying(self._once, request)
        if isinstance(answer, requests.Response) and answer.ok:
            return answer
        what = f"{request.method} {called or request.url.removeprefix(self._url)}"
        raise _refusal(what, answer)

    def _once(self, request: _Request) -> _Answer:
        try:
            return self._session.request(
                request.method,
                request.url,
                params=request.query,
                json=request.body,
                headers={**_HEADERS, "If-None-Match": request.etag} if request.etag else _HEADERS,
                auth=self._auth if request.url.startswith(f"{self._url}/") or not request.leaves else _Nobody(),
                timeout=self._timeout,
                allow_redirects=not request.leaves,
                stream=request.leaves,
            )
        except requests.RequestException as error:
            return error

    def _worth_retrying(self, request: _Request, answer: _Answer) -> bool:
        """Tell passing trouble from a refusal."""
        if isinstance(answer, requests.RequestException):
            return request.repeatable or isinstance(answer, requests.ConnectTimeout)
        passing = _limited(answer) or (request.repeatable and answer.status_code >= SERVER_ERROR)
        return passing and self._asked_to_wait(answer) <= _LONGEST_WAIT

    def _wait(self, state: RetryCallState) -> float:
        answer = _last_answer(state)
        asked = self._asked_to_wait(answer) if isinstance(answer, requests.Response) else 0.0
        return asked or _BACKOFF(state)

    def _asked_to_wait(self, answer: requests.Response) -> float:
        """Give the seconds GitHub asks us to wait, 0 where it asks nothing. How long a limit lasts it need not say.

        https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
        """
        retry_after = answer.headers.get("Retry-After", "")
        if retry_after.isdigit():
            return float(retry_after)
        reset = answer.headers.get("X-RateLimit-Reset", "")
        if answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdigit():
            return max(1.0, float(reset) - self._pace.now())
        return _UNSAID if _limited(answer) else 0.0


class _Wrote:
    """When the last write was, in seconds since 1970: all that write as one user share it."""

    at = 0.0


class _Token(AuthBase):
    """Sends the token as a header; given explicitly, so that a .netrc file cannot replace it."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


class _Nobody(AuthBase):
    """Sends nothing; given explicitly, so that a .netrc file is not read."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _bounded(answer: requests.Response, limit: int) -> bytes:
    found = bytearray()
    try:
        for piece in answer.iter_content(1 << 16):
            found += piece
            if len(found) > limit:
                message = f"a file of GitHub's is larger than {limit:,} bytes"
                raise ForgeError(message)
    except requests.RequestException as error:
        message = f"a file of GitHub's did not arrive whole: {type(error).__name__}"
        raise ForgeError(message, "try again") from None
    return bytes(found)


def _last_answer(state: RetryCallState) -> _Answer:
    if state.outcome is None:
        msg = "a request is sent before anybody asks for its answer"
        raise AssertionError(msg)
    answer: _Answer = state.outcome.result()
    return answer


def _document(answer: requests.Response) -> object:
    try:
        return answer.json()
    except requests.JSONDecodeError:
        raise ForgeError(_STRANGE, "check GITHUB_API_URL; does a proxy answer in its place?") from None


def _mapping(document: object) -> Mapping[str, object]:
    if not isinstance(document, Mapping):
        raise ForgeError(_STRANGE, "check GITHUB_API_URL")
    return document


def _granted(document: object, needs: str = _ON_PULLS) -> object:
    """Give GraphQL's answer, which says with 200 that it refuses."""
    match document:
        case {"errors": [{"message": str(said), **more}, *_]}:
            hint = f"the token lacks a permission: {_lines(needs)}" if more.get("type") == "FORBIDDEN" else ""
            msg = f"GitHub refused a query: {said[:300]}"
            raise RefusedError(msg, hint, FORBIDDEN)
    return document


def _listed(document: object) -> list[Mapping[str, object]]:
    return [_mapping(element) for element in (document if isinstance(document, list) else [document])]


_STRANGE: Final = "GitHub's answer is not what its API describes"


def _limited(answer: requests.Response) -> bool:
    """Tell a rate limit, primary or secondary, from a missing permission: both may be 403."""
    if answer.status_code not in (FORBIDDEN, TOO_MANY):
        return False
    by_header = "Retry-After" in answer.headers or answer.headers.get("X-RateLimit-Remaining") == "0"
    return answer.status_code == TOO_MANY or by_header or "rate limit" in _said(answer).lower()


def _refusal(what: str, answer: _Answer) -> ForgeError:
    """Say what could not be done, in GitHub's words, and what to do about it."""
    if isinstance(answer, requests.RequestException):
        # Neither the client's own text, which names hosts and objects, nor its chain, which holds our headers.
        return ForgeError(f"GitHub did not answer {what}: {type(answer).__name__}", "try again; is a proxy to be set?")
    message = f"GitHub refused {what}: {answer.status_code} {_said(answer)}".rstrip()
    forbids = answer.status_code in (UNAUTHORIZED, FORBIDDEN) and not _limited(answer)
    return RefusedError(message, _advice(answer), answer.status_code, forbids=forbids)


def _advice(answer: requests.Response) -> str:
    if _limited(answer):
        return "a rate limit of GitHub: try again later"
    if answer.status_code == FORBIDDEN and "not accessible" in _said(answer):
        return f"the token lacks a permission: {_permissions(answer)}"
    if answer.status_code == UNAUTHORIZED:
        return "the token is wrong or has expired: check the input github-token"
    if answer.status_code == NOT_FOUND:
        return "no such thing, or the token may not see it: check github-token and its permissions"
    return ""


_NEEDED: Final[Mapping[str, str]] = {
    "/check-runs": "checks=write",
    "/statuses/": "statuses=write",
    "/git/": "contents=write",
}
"""What writing there takes, for where GitHub does not say; writing elsewhere is writing on a pull request."""


def _permissions(answer: requests.Response) -> str:
    """Name the lines the workflow needs, from GitHub's own header where it sends one.

    The header is, for example, `issues=write; pull_requests=write`: either of them is enough.
    """
    accepted = answer.headers.get("X-Accepted-GitHub-Permissions", "")
    likely = next((needed for path, needed in _NEEDED.items() if path in answer.request.path_url), _ON_PULLS)
    either = [part.strip() for part in accepted.split(";") if "=" in part] or [likely]
    # On a pull request both would do; the narrower one is said.
    return _lines(next((part for part in either if part.startswith("pull_requests")), either[0]))


def _lines(wanted: str) -> str:
    lines = ", ".join(part.strip().replace("_", "-").replace("=", ": ") for part in wanted.split(","))
    return f"add `{lines}` under `permissions:` in the workflow (a fork's pull request never gets it)"


def _said(answer: requests.Response) -> str:
    """Give GitHub's own message, bounded."""
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return ""
    said = body.get("message") if isinstance(body, dict) else None
    return said[:300] if isinstance(said, str) else ""
