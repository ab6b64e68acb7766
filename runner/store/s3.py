"""S3 and what speaks like it, through boto3; single objects through obstore where it can."""

from __future__ import annotations

import itertools
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from runner.errors import ObjectMissing, RemoteError
from runner.store import disk, s3_errors, s3_options, s3_parts, s3_ways, uploads
from runner.store.arriving import Arriving, coming, from_urllib3
from runner.store.meter import unheard
from runner.store.patience import Patience
from runner.store.protocols import Unranged, Version
from runner.store.remote import bucket_of, checked, is_plain, prefix_of
from runner.store.s3_condition import Condition, NoCondition
from runner.store.s3_obstore import LARGEST_PUT, PAGE, Elsewhere
from runner.store.s3_parts import PART, S3Upload, Target
from runner.store.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

    from runner.store.arriving import Coming
    from runner.store.meter import Report
    from runner.store.protocols import Sink, Source
    from runner.store.s3_obstore import Obstore

T = TypeVar("T")

_REQUESTS = 16
"""Questions that `exists` asks at once."""

_MOST_AT_ONCE = 1000
"""Objects that S3 removes in one request."""
_OVERLOADED: Final = frozenset({429, 503})

NEWEST: Final[Mapping[str, str]] = MappingProxyType({})
"""Arguments of a request for an object: without a version it is the newest one."""


