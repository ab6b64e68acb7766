"""Single objects of a bucket through obstore, at a sixth of what a request costs boto3.

boto3 stays the only source of configuration: obstore sends what boto3 would send, to where boto3 would send it, with
the credentials that boto3 finds and renews. It makes one try, as boto3's client here does, and its errors are told in
botocore's terms, so that they are sorted like those. See docs/decisions/s3-client.md.
"""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import get_cert_path
from obstore.exceptions import BaseError
from obstore.store import S3Store
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

from runner.hashes import CHUNK
from runner.regexes import regex
from runner.store.answered import answered
from runner.store.arriving import at_once, from_obstore
from runner.store.protocols import Unranged, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from botocore.awsrequest import AWSPreparedRequest
    from botocore.credentials import Credentials
    from mypy_boto3_s3 import S3Client
    from obstore import ObjectMeta
    from obstore.store import ClientConfig, S3Config, S3Credential

    from runner.store.answered import Answered
    from runner.store.arriving import Whole
    from runner.store.s3_client import Connection

LARGEST_PUT: Final = 1 << 20
"""Bytes. obstore's read timeout runs while it sends, too, so what a slow line needs long for is left to boto3."""

PAGE: Final = 1000
"""Names that S3 lists in one request."""
_PRECONDITION: Final = 412
"""HTTP: the object is not, or is, the one that the request demands."""

_ENCRYPTION: Final = {"ServerSideEncryption": "server_side_encryption", "SSEKMSKeyId": "sse_kms_key_id"}
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

_WHOLE_REQUEST: Final = timedelta(days=1)
"""A large object takes as long as it takes; what stands still is given up after the read timeout."""

_ASKED_AGAIN: Final = timedelta(minutes=5)
"""What obstore is told of the life of credentials that boto3 renews: so little that it asks for them again and again,
ten times a second at most. boto3 alone knows when they are to be renewed, and has them at hand until then."""

_PROBE: Final = "probe"
_SCOPE: Final = regex(r"AWS4-HMAC-SHA256 Credential=[^,]+/\d{8}/([^/,]+)/s3/aws4_request")
_ELSEWHERE: Final = ("redirect", "certificate", "External AWS credential", "invalid list response")
_REGION: Final = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect"})


class Elsewhere(Exception):
    """boto3 knows how to go on: it finds the bucket's region, or has better words for what is wrong."""


class Obstore:
    """The objects of one bucket, by key. Raises botocore's errors, `HTTPError` for the connection's, or `Elsewhere`."""

    def __init__(self, store: S3Store) -> None:
        """Use `store`, which must not retry by itself."""
        self._store = store

    def begin(self, key: str) -> tuple[Version, Whole | Callable[[], bytes]]:
        """Ask for an object; give which version it is, and all its bytes or what waits for the next ones."""
        with _READING:
            answer = self._store.get(key)
            size = answer.range[1]
            tag = answer.meta["e_tag"] or "" if size > CHUNK else ""  # what is told of an object costs as much as it
            return Version(size, tag), at_once(size, from_obstore(answer, lambda: _READING))

    def read(self, key: str, tag: str, start: int, stop: int) -> Callable[[], bytes]:
        """Give what waits for the next bytes of a part of the object that has this ETag."""
        with _READING:
            answer = self._store.get(key, options={"if_match": tag, "range": (start, stop)})
            if answer.meta["e_tag"] != tag:
                raise _refused(_PRECONDITION, "GetObject", "PreconditionFailed")
            if tuple(answer.range) != (start, stop):
                raise Unranged(key)
            return from_obstore(answer, lambda: _READING)

    def put(self, key: str, content: bytes, *, only_new: bool) -> bool:
        """Store an object: True."""
        with _STORING:
            self._store.put(key, content, mode="create" if only_new else "overwrite", use_multipart=False)
        return True

    def size(self, key: str) -> int:
        """Give the size of an object in bytes."""
        with _LOOKING:
            return self._store.head(key)["size"]

    def listed(self, prefix: str, after: str) -> Iterator[tuple[str, int]]:
        """Give the keys that begin with `prefix` and come after `after`, and the sizes, page by page as they are taken.

        Args:
            prefix: ends in a slash, or `after` is not less; keys come in order.
            after: empty: from the first one on.

        """
        pages = iter(self._store.list(prefix.rpartition("/")[0], offset=after or None, chunk_size=PAGE))
        while page := self._page(pages):
            for found in page:
                if not found["path"].startswith(prefix):
                    return
                yield found["path"], found["size"]

    def _page(self, pages: Iterator[Sequence[ObjectMeta]]) -> Sequence[ObjectMeta]:
        with _LISTING:
            return next(pages, ())


