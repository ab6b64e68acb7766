"""Azure's client from DVC's options of a remote, the environment, and `~/.azure/config`, in the order of dvc-azure.

A connection string comes before everything else. To an account that is only named, `azure-identity` signs in as it
would for any program (environment, workload identity, managed identity, the Azure command line); what that chain
needs it reads from the environment of the process itself, and it never opens a browser.
"""

from __future__ import annotations

import base64
import binascii
import configparser
import logging
import os
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests
from azure.core.credentials import AzureSasCredential
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import ContainerClient
from requests.adapters import HTTPAdapter

from runner.errors import ConfigError
from runner.store.azure_parts import BLOCK
from runner.store.remote import extra, refuse_unknown
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.credentials import TokenCredential
    from obstore.store import AzureCredential

CONNECT_TIMEOUT: Final = 10
READ_TIMEOUT: Final = 30
"""Seconds, where the remote's options say nothing: to connect, and between two pieces of an answer."""

_CONNECTIONS: Final = 64
_SCOPE: Final = "https://storage.azure.com/.default"
_PRINCIPAL: Final = ("tenant_id", "client_id", "client_secret")
_EXCLUDED: Final = (
    "exclude_environment_credential",
    "exclude_visual_studio_code_credential",
    "exclude_shared_token_cache_credential",
    "exclude_managed_identity_credential",
)
_KNOWN: Final = frozenset(
    {
        "connection_string",
        "account_name",
        "account_key",
        "sas_token",
        *_PRINCIPAL,
        "allow_anonymous_login",
        *_EXCLUDED,
        "timeout",
        "read_timeout",
        "connection_timeout",
    }
)
_ELSEWHERE: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "connection_string": (("AZURE_STORAGE_CONNECTION_STRING",), "connection_string"),
    "account_name": (("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"), "account"),
    "account_key": (("AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY"), "key"),
    "sas_token": (("AZURE_STORAGE_SAS_TOKEN",), "sas_token"),
    "tenant_id": (("AZURE_STORAGE_TENANT_ID",), ""),
    "client_id": (("AZURE_STORAGE_CLIENT_ID",), ""),
    "client_secret": (("AZURE_STORAGE_CLIENT_SECRET",), ""),
    "container": (("AZURE_STORAGE_CONTAINER_NAME",), "container_name"),
}
"""Where dvc-azure looks for what the remote's options leave out: variables, then `[storage]` of `~/.azure/config`."""


@dataclass(frozen=True)
class Account:
    """An account, and how one signs in to it.

    Attributes:
        name: the account's.
        endpoint: the url of its blobs.
        key: the account's key; empty: none.
        sas: a shared access signature; empty: none.
        token: what gives tokens; `None`: nothing.

    """

    name: str
    endpoint: str
    key: str = field(default="", repr=False)
    sas: str = field(default="", repr=False)
    token: TokenCredential | None = None

    @property
    def anonymous(self) -> bool:
        """Whether nothing is shown."""
        return not (self.key or self.sas or self.token)

    def for_azure(self) -> Any:  # noqa: ANN401 - one of four types
        """Give the credential as Azure's client takes it."""
        if self.key:
            return {"account_name": self.name, "account_key": self.key}
        return AzureSasCredential(self.sas) if self.sas else self.token

    def for_obstore(self) -> AzureCredential:
        """Give the credential as obstore takes it, which asks again when it has expired."""
        if self.key:
            return {"access_key": self.key, "expires_at": None}
        if self.sas:
            return {"sas_token": self.sas, "expires_at": None}
        if self.token is None:
            message = "there is no credential"
            raise ValueError(message)
        given = self.token.get_token(_SCOPE)
        return {"token": given.token, "expires_at": datetime.fromtimestamp(given.expires_on, UTC)}


@dataclass(frozen=True)
class Connection:
    """A container of an account.

    Attributes:
        account: whose it is.
        container: its name.
        prefix: what the url says behind it.
        client: Azure's; it sends each request once (whoever calls decides about another try).
        timeouts: seconds to connect, and between two pieces of an answer.
        timeout: seconds after which the server itself gives up a request to the client; `None`: as it likes.

    """

    account: Account
    container: str
    prefix: str
    client: ContainerClient
    timeouts: tuple[float, float]
    timeout: int | None

    @property
    def place(self) -> str:
        """What people call it: the container, and the account that it is in."""
        return f"azure://{self.container} (account {self.account.name})"


def connect(url: str, options: Mapping[str, object], environ: Mapping[str, str]) -> Connection:
    """Give the connection to the container of `azure://container/path`.

    Raises:
        ConfigError: an option that is not supported, no account, or something that is no key or connection string.

    """
    refuse_unknown(url, options, _KNOWN)
    find = _finder(options, environ)
    container, _, prefix = url.partition("://")[2].partition("/")
    container = container or find("container")
    if not container:
        message = f"remote {url!r} names no container"
        raise ConfigError(message, "write azure://CONTAINER/PATH")
    timeouts = (
        float(str(options.get("connection_timeout") or CONNECT_TIMEOUT)),
        float(str(options.get("read_timeout") or READ_TIMEOUT)),
    )
    timeout = options.get("timeout")
    return reach(_account(url, options, find), container, prefix, timeouts, int(str(timeout)) if timeout else None)


