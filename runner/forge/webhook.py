"""A message to an address of the user's own choosing, for instance a chat's: one POST of JSON."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import requests
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from runner.errors import ForgeError
from runner.forge.answers import Answer, last_answer

_TIMEOUT: Final = (5, 15)
"""Seconds to connect, and for the answer."""
_ATTEMPTS: Final = 3
_AGAIN: Final = frozenset({429, 502, 503, 504})


def post(url: str, body: bytes) -> None:
    """Send the message; again where it surely did not arrive.

    Args:
        url: may hold a secret, and is in no message and no log.
        body: JSON.

    Raises:
        ForgeError: it was not taken.

    """
    if urlsplit(url).scheme not in {"https", "http"}:
        message = "webhook-url is no http(s):// address"
        raise ForgeError(message, "set it from a secret of the repository")
    retrying = Retrying(
        retry=retry_if_result(_did_not_arrive),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.5, max=4),
        retry_error_callback=last_answer,
    )
    answer = retrying(_once, url, body)
    if isinstance(answer, requests.Response) and answer.ok:
        return
    said = f"{answer.status_code}" if isinstance(answer, requests.Response) else type(answer).__name__
    message = f"the webhook was not told: {said}"
    raise ForgeError(message, "check the address in webhook-url, and the template of its message")


def _once(url: str, body: bytes) -> Answer:
    try:
        headers = {"Content-Type": "application/json"}
        return requests.post(url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        return error


def _did_not_arrive(answer: Answer) -> bool:
    if isinstance(answer, requests.Response):
        return answer.status_code in _AGAIN
    return isinstance(answer, requests.ConnectionError)
