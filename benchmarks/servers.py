"""S3 servers to measure against, and a proxy before them that counts what they are asked.

What is measured talks to the server itself; only the runs that count go through the proxy, which costs time.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "bucket"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
_PATIENCE = 20  # seconds
_CHUNK = 1 << 18
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def program(name: str) -> str | None:
    """Give the path of a program of this environment, or of the machine."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Run rclone as an S3 server of the bucket `bucket`, kept below `folder`; give its address.

    The keys are `KEYS`. It answers up to 6,000 GETs and 1,700 PUTs a second on two cores that do nothing else.
    """
    (folder / BUCKET).mkdir(parents=True)
    log = folder.with_name(f"{folder.name}.log")  # a file, not a pipe: nobody has to empty it
    options = ["--addr", "127.0.0.1:0", "--auth-key", "testing,testing", "--vfs-cache-mode", "off"]
    command = [program("rclone") or "rclone", "serve", "s3", *options, "--config", os.devnull, str(folder)]
    with log.open("wb") as errors, subprocess.Popen(command, stdout=errors, stderr=errors) as process:
        try:
            yield _address(log, process)
        finally:
            process.kill()


@contextmanager
def quick_server(folder: Path) -> Iterator[str]:
    """Run an S3 server that is no limit to what is measured: it keeps objects in memory; give its address.

    It has any bucket and checks no keys.
    """
    rustc = program("rustc")
    if rustc is None:
        sys.exit("benchmarks/s3server.rs needs a Rust compiler: install one")
    folder.mkdir(parents=True)
    built, log = folder / "s3server", folder / "log"
    subprocess.run([rustc, "-O", "-o", built, Path(__file__).with_name("s3server.rs")], check=True)
    with log.open("wb") as said, subprocess.Popen([built], stdout=said, stderr=said) as process:
        try:
            yield _address(log, process)
        finally:
            process.kill()


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait for the server to say where it listens."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text(encoding="utf-8", errors="replace")):
            return found[0]
        time.sleep(0.02)
    sys.exit(f"the S3 server did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


@dataclass
class Counted:
    """What went through a proxy: requests by method, and bytes that came back, heads included."""

    requests: dict[str, int] = field(default_factory=dict)
    received: int = 0

    @property
    def total(self) -> int:
        """How many requests there were."""
        return sum(self.requests.values())


class Counter:
    """A proxy before an HTTP server on this machine. Requests must say how long their bodies are."""

    def __init__(self, upstream: str) -> None:
        """Pass on to `upstream`, an `http://` address."""
        self.counted = Counted()
        self.address = ""
        self._upstream = urlsplit(upstream)
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def counting(self) -> Iterator[Counted]:
        """Count from zero until the end of the block."""
        self.counted = Counted()
        yield self.counted

    @contextmanager
    def running(self) -> Iterator[str]:
        """Run until the end of the block; give the proxy's own address."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        self._ready.wait(_PATIENCE)
        try:
            yield self.address
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join(_PATIENCE)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # which ends connections that were left open
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        async with await asyncio.start_server(self._connected, "127.0.0.1", 0) as server:
            self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self._ready.set()
            await self._over.wait()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: requests one way, whatever comes back the other way."""
        there, back = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        answers = asyncio.create_task(self._pass_back(there, writer))
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                await self._pass_request(reader, back)
        back.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await answers

    async def _pass_request(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method = head.partition(b" ")[0].decode()
        self.counted.requests[method] = self.counted.requests.get(method, 0) + 1
        back.write(head)
        length = _LENGTH.search(head)
        left = int(length[1]) if length else 0
        while left:
            chunk = await reader.read(min(left, _CHUNK))
            if not chunk:
                raise ConnectionError
            back.write(chunk)
            await back.drain()
            left -= len(chunk)

    async def _pass_back(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await there.read(_CHUNK):
            self.counted.received += len(chunk)
            writer.write(chunk)
            await writer.drain()
        writer.close()
