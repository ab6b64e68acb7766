"""Single blobs of a container through obstore, at a sixth of what a request costs Azure's own client.

That client's configuration stays the only one: obstore is given its endpoint, and its credentials each time it asks.
It makes one try. See docs/decisions/azure-client.md.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import certifi
from obstore.store import AzureStore

from runner.store.arriving import at_once, from_obstore
from runner.store.protocols import Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import AzureConfig, ClientConfig

    from runner.store.arriving import Whole
    from runner.store.azure_client import Connection

LARGEST_PUT: Final = 1 << 20
"""Bytes. obstore's read timeout runs while it sends, too, so Azure's client sends what takes long."""

_WHOLE_REQUEST: Final = timedelta(days=1)
"""A large blob takes as long as it takes; what stands still is given up after the read timeout."""


class Blobs:
    """The blobs of one container, by name. Raises obstore's errors."""

    def __init__(self, store: AzureStore) -> None:
        """Use `store`, which must not retry by itself."""
        self._store = store

    def begin(self, name: str, etag: str = "") -> tuple[Version, Whole | Callable[[], bytes]]:
        """Ask for a blob, with `etag` only while it holds that; give its version, and its bytes or what gives them."""
        answer = self._store.get(name, options={"if_match": etag} if etag else None)
        size = answer.meta["size"]
        return Version(size, answer.meta["e_tag"] or ""), at_once(size, from_obstore(answer))

    def read(self, name: str, etag: str, start: int, stop: int) -> Callable[[], bytes]:
        """Give what waits for the next bytes of a part of the blob that has this ETag."""
        return from_obstore(self._store.get(name, options={"if_match": etag, "range": (start, stop)}))

    def put(self, name: str, content: bytes, *, only_new: bool = False) -> None:
        """Store a blob."""
        self._store.put(name, content, mode="create" if only_new else "overwrite", use_multipart=False)

    def size(self, name: str) -> int:
        """Give the size of a blob in bytes."""
        return self._store.head(name)["size"]


def beside(connection: Connection) -> Blobs:
    """Give what reads and writes as Azure's client would."""
    account = connection.account
    config: dict[str, Any] = {
        "account_name": account.name,
        "endpoint": account.endpoint,
        "skip_signature": account.anonymous,
        "use_emulator": False,
        "use_fabric_endpoint": False,
    }
    return Blobs(
        AzureStore(
            connection.container,
            config=cast("AzureConfig", config),
            client_options=_client_options(connection),
            retry_config={"max_retries": 0},
            credential_provider=None if account.anonymous else account.for_obstore,
        )
    )


def _client_options(connection: Connection) -> ClientConfig:
    connect, read = connection.timeouts
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=connect),
        "read_timeout": timedelta(seconds=read),
        "timeout": _WHOLE_REQUEST,
        "allow_http": True,
    }
    if connection.account.endpoint.startswith("https:"):
        options["root_certificate"] = Path(_authorities()).read_bytes()
    return options


def _authorities() -> str:
    """Name the file of the authorities that requests trusts, under Azure's client."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where()
