"""OpenSSH's own server, started once a session on a free port, with keys and a configuration of its own."""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.store.ssh import SSH
from runner.store.ssh_client import KNOWN_HOSTS
from tests.support.ports import free_port, wait_for
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
MaxStartups 100
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class Server:
    """A running sshd, which lets in the user of the tests with the key `user` or `guarded` (passphrase: `testing`).

    Attributes:
        port: on 127.0.0.1.
        pid: the process that listens; each connection is a child of it.
        folder: holds the keys, and what was stored below `root`.

    """

    port: int
    pid: int
    folder: Path

    @property
    def known_hosts(self) -> str:
        """The line that a user has of this host."""
        kind, key, *_ = (self.folder / "host.pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"

    @property
    def environ(self) -> dict[str, str]:
        """An environment that knows the host."""
        return {KNOWN_HOSTS: self.known_hosts}

    @property
    def options(self) -> dict[str, object]:
        """DVC's options of a remote on this server."""
        return {"user": getpass.getuser(), "keyfile": str(self.folder / "user")}

    def url(self, prefix: str) -> str:
        """Give the url of a folder below `root`."""
        return f"ssh://127.0.0.1:{self.port}{self.folder}/root/{prefix}"

    def remote(self, prefix: str, **options: object) -> SSH:
        """Open the remote at a folder, without retries."""
        return SSH.open(self.url(prefix), self.options | options, self.environ)

    def cut(self) -> None:
        """Cut every connection."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for child in map(int, children):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def stored(self, prefix: str) -> Path:
        """Give the folder as it lies on the disk."""
        return self.folder / "root" / prefix


@contextmanager
def sshd(folder: Path) -> Iterator[Server]:
    """Serve `folder`."""
    command = require("/usr/sbin/sshd", "a real SSH server")
    for name, passphrase in (("host", ""), ("user", ""), ("guarded", "testing")):
        keygen = [str(require("ssh-keygen")), "-q", "-t", "ed25519", "-N", passphrase, "-f", str(folder / name)]
        subprocess.run(keygen, check=True)
    (folder / "authorized").write_text((folder / "user.pub").read_text() + (folder / "guarded.pub").read_text())
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it locks itself in; Debian makes it when the service starts
    port = free_port()
    (folder / "config").write_text(_CONFIG.format(port=port, folder=folder))
    process = subprocess.Popen([command, "-D", "-f", folder / "config", "-E", folder / "log"])
    try:
        wait_for(port)
        yield Server(port, process.pid, folder)
    finally:
        process.terminate()
        process.wait()
