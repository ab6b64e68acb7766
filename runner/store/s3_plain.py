"""How boto3 would reach a bucket, told without boto3 where nothing but plain words has a say.

Importing boto3 and making its client takes longer than asking for ten thousand objects. Where keys, region and perhaps
an endpoint are given outright, and there is no file and no further variable that boto3 heeds, it only repeats them.
Whatever else there is, known or not, is left to it: here nothing is guessed. tests/contract/test_s3_plain.py holds
each answer against boto3's.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from runner.regexes import regex
from runner.store import s3_options
from runner.store.s3_obstore import Reach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obstore.store import S3Credential

_OPTIONS: Final = frozenset(
    {
        "access_key_id",
        "connect_timeout",
        "endpointurl",
        "read_timeout",
        "region",
        "secret_access_key",
        "session_token",
        "sse",
        "sse_kms_key_id",
        "url",
    }
)
_VARIABLES: Final = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_PAGER",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    }
)
"""What may be set of what begins like boto3's variables."""

_THEIRS: Final = regex(r"(AWS|BOTO)|REQUESTS_CA_BUNDLE\Z")
_FILES: Final = ("~/.aws", "~/.boto", "/etc/boto.cfg")
"""Where boto3 looks for settings of its own, credentials, and other rules of endpoints."""

_BUCKET: Final = regex(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]\Z")
_SPECIAL: Final = regex(r"--|-s3alias\Z|\Axn-|\Asthree-")
"""Names that stand for something else than a bucket, or may."""

_REGION: Final = regex(r"(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d\Z")
"""Regions of the partition `aws`."""

_ANY_REGION: Final = regex(r"(?!.*(?:fips|global|external))[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_ENDPOINT: Final = regex(r"(?!.*amazon)https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?/?\Z")
_CLASSIC: Final = "us-east-1"
"""The region whose endpoint is named without it."""


def reach(bucket: str, options: Mapping[str, object], environ: Mapping[str, str]) -> Reach | None:
    """Give how boto3 would reach a bucket; `None` where only boto3 can tell.

    Args:
        bucket: its name.
        options: DVC's options of the remote.
        environ: the environment; where the process's own says something else, boto3 is asked.

    """
    keys, region = s3_options.keys(options, environ), s3_options.region(options, environ)
    if not keys or not all(keys[:2]) or not region or not _is_plain(bucket, options, environ):
        return None
    endpoint = _endpoint(bucket, region, s3_options.endpoint(options, environ))
    if endpoint is None:
        return None
    credential: S3Credential = {
        "access_key_id": str(keys[0]),
        "secret_access_key": str(keys[1]),
        "token": str(keys[2]) if keys[2] else None,
        "expires_at": None,
    }
    try:
        timeouts = s3_options.timeouts(options)
    except ValueError:
        return None
    return Reach(endpoint, region, lambda: credential, *timeouts, _authorities(endpoint))


def _is_plain(bucket: str, options: Mapping[str, object], environ: Mapping[str, str]) -> bool:
    """Whether nothing is there that has a say but what is read here."""
    theirs = {name for name in (*environ, *os.environ) if _THEIRS.match(name)}
    return (
        bool(_BUCKET.match(bucket))
        and not _SPECIAL.search(bucket)
        and {name for name, value in options.items() if value is not None} <= _OPTIONS
        and theirs <= _VARIABLES
        and all(environ.get(name) == os.environ[name] for name in theirs & os.environ.keys())
        and not any(os.path.lexists(os.path.expanduser(path)) for path in _FILES)  # noqa: PTH111 - strings
    )


def _authorities(endpoint: str) -> str:
    """Name the file of whose certificates are trusted; a server without any needs none."""
    if not endpoint.startswith("https:"):
        return ""
    import certifi  # noqa: PLC0415 - takes 3 ms

    return certifi.where()


def _endpoint(bucket: str, region: str, given: str | None) -> str | None:
    """Give the address that leads to a bucket: at a server's own endpoint by its path, at AWS by its name."""
    if given is not None:
        is_plain = _ENDPOINT.match(given) and _ANY_REGION.match(region)
        return f"{given.rstrip('/')}/{bucket}" if is_plain else None
    if not _REGION.match(region):
        return None
    return f"https://{bucket}.s3.amazonaws.com" if region == _CLASSIC else f"https://{bucket}.s3.{region}.amazonaws.com"
