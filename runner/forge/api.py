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
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from runner.errors import ForgeError
from runner.forge.answers import (
    NOT_FOUND,
    ON_PULLS,
    SERVER_ERROR,
    STRANGE,
    Answer,
    RefusedError,
    asked_to_wait,
    document,
    granted,
    last_answer,
    limited,
    listed,
    mapping,
    refusal,
)
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenacity import RetryCallState

_HEADERS: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_Timeout = tuple[float, float]
_TIMEOUT: Final[_Timeout] = (10, 30)
"""Seconds to connect, and between two pieces of an answer."""
_ATTEMPTS: Final = 5
_HASTY: Final[_Timeout] = (3, 5)
_LONGEST_WAIT: Final = 60.0
"""Seconds; to be asked to wait longer means: not in this run."""
_REMEMBERED: Final = 32
"""Answers kept in case that they did not change."""
_BETWEEN_WRITES: Final = 1.0
"""Seconds; GitHub asks for it, and answers with a secondary limit otherwise."""
_BACKOFF: Final = wait_random_exponential(multiplier=0.5, max=8)

_NOT_MODIFIED: Final = 304
Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes: seconds since 1970 (to read GitHub's rate limits by), and waiting."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


REAL_TIME: Final = Pace()


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
        return document(self._read(self._url + path, query))

    def find(self, path: str, query: Query | None = None) -> object:
        """Read one document that may not be there, `None` then. Errors otherwise as `get`."""
        try:
            return self.get(path, query)
        except RefusedError as refused:
            if refused.status == NOT_FOUND:
                return None
            raise

    def pages(self, path: str) -> Iterator[Mapping[str, object]]:
        """Give the elements of every page of a list; errors as `get`."""
        url: str | None = self._url + path
        query: Query | None = {"per_page": "100"}
        while url:
            answer = self._read(url, query)
            yield from listed(document(answer))
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
            raise ForgeError(STRANGE, "check GITHUB_API_URL")
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
        return granted(document(self._send(self._query(query, variables))))

    def mutate(self, query: str, needs: str = ON_PULLS, **variables: object) -> object:
        """Change something by GraphQL, so that twice is as once; `needs` is the permission for it. Errors as `get`."""
        return granted(self._write(self._query(query, variables)), needs)

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
            return mapping(document(self._send(request)))
        finally:
            self._wrote.at = self._pace.now()

    def _send(self, request: _Request, called: str = "") -> requests.Response:
        """Send a request, again where that helps; `called` stands for a url that is nobody's to read."""
        retrying = Retrying(
            retry=retry_if_result(lambda answer: self._worth_retrying(request, answer)),
            wait=self._wait,
            stop=stop_after_attempt(self._attempts),
            sleep=self._pace.sleep,
            retry_error_callback=last_answer,
        )
        answer = retrying(self._once, request)
        if isinstance(answer, requests.Response) and answer.ok:
            return answer
        what = f"{request.method} {called or request.url.removeprefix(self._url)}"
        raise refusal(what, answer)

    def _once(self, request: _Request) -> Answer:
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

    def _worth_retrying(self, request: _Request, answer: Answer) -> bool:
        """Tell passing trouble from a refusal."""
        if isinstance(answer, requests.RequestException):
            return request.repeatable or isinstance(answer, requests.ConnectTimeout)
        passing = limited(answer) or (request.repeatable and answer.status_code >= SERVER_ERROR)
        return passing and asked_to_wait(answer, self._pace.now()) <= _LONGEST_WAIT

    def _wait(self, state: RetryCallState) -> float:
        answer = last_answer(state)
        asked = asked_to_wait(answer, self._pace.now()) if isinstance(answer, requests.Response) else 0.0
        return asked or _BACKOFF(state)


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