def reach(
    account: Account, container: str, prefix: str, timeouts: tuple[float, float], timeout: int | None = None
) -> Connection:
    """Give the connection to a container; see `Connection`."""
    client = ContainerClient(
        account.endpoint,
        container,
        account.for_azure(),
        transport=_transport(timeouts),
        retry_total=0,
        max_single_put_size=BLOCK,
    )
    return Connection(account, container, prefix, client, timeouts, timeout)


def _transport(timeouts: tuple[float, float]) -> RequestsTransport:
    """Give requests with room for as many connections as there are threads; it would keep ten."""
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS, max_retries=0))
    return RequestsTransport(session=session, connection_timeout=timeouts[0], read_timeout=timeouts[1])


def _finder(options: Mapping[str, object], environ: Mapping[str, str]) -> Callable[[str], str]:
    """Give what looks an option up: among those given, then in the environment, then in Azure's own file."""
    folder = environ.get("AZURE_CONFIG_DIR") or os.path.join(environ.get("HOME", ""), ".azure")  # noqa: PTH118 - text
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read_string((Path(folder) / "config").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        config.clear()

    def find(name: str) -> str:
        variables, key = _ELSEWHERE[name]
        said = [options.get(name), *map(environ.get, variables), config.get("storage", key, fallback="") if key else ""]
        return next((str(one).strip() for one in said if one), "")

    return find


def _account(url: str, options: Mapping[str, object], find: Callable[[str], str]) -> Account:
    """Find out which account it is, and how to sign in: the first of dvc-azure's ways that is complete."""
    if text := find("connection_string"):
        return _checked(url, _of_string(url, text))
    name = find("account_name")
    if not name:
        message = f"remote {url!r} names no account"
        hint = "set account_name or connection_string of the remote, or AZURE_STORAGE_ACCOUNT"
        raise ConfigError(message, f"{hint}: docs/remotes.md")
    endpoint = f"https://{name}.blob.core.windows.net"
    principal = [find(one) for one in _PRINCIPAL]
    if all(principal):
        return Account(name, endpoint, token=_principal(url, principal))
    if key := find("account_key"):
        return _checked(url, Account(name, endpoint, key=key))
    if sas := find("sas_token"):
        return Account(name, endpoint, sas=sas.removeprefix("?"))
    if options.get("allow_anonymous_login"):
        return Account(name, endpoint)
    return Account(name, endpoint, token=_default(url, options))


def _of_string(url: str, text: str) -> Account:
    """Take a connection string apart: `Name=value;...`, in letters of any size."""
    parts = {
        name.strip().lower(): value.strip()
        for name, equals, value in (part.partition("=") for part in text.split(";"))
        if equals
    }
    name, endpoint = parts.get("accountname", ""), parts.get("blobendpoint", "")
    if not endpoint and name:
        protocol, suffix = (
            parts.get("defaultendpointsprotocol", "https"),
            parts.get("endpointsuffix", "core.windows.net"),
        )
        endpoint = f"{protocol}://{name}.blob.{suffix}"
    if not endpoint.startswith(("https://", "http://")):
        message = f"remote {url!r}: the connection string names no account"
        raise ConfigError(message, "copy it whole, as the Azure portal shows it: AccountName=...;AccountKey=...")
    name = name or endpoint.partition("://")[2].partition(".")[0]
    sas = parts.get("sharedaccesssignature", "").removeprefix("?")
    return Account(name, endpoint.rstrip("/"), key=parts.get("accountkey", ""), sas=sas)


def _checked(url: str, account: Account) -> Account:
    try:
        base64.b64decode(account.key, validate=True)
    except binascii.Error:
        message = f"remote {url!r}: the key of the account {account.name} is not base64"
        raise ConfigError(message, "copy it whole, as the Azure portal shows it") from None
    return account


def _principal(url: str, principal: list[str]) -> TokenCredential:
    with extra("azure", url):
        from azure.identity import ClientSecretCredential  # noqa: PLC0415 - half a second, for those who need it
    tenant, client, secret = principal
    try:
        return ClientSecretCredential(tenant, client, secret)
    except ValueError as error:
        message = f"remote {url!r}: {error}"
        raise ConfigError(message, "check tenant_id, client_id and client_secret") from error


def _default(url: str, options: Mapping[str, object]) -> TokenCredential:
    with extra("azure", url):
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - as above
    logging.getLogger("azure.identity").setLevel(logging.ERROR)  # else it tells of each way in that it tries
    left_out: dict[str, Any] = {name: bool(options.get(name)) for name in _EXCLUDED}
    return DefaultAzureCredential(**left_out)