class S3:
    """Objects of a bucket, below a prefix."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        connect: Callable[[], S3Client],
        extra: Mapping[str, Mapping[str, Any]] | None = None,
        obstore: Obstore | None = None,
    ) -> None:
        """Use `bucket` through boto3's client, which must not retry by itself.

        Args:
            bucket: its name.
            prefix: what every key begins with; a slash is put behind it unless it is empty.
            connect: gives that client, when it is needed.
            extra: arguments for each `put` and `get` (encryption, grants), under these two keys.
            obstore: what else reaches the bucket, at a lower price.

        """
        self._prefix = prefix_of(prefix)
        self.url = f"s3://{bucket}/{self._prefix}".removesuffix("/")
        self._bucket = bucket
        self._connect = connect
        self._connected: S3Client | None = None
        self._connecting = threading.Lock()
        self._put = dict((extra or {}).get("put", {}))
        self._get = dict((extra or {}).get("get", {}))
        self._obstore = obstore if is_plain(self._prefix) else None
        self._condition = Condition()
        self._swept = False
        self._ranges_by_obstore = True
        self._overloaded = False

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], environ: Mapping[str, str], /) -> Self:
        """Open `s3://bucket/prefix`.

        Raises:
            ConfigError: no bucket, or an option or a setting that boto3 cannot work with.

        """
        bucket, prefix = bucket_of(url)
        extra = s3_options.arguments(options)
        connect, obstore = s3_ways.find(url, options, environ, extra)
        return cls(bucket, prefix, connect, extra, obstore)

    @property
    def _client(self) -> S3Client:
        """boto3's client."""
        with self._connecting:
            if self._connected is None:
                self._connected = self._connect()
            return self._connected

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        """See `Remote`. Asks by HEAD or by listing, whichever is fewer requests; never takes a refusal for absence."""
        there, wanted = survey(self, {checked(name) for name in names}, _REQUESTS)
        with ThreadPoolExecutor(_REQUESTS) as threads:
            there |= {name: size for name, size in threads.map(self._head, wanted) if size is not None}
        return there

    def get(self, name: str, sink: Sink) -> None:
        """See `Remote`."""
        for chunk in self.begin(name)[1]:
            sink.write(chunk)

    def begin(self, name: str) -> tuple[Version, Coming]:
        """See `Ranged`."""
        key = self._key(name)
        with self._errors("GetObject", name):
            begun = self._cheaply(lambda obstore: obstore.begin(key))
            if begun is None:
                answer = self._client.get_object(Bucket=self._bucket, Key=key, **self._get)
                return Version(answer["ContentLength"], answer.get("ETag", "")), self._arriving(answer["Body"], name)
        return begun[0], coming(begun[1], lambda: self._errors("GetObject", name))

    def read(self, name: str, version: Version, start: int, stop: int) -> Arriving:
        """See `Ranged`. A part is one if the answer says so, whatever its status: some servers say 200 of it."""
        key = self._key(name)
        with self._errors("GetObject", name):
            taking = self._part_cheaply(key, version, start, stop)
            if taking is not None:
                return Arriving(taking, lambda: self._errors("GetObject", name))
            asked: dict[str, Any] = {"Range": f"bytes={start}-{stop - 1}", "IfMatch": version.pin}
            answer = self._client.get_object(Bucket=self._bucket, Key=key, **asked, **self._get)
        arriving = self._arriving(answer["Body"], name)
        if not answer.get("ContentRange", "").startswith(f"bytes {start}-{stop - 1}/"):
            arriving.close()
            message = f"{self.url} sends whole objects only"
            raise Unranged(message)
        if answer.get("ETag", "") != version.pin:
            arriving.close()
            raise s3_errors.changed(name, self.url)
        return arriving

    def get_version(self, name: str, version: str, sink: Sink) -> None:
        """Stream one version of a file, as `get` does; empty: the latest."""
        self._stream(name, sink, self._get | _version(version))

    def size_of(self, name: str, version: str) -> int | None:
        """Give the size in bytes of one version of a file; `None` where S3 says that there is none."""
        return self._head(name, _version(version))[1]

    def _stream(self, name: str, sink: Sink, arguments: Mapping[str, Any]) -> None:
        with self._errors("GetObject", name):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(name), **arguments)
        for chunk in self._arriving(answer["Body"], name):
            sink.write(chunk)

    def _arriving(self, body: StreamingBody, name: str) -> Arriving:
        raw: Any = getattr(body, "_raw_stream")  # noqa: B009 - it alone gives what has come so far; it has no type
        return Arriving(from_urllib3(raw), lambda: self._errors("GetObject", name), body.close)

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        """See `Remote`. S3 shows an object when it is whole."""
        self._store(name, source, report, only_new=False)

    def create(self, name: str, source: Source, report: Report = unheard) -> None:
        """See `Creating`."""
        self._store(name, source, report, only_new=True)

    def _store(self, name: str, source: Source, report: Report, *, only_new: bool) -> None:
        upload = None if isinstance(source, bytes) else self.upload(name, source, only_new=only_new)
        if upload is not None and not isinstance(source, bytes):
            uploads.send(upload, source, Patience(0), report)
            return
        condition = self._condition if only_new else NoCondition()
        size = disk.size_of(source)
        condition.store(lambda header: self._put_one(name, source, size, header), lambda: self._head(name)[1] == size)

    def _put_one(self, name: str, source: Source, size: int, header: Mapping[str, Any]) -> None:
        key = self._key(name)
        if size <= LARGEST_PUT and self._obstore:
            content = disk.content_of(source)
            with self._errors("PutObject", name):
                if self._cheaply(lambda obstore: obstore.put(key, content, only_new=bool(header))):
                    return
        with disk.opened(source) as file, self._errors("PutObject", name):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=file, **self._put, **header)

    def upload(self, name: str, source: Path, /, *, only_new: bool) -> S3Upload | None:
        """See `Parted`. The first one removes what uploads left here that nobody goes on with."""
        key = self._key(name)
        size = os.stat(source).st_size  # noqa: PTH116 - a Path costs more
        if size <= PART:
            return None
        if not self._swept:
            self._swept = True
            s3_parts.sweep(self._client, self._bucket, self._prefix)
        target = Target(
            self._client,
            {"Bucket": self._bucket, "Key": key},
            self._put,
            self._get,
            self._condition if only_new else NoCondition(),
            lambda: self._head(name)[1] == size,
            lambda operation: self._errors(operation, name),
        )
        return S3Upload(f"{self.url}/{name}", target, source, size)

    def remove(self, names: Sequence[str]) -> None:
        """See `Erasable`. Many objects a request; one each where what speaks like S3 does not know that."""
        keys = [self._key(name) for name in names]
        for start in range(0, len(keys), _MOST_AT_ONCE):
            several = keys[start : start + _MOST_AT_ONCE]
            with self._errors("DeleteObjects", f"{len(several)} objects"):
                try:
                    self._remove(several)
                except Exception as error:
                    if not s3_errors.is_unknown_request(error):
                        raise
                    self._remove_one_by_one(several)

    def stored(self, names: Sequence[str]) -> Mapping[str, float]:
        """See `Erasable`. By listing everything: a question an object would be a thousand times as many requests."""
        wanted = {self._key(name): name for name in names}
        pages: Any = self._client.get_paginator("list_objects_v2")  # its type has no optional arguments
        with self._errors("ListObjectsV2", ""):
            found = (entry for page in pages.paginate(**self._listing("")) for entry in page.get("Contents", ()))
            return {
                wanted[entry["Key"]]: entry["LastModified"].timestamp() for entry in found if entry["Key"] in wanted
            }

    def _remove(self, keys: Sequence[str]) -> None:
        wanted: Any = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = self._client.delete_objects(Bucket=self._bucket, Delete=wanted)
        for refused in answer.get("Errors", ()):
            raise s3_errors.refused(0, "DeleteObjects", refused.get("Code", ""), str(refused))

    def _remove_one_by_one(self, keys: Sequence[str]) -> None:
        def remove(key: str) -> None:
            self._client.delete_object(Bucket=self._bucket, Key=key)

        with ThreadPoolExecutor(_REQUESTS) as threads:
            list(threads.map(remove, keys))

    def names(self, prefix: str) -> Iterator[str]:
        """See `Remote`."""
        return (name for some in self.listed(prefix) for name, _ in some)

    def _key(self, name: str) -> str:
        return f"{self._prefix}{checked(name)}"

    @contextmanager
    def _errors(self, operation: str, name: str) -> Iterator[None]:
        """Translate what boto3, and urllib3 under it, raise inside the block."""
        try:
            yield
        except RemoteError:
            raise
        except Exception as error:
            if not s3_errors.is_theirs(error):
                raise
            raise s3_errors.translate(error, operation, name, self.url) from error

    def _cheaply(self, ask: Callable[[Obstore], T]) -> T | None:
        """Give what obstore answers; `None` where boto3 has to be asked, and from then on always is.

        After a refusal for too much work boto3 is asked once: obstore does not tell when the server wants to be asked
        again, boto3's answer does.
        """
        if self._obstore is None or self._overloaded:
            self._overloaded = False
            return None
        try:
            return ask(self._obstore)
        except Elsewhere:
            self._obstore = None
            return None
        except Exception as error:
            self._overloaded = s3_errors.status_of(error) in _OVERLOADED
            raise

    def _part_cheaply(self, key: str, version: Version, start: int, stop: int) -> Callable[[], bytes] | None:
        """Give a part of an object by obstore; `None` where it takes the answers for no parts."""
        try:
            if self._ranges_by_obstore:
                return self._cheaply(lambda obstore: obstore.read(key, version.pin, start, stop))
        except Unranged:
            self._ranges_by_obstore = False
        return None

    def _head(self, name: str, version: Mapping[str, Any] = NEWEST) -> tuple[str, int | None]:
        """Give the size of an object, or `None` where S3 says that there is none."""
        key = self._key(name)
        try:
            with self._errors("HeadObject", name):
                size = None if version else self._cheaply(lambda obstore: obstore.size(key))
                if size is not None:
                    return name, size
                answer = self._client.head_object(Bucket=self._bucket, Key=key, **self._get, **version)
        except ObjectMissing:
            return name, None
        return name, answer["ContentLength"]

    def listed(self, prefix: str, after: str = "", /) -> Iterator[list[tuple[str, int]]]:
        """Give names and sizes, in the order of the names; see `Bucket`."""
        if self._obstore and (after or prefix.endswith("/")):
            begin = len(self._prefix)
            try:
                with self._errors("ListObjectsV2", prefix):
                    for some in self._obstore.listed(self._prefix + prefix, after and self._prefix + after):
                        after = some[-1][0][begin:] if some else after
                        yield [(key[begin:], size) for key, size in some]
            except Elsewhere:
                self._obstore = None
            else:
                return
        pages: Any = self._client.get_paginator("list_objects_v2")  # its type has no optional arguments
        with self._errors("ListObjectsV2", prefix):
            for page in pages.paginate(**self._listing(prefix, after)):
                yield self._named(page)

    def first_page(self, prefix: str, /) -> tuple[list[tuple[str, int]], bool]:
        """See `Bucket`."""
        if self._obstore and prefix.endswith("/"):
            page = list(itertools.islice(itertools.chain.from_iterable(self.listed(prefix)), PAGE))
            return page, len(page) < PAGE
        with self._errors("ListObjectsV2", prefix):
            answer = self._client.list_objects_v2(**self._listing(prefix))
        return self._named(answer), not answer["IsTruncated"]

    def _listing(self, prefix: str, after: str = "") -> dict[str, Any]:
        begin = {"StartAfter": f"{self._prefix}{after}"} if after else {}
        return {"Bucket": self._bucket, "Prefix": f"{self._prefix}{prefix}", **begin}

    def _named(self, page: Mapping[str, Any]) -> list[tuple[str, int]]:
        return [(found["Key"][len(self._prefix) :], found["Size"]) for found in page.get("Contents", ())]


def _version(version: str) -> dict[str, str]:
    return {"VersionId": version} if version else {}
