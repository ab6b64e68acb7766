"""Large objects of S3 in parts: sent one by one, tied together at the end, gone on with after a kill, or removed."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from runner.digests import md5
from runner.errors import RemoteError, Unavailable
from runner.regexes import regex
from runner.store import pieces, s3_errors
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from runner.store.s3_condition import Condition

PART: Final = 16 << 20
"""Bytes; what is larger goes up in parts of so many, or of more where S3's limit of parts would not do."""

_MOST_PARTS: Final = 10_000
_ROUND: Final = 1 << 20
_ABANDONED: Final = timedelta(days=7)
"""Age of an upload that nobody goes on with: of a killed run's, the note beside the object is as old by then."""

_OBJECT: Final = regex(r"(files/md5/)?[0-9a-f]{2}/[0-9a-f]{30}(\.dir)?\Z")


@dataclass(frozen=True)
class Target:
    """Where an object goes.

    Attributes:
        client: boto3's.
        named: bucket and key, as arguments of its requests.
        put: further arguments of requests that store.
        customer: those of requests that carry the customer's own key.
        condition: whether it is stored where there is an object already.
        is_there: whether there is one of its size.
        errors: translates what boto3 raises in an operation of that name.

    """

    client: S3Client
    named: Mapping[str, str]
    put: Mapping[str, Any]
    customer: Mapping[str, Any]
    condition: Condition
    is_there: Callable[[], bool]
    errors: Callable[[str], AbstractContextManager[None]]


class S3Upload:
    """See `Upload`. What a part is made of is read when it is sent: memory does not grow with parts."""

    at_once = 4

    def __init__(self, place: str, target: Target, source: Path, size: int) -> None:
        """Prepare to send the file `source` of `size` bytes to `target`, which people call `place`."""
        part = part_size(size)
        self.place = place
        self.parts = [(at, min(at + part, size)) for at in range(0, size, part)]
        self._target = target
        self._source = source
        self._tags: dict[int, str] = {}
        self._there: Mapping[int, tuple[int, str]] = {}
        self._id = ""
        client: Any = target.client  # the types of its arguments are those of literals
        self._client = client

    def begin(self, earlier: str) -> str:
        """See `Upload`: an upload is known by its id."""
        if not (earlier and self._is_known(earlier)):
            self._there = {}
            with self._target.errors("CreateMultipartUpload"):
                answer = self._client.create_multipart_upload(**self._target.named, **self._target.put)
            self._id = answer["UploadId"]
        return self._id

    def _is_known(self, earlier: str) -> bool:
        """Ask which parts S3 has of an upload; what it does not know, or not say, is not gone on with."""
        asked: Any = {"UploadId": earlier, **self._target.named, **self._target.customer}
        try:
            with self._target.errors("ListParts"):
                pages = self._client.get_paginator("list_parts").paginate(**asked)
                parts = [part for page in pages for part in page.get("Parts", ())]
        except Unavailable:
            raise
        except RemoteError:
            return False
        self._there = {part["PartNumber"]: (part["Size"], part["ETag"].strip('"')) for part in parts}
        self._id = earlier
        return True

    def send(self, number: int) -> None:
        """See `Upload`."""
        from s3transfer.utils import ReadFileChunk  # noqa: PLC0415 - part of boto3, which small objects do without

        start, stop = self.parts[number]
        if self._holds(number):
            self._tags[number] = self._there[number + 1][1]
            return
        with (
            ReadFileChunk.from_filename(str(self._source), start, stop - start) as body,
            self._target.errors("UploadPart"),
        ):
            answer = self._client.upload_part(
                **self._target.named, **self._target.customer, UploadId=self._id, PartNumber=number + 1, Body=body
            )
        self._tags[number] = answer["ETag"]

    def _holds(self, number: int) -> bool:
        """Whether S3 holds that part: its tag is the md5, except under keys of KMS or of one's own, which hide it."""
        start, stop = self.parts[number]
        size, tag = self._there.get(number + 1, (0, ""))
        if size != stop - start:
            return False
        return tag == pieces.digested(self._source, (start, stop), md5()).hexdigest()

    def finish(self) -> None:
        """See `Upload`. If the upload is gone and the object there, a try finished it whose answer did not arrive."""
        try:
            if not self._target.condition.store(self._tie, self._target.is_there):
                self.abort()
        except RemoteError as error:
            if s3_errors.code_of(error.__cause__) != "NoSuchUpload" or not self._target.is_there():
                raise

    def _tie(self, header: Mapping[str, Any]) -> None:
        parts = [{"PartNumber": number + 1, "ETag": self._tags[number]} for number in range(len(self.parts))]
        with self._target.errors("CompleteMultipartUpload"):
            self._client.complete_multipart_upload(
                **self._target.named, **header, UploadId=self._id, MultipartUpload={"Parts": parts}
            )

    def abort(self) -> None:
        """See `Upload`."""
        with self._target.errors("AbortMultipartUpload"):
            self._client.abort_multipart_upload(**self._target.named, UploadId=self._id)


def part_size(size: int) -> int:
    """Give the bytes of a part of an object of `size` bytes: whole MiB, and no more parts than S3 takes."""
    least = -(-size // _MOST_PARTS)
    return PART if least <= PART else -(-least // _ROUND) * _ROUND


def sweep(client: S3Client, bucket: str, prefix: str) -> None:
    """Remove the parts of uploads that were abandoned; where that is not allowed, or not known, leave them.

    Only uploads of objects below the remote's prefix that began a week ago: whoever still goes on is left alone.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    before = datetime.now(UTC) - _ABANDONED
    with suppress(ClientError, BotoCoreError):
        for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
            for found in page.get("Uploads", ()):
                if found["Initiated"] < before and _OBJECT.match(found["Key"].removeprefix(prefix)):
                    client.abort_multipart_upload(Bucket=bucket, Key=found["Key"], UploadId=found["UploadId"])
