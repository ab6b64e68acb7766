"""A connection over SSH from DVC's options of a remote, `~/.ssh/config` and the environment; used from any thread.

Stricter than DVC's: a host is believed only if its key is known, and the agent is never forwarded to it. What asyncssh
needs beyond what is given here (the user's own files, proxies of `~/.ssh/config`) it reads by itself.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import threading
import weakref
from concurrent.futures import CancelledError
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import asyncssh

from runner.errors import ConfigError, Unavailable
from runner.store.remote import refuse_unknown
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from concurrent.futures import Future

    from asyncssh import SFTPClient, SSHClientConnection

T = TypeVar("T")
logger = logging.getLogger("retrain")

KEY: Final = "RETRAIN_SSH_KEY"
KNOWN_HOSTS: Final = "RETRAIN_SSH_KNOWN_HOSTS"
"""Variables with a private key and with lines of a known_hosts file, for jobs that have no home of their own."""

LOGIN_TIMEOUT: Final = 30.0
"""Seconds to connect and sign in, where the remote's options say nothing."""

_STILL: Final = 10
"""Seconds of silence after which the server is asked whether it is there; three times, then the line counts as cut."""

_KNOWN: Final = frozenset(
    {
        "type", "port", "user", "password", "ask_password", "passphrase", "ask_passphrase", "keyfile",
        "timeout", "gss_auth", "allow_agent", "max_sessions",
    }
)  # fmt: skip
"""DVC's options of such a remote; `type` and `max_sessions` change nothing: one session serves every thread."""

_CIPHERS: Final = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "chacha20-poly1305@openssh.com")
_GLOBAL: Final = "/etc/ssh/ssh_known_hosts"


@dataclass(frozen=True)
class Address:
    """Where a server is, and what to show there.

    Attributes:
        host: as the url names it; `~/.ssh/config` may say where that is.
        port: 0: as `~/.ssh/config` says, or 22.
        path: of a folder there, absolute.
        given: further arguments of `asyncssh.connect`.
        known_hosts: lines beside those of the user's files.

    """

    host: str
    port: int
    path: str
    given: Mapping[str, Any] = field(repr=False)
    known_hosts: str = ""

    @property
    def url(self) -> str:
        """The url, without a password."""
        user = f"{self.given['username']}@" if "username" in self.given else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ssh://{user}{host}{f':{self.port}' if self.port else ''}{self.path}"


def parse(url: str, options: Mapping[str, object], environ: Mapping[str, str]) -> Address:
    """Take the url and the options apart; an option counts before what the url says.

    Raises:
        ConfigError: an option that is not supported or cannot be used, or a url without a host.

    """
    refuse_unknown(url, options, _KNOWN)
    place, slash, path = url.partition("://")[2].partition("/")
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        message = f"remote: {error}"
        raise ConfigError(message, "write ssh://HOST:PORT/PATH, and the user in the option `user`") from error
    if not host or not slash:
        message = f"remote {url!r} names no host and path"
        raise ConfigError(message, "write ssh://HOST:PORT/PATH, and the user in the option `user`")
    given: dict[str, Any] = {**_signing_in(url, options, environ), **_manners(options)}
    if user := options.get("user") or parts.username:
        given["username"] = str(user)
    if password := options.get("password") or parts.password:
        given["password"] = str(password)
    number = int(str(options.get("port") or port or 0))
    return Address(host, number, f"/{path}".rstrip("/"), given, environ.get(KNOWN_HOSTS, ""))


def _manners(options: Mapping[str, object]) -> dict[str, Any]:
    seconds = float(str(options.get("timeout") or LOGIN_TIMEOUT))
    return {
        "connect_timeout": seconds,
        "login_timeout": seconds,
        "keepalive_interval": _STILL,
        "encryption_algs": _CIPHERS,
        "compression_algs": None,
        "agent_forwarding": False,
    }


def _signing_in(url: str, options: Mapping[str, object], environ: Mapping[str, str]) -> dict[str, Any]:
    """Give what signs in, without user and password: keys, agent, Kerberos."""
    for asked, secret in (("ask_password", "password"), ("ask_passphrase", "passphrase")):
        if options.get(asked) and not options.get(secret):
            message = f"remote {url!r}: nobody can be asked for a {secret} here ({asked})"
            raise ConfigError(message, f"put {secret} into .dvc/config.local, which git does not track, or use a key")
    if options.get("gss_auth") and importlib.util.find_spec("gssapi") is None:
        message = f"remote {url!r}: gss_auth needs packages that are not installed (gssapi)"
        raise ConfigError(message, "pip install gssapi, or sign in with a key")
    kerberos = bool(options.get("gss_auth"))
    given: dict[str, Any] = {"gss_auth": kerberos, "gss_kex": kerberos}
    agent = environ.get("SSH_AUTH_SOCK") if options.get("allow_agent") is not False else None
    given["agent_path"] = agent or None
    passphrase = str(options["passphrase"]) if options.get("passphrase") else None
    if passphrase:
        given["passphrase"] = passphrase
    key = environ.get(KEY)
    if key or options.get("keyfile"):
        given["client_keys"] = [_key(url, key, str(options.get("keyfile")), passphrase)]
        given["agent_path"] = None
    return given


