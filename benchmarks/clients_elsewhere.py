"""What a small object costs the clients that could speak to Azure and SFTP: CPU of this process, and wall time.

`python benchmarks/clients_elsewhere.py` puts and gets objects of 4 KiB through each, in turn, against Azurite and
OpenSSH's sshd on this machine; docs/decisions/azure-client.md and ssh-client.md say what followed from it.
`--objects N` for another number than 400. What is not installed (`pip install paramiko`) is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import importlib
import os
import queue
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
from azure.storage.blob import BlobServiceClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from runner.store import azure_client, azure_obstore
from runner.store.arriving import coming
from tests.support import azure, sshd

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = os.urandom(4096)
THREADS = 8
ROUNDS = 3


def main() -> None:
    """Measure every client in turn, a few times, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=400, metavar="N")
    count: int = parser.parse_args().objects
    with azure.azurite() as blobs:
        show(count, of_azure(blobs))
    with tempfile.TemporaryDirectory() as folder, sshd.sshd(Path(folder)) as machine:
        works = of_asyncssh(machine) | (of_paramiko(machine) if find_spec("paramiko") else {})
        show(count, works)


def show(count: int, works: dict[str, Callable[[str], object]]) -> None:
    """Print what each work costs an object: each is given the names of so many, from several threads."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for turn in range(ROUNDS):
        for label, work in works.items():
            names = [f"{turn}-{number}" for number in range(count)]
            began, cpu = time.perf_counter(), time.process_time()
            with ThreadPoolExecutor(THREADS) as threads:
                list(threads.map(work, names))
            spent[label].append((time.process_time() - cpu, time.perf_counter() - began))
    for label, times in spent.items():
        cpu, wall = (1e6 * statistics.median(column) / count for column in zip(*times, strict=True))
        print(f"{label:40} {cpu:8.0f} us of CPU {wall:8.0f} us of wall time")


def of_azure(server: azure.Server) -> dict[str, Callable[[str], object]]:
    """Give what Azure's own client does, and obstore."""
    theirs = BlobServiceClient(f"{server.endpoint}/{azure.ACCOUNT}", azure.KEY).get_container_client(azure.CONTAINER)
    ours = azure_obstore.beside(azure_client.connect(server.url(""), server.options, {}))
    return {
        "azure-storage-blob, put": lambda name: theirs.upload_blob(f"theirs/{name}", CONTENT),
        "obstore, put": lambda name: ours.put(f"ours/{name}", CONTENT),
        "azure-storage-blob, get": lambda name: theirs.download_blob(f"theirs/{name}").readall(),
        "obstore, get": lambda name: list(coming(ours.begin(f"ours/{name}")[1], nullcontext)),
        "azure-storage-blob, head": lambda name: theirs.get_blob_client(f"theirs/{name}").get_blob_properties(),
        "obstore, head": lambda name: ours.size(f"ours/{name}"),
    }


def of_asyncssh(server: sshd.Server) -> dict[str, Callable[[str], object]]:
    """Give what asyncssh does for threads, its event loop in one of its own."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def run(work: Any) -> Any:  # noqa: ANN401 - a coroutine
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    async def connect() -> Any:  # noqa: ANN401 - its types know text only
        known = asyncssh.import_known_hosts(server.known_hosts)
        keys = [str(server.folder / "user")]
        line = await asyncssh.connect(
            "127.0.0.1", server.port, username=getpass.getuser(), client_keys=keys, known_hosts=known
        )
        return await line.start_sftp_client()

    async def put(name: str) -> None:
        async with sftp.open(f"{server.folder}/{name}.tmp", "wb") as file:
            await file.write(CONTENT)
        await sftp.posix_rename(f"{server.folder}/{name}.tmp", f"{server.folder}/{name}")

    async def get(name: str) -> None:
        async with sftp.open(f"{server.folder}/{name}", "rb") as file:
            await file.read()

    sftp = run(connect())
    return {
        "asyncssh, put": lambda name: run(put(name)),
        "asyncssh, get": lambda name: run(get(name)),
        "asyncssh, stat": lambda name: run(sftp.stat(f"{server.folder}/{name}")),
    }


def of_paramiko(server: sshd.Server) -> dict[str, Callable[[str], object]]:
    """Give what paramiko does, with as many channels as threads."""
    paramiko: Any = importlib.import_module("paramiko")
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    key = str(server.folder / "user")
    client.connect(
        "127.0.0.1", server.port, getpass.getuser(), key_filename=key, allow_agent=False, look_for_keys=False
    )
    free: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for _ in range(THREADS):
        free.put(paramiko.SFTPClient.from_transport(client.get_transport()))

    def through(work: Callable[[Any], object]) -> None:
        channel = free.get()
        work(channel)
        free.put(channel)

    def put(name: str) -> None:
        def work(sftp: Any) -> None:  # noqa: ANN401 - paramiko has no types
            with sftp.open(f"{server.folder}/{name}.tmp", "wb") as file:
                file.write(CONTENT)
            sftp.posix_rename(f"{server.folder}/{name}.tmp", f"{server.folder}/{name}")

        through(work)

    def get(name: str) -> None:
        def work(sftp: Any) -> None:  # noqa: ANN401 - as above
            with sftp.open(f"{server.folder}/{name}", "rb") as file:
                file.read(2 * len(CONTENT))

        through(work)

    return {
        "paramiko, put": put,
        "paramiko, get": get,
        "paramiko, stat": lambda name: through(lambda sftp: sftp.stat(f"{server.folder}/{name}")),
    }


if __name__ == "__main__":
    main()
