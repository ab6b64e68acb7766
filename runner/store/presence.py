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
    for part in Names.of(names).parts(MOST):
        there = remote.exists(part.object_keys())
        yield from ((name, there[key]) for name, key in zip(part, part.object_keys(), strict=True) if key in there)


def lacking(remote: Remote, names: Iterable[Hash], fits: Callable[[str, int], bool]) -> Names:
    """Ask the remote itself; give those of `names` that it does not hold, or in a size that does not fit.

    Args:
        remote: what to ask.
        names: of objects.
        fits: whether the object of a key may have so many bytes.

    Raises:
        Denied, Unavailable: it could not be told. Never reported as absent.

    """
    found: list[Names] = []
    for part in Names.of(names).parts(MOST):
        there = remote.exists(part.object_keys())
        absent = {key for key in part.object_keys() if key not in there or not fits(key, there[key])}
        if absent:
            found.append(Names.of(name for name, key in zip(part, part.object_keys(), strict=True) if key in absent))
    return Names.united(found)
