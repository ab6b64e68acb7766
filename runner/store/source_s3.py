"""Objects of a bucket as sources: known by ETag and, where asked, by version."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Self

import urllib3.exceptions
from botocore.exceptions import BotoCoreError, ClientError

from runner.errors import ObjectMissing, RemoteError
from runner.hashes import CHUNK, Hash
from runner.store import s3_client, s3_errors, s3_options
from runner.store.source import OF_REMOTES, Part, changed, of_file, of_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_s3 import S3Client

    from runner.store.protocols import Sink
    from runner.store.source import Found


class S3Source:
    """The objects of one bucket."""

    def __init__(self, bucket: str, client: S3Client, extra: Mapping[str, Any] | None = None) -> None:
        """Read `bucket` through `client`; `extra` are arguments for each `get`."""
        self._bucket = bucket
        self._client = client
        self._extra = dict(extra or {})

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], environ: Mapping[str, str], /, *, guarded: bool) -> Self:
        """Open the bucket of `s3://bucket/key`.

        Raises:
            ConfigError: an option or a setting that boto3 cannot work with.
            RemoteError: whoever chose the url is not trusted.

        """
        bucket, _, _ = url.removeprefix("s3://").partition("/")
        if guarded:
            message = f"{url} is not read with credentials for somebody who is not trusted"
            raise RemoteError(message)
        known = {name: value for name, value in options.items() if name not in OF_REMOTES}
        return cls(bucket, s3_client.connect(url, known, environ).client, s3_options.arguments(known)["get"])

    def find(self, url: str, *, folder: bool, versioned: bool) -> Found | None:
        """See `SourceStore`. One request, and one more for each 1,000 files of a directory."""
        key = self._key(url)
        if folder:
            return self._folder(key, url, versioned=versioned) or self._file(key, url)
        return self._file(key, url) or self._folder(key, url, versioned=versioned)

    def get(self, url: str, part: Part, sink: Sink) -> None:
        """See `SourceStore`. The version that was found is asked for, or else the very content."""
        key = f"{self._key(url).rstrip('/')}/{part.relpath}" if part.relpath else self._key(url)
        version: dict[str, Any] = {"VersionId": part.version} if part.version else {"IfMatch": f'"{part.hash.value}"'}
        with self._errors("GetObject", key):
            answer = self._client.get_object(Bucket=self._bucket, Key=key, **version, **self._extra)
        with closing(answer["Body"]) as body:
            for chunk in self._chunks(body, key):
                sink.write(chunk)

    def _chunks(self, body: Any, key: str) -> Iterator[bytes]:  # noqa: ANN401 - botocore's StreamingBody
        with self._errors("GetObject", key):
            yield from body.iter_chunks(CHUNK)

    def _key(self, url: str) -> str:
        return url.removeprefix(f"s3://{self._bucket}").removeprefix("/")

    def _file(self, key: str, url: str) -> Found | None:
        if not key or key.endswith("/"):
            return None
        try:
            with self._errors("HeadObject", url):
                answer = self._client.head_object(Bucket=self._bucket, Key=key, **self._extra)
        except ObjectMissing:
            return None
        return of_file(Part("", _etag(answer["ETag"]), answer["ContentLength"], answer.get("VersionId", "")))

    def _folder(self, key: str, url: str, *, versioned: bool) -> Found | None:
        prefix = f"{key.rstrip('/')}/" if key.strip("/") else ""
        operation, listed = ("list_object_versions", "Versions") if versioned else ("list_objects_v2", "Contents")
        pages: Any = self._client.get_paginator(operation)  # type: ignore[call-overload]  # one of two names
        with self._errors("ListObjectsV2", url):
            objects = [
                one
                for page in pages.paginate(Bucket=self._bucket, Prefix=prefix)
                for one in page.get(listed, ())
                if one.get("IsLatest", True) and not one["Key"].endswith("/")
            ]
        parts = [
            Part(one["Key"][len(prefix) :], _etag(one["ETag"]), one["Size"], one.get("VersionId", ""))
            for one in objects
        ]
        return of_folder(parts) if parts else None

    @contextmanager
    def _errors(self, operation: str, name: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"PreconditionFailed", "412"}:
                raise changed(name) from error
            raise s3_errors.translate(error, operation, name, f"s3://{self._bucket}") from error
        except (BotoCoreError, urllib3.exceptions.HTTPError) as error:
            raise s3_errors.translate(error, operation, name, f"s3://{self._bucket}") from error


def _etag(quoted: str) -> Hash:
    return Hash(quoted.strip('"'), "etag")
