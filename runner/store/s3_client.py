"""boto3's client from DVC's options of a remote and the environment.

Credentials, profile, region, endpoint and the paths of the shared files are taken from the mapping that is given.
What boto3's credential chain needs beyond them (web identity, container and instance roles, proxies) it reads from
the environment of the process itself.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from runner.errors import ConfigError
from runner.store.remote import refuse_unknown
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.credentials import Credentials
    from mypy_boto3_s3 import S3Client

CONNECT_TIMEOUT = 10
READ_TIMEOUT = 30
"""Seconds, where the remote's options say nothing: to connect, and between two pieces of an answer."""

CONNECTIONS = 64

_CLIENT = frozenset(
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


@dataclass(frozen=True)
class Connection:
    """What boto3 made of a remote's options and the environment.

    Attributes:
        client: sends each request once (whoever calls decides about another try).
        credentials: those of the client, if it has found any.
        own_authorities: whether certificates are checked in another way than the usual one.

    """

    client: S3Client
    credentials: Credentials | None
    own_authorities: bool


def connect(url: str, options: Mapping[str, object], environ: Mapping[str, str]) -> Connection:
    """Give boto3's connection.

    Raises:
        ConfigError: an option that is not supported, or that boto3 refuses.

    """
    refuse_unknown(url, options, _CLIENT | _PUT.keys() | _CUSTOMER)
    try:
        bare = _session(options, environ)
        keys = _credentials(options, environ)
        session = boto3.Session(botocore_session=bare, region_name=_region(options, environ), **keys)
        verify = _verify(options, environ)
        client = session.client(
            "s3",
            endpoint_url=_endpoint(options, environ),
            use_ssl=options.get("use_ssl") is not False,
            verify=verify,
            config=_config(options),
        )
        own = verify not in {None, True} or bare.get_config_variable("ca_bundle") or "REQUESTS_CA_BUNDLE" in os.environ
        credentials = None if options.get("allow_anonymous_login") else bare.get_credentials()
        return Connection(client, credentials, bool(own))
    except (BotoCoreError, ValueError) as error:
        message = f"remote {url!r}: {error}"
        raise ConfigError(message, "check the remote's options and the AWS_* variables") from error


def extra_arguments(options: Mapping[str, object]) -> dict[str, dict[str, Any]]:
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


def _session(options: Mapping[str, object], environ: Mapping[str, str]) -> botocore.session.Session:
    """Give the session that holds profile and shared files."""
    profile = options.get("profile") or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE")
    session = botocore.session.Session(profile=str(profile) if profile else None)
    credentials = options.get("credentialpath") or environ.get("AWS_SHARED_CREDENTIALS_FILE")
    config = options.get("configpath") or environ.get("AWS_CONFIG_FILE")
    if credentials:
        session.set_config_variable("credentials_file", str(credentials))
    if config:
        session.set_config_variable("config_file", str(config))
    return session


def _credentials(options: Mapping[str, object], environ: Mapping[str, str]) -> dict[str, Any]:
    """Give the keys, where they are given outright; a profile that the remote names comes before the environment."""
    if options.get("allow_anonymous_login"):
        return {}
    if options.get("access_key_id"):
        found = (options.get("access_key_id"), options.get("secret_access_key"), options.get("session_token"))
    elif options.get("profile") or not environ.get("AWS_ACCESS_KEY_ID"):
        return {}
    else:
        found = (
            environ["AWS_ACCESS_KEY_ID"],
            environ.get("AWS_SECRET_ACCESS_KEY"),
            environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN"),
        )
    return dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), found, strict=True))


def _region(options: Mapping[str, object], environ: Mapping[str, str]) -> str | None:
    region = options.get("region") or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    return str(region) if region else None


def _endpoint(options: Mapping[str, object], environ: Mapping[str, str]) -> str | None:
    endpoint = options.get("endpointurl") or environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    return str(endpoint) if endpoint else None


def _verify(options: Mapping[str, object], environ: Mapping[str, str]) -> bool | str | None:
    verify = options.get("ssl_verify")
    if verify is None:
        return environ.get("AWS_CA_BUNDLE")
    return verify if isinstance(verify, bool) else str(verify)


def _config(options: Mapping[str, object]) -> Config:
    """Give the client's settings. Checksums only where S3 demands them: servers that speak S3 often know none."""
    anonymous: dict[str, Any] = {"signature_version": UNSIGNED} if options.get("allow_anonymous_login") else {}
    return Config(
        connect_timeout=float(str(options.get("connect_timeout") or CONNECT_TIMEOUT)),
        read_timeout=float(str(options.get("read_timeout") or READ_TIMEOUT)),
        max_pool_connections=CONNECTIONS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        **anonymous,
    )
