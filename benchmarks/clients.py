"""What a request to S3 costs each client that could move small objects: CPU of this process, and wall time.

`python benchmarks/clients.py` puts and gets objects of 4 KiB through each, in turn, against a server that is faster
than all of them; docs/decisions/s3-client.md says what followed from it. `--objects N` for another number than 1,000.
What is not installed (`pip install awscrt`) is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from servers import quick_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from obstore.store import S3Store

    Work = Callable[[list[str]], None]

CONTENT = os.urandom(4096)
ROUNDS = 5


def main() -> None:
    """Measure every client in turn, a few times, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000, metavar="N")
    objects: int = parser.parse_args().objects
    names = [f"files/md5/{number % 256:02x}/{number:030x}" for number in range(objects)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, quick_server(Path(folder) / "s3") as endpoint:
        clients = dict(available(endpoint))
        costs: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for _ in range(ROUNDS):
            for client, (put, get) in clients.items():
                costs.setdefault((client, "put"), []).append(cost(put, names))
                costs.setdefault((client, "get"), []).append(cost(get, names))
    for (client, verb), samples in costs.items():
        wall, cpu = (statistics.median(values) / objects * 1e6 for values in zip(*samples, strict=True))
        print(f"{client:28} {verb}  {cpu:7.0f} us of CPU  {wall:7.0f} us of wall time a request")


def cost(work: Work, names: list[str]) -> tuple[float, float]:
    """Give seconds of wall time and of CPU, children included, that `work` takes."""
    wall, cpu = time.perf_counter(), _cpu()
    work(names)
    return time.perf_counter() - wall, _cpu() - cpu


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def available(endpoint: str) -> Iterator[tuple[str, tuple[Work, Work]]]:
    """Give what puts and what gets objects, by the name of the client."""
    yield "boto3, 16 threads", (_threads(boto3_put(endpoint), 16), _threads(boto3_get(endpoint), 16))
    yield "boto3, 2 processes of 8", (_processes(endpoint, boto3_put), _processes(endpoint, boto3_get))
    if find_spec("awscrt"):
        yield "CRT through s3transfer", crt(endpoint)
    if find_spec("obstore"):
        put, get = obstore(endpoint)
        for threads in (1, 2, 4, 16):
            yield f"obstore, {threads} threads", (_threads(put, threads), _threads(get, threads))
        yield "obstore, event loop of 32", loop(endpoint)


def _threads(one: Callable[[str], object], jobs: int) -> Work:
    def work(names: list[str]) -> None:
        with ThreadPoolExecutor(jobs) as crew:
            list(crew.map(one, names))

    return work


def _processes(endpoint: str, make: Callable[[str], Callable[[str], object]]) -> Work:
    def work(names: list[str]) -> None:
        halves = [
            multiprocessing.get_context("fork").Process(target=_threads(make(endpoint), 8), args=[part])
            for part in (names[::2], names[1::2])
        ]
        for half in halves:
            half.start()
        for half in halves:
            half.join()

    return work


def _boto3(endpoint: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    config = Config(
        max_pool_connections=16,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.Session("testing", "testing", region_name="us-east-1").client(
        "s3", endpoint_url=endpoint, config=config
    )


def boto3_put(endpoint: str) -> Callable[[str], object]:
    """Give what puts one object."""
    client = _boto3(endpoint)
    return lambda name: client.put_object(Bucket="bucket", Key=name, Body=CONTENT)


def boto3_get(endpoint: str) -> Callable[[str], object]:
    """Give what gets one object."""
    client = _boto3(endpoint)
    return lambda name: client.get_object(Bucket="bucket", Key=name)["Body"].read()


def _store(endpoint: str) -> S3Store:
    from obstore.store import S3Store  # noqa: PLC0415 - may not be installed

    return S3Store(
        "bucket",
        endpoint=endpoint,
        access_key_id="testing",
        secret_access_key="testing",  # noqa: S106 - the test server's
        region="us-east-1",
        client_options={"allow_http": True},
    )


def obstore(endpoint: str) -> tuple[Callable[[str], object], Callable[[str], object]]:
    """Give what puts and what gets one object."""
    store = _store(endpoint)
    return lambda name: store.put(name, CONTENT), lambda name: store.get(name).bytes()


def loop(endpoint: str) -> tuple[Work, Work]:
    """Give what puts and what gets many objects in one thread, 32 at once."""
    store = _store(endpoint)

    async def get(name: str) -> None:
        await (await store.get_async(name)).bytes_async()

    def work(one: Callable[[str], Awaitable[object]]) -> Work:
        async def take(left: Iterator[str]) -> None:
            for name in left:
                await one(name)

        async def all_of(names: list[str]) -> None:
            left = iter(names)
            await asyncio.gather(*(take(left) for _ in range(32)))

        return lambda names: asyncio.run(all_of(names))

    return work(lambda name: store.put_async(name, CONTENT)), work(get)


def crt(endpoint: str) -> tuple[Work, Work]:
    """Give what puts and what gets many objects; the CRT brings its own threads."""
    import io  # noqa: PLC0415 - with the others

    from botocore.session import Session  # noqa: PLC0415 - needs awscrt
    from s3transfer import crt as transfer  # noqa: PLC0415 - needs awscrt

    session = Session()
    session.set_credentials("testing", "testing")
    client = transfer.create_s3_crt_client(
        "us-east-1",
        transfer.BotocoreCRTCredentialsWrapper(session.get_credentials()).to_crt_credentials_provider(),
        use_ssl=False,
    )
    serializer = transfer.BotocoreCRTRequestSerializer(session, {"endpoint_url": endpoint, "region_name": "us-east-1"})

    def work(begin: Callable[[Any, str], Any]) -> Work:
        def run(names: list[str]) -> None:
            with transfer.CRTTransferManager(client, serializer) as manager:
                for future in [begin(manager, name) for name in names]:
                    future.result()

        return run

    return (
        work(lambda manager, name: manager.upload(io.BytesIO(CONTENT), "bucket", name)),
        work(lambda manager, name: manager.download("bucket", name, io.BytesIO())),
    )


if __name__ == "__main__":
    main()
