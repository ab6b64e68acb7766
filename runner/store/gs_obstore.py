"""Single objects of Google Cloud Storage through obstore, at a sixth of what a request costs Google's own client.

google-auth stays the only source of credentials: obstore is given its token each time it asks. It makes one try, and
its errors are told in the terms of Google's client. See docs/decisions/gcs-client.md.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import certifi
import requests
from google.api_core.exceptions import NotFound, from_http_status
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import Request
from obstore.exceptions import BaseError
from obstore.store import GCSStore

from runner.hashes import CHUNK
from runner.store.answered import answered
from runner.store.arriving import at_once, from_obstore
from runner.store.protocols import Changed, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.auth.credentials import Credentials
    from obstore.store import ClientConfig, GCSConfig, GCSCredential

    from runner.store.arriving import Whole

ADDRESS: Final = "https://storage.googleapis.com"
LARGEST_PUT: Final = 1 << 20
"""Bytes. obstore's read timeout runs while it sends, too, so Google's client sends what takes long."""

_WHOLE_REQUEST: Final = timedelta(days=1)
"""A large object takes as long as it takes; what stands still is given up after the read timeout."""

_ASKED_AGAIN: Final = timedelta(minutes=5)
"""What obstore is told of the life of a token: so little that it asks again and again; google-auth knows better."""

_OF_ITS_OWN: Final = "GOOGLE_SERVICE_ACCOUNT"
"""Begins the variables that mean something to obstore, nothing to Google's client, and cannot be overruled."""

_ELSEWHERE: Final = ("certificate", "External GCP credential", "External credential")


class Elsewhere(Exception):
    """Google's client has better words for what is wrong."""


class Objects:
    """The objects of one bucket, by key. Raises the errors of Google's client, or `Elsewhere`."""

    def __init__(self, store: GCSStore) -> None:
        """Use `store`, which must not retry by itself."""
        self._store = store

    def begin(self, key: str) -> tuple[Version, Whole | Callable[[], bytes]]:
        """Ask for an object; give which version it is, and all its bytes or what waits for the next ones."""
        with _errors():
            answer = self._store.get(key)
            size = answer.range[1]
            generation = answer.meta["version"] or "" if size > CHUNK else ""  # only what is large is read in parts
            return Version(size, generation), at_once(size, from_obstore(answer, _errors))

    def read(self, key: str, generation: str, start: int, stop: int) -> Callable[[], bytes]:
        """Give what waits for the next bytes of a part of the object of that generation.

        Raises:
            Changed: there is no such generation any more.

        """
        try:
            with _errors():
                answer = self._store.get(key, options={"version": generation, "range": (start, stop)})
                return from_obstore(answer, _errors)
        except NotFound as error:
            message = f"{key} is no longer of the generation {generation}"
            raise Changed(message, "find out who overwrites it") from error

    def put(self, key: str, content: bytes, *, only_new: bool) -> bool:
        """Store an object: True."""
        with _errors():
            self._store.put(key, content, mode="create" if only_new else "overwrite", use_multipart=False)
        return True


def beside(
    credentials: Credentials, bucket: str, timeouts: tuple[float, float], address: str = ADDRESS
) -> Objects | None:
    """Give what reads and writes as Google's client would; `None` where only that can.

    Args:
        credentials: those of the client.
        bucket: its name.
        timeouts: seconds to connect, and between two pieces of an answer.
        address: of the XML API.

    """
    if isinstance(credentials, AnonymousCredentials) or any(name.startswith(_OF_ITS_OWN) for name in os.environ):
        return None
    config: dict[str, Any] = {"base_url": address, "skip_signature": False}
    return Objects(
        GCSStore(
            bucket,
            config=cast("GCSConfig", config),
            client_options=_client_options(credentials, timeouts, address),
            retry_config={"max_retries": 0},
            credential_provider=_Renewed(credentials),
        )
    )


class _Renewed:
    """google-auth's token, as obstore asks for it."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._request = Request()

    def __call__(self) -> GCSCredential:
        self._credentials.before_request(self._request, "GET", ADDRESS, {})
        return {"token": str(self._credentials.token), "expires_at": datetime.now(UTC) + _ASKED_AGAIN}


def _client_options(credentials: Credentials, timeouts: tuple[float, float], address: str) -> ClientConfig:
    connect, read = timeouts
    payer = getattr(credentials, "quota_project_id", None)
    headers = {"accept-encoding": "gzip"}  # the bytes as they are stored: Google unpacks for who does not say this
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=connect),
        "read_timeout": timedelta(seconds=read),
        "timeout": _WHOLE_REQUEST,
        "allow_http": True,
        "default_headers": headers | ({"x-goog-user-project": payer} if payer else {}),
    }
    if address.startswith("https:"):
        options["root_certificate"] = Path(_authorities()).read_bytes()
    return options


def _authorities() -> str:
    """Name the file of the authorities that requests trusts, under Google's client."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where()


@contextmanager
def _errors() -> Iterator[None]:
    """Tell in the terms of Google's client what obstore raises inside the block."""
    try:
        yield
    except (BaseError, OSError) as error:
        said = answered(error)
        if not said.status and any(sign in str(error) for sign in _ELSEWHERE):
            raise Elsewhere from error
        if not said.status:
            raise requests.ConnectionError(said.text) from error
        refusal: Exception = from_http_status(said.status, said.words or said.text)  # type: ignore[no-untyped-call]  # google.api_core is typed in part
        raise refusal from error
