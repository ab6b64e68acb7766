"""Azurite: Microsoft's own emulator of Azure Blob Storage, started once a session on a free port."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING

import jwt
from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient, generate_container_sas
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from runner.store.azure import Azure
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

CONTAINER = "container"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Not secret: every Azurite has this account."""

_ADDRESS = re.compile(r"successfully listens on (https?://\S+)")
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
def azurite(certificate: Path | None = None) -> Iterator[Server]:
    """Run it in memory.

    Args:
        certificate: serve by HTTPS with this file's certificate, whose key lies beside it as `.key`, and take tokens.

    """
    command = require("tests/node_modules/.bin/azurite-blob", "Azure Blob Storage's protocol")
    require("node", "Azurite runs on it")
    options: list[str | Path] = [*_OPTIONS]
    if certificate:
        options += ["--oauth", "basic", "--cert", certificate, "--key", certificate.with_suffix(".key")]
    with subprocess.Popen([command, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = next(match for line in process.stdout if (match := _ADDRESS.search(line)))
            server = Server(found[1])
            server.client.create_container(CONTAINER)
            server.client.create_container("public", public_access="container")
            yield server
        finally:
            process.kill()


@contextmanager
def guarded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run it with HTTPS and tokens; `REQUESTS_CA_BUNDLE` names its certificate, made in `folder`, for the block."""
    certificate = folder / "azurite.pem"
    key = rsa.generate_private_key(65537, 2048)
    certificate.with_suffix(".key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate.write_bytes(_self_signed(key).public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with azurite(certificate) as server:
        yield server


def _self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )


class Tokens:
    """Gives tokens as azure-identity does, which Azurite takes without a look at who signed them.

    Attributes:
        given: how many so far.

    """

    def __init__(self, seconds: int) -> None:
        """Give tokens that are good for so many seconds."""
        self.given = 0
        self._seconds = seconds

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        """Give one for the storage."""
        assert scopes == ("https://storage.azure.com/.default",)
        self.given += 1
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "aud": "https://storage.azure.com",
            "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
            "nbf": now - 60,
            "iat": now - 60,
            "exp": now + self._seconds,
        }
        return AccessToken(jwt.encode(claims, "k" * 32, "HS256"), now + self._seconds)
