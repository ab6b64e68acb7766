"""Connections to public addresses only, for urls that somebody chose who is not trusted.

A name is resolved once, every address it has is checked, and the connection goes to a checked one: between the check
and the connection nobody can answer differently. Redirects open connections like any other, so they are checked too.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from runner.errors import Denied

if TYPE_CHECKING:
    from collections.abc import Callable

    Resolve = Callable[[str, int], list[str]]
    Address = Callable[[str, int], str]

_HINT = "a pull request may name public addresses only; name the source on the target branch first"


def resolved(host: str, port: int) -> list[str]:
    """Give the addresses of a host, in the order in which they are to be tried.

    Raises:
        OSError: the name cannot be resolved.

    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Whether an address is on the internet: no loopback, private, link-local or shared one, however it is written."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        translated = ip in ipaddress.ip_network("64:ff9b::/96")
        ip = inner or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if translated else ip)
    return ip.is_global and not ip.is_multicast


def public_address(host: str, port: int, resolve: Resolve = resolved) -> str:
    """Give an address of `host` to connect to.

    Raises:
        Denied: one of its addresses is not public.
        OSError: the name cannot be resolved.

    """
    addresses = resolve(host.strip("[]"), port)
    for address in addresses:
        if not is_public(address):
            message = f"{host} is at {address}, which is no public address"
            raise Denied(message, _HINT)
    return addresses[0]


class PublicOnly(HTTPAdapter):
    """Requests' connections, each to a checked address."""

    def __init__(self, address: Address = public_address) -> None:
        """Connect to what `address` gives for a host and a port."""
        self._address = address
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - requests' own signature
        """Make connections of our own kind."""
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _pools(self._address)


def _pools(address: Address) -> dict[str, type[HTTPConnectionPool]]:
    """Make urllib3's connections go to the addresses that `address` gives; names and certificates stay the host's."""

    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, address)

    class SecureConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, address)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


def _connect(connection: HTTPConnection, address: Address) -> socket.socket:
    try:
        place = (address(connection.host, connection.port), connection.port)
        return create_connection(place, connection.timeout)
    except OSError as error:
        message = f"cannot connect: {error}"
        raise NewConnectionError(connection, message) from error
