"""The two ways to a bucket: boto3, which is loaded when it is needed, and obstore, where it can do what boto3 would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.store import s3_obstore, s3_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_s3 import S3Client

    from runner.store.s3_client import Connection
    from runner.store.s3_obstore import Obstore


def find(
    url: str, options: Mapping[str, object], environ: Mapping[str, str], extra: Mapping[str, Mapping[str, Any]]
) -> tuple[Callable[[], S3Client], Obstore | None]:
    """Give what makes boto3's client, and what reads and writes beside it if anything can.

    Args:
        url: `s3://bucket`, and whatever prefix.
        options: DVC's options of the remote.
        environ: the environment.
        extra: arguments for each `put` and `get`, under these two keys.

    Raises:
        ConfigError: an option or a setting that boto3 cannot work with.

    """
    bucket = url.removeprefix("s3://").partition("/")[0]
    reach = s3_plain.reach(bucket, options, environ)
    if reach:
        return lambda: _connection(url, options, environ).client, s3_obstore.opened(bucket, reach, extra)
    connection = _connection(url, options, environ)
    return lambda: connection.client, beside(connection, bucket, extra)


def beside(connection: Connection, bucket: str, extra: Mapping[str, Mapping[str, Any]]) -> Obstore | None:
    """Give what asks as `connection` would; `None` where only that can.

    Args:
        connection: boto3's.
        bucket: its name.
        extra: arguments for each `put` and `get`, under these two keys.

    """
    from runner.store import s3_asked  # noqa: PLC0415 - as below

    reach = s3_asked.reach(connection, bucket) if s3_obstore.stores_all(extra) else None
    return s3_obstore.opened(bucket, reach, extra) if reach else None


def _connection(url: str, options: Mapping[str, object], environ: Mapping[str, str]) -> Connection:
    from runner.store import s3_client  # noqa: PLC0415 - boto3 takes longer to load than most of what is asked

    return s3_client.connect(url, options, environ)
