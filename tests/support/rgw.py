"""Ceph's object gateway: the real S3 server of many a cluster, on a cluster of one monitor and one disk in memory.

Nothing of it needs root or systemd, and all of it ends with the block. No manager runs, so what asks one for
statistics (`ceph osd pool stats`) would wait for ever.
"""

from __future__ import annotations

import base64
import os
import struct
import subprocess
import time
import uuid
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from tests.support.ports import free_port, wait_for
from tests.support.s3 import BUCKET, Server
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASKED: Final = bool(os.environ.get("RETRAIN_RGW"))
"""Whether it takes moto's part (`make rgw`). Known when the tests start: they run in an environment without it."""

_TOOLS: Final = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
_START: Final = 120.0
"""Seconds for a gateway to make its pools and answer."""

_CONFIG: Final = """\
[global]
fsid = {fsid}
mon initial members = a
mon host = {mon}
public network = 127.0.0.0/8
keyring = {folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
log file = {folder}/$name.log
admin socket = {folder}/$name.asok
pid file = {folder}/$name.pid
run dir = {folder}
ms bind ipv6 = false
[mon.a]
mon data = {folder}/mon
mon data avail crit = 1
[osd.0]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
[client.rgw.a]
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw enable usage log = false
rgw enable ops log = false
rgw thread pool size = 32
"""
_MAY: Final = {
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *"},
    "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
    "client.rgw.a": {"mon": "allow rw", "osd": "allow rwx"},
}


@contextmanager
def rgw(folder: Path) -> Iterator[Server]:
    """Run a cluster whose state lies in `folder`, and a gateway with the bucket of the other servers."""
    for tool in _TOOLS:
        require(tool, "Ceph's gateway")
    cluster = _Cluster(folder)
    with ExitStack() as running:
        cluster.start(running)
        server = Server(f"http://127.0.0.1:{cluster.port}")
        server.client.create_bucket(Bucket=BUCKET)
        yield server


class _Cluster:
    """One monitor, one disk, one gateway."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._fsid = str(uuid.uuid4())
        self._mon = f"[v2:127.0.0.1:{free_port()},v1:127.0.0.1:{free_port()}]"
        values = {"fsid": self._fsid, "mon": self._mon, "folder": folder, "port": self.port}
        for name in ("mon", "osd", "rgw"):
            (folder / name).mkdir()
        (folder / "ceph.conf").write_text(_CONFIG.format(**values))
        (folder / "keyring").write_text("".join(_keyring(who, may) for who, may in _MAY.items()))

    def start(self, running: ExitStack) -> None:
        """Make and start the three, each when the one before answers."""
        monmap = self.folder / "monmap"
        self._do("monmaptool", "--create", "--fsid", self._fsid, "--addv", "a", self._mon, str(monmap))
        self._do("ceph-mon", "--mkfs", "-i", "a", "--monmap", str(monmap), "--keyring", str(self.folder / "keyring"))
        self._run(running, "ceph-mon", "-i", "a", "-f")
        disk = str(uuid.uuid4())
        self._do("ceph", "osd", "new", disk)
        self._do("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        self._run(running, "ceph-osd", "-i", "0", "-f")
        gateway = self._run(running, "radosgw", "-n", "client.rgw.a", "-f")
        user = ("--uid=testing", "--display-name=testing", "--access-key=testing", "--secret=testing")
        self._do("radosgw-admin", "-n", "client.rgw.a", "user", "create", *user)
        self._wait(gateway)

    def _do(self, *words: str) -> None:
        config = () if words[0] == "monmaptool" else ("-c", str(self.folder / "ceph.conf"))
        done = subprocess.run(
            [words[0], *config, *words[1:]], capture_output=True, text=True, timeout=_START, check=False
        )
        assert not done.returncode, f"{' '.join(words)}: {done.stderr}"

    def _run(self, running: ExitStack, *words: str) -> subprocess.Popen[bytes]:
        log = running.enter_context((self.folder / f"{words[0]}.out").open("wb"))
        command = [words[0], "-c", str(self.folder / "ceph.conf"), *words[1:]]
        process = running.enter_context(subprocess.Popen(command, stdout=log, stderr=log))
        running.callback(process.kill)
        return process

    def _wait(self, gateway: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START
        while gateway.poll() is None and time.monotonic() < deadline:
            with suppress(TimeoutError):
                return wait_for(self.port)
        message = f"no gateway on port {self.port}: {(self.folder / 'radosgw.out').read_text()}"
        raise TimeoutError(message)


def _keyring(who: str, may: dict[str, str]) -> str:
    """Give an entry of a keyring: a key is its kind (AES), the time it was made, its length and its bytes."""
    key = base64.b64encode(struct.pack("<hiih", 1, int(time.time()), 0, 16) + os.urandom(16)).decode()
    caps = "".join(f'\tcaps {what} = "{how}"\n' for what, how in may.items())
    return f"[{who}]\n\tkey = {key}\n{caps}"
