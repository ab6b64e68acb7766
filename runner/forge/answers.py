"""What GitHub's answers mean: a document, a limit that passes, or a refusal: in its words, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import requests

from runner.errors import ForgeError

if TYPE_CHECKING:
    from tenacity import RetryCallState

UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
TOO_MANY: Final = 429
SERVER_ERROR: Final = 500

ON_PULLS: Final = "pull_requests=write"
"""What most of what is written takes."""
_UNSAID: Final = 60.0
"""Seconds to wait for a secondary limit that says nothing of its end, as GitHub's documentation has it."""
STRANGE: Final = "GitHub's answer is not what its API describes"

Answer = requests.Response | requests.RequestException
"""What becomes of a request."""


def last_answer(state: RetryCallState) -> Answer:
    """Give what the last try of a request came to."""
    if state.outcome is None:
        message = "a request is sent before anybody asks for its answer"
        raise AssertionError(message)
    found: Answer = state.outcome.result()
    return found


class RefusedError(ForgeError):
    """GitHub answered, and not with what was asked for."""

    def __init__(self, message: str, hint: str, status: int, *, forbids: bool = False) -> None:
        """Keep the HTTP status beside the words, and whether it is this token that may not, at any time."""
        super().__init__(message, hint)
        self.status = status
        self.forbids = forbids


def document(answer: requests.Response) -> object:
    """Give the JSON of an answer.

    Raises:
        ForgeError: it is none.

    """
    try:
        return answer.json()
    except requests.JSONDecodeError:
        raise ForgeError(STRANGE, "check GITHUB_API_URL; does a proxy answer in its place?") from None


class _Told(dict[str, object]):
    """An object of GitHub's, of which a field that its API promises and that is not there is no bug of ours."""

    def __missing__(self, key: str) -> object:
        message = f"GitHub's answer has no {key!r}"
        raise ForgeError(message, "check GITHUB_API_URL; does a proxy answer in its place?")


def mapping(document: object) -> Mapping[str, object]:
    """Give a document that has to be an object; errors as `document`, also where a field of it is asked for in vain."""
    if not isinstance(document, Mapping):
        raise ForgeError(STRANGE, "check GITHUB_API_URL")
    return _Told(document)


def granted(document: object, needs: str = ON_PULLS) -> object:
    """Give GraphQL's answer, which says with 200 that it refuses."""
    match document:
        case {"errors": [{"message": str(said), **more}, *_]}:
            hint = f"the token lacks a permission: {_lines(needs)}" if more.get("type") == "FORBIDDEN" else ""
            msg = f"GitHub refused a query: {said[:300]}"
            raise RefusedError(msg, hint, FORBIDDEN)
    return document


def listed(document: object) -> list[Mapping[str, object]]:
    """Give the elements of a page; errors as `document`."""
    return [mapping(element) for element in (document if isinstance(document, list) else [document])]


def limited(answer: requests.Response) -> bool:
    """Tell a rate limit, primary or secondary, from a missing permission: both may be 403."""
    if answer.status_code not in (FORBIDDEN, TOO_MANY):
        return False
    by_header = "Retry-After" in answer.headers or answer.headers.get("X-RateLimit-Remaining") == "0"
    return answer.status_code == TOO_MANY or by_header or "rate limit" in _said(answer).lower()


def refusal(what: str, answer: Answer) -> ForgeError:
    """Say what could not be done, in GitHub's words, and what to do about it."""
    if isinstance(answer, requests.RequestException):
        # Neither the client's own text, which names hosts and objects, nor its chain, which holds our headers.
        return ForgeError(f"GitHub did not answer {what}: {type(answer).__name__}", "try again; is a proxy to be set?")
    message = f"GitHub refused {what}: {answer.status_code} {_said(answer)}".rstrip()
    forbids = answer.status_code in (UNAUTHORIZED, FORBIDDEN) and not limited(answer)
    return RefusedError(message, _advice(answer), answer.status_code, forbids=forbids)


def _advice(answer: requests.Response) -> str:
    if limited(answer):
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
    likely = next((needed for path, needed in _NEEDED.items() if path in answer.request.path_url), ON_PULLS)
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


def asked_to_wait(answer: requests.Response, now: float) -> float:
    """Give the seconds GitHub asks us to wait, 0 where it asks nothing. How long a limit lasts it need not say.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    retry_after = answer.headers.get("Retry-After", "")
    if retry_after.isdigit():
        return float(retry_after)
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdigit():
        return max(1.0, float(reset) - now)
    return _UNSAID if limited(answer) else 0.0
