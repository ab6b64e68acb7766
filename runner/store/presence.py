"""Which of very many objects a remote holds, and in what size: asked in parts, so that only a part is held as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.hashes import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from runner.hashes import Hash
    from runner.store.remote import Remote

MOST: Final = 1 << 16
"""Names in one question: 20 MB of text. A bucket is listed for as many in the fewest requests, see `survey`."""


def held(remote: Remote, names: Iterable[Hash]) -> Iterator[tuple[Hash, int]]:
    """Ask the remote itself which of `names` it holds; give those, and their sizes in bytes.

    Raises:
        Denied, Unavailable: it could not be told. Never reported as absent.

    """
    return ((name, size) for name, size in _asked(remote, names) if size is not None)


def lacking(remote: Remote, names: Iterable[Hash], fits: Callable[[Hash, int], bool]) -> Names:
    """Ask the remote itself; give those of `names` that it does not hold, or in a size that does not fit.

    Raises:
        Denied, Unavailable: it could not be told. Never reported as absent.

    """
    return Names.of(name for name, size in _asked(remote, names) if size is None or not fits(name, size))


def _asked(remote: Remote, names: Iterable[Hash]) -> Iterator[tuple[Hash, int | None]]:
    for part in Names.of(names).parts(MOST):
        keys = {name.key: name for name in part}
        there = remote.exists(keys)
        yield from ((name, there.get(key)) for key, name in keys.items())
