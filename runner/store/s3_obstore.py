"""Single objects of a bucket through obstore, at a sixth of what a request costs boto3.

boto3 stays the only source of configuration: obstore sends what boto3 would send, to where boto3 would send it, with
the credentials that boto3 finds and renews (`s3_asked`, or in the plainest cases `s3_plain`). It makes one try, as
boto3's client here does, and its errors are told in botocore's terms, so that they are sorted like those. See
docs/decisions/s3-client.md.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from obstore.exceptions import BaseError
from obstore.store import S3Store

from runner.hashes import CHUNK
from runner.store import s3_errors
from runner.store.answered import answered
from runner.store.arriving import at_once, from_obstore
from runner.store.protocols import Unranged, Version
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from obstore import ObjectMeta
    from obstore.store import ClientConfig, S3Config, S3Credential

    from runner.store.arriving import Whole

LARGEST_PUT: Final = 1 << 20
"""Bytes. obstore's read timeout runs while it sends, too, so what a slow line needs long for is left to boto3."""

PAGE: Final = 1000
"""Names that S3 lists in one request."""
_AT_ONCE: Final = 100
"""Names that are made into Python's objects at a time: whoever lists a part of all needs half a page more or less."""
_PRECONDITION: Final = 412
"""HTTP: the object is not, or is, the one that the request demands."""

_ENCRYPTION: Final = {"ServerSideEncryption": "server_side_encryption", "SSEKMSKeyId": "sse_kms_key_id"}
_WHOLE_REQUEST: Final = timedelta(days=1)
"""A large object takes as long as it takes; what stands still is given up after the read timeout."""

_ELSEWHERE: Final = ("redirect", "certificate", "External AWS credential", "invalid list response")
_REGION: Final = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect"})


@dataclass(frozen=True)
class Reach:
    """Where and how boto3 would send the requests for a bucket.

    Attributes:
        endpoint: leads to the bucket, in whichever style.
        region: what they are signed for, with version 4.
        credentials: asked for keys, again after they expire.
        connect_timeout, read_timeout: seconds.
        authorities: a file of the certificates to trust; empty where nothing is encrypted.

    """

    endpoint: str
    region: str
    credentials: Callable[[], S3Credential]
    connect_timeout: float
    read_timeout: float
    authorities: str


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
                raise s3_errors.refused(_PRECONDITION, "GetObject", "PreconditionFailed")
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

    def listed(self, prefix: str, after: str) -> Iterator[list[tuple[str, int]]]:
        """Give the keys that begin with `prefix` and come after `after`, and the sizes, some at a time.

        Args:
            prefix: ends in a slash, or `after` is not less; keys come in order.
            after: empty: from the first one on.

        """
        found = iter(self._store.list(prefix.rpartition("/")[0], offset=after or None, chunk_size=_AT_ONCE))
        while some := [(one["path"], one["size"]) for one in self._some(found)]:
            if not some[-1][0].startswith(prefix):
                yield [one for one in some if one[0].startswith(prefix)]
                return
            yield some

    def _some(self, found: Iterator[Sequence[ObjectMeta]]) -> Sequence[ObjectMeta]:
        with _LISTING:
            return next(found, ())


def stores_all(extra: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether obstore knows these arguments of a `put` and a `get`: no grants, no keys of one's own."""
    return not extra.get("get") and extra.get("put", {}).keys() <= _ENCRYPTION.keys()


def opened(bucket: str, reach: Reach, extra: Mapping[str, Mapping[str, Any]]) -> Obstore:
    """Give what reads and writes a bucket.

    Args:
        bucket: its name.
        reach: how it is reached.
        extra: arguments for each `put` and `get`, under these two keys; see `stores_all`.

    """
    config: dict[str, Any] = {
        "endpoint": reach.endpoint,
        "virtual_hosted_style_request": True,  # the endpoint leads to the bucket, in whichever style
        "region": reach.region,
        "skip_signature": False,
        "unsigned_payload": False,
        "s3_express": False,
        "request_payer": False,
        **{_ENCRYPTION[name]: value for name, value in extra.get("put", {}).items()},
    }
    return Obstore(
        S3Store(
            bucket,
            config=cast("S3Config", config),
            client_options=_client_options(reach),
            retry_config={"max_retries": 0},
            credential_provider=reach.credentials,
        )
    )


def _client_options(reach: Reach) -> ClientConfig:
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=reach.connect_timeout),
        "read_timeout": timedelta(seconds=reach.read_timeout),
        "timeout": _WHOLE_REQUEST,
        "allow_http": True,
    }
    if reach.authorities:
        options["root_certificate"] = Path(reach.authorities).read_bytes()
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
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - only what goes wrong waits for it

        return HTTPError(said.text)
    return s3_errors.refused(said.status, operation, said.code or str(said.status), said.words, said.request)
