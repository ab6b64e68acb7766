"""Changes of tracked data in the shapes of `dvc diff`: JSON, a Markdown table, lines for people. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from runner.engine.datadiff import shown
from runner.review.differences import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.engine.datadiff import Difference, Differences, Item, Lacking, Word

    Groups = Mapping[str, Iterable[Mapping[str, Any]]]
    """By word, each change with its `path` and `hash`; a change has two of one where its sides differ in it."""

MISSING: Final = "not in cache"
_WORDS: Final[tuple[Word, ...]] = ("added", "deleted", "modified", "renamed")
_SHOWN: Final = ("added", "deleted", "renamed", "modified", MISSING)
_SHORT: Final = 8


class Rows(Iterable[Mapping[str, Any]]):
    """Rows that may be very many: made each time that they are gone through."""

    def __init__(self, made: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        """Take what makes them."""
        self._made = made

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Give each."""
        return iter(self._made())


def grouped(changes: Differences, missing: Lacking | None) -> Groups:
    """Give changes as `dvc diff --json --show-hash` does: a directory's path ends in a slash; nothing changed is `{}`.

    Args:
        changes: what differs.
        missing: what the cache lacks, by path; `None`: not asked for.

    """
    if not (changes or missing):
        return {}
    groups: dict[str, Rows] = {word: Rows(partial(_rows, changes, word)) for word in _WORDS}
    if missing is not None:
        groups[MISSING] = Rows(lambda: ({"path": shown(one), "hash": _hash(one)} for one in missing))
    return groups


def _rows(changes: Differences, word: Word) -> Iterator[Mapping[str, Any]]:
    return map(_row, changes.of(word))


def _row(change: Difference) -> dict[str, Any]:
    old, new = change.old, change.new
    if old and new and old[0] == new[0]:
        return {"path": shown(old), "hash": {"old": _hash(old), "new": _hash(new)}}
    if old and new:
        return {"path": {"old": shown(old), "new": shown(new)}, "hash": _hash(old)}
    only = old or new
    return {"path": shown(only), "hash": _hash(only)} if only else {}


def _hash(item: Item) -> str | None:
    return item[1].value if item[1] else None


def without_hashes(groups: Groups) -> Groups:
    """Give the paths alone."""
    return {word: Rows(partial(_paths, rows)) for word, rows in groups.items()}


def _paths(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return ({"path": row["path"]} for row in rows)


def table(groups: Groups) -> Table:
    """Give the changes as DVC's Markdown table has them, with a column of hashes if they have any."""
    rows = [(word, row) for word in _SHOWN for row in groups.get(word, ())]
    if any("hash" in row for _, row in rows):
        return Table(("Status", "Hash", "Path"), tuple((word, _digest(row), _arrow(row)) for word, row in rows))
    return Table(("Status", "Path"), tuple((word, _arrow(row)) for word, row in rows))


def lines(groups: Groups) -> Iterator[str]:
    """Give the changes for people, by what happened, and how many files each."""
    counts: Counter[str] = Counter()
    for word in _SHOWN:
        for row in groups.get(word, ()):
            if word not in counts:
                yield f"{word.capitalize()}:"
            counts[word] += not _arrow(row).endswith("/")
            yield f"    {_digest(row)}  {_arrow(row)}" if "hash" in row else f"    {_arrow(row)}"
        if word in counts:
            yield ""
    if any(counts.values()):
        yield f"files summary: {', '.join(f'{count} {word}' for word, count in counts.items() if count)}"


def _arrow(row: Mapping[str, Any]) -> str:
    path = row["path"]
    return f"{path['old']} -> {path['new']}" if isinstance(path, dict) else str(path)


def _digest(row: Mapping[str, Any]) -> str:
    found = row["hash"]
    if isinstance(found, dict):
        return f"{(found['old'] or '')[:_SHORT]}..{(found['new'] or '')[:_SHORT]}"
    return (found or "")[:_SHORT]