def _key(url: str, text: str | None, path: str, passphrase: str | None) -> asyncssh.SSHKey:
    """Read a private key: the job's own before the one whose file the options name."""
    named = f"the variable {KEY}" if text else path
    try:
        if text:
            return asyncssh.import_private_key(text.strip() + "\n", passphrase)
        return asyncssh.read_private_key(Path(path).expanduser(), passphrase)
    except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        message = f"remote {url!r}: {named} holds no private key that can be used: {error}"
        raise ConfigError(message, "name a private key; if it has a passphrase, set the option passphrase") from error


class Session:
    """One connection to a server: made when it is first needed, made anew when it was lost, shared by all threads."""

    def __init__(self, address: Address) -> None:
        """Do nothing yet."""
        self._address = address
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_untold)
        self._thread = threading.Thread(target=self._loop.run_forever, name="ssh", daemon=True)
        self._starting = threading.Lock()
        self._lines: list[tuple[SSHClientConnection, SFTPClient]] = []
        self._one = asyncio.Lock()
        self.close = weakref.finalize(self, _close, self._loop, self._thread, self._lines)

    def run(self, work: Callable[[SFTPClient], Coroutine[Any, Any, T]]) -> T:
        """Give what `work` gives, which is awaited beside the work of other threads.

        Raises:
            OSError, asyncssh.Error: of the connection, or of `work`.

        """
        future = self.begin(work)
        try:
            return future.result()
        except CancelledError as error:
            message = f"{self._address.url}: the connection was closed"
            raise Unavailable(message, "try again") from error
        finally:
            future.cancel()

    def begin(self, work: Callable[[SFTPClient], Coroutine[Any, Any, T]]) -> Future[T]:
        """Begin what `run` does, and give where its result will be."""
        with self._starting:
            if not self._thread.is_alive():
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._with_line(work), self._loop)

    async def _with_line(self, work: Callable[[SFTPClient], Coroutine[Any, Any, T]]) -> T:
        async with self._one:
            if not self._lines or self._lines[0][0].is_closed():
                self._lines[:] = [await _connect(self._address)]
            line = self._lines[0]
        try:
            return await work(line[1])
        except (asyncssh.DisconnectError, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
            line[0].abort()
            raise


def _untold(_: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
    """Keep to ourselves what nobody waits for: of a line that is cut, every request that was under way says so."""
    logger.debug("ssh: %s", about.get("exception") or about.get("message"))


async def _connect(address: Address) -> tuple[SSHClientConnection, SFTPClient]:
    given: dict[str, Any] = {**address.given, "port": address.port or (), "known_hosts": _known_hosts(address)}
    connection = await asyncssh.connect(address.host, **given)
    try:
        return connection, await connection.start_sftp_client(path_errors="surrogateescape")
    except BaseException:
        connection.abort()
        raise


def _known_hosts(address: Address) -> asyncssh.SSHKnownHosts:
    """Read the files that `~/.ssh/config` names, or the usual ones. That nothing is known never means that all is."""
    found = asyncssh.SSHClientConnectionOptions(config=(), host=address.host, port=address.port or (), **address.given)
    named = found.known_hosts if isinstance(found.known_hosts, list) and found.known_hosts else None
    lines = [address.known_hosts]
    for path in named or ["~/.ssh/known_hosts", _GLOBAL]:
        lines.extend(_text(Path(str(path)).expanduser()))
    return asyncssh.import_known_hosts("\n".join(lines))


def _text(path: Path) -> Iterator[str]:
    try:
        yield path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return


def _close(
    loop: asyncio.AbstractEventLoop, thread: threading.Thread, lines: list[tuple[SSHClientConnection, SFTPClient]]
) -> None:
    """Hang up, and end the thread; raise nothing, for the collector calls this in the middle of anything."""

    async def hang_up() -> None:
        for connection, _ in lines:
            connection.close()
            await asyncio.wait([asyncio.ensure_future(connection.wait_closed())], timeout=1)

    def end() -> None:
        loop.create_task(hang_up()).add_done_callback(lambda _: loop.stop())

    if threading.current_thread() is thread:  # what it was doing was the last to know of the session
        end()
    elif thread.is_alive():
        loop.call_soon_threadsafe(end)
        thread.join()
        loop.close()
    else:
        loop.close()
