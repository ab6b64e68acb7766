"""How boto3 would reach a bucket: it signs a request and does not send it."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import get_cert_path
from urllib3 import HTTPResponse

from runner.regexes import regex
from runner.store.s3_obstore import Reach

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.credentials import Credentials
    from mypy_boto3_s3 import S3Client
    from obstore.store import S3Credential

    from runner.store.s3_client import Connection

_OF_ITS_OWN: Final = frozenset(
    {
        "AWS_CHECKSUM_ALGORITHM",
        "AWS_SERVER_SIDE_ENCRYPTION",
        "AWS_SSE_BUCKET_KEY_ENABLED",
        "AWS_SSE_CUSTOMER_KEY_BASE64",
        "AWS_SSE_KMS_KEY_ID",
    }
)
"""Variables that mean something to obstore, nothing to boto3, and cannot be overruled."""

_ASKED_AGAIN: Final = timedelta(minutes=5)
"""What obstore is told of the life of credentials that boto3 renews: so little that it asks for them again and again,
ten times a second at most. boto3 alone knows when they are to be renewed, and has them at hand until then."""

_PROBE: Final = "probe"
_SCOPE: Final = regex(r"AWS4-HMAC-SHA256 Credential=[^,]+/\d{8}/([^/,]+)/s3/aws4_request")


def reach(connection: Connection, bucket: str) -> Reach | None:
    """Give how boto3 would reach a bucket; `None` where obstore cannot follow.

    That is: without credentials, where requests are not signed with version 4, and where certificates of an authority
    of one's own are trusted.

    Args:
        connection: boto3's; it is only asked what it would send.
        bucket: its name.

    """
    if connection.credentials is None or _OF_ITS_OWN & os.environ.keys():
        return None
    request = _request(connection.client, bucket)
    scope = request and _SCOPE.match(_text(request.headers.get("Authorization", "")))
    if not request or not scope or not request.url.endswith(f"/{_PROBE}"):
        return None
    endpoint = request.url.removesuffix(f"/{_PROBE}")
    is_encrypted = endpoint.startswith("https:")
    if connection.own_authorities and is_encrypted:
        return None
    config: Any = connection.client.meta.config  # its type has none of its options
    return Reach(
        endpoint,
        scope[1],
        _Renewed(connection.credentials),
        config.connect_timeout,
        config.read_timeout,
        str(get_cert_path(verify=True)) if is_encrypted else "",
    )


class _Renewed:
    """boto3's credentials, as obstore asks for them."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._renewed = isinstance(credentials, RefreshableCredentials)

    def __call__(self) -> S3Credential:
        frozen = self._credentials.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key or "",
            "secret_access_key": frozen.secret_key or "",
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + _ASKED_AGAIN if self._renewed else None,
        }


def _request(client: S3Client, bucket: str) -> AWSPreparedRequest | None:
    """Give the request for an object as boto3 signs it, without sending it; `None` where it cannot."""
    seen: list[AWSPreparedRequest] = []

    def keep(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        seen.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders(), HTTPResponse(io.BytesIO()))

    event = "before-send.s3.HeadObject"
    hooks: Any = client.meta.events  # its types know of no answers
    hooks.register(event, keep)
    try:
        client.head_object(Bucket=bucket, Key=_PROBE)
    except (BotoCoreError, ClientError):
        return None  # the first real request says why
    finally:
        hooks.unregister(event, keep)
    return seen[0]


def _text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header