def beside(connection: Connection, bucket: str, extra: Mapping[str, Mapping[str, Any]]) -> Obstore | None:
    """Give what reads and writes as boto3 would; `None` where only boto3 can.

    That is: requests that are not signed with version 4, encryption with the customer's own key, grants, certificates
    of an authority of one's own.

    Args:
        connection: boto3's; it is only asked what it would send.
        bucket: its name.
        extra: arguments for each `put` and `get`, under these two keys.

    """
    put = extra.get("put", {})
    if extra.get("get") or put.keys() - _ENCRYPTION.keys() or _OF_ITS_OWN & os.environ.keys():
        return None
    if connection.credentials is None:
        return None
    request = _request(connection.client, bucket)
    scope = request and _SCOPE.match(_text(request.headers.get("Authorization", "")))
    if not request or not scope or not request.url.endswith(f"/{_PROBE}"):
        return None
    endpoint = request.url.removesuffix(f"/{_PROBE}")
    if connection.own_authorities and endpoint.startswith("https:"):
        return None
    config: dict[str, Any] = {
        "endpoint": endpoint,
        "virtual_hosted_style_request": True,  # the endpoint leads to the bucket, in whichever style
        "region": scope[1],
        "skip_signature": False,
        "unsigned_payload": False,
        "s3_express": False,
        "request_payer": False,
        **{_ENCRYPTION[name]: value for name, value in put.items()},
    }
    return Obstore(
        S3Store(
            bucket,
            config=cast("S3Config", config),
            client_options=_client_options(connection.client, endpoint),
            retry_config={"max_retries": 0},
            credential_provider=_Renewed(connection.credentials),
        )
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


def _client_options(client: S3Client, endpoint: str) -> ClientConfig:
    config = client.meta.config
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=config.connect_timeout),  # type: ignore[attr-defined]  # as are all options
        "read_timeout": timedelta(seconds=config.read_timeout),  # type: ignore[attr-defined]  # as above
        "timeout": _WHOLE_REQUEST,
        "allow_http": True,
    }
    if endpoint.startswith("https:"):
        options["root_certificate"] = Path(str(get_cert_path(verify=True))).read_bytes()
    return options


class _Errors:
    """Tells in botocore's terms what obstore raises inside the block; no generator, which small objects would feel."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, (BaseError, OSError)):
            raise _translated(error, self._operation) from error


_READING: Final = _Errors("GetObject")
_STORING: Final = _Errors("PutObject")
_LOOKING: Final = _Errors("HeadObject")
_LISTING: Final = _Errors("ListObjectsV2")


def _translated(error: BaseError | OSError, operation: str) -> Exception:
    """Give botocore's error for one of obstore's, which says in a text what the server said."""
    said = answered(error)
    text = str(error)
    if said.code in _REGION or (not said.status and any(sign in text for sign in _ELSEWHERE)):
        return Elsewhere()
    if not said.status and "non-partial" in text:
        return Unranged(said.text)
    if not said.status:
        return HTTPError(said.text)
    return _refused(said.status, operation, said.code or str(said.status), said)


def _refused(status: int, operation: str, code: str, said: Answered | None = None) -> ClientError:
    """Give botocore's error for an answer of the server."""
    answer: Any = {
        "Error": {"Code": code, "Message": said.words if said else ""},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": said.request if said else ""},
    }
    return ClientError(answer, operation)


def _text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header
