"""Which of many objects a bucket holds, by listing where that takes fewer requests than a question each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Protocol

from runner.errors import Denied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OBJECTS: Final = "files/md5/"
_PAGE: Final = 1000
_FEW: Final = 3
_DIGITS: Final = 16
_LONG: Final = 32
"""So many pages of names with one first digit are better listed side by side, by the second one."""
_SPAN: Final = 1 << 32


class Bucket(Protocol):
    """What can be listed in the order of its names."""

    def first_page(self, prefix: str, /) -> tuple[list[tuple[str, int]], bool]:
        """Give the names and sizes of the first page below `prefix`, and whether that is all."""

    def listed(self, prefix: str, after: str, /) -> Iterator[Sequence[tuple[str, int]]]:
        """Give names, which begin with `prefix` and come after `after`, and sizes, some at a time."""


def survey(bucket: Bucket, wanted: set[str], threads: int) -> tuple[dict[str, int], set[str]]:
    """Find what listing can tell of `wanted` for less than a question a name.

    The first page tells how many objects there are: names are hashes, spread evenly, so that where the page ends
    says which part of all it was. Who may not list may still be allowed to ask for single objects.

    Args:
        bucket: what to ask.
        wanted: names of objects.
        threads: how many listings at once.

    Returns:
        Sizes in bytes of what was seen, by name; and the names that have still to be asked for one by one.

    Raises:
        Unavailable: the bucket could not be listed.

    """
    if sum(name.startswith(_OBJECTS) for name in wanted) <= _FEW:
        return {}, wanted
    try:
        page, complete = bucket.first_page(_OBJECTS)
        if page != sorted(page):  # a directory bucket of S3 lists in no order: what is behind cannot be told
            return {}, wanted
        there = {name: size for name, size in page if name in wanted}
        behind = {name for name in wanted if name.startswith(_OBJECTS) and not complete and name > page[-1][0]}
        digits = {name[len(_OBJECTS)] for name in behind}
        pages = _pages_behind(page) * len(digits) / _DIGITS if behind else 0
        if behind and pages + _DIGITS < len(behind):  # a page costs more than a question: where it is close, ask
            width = len(_OBJECTS) + (1 if pages <= _LONG * len(digits) else 2)
            there |= _behind(bucket, page[-1][0], behind, width, threads)
            behind = set()
    except Denied:
        return {}, wanted
    return there, behind | {name for name in wanted if not name.startswith(_OBJECTS)}


def _behind(bucket: Bucket, last: str, wanted: set[str], width: int, threads: int) -> dict[str, int]:
    """List what comes after `last` and begins as any of `wanted` does in its first `width` characters, in parallel."""

    def shard(prefix: str) -> dict[str, int]:
        after = last if last.startswith(prefix) else prefix  # no object has the prefix as its whole name
        return {name: size for some in bucket.listed(prefix, after) for name, size in some if name in wanted}

    there: dict[str, int] = {}
    with ThreadPoolExecutor(threads) as crew:
        for found in crew.map(shard, sorted({name[:width] for name in wanted})):
            there |= found
    return there


def _pages_behind(page: list[tuple[str, int]]) -> int:
    """Estimate how many pages come after the first one."""
    digits = page[-1][0].removeprefix(_OBJECTS).replace("/", "")[:8]
    try:
        covered = (int(digits, 16) + 1) / _SPAN
    except ValueError:
        covered = 1.0
    return int(len(page) / covered / _PAGE)
