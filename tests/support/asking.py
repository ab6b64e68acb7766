"""What tests of several remotes ask of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.sinks import Collected

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runner.store.remote import Remote

NAME = "files/md5/ab/c"


def content_of(remote: Remote, name: str = NAME) -> bytes:
    """Give the bytes of an object."""
    sink = Collected()
    remote.get(name, sink)
    return bytes(sink.content)


def calls(remote: Remote, source: Path) -> list[Callable[[], object]]:
    """Give everything that one can ask of a remote, one by one and many at once."""
    return [
        lambda: remote.put(NAME, source),
        lambda: remote.get(NAME, Collected()),
        lambda: remote.exists([NAME]),
        lambda: remote.exists([f"files/md5/ab/{number}" for number in range(10)]),
        lambda: list(remote.names("")),
    ]
