"""Where things stand in a YAML text: lines and columns by path, for messages. Reads the text once for all questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yaml.error import YAMLError

from runner.pipeline.yaml12_events import tree
from runner.pipeline.yaml12_scalars import YAML_12, for_keys

if TYPE_CHECKING:
    from runner.pipeline.yaml12_events import Mark, Node

_BOM: Final = "\ufeff"
_KEYS: Final = for_keys(YAML_12)
_IN_A_WORD: Final = "_./@-"


class Outline:
    """The node tree of one text. Of a text that is not YAML everything stands at its beginning."""

    def __init__(self, text: str) -> None:
        """Read the text."""
        self._source = text.removeprefix(_BOM)
        try:
            self._root = tree(self._source)
        except (YAMLError, UnicodeEncodeError):
            self._root = None
        self._keys: dict[int, dict[object, tuple[Mark, Node]]] = {}  # by the id of a mapping's node

    def has(self, *path: str | int) -> bool:
        """Whether there is a node at exactly this path."""
        node = self._root
        for step in path:
            found = self._child(node, step)
            if found is None:
                return False
            node = found[1]
        return node is not None

    def locate(self, *path: str | int) -> tuple[int, int]:
        """Give line and column, from 1, of the node at `path`, or of its nearest ancestor.

        An entry of a mapping is where its key is. (1, 1) for an empty path.
        """
        mark, _ = self._nearest(path)
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)

    def find(self, text: str, *path: str | int) -> tuple[int, int]:
        """Give line and column, from 1, of the first `text` in the key or the value at `path`, or as `locate` does."""
        mark, node = self._nearest(path)
        found = self._source.find(text, mark.index, node.end_mark.index) if mark and node else -1
        return self.locate(*path) if found < 0 else self._place(found)

    def _place(self, index: int) -> tuple[int, int]:
        line_start = self._source.rfind("\n", 0, index) + 1
        return self._source.count("\n", 0, index) + 1, index - line_start + 1

    def spot(self, word: str, *path: str | int) -> tuple[int, int] | None:
        """Give line and column, from 1, of the first `word` inside the node at `path`; `None` where there is none.

        A word is not a part of a longer path or number. Text written with escapes is not found.
        """
        _, node = self._nearest(path)
        found = self._occurrence(word, node.start_mark.index, node.end_mark.index) if node else -1
        return None if found < 0 else self._place(found)

    def _occurrence(self, word: str, start: int, end: int) -> int:
        """Give the index of the first occurrence that is not a part of a longer word; -1 where there is none."""
        at = self._source.find(word, start, end)
        while at >= 0:
            around = (self._source[at - 1 : at], self._source[at + len(word) : at + len(word) + 1])
            if not any(side.isalnum() or side in _IN_A_WORD for side in around if side):
                return at
            at = self._source.find(word, at + 1, end)
        return at

    def text(self, *path: str | int) -> str:
        """Give the node at `path` as it is written, or its nearest ancestor."""
        _, node = self._nearest(path)
        return self._source[node.start_mark.index : node.end_mark.index] if node else ""

    def _nearest(self, path: tuple[str | int, ...]) -> tuple[Mark | None, Node | None]:
        """Give the mark of the node at `path`, or of its nearest ancestor, and that node."""
        mark, node = None, self._root
        for step in path:
            found = self._child(node, step)
            if found is None:
                break
            mark, node = found
        return mark, node

    def _child(self, node: Node | None, step: str | int) -> tuple[Mark, Node] | None:
        """Find the node one step below `node`, and the mark that stands for it."""
        if node is None or node.id == "scalar":
            return None
        if node.id == "sequence":
            inside = isinstance(step, int) and step < len(node.value)
            return (node.value[step].start_mark, node.value[step]) if inside else None
        if id(node) not in self._keys:
            entries = reversed([entry for entry in node.value if entry[0].id == "scalar"])  # of two the first is meant
            self._keys[id(node)] = {_key(key): (key.start_mark, value) for key, value in entries}
        return self._keys[id(node)].get(step)


def _key(node: Node) -> object:
    """Resolve a key as `parse` does, so that `1:` is found by the number."""
    read_plain = None if node.style else _KEYS.get(node.value[:1])
    try:
        return node.value if read_plain is None else read_plain(node.value)
    except (ValueError, OverflowError):
        return node.value
