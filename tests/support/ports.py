"""Ports for servers that the tests start as processes."""

from __future__ import annotations

import socket
import time


def free_port() -> int:
    """Give a port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Wait until somebody answers on a port of 127.0.0.1.

    Raises:
        TimeoutError: nobody does, for five seconds.

    """
    for _ in range(100):
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    message = f"nobody answers on port {port}"
    raise TimeoutError(message)
