"""Paths and edges, in linear time and without recursion; knows neither stages nor files.

The orders are DVC's: a trie iterated in order of insertion, and networkx' depth-first post-order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

T = TypeVar("T")


class _Node(Generic[T]):
    """One component of a path: what ends here, and what goes on below."""

    __slots__ = ("children", "ending")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.ending: list[T] = []

    def walk(self) -> Iterator[T]:
        """Yield everything below, depth first, in order of insertion; not what ends here."""
        stack = [iter(self.children.values())]
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
                continue
            yield from node.ending
            stack.append(iter(node.children.values()))


class PathTree(Generic[T]):
    """Values under normalised POSIX paths; `.` is the root. Questions cost the depth of the path."""

    def __init__(self, entries: Iterable[tuple[str, T]] = ()) -> None:
        """Take `(path, value)` pairs; a path may come more than once."""
        self._root: _Node[T] = _Node()
        for path, value in entries:
            self._require(path).ending.append(value)

    def _require(self, path: str) -> _Node[T]:
        node = self._root
        for part in _parts(path):
            if part not in node.children:
                node.children[part] = _Node()
            node = node.children[part]
        return node

    def at_or_above(self, path: str) -> tuple[T, ...]:
        """Give the values at the path and at the folders that hold it, outermost first."""
        node: _Node[T] | None = self._root
        found = list(self._root.ending)
        for part in _parts(path):
            node = node.children.get(part) if node else None
            if node is None:
                break
            found += node.ending
        return tuple(found)

    def above(self, path: str) -> tuple[T, ...]:
        """Give the values at the folders that hold the path, outermost first; not at the path itself."""
        return () if path == "." else self.at_or_above(path.rpartition("/")[0] or ".")

    def below(self, path: str) -> tuple[T, ...]:
        """Give the values strictly inside the folder `path`, in the order of DVC's trie."""
        node: _Node[T] | None = self._root
        for part in _parts(path):
            node = node.children.get(part) if node else None
        return tuple(node.walk()) if node else ()


def _parts(path: str) -> list[str]:
    return [] if path == "." else path.split("/")


def post_order(nodes: Iterable[int], edges: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Order `nodes` so that what `edges[node]` names comes first: depth-first post-order.

    Follows edges to nodes that were not given too; those given keep their order where they are
    independent. A cycle does not hang it.
    """
    done: dict[int, None] = {}
    seen: set[int] = set()
    for start in nodes:
        if start in seen:
            continue
        seen.add(start)
        stack = [(start, iter(edges[start]))]
        while stack:
            node, targets = stack[-1]
            target = next((t for t in targets if t not in seen), None)
            if target is None:
                done[node] = None
                stack.pop()
                continue
            seen.add(target)
            stack.append((target, iter(edges[target])))
    return tuple(done)


def cycles(edges: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """One shortest way round for each group of nodes that reach one another; self-edges included.

    The groups come from Kosaraju's method: a post-order, then a sweep of the reversed edges.
    """
    backwards: list[list[int]] = [[] for _ in edges]
    for node, targets in enumerate(edges):
        for target in targets:
            backwards[target].append(node)
    found = []
    seen: set[int] = set()
    for root in reversed(post_order(range(len(edges)), edges)):
        if root in seen:
            continue
        group = _reached(root, backwards, seen)
        seen |= group
        if len(group) > 1 or root in edges[root]:
            found.append(_way_round(min(group), edges, group))
    return tuple(sorted(found))


def _reached(root: int, edges: Sequence[Sequence[int]], barred: set[int]) -> set[int]:
    group = {root}
    waiting = [root]
    while waiting:
        for target in edges[waiting.pop()]:
            if target not in group and target not in barred:
                group.add(target)
                waiting.append(target)
    return group


def _way_round(start: int, edges: Sequence[Sequence[int]], group: set[int]) -> tuple[int, ...]:
    """Breadth first from `start` back to itself, inside its group."""
    came_from: dict[int, int] = {}
    waiting = [start]
    for node in waiting:
        if start in edges[node]:
            way = [node]
            while way[-1] != start:
                way.append(came_from[way[-1]])
            return tuple(reversed(way))
        for target in edges[node]:
            if target in group and target not in came_from and target != start:
                came_from[target] = node
                waiting.append(target)
    return (start,)
