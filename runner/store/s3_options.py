"""DVC's options of a remote on S3, and which of them or of the environment's words counts where both say something."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_TIMEOUT: Final = 10
READ_TIMEOUT: Final = 30
"""Seconds, where the remote's options say nothing: to connect, and between two pieces of an answer."""

_CONNECTING = frozenset(
    {
        "region",
        "profile",
        "credentialpath",
        "configpath",
        "endpointurl",
        "access_key_id",
        "secret_access_key",
        "session_token",
        "use_ssl",
        "ssl_verify",
        "allow_anonymous_login",
        "read_timeout",
        "connect_timeout",
        "cache_regions",
    }
)
_PUT = {
    "sse": "ServerSideEncryption",
    "sse_kms_key_id": "SSEKMSKeyId",
    "acl": "ACL",
    "grant_read": "GrantRead",
    "grant_read_acp": "GrantReadACP",
    "grant_write_acp": "GrantWriteACP",
    "grant_full_control": "GrantFullControl",
}
_CUSTOMER = frozenset({"sse_customer_algorithm", "sse_customer_key"})

KNOWN: Final = _CONNECTING | _PUT.keys() | _CUSTOMER


def arguments(options: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """Give the further arguments of requests that store (`put`) and that read (`get`)."""
    put: dict[str, Any] = {argument: options[name] for name, argument in _PUT.items() if options.get(name)}
    customer: dict[str, Any] = {}
    if key := options.get("sse_customer_key"):
        customer = {
            "SSECustomerAlgorithm": options.get("sse_customer_algorithm") or "AES256",
            "SSECustomerKey": _decoded(str(key)),
        }
    return {"put": put | customer, "get": customer}


def _decoded(key: str) -> bytes:
    try:
        return base64.b64decode(key, validate=True)
    except binascii.Error:
        message = "the remote's sse_customer_key is not base64"
        raise ConfigError(message, "DVC keeps it base64-encoded") from None


def keys(options: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Any, Any, Any] | None:
    """Give key, secret and token where they are given outright; `None` where they have to be found.

    A profile that the remote names comes before the environment.
    """
    if options.get("allow_anonymous_login"):
        return None
    if options.get("access_key_id"):
        return options.get("access_key_id"), options.get("secret_access_key"), options.get("session_token")
    if options.get("profile") or not environ.get("AWS_ACCESS_KEY_ID"):
        return None
    return (
        environ["AWS_ACCESS_KEY_ID"],
        environ.get("AWS_SECRET_ACCESS_KEY"),
        environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN"),
    )


def region(options: Mapping[str, object], environ: Mapping[str, str]) -> str | None:
    """Give the region, if one is given."""
    found = options.get("region") or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    return str(found) if found else None


def endpoint(options: Mapping[str, object], environ: Mapping[str, str]) -> str | None:
    """Give the address of the server, if one is given."""
    found = options.get("endpointurl") or environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    return str(found) if found else None


def timeouts(options: Mapping[str, object]) -> tuple[float, float]:
    """Give how many seconds to wait for a connection, and for the next piece of an answer.

    Raises:
        ValueError: that is no number.

    """
    return (
        float(str(options.get("connect_timeout") or CONNECT_TIMEOUT)),
        float(str(options.get("read_timeout") or READ_TIMEOUT)),
    )
