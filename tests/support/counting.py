"""A line to a server that counts what goes over it."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Line(ThreadingTCPServer):
    """Passes connections on to a port of 127.0.0.1.

    Attributes:
        sent: bytes that went to the server so far.

    """

    daemon_threads = True

    def __init__(self, server: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.server_port = server
        self.sent = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        found: int = self.server_address[1]
        return found


class _Connection(BaseRequestHandler):
    server: Line

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.server_port)) as there:
            back = threading.Thread(target=self._answers, args=(there,))
            back.start()
            with suppress(OSError):
                while chunk := self.request.recv(1 << 16):
                    self.server.sent += len(chunk)
                    there.sendall(chunk)
            with suppress(OSError):
                there.shutdown(socket.SHUT_WR)
            back.join()

    def _answers(self, there: socket.socket) -> None:
        with suppress(OSError):
            while chunk := there.recv(1 << 16):
                self.request.sendall(chunk)
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)


@contextmanager
def line(server: int) -> Iterator[Line]:
    """Open a line to the server on a port, for the length of a block."""
    opened = Line(server)
    thread = threading.Thread(target=opened.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield opened
    finally:
        opened.shutdown()
        thread.join()
        opened.socket.close()
