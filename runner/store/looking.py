"""Reading a listing where it lies in a remote, verified, without keeping anything of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Corrupt
from runner.hashes import Tree
from runner.store.digest import digest_for, fits

if TYPE_CHECKING:
    from runner.hashes import Hash
    from runner.store.remote import Remote


def listing(remote: Remote, name: Hash) -> Tree:
    """Read a listing.

    Raises:
        Corrupt: it holds other bytes.

    """
    held = _Held()
    remote.get(name.key, held)
    digest = digest_for(name)
    for chunk in held.chunks:
        digest.update(chunk)
    if not fits(digest, name):
        size = sum(map(len, held.chunks))
        message = f"{name.key} in {remote.url} holds {size} bytes of md5 {digest.hexdigest()}"
        raise Corrupt(message, "push it again from a good copy")
    tree = Tree.read(held.chunks, name.name)
    return tree if tree is not None else Tree.parse(b"".join(held.chunks), f"the listing {name}", name.name)


class _Held:
    """A sink in memory."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def write(self, chunk: bytes, /) -> None:
        self.chunks.append(chunk)

    def restart(self) -> None:
        self.chunks.clear()
