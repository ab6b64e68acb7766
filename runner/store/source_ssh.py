"""Files of other machines as sources, over SFTP: known by md5, so they are read to be known, as DVC reads them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Self

from runner import digests
from runner.errors import ConfigError, ObjectMissing, RemoteError
from runner.hashes import Hash
from runner.store import ssh_client
from runner.store.source import OF_REMOTES, Part, changed, of_file, of_folder
from runner.store.ssh import SSH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.store.protocols import Sink
    from runner.store.source import Found


class SSHSource:
    """The files of one machine."""

    def __init__(self, machine: SSH) -> None:
        """Use the machine's files, by their absolute paths without the first slash."""
        self._machine = machine

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], environ: Mapping[str, str], /, *, guarded: bool) -> Self:
        """Open the machine of `ssh://user@host:port/path`.

        Raises:
            ConfigError: an option that is not supported, or a key that cannot be used.
            RemoteError: whoever chose the url is not trusted.

        """
        if guarded:
            message = f"{url} is not read with credentials for somebody who is not trusted"
            raise RemoteError(message)
        known = {name: value for name, value in options.items() if name not in OF_REMOTES}
        address = ssh_client.parse(url, known, environ)
        return cls(SSH(ssh_client.Session(address), address.url.removesuffix(address.path), "", whole=True))

    def find(self, url: str, *, folder: bool, versioned: bool) -> Found | None:  # noqa: ARG002 - the protocol's
        """See `SourceStore`. Every file is read."""
        if versioned:
            message = f"{url}: a folder keeps no versions"
            raise ConfigError(message, "import it without --version-aware")
        name = _name(url)
        if name in self._machine.exists([name]):
            return of_file(self._part("", name))
        found = [self._part(one[len(name) + 1 :], one) for one in self._machine.names(f"{name}/")]
        return of_folder(found) if found else None

    def get(self, url: str, part: Part, sink: Sink) -> None:
        """See `SourceStore`."""
        name = f"{_name(url)}/{part.relpath}" if part.relpath else _name(url)
        try:
            self._machine.get(name, sink)
        except ObjectMissing:
            raise changed(url) from None

    def _part(self, relpath: str, name: str) -> Part:
        read = _Read()
        self._machine.get(name, read)
        return Part(relpath, Hash(read.md5.hexdigest()), read.size)


class _Read:
    """Hashes what arrives, and keeps none of it."""

    def __init__(self) -> None:
        self.restart()

    def write(self, chunk: bytes, /) -> None:
        self.md5.update(chunk)
        self.size += len(chunk)

    def restart(self) -> None:
        self.md5 = digests.md5()
        self.size = 0


def _name(url: str) -> str:
    return posixpath.normpath(f"/{url.partition('://')[2].partition('/')[2]}").lstrip("/")
