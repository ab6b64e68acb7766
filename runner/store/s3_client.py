"""boto3's client from DVC's options of a remote and the environment.

Credentials, profile, region, endpoint and the paths of the shared files are taken from the mapping that is given.
What boto3's credential chain needs beyond them (web identity, container and instance roles, proxies) it reads from
the environment of the process itself.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from runner.errors import ConfigError
from runner.store import s3_options
from runner.store.remote import refuse_unknown
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.credentials import Credentials
    from mypy_boto3_s3 import S3Client

CONNECTIONS = 64


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
    refuse_unknown(url, options, s3_options.KNOWN)
    try:
        bare = _session(options, environ)
        session = boto3.Session(
            botocore_session=bare, region_name=s3_options.region(options, environ), **_keys(options, environ)
        )
        verify = _verify(options, environ)
        client = session.client(
            "s3",
            endpoint_url=s3_options.endpoint(options, environ),
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


def _keys(options: Mapping[str, object], environ: Mapping[str, str]) -> dict[str, Any]:
    found = s3_options.keys(options, environ)
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return dict(zip(names, found, strict=True)) if found else {}


def _verify(options: Mapping[str, object], environ: Mapping[str, str]) -> bool | str | None:
    verify = options.get("ssl_verify")
    if verify is None:
        return environ.get("AWS_CA_BUNDLE")
    return verify if isinstance(verify, bool) else str(verify)


def _config(options: Mapping[str, object]) -> Config:
    """Give the client's settings. Checksums only where S3 demands them: servers that speak S3 often know none."""
    anonymous: dict[str, Any] = {"signature_version": UNSIGNED} if options.get("allow_anonymous_login") else {}
    connect, read = s3_options.timeouts(options)
    return Config(
        connect_timeout=connect,
        read_timeout=read,
        max_pool_connections=CONNECTIONS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        **anonymous,
    )
