"""Servers that speak S3, started once a session on a free port: moto for the semantics, rclone for real refusals."""

from __future__ import annotations

import re
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from runner.store import s3_client, s3_ways
from runner.store.s3 import S3
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from runner.store.s3_obstore import Obstore

BUCKET = "bucket"
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Server:
    """A running server with the bucket `bucket`; both keys are `testing`."""

    endpoint: str

    @property
    def options(self) -> dict[str, object]:
        """DVC's options of a remote on this server."""
        return {
            "endpointurl": self.endpoint,
            "access_key_id": "testing",
            "secret_access_key": "testing",
            "region": "us-east-1",
        }

    @cached_property
    def client(self) -> S3Client:
        """A client; making one takes as long as ten tests."""
        return self._connection.client

    @cached_property
    def _connection(self) -> s3_client.Connection:
        return s3_client.connect(f"s3://{BUCKET}", self.options, {})

    @cached_property
    def _obstore(self) -> Obstore | None:
        return s3_ways.beside(self._connection, BUCKET, {})

    def remote(self, prefix: str, **options: object) -> S3:
        """Open the remote at a prefix of the bucket, without retries."""
        if not options:
            return S3(BUCKET, prefix, lambda: self.client, obstore=self._obstore)
        return S3.open(f"s3://{BUCKET}/{prefix}", self.options | options, {})

    def boto3_only(self, prefix: str) -> S3:
        """Open the same without obstore, as remotes are with options that only boto3 knows."""
        return S3(BUCKET, prefix, lambda: self.client)


@contextmanager
def moto() -> Iterator[Server]:
    """Run moto in a thread of this process."""
    require("moto.server", "S3's semantics")
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - half a second, for the tests that need it

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        server = Server(f"http://{host}:{port}")
        server.client.create_bucket(Bucket=BUCKET)
        yield server
    finally:
        running.stop()


@contextmanager
def rclone(folder: Path) -> Iterator[Server]:
    """Serve the folders below `folder` as buckets."""
    command = require("rclone", "an S3 server that checks credentials")
    (folder / BUCKET).mkdir(parents=True)
    options = ["--addr", "127.0.0.1:0", "--auth-key", "testing,testing", "--vfs-cache-mode", "off"]
    with subprocess.Popen(
        [command, "serve", "s3", *options, "--config", "/dev/null", folder],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr
            found = next(match for line in process.stderr if (match := _ADDRESS.search(line)))
            # Whatever it complains of is read: a full pipe would stop the server.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield Server(f"http://127.0.0.1:{found[1]}")
        finally:
            process.kill()
