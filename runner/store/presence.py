"""Which of very many objects a remote holds, and in what size: asked in parts, so that only a part is held as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.hashes import Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.hashes import Hash
    from runner.store.remote import Remote

_MOST: Final = 1 << 16
"""Names in one question: 20 MB of text. A bucket is listed for as many in the fewest requests, see `survey`."""


def held(remote: Remote, names: Iterable[Hash]) -> Iterator[tuple[Hash, int]]:
    """Ask the remote itself which of `names` it holds; give those, and their sizes in bytes.

    Raises:
        Denied, Unavailable: it could not be told. Never reported as absent.

    """
    for part in Names.of(names).parts(_MOST):
        keys = {name.key: name for name in part}
        yield from ((keys[key], size) for key, size in remote.exists(keys).items())
