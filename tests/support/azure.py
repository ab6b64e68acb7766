"""Azurite: Microsoft's own emulator of Azure Blob Storage, started once a session on a free port."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from azure.storage.blob import BlobServiceClient, generate_container_sas

from runner.store.azure import Azure
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTAINER = "container"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Not secret: every Azurite has this account."""

_ADDRESS = re.compile(r"successfully listens on (http://\S+)")
_OPTIONS = ("--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent")


@dataclass(frozen=True)
class Server:
    """A running Azurite with the container `container`, which it does not show to strangers, and `public`."""

    endpoint: str

    @property
    def connection_string(self) -> str:
        """What the portal would show."""
        return f"{self.with_credential(f'AccountKey={KEY}')}"

    def with_credential(self, credential: str) -> str:
        """Give a connection string with another credential; empty: none."""
        return f"AccountName={ACCOUNT};BlobEndpoint={self.endpoint}/{ACCOUNT};{credential}"

    @property
    def options(self) -> dict[str, object]:
        """DVC's options of a remote on this server."""
        return {"connection_string": self.connection_string}

    @property
    def environ(self) -> dict[str, str]:
        """What the environment has to say beside the options: nothing."""
        return {}

    def url(self, prefix: str) -> str:
        """Give the url of a prefix of the container."""
        return f"azure://{CONTAINER}/{prefix}"

    @cached_property
    def client(self) -> BlobServiceClient:
        """A client for the tests' own requests."""
        return BlobServiceClient(f"{self.endpoint}/{ACCOUNT}", KEY)

    def remote(self, prefix: str, **options: object) -> Azure:
        """Open the remote at a prefix of the container, without retries."""
        return Azure.open(self.url(prefix), self.options | options, {})

    def signature(self, rights: str, *, hours: int = 1) -> str:
        """Give a shared access signature for the container: the letters of `rights`, good for `hours` from now."""
        until = datetime.now(UTC) + timedelta(hours=hours)
        return generate_container_sas(ACCOUNT, CONTAINER, account_key=KEY, permission=rights, expiry=until)


@contextmanager
def azurite() -> Iterator[Server]:
    """Run it in memory."""
    command = require("tests/node_modules/.bin/azurite-blob", "Azure Blob Storage's protocol")
    require("node", "Azurite runs on it")
    with subprocess.Popen([command, *_OPTIONS], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = next(match for line in process.stdout if (match := _ADDRESS.search(line)))
            server = Server(found[1])
            server.client.create_container(CONTAINER)
            server.client.create_container("public", public_access="container")
            yield server
        finally:
            process.kill()
