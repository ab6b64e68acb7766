"""Changes of tracked data in the shapes of `dvc diff`: JSON, a Markdown table, lines for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runner.review.differences import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.engine.datadiff import Difference, Item

    Groups = Mapping[str, Sequence[dict[str, Any]]]
    """By word, each change with its `path` and `hash`; a change has two of one where its sides differ in it."""

MISSING: Final = "not in cache"
_WORDS: Final = ("added", "deleted", "modified", "renamed", MISSING)
_SHOWN: Final = ("added", "deleted", "renamed", "modified", MISSING)
_SHORT: Final = 8


def grouped(changes: Sequence[Difference], missing: Sequence[Item] | None) -> Groups:
    """Give changes as `dvc diff --json --show-hash` does: a directory's path ends in a slash; nothing changed is `{}`.

    Args:
        changes: what differs.
        missing: what the cache lacks; `None`: not asked for.

    """
    found: dict[str, list[dict[str, Any]]] = {word: [] for word in _WORDS if word != MISSING or missing is not None}
    for change in changes:
        found[change.word].append(_row(change))
    for item in missing or ():
        found[MISSING].append({"path": _path(item), "hash": item[1] and item[1].value})
    return {word: sorted(rows, key=_first) for word, rows in found.items()} if any(found.values()) else {}


def _row(change: Difference) -> dict[str, Any]:
    old, new = change.old, change.new
    if old and new and old[0] == new[0]:
        return {"path": _path(old), "hash": {"old": _hash(old), "new": _hash(new)}}
    if old and new:
        return {"path": {"old": _path(old), "new": _path(new)}, "hash": _hash(old)}
    only = old or new
    return {"path": _path(only), "hash": _hash(only)} if only else {}


def _path(item: Item) -> str:
    return f"{item[0]}/" if item[1] and item[1].is_dir else item[0]


def _hash(item: Item) -> str | None:
    return item[1].value if item[1] else None


def _first(row: Mapping[str, Any]) -> str:
    path = row["path"]
    return str(path["old"] if isinstance(path, dict) else path)


def without_hashes(groups: Groups) -> Groups:
    """Give the paths alone."""
    return {word: [{"path": row["path"]} for row in rows] for word, rows in groups.items()}


def table(groups: Groups) -> Table:
    """Give the changes as DVC's Markdown table has them, with a column of hashes if they have any."""
    rows = [(word, row) for word in _SHOWN for row in groups.get(word, ())]
    if any("hash" in row for _, row in rows):
        return Table(("Status", "Hash", "Path"), tuple((word, _digest(row), _arrow(row)) for word, row in rows))
    return Table(("Status", "Path"), tuple((word, _arrow(row)) for word, row in rows))


def lines(groups: Groups) -> Iterator[str]:
    """Give the changes for people, by what happened, and how many files each."""
    for word in _SHOWN:
        if groups.get(word):
            yield f"{word.capitalize()}:"
            for row in groups[word]:
                yield f"    {_digest(row)}  {_arrow(row)}" if "hash" in row else f"    {_arrow(row)}"
            yield ""
    counts = {word: sum(not _arrow(row).endswith("/") for row in groups.get(word, ())) for word in _SHOWN}
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
