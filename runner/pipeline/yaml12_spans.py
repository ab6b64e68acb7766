"""Where the entries of one mapping stand in a YAML text, noted while its events pass by.

With it a file can be changed entry by entry, all other text kept as it is (dvc.lock, dvc.yaml).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.pipeline.yaml12_events import ALIAS, MAPPING, MAPPING_END, SCALAR, SEQUENCE, SEQUENCE_END

if TYPE_CHECKING:
    from runner.pipeline.yaml12_events import Event, Mark

_STARTS: Final = frozenset({MAPPING, SEQUENCE})
_ENDS: Final = frozenset({MAPPING_END, SEQUENCE_END})
_LEAVES: Final = frozenset({SCALAR, ALIAS})
_ROOT: Final = 1  # depth inside the root mapping
_ENTRIES: Final = 2  # depth inside the watched mapping


class SpanWatch:
    """Watches the events of one document and notes the lines of each entry under a top-level key.

    Attributes:
        spans: name of an entry -> half-open range of lines from 0, from its key to the last line of its content.
        entangled: an entry cannot be replaced without touching others: it shares an anchor or a line.

    """

    def __init__(self, source: str, under: str) -> None:
        """Watch for the block mapping under `under`; `source` is the text the marks of the events count in."""
        self.spans: dict[str, tuple[int, int]] = {}
        self.entangled = False
        self._source = source
        self._under = under
        self._depth = 0
        self._at_key = False  # of the two levels that matter only one is current at a time
        self._root_key = ""
        self._indent = -1  # column of the watched mapping's keys; -1 outside it
        self._entry: tuple[str, int] | None = None  # name and first line of the entry that is open
        self._content_end: Mark | None = None  # of the last content seen
        self._owners: dict[str, tuple[str, int] | None] = {}  # anchor -> entry that sets it

    def see(self, event: Event) -> None:
        """Take the next event."""
        kind = type(event)
        if kind in _ENDS:
            self._close(event)
            return
        if kind in _LEAVES or kind in _STARTS:
            if self._depth == _ROOT:
                self._see_at_root(event)
            elif self._depth == _ENTRIES and self._indent >= 0:
                self._see_in_mapping(event)
            if event.anchor is not None:
                self._see_anchor(event, event.anchor)
            if kind in _STARTS:
                self._open()
            else:
                self._content_end = event.end_mark

    def _open(self) -> None:
        self._depth += 1
        if self._depth <= _ENTRIES:
            self._at_key = False

    def _close(self, event: Event) -> None:
        self._depth -= 1
        if event.end_mark.index > event.start_mark.index:
            self._content_end = event.end_mark  # a closing bracket; the end of a block has no width
        if self._depth == _ROOT:
            self._finish(event.end_mark.line)
            self._indent = -1
            self._at_key = False

    def _see_at_root(self, event: Event) -> None:
        self._at_key = not self._at_key
        if self._at_key:
            self._root_key = event.value if type(event) is SCALAR else ""
            self.entangled |= type(event) in _STARTS  # its end would pass for that of a value
        elif self._root_key == self._under and type(event) is MAPPING and not event.flow_style:
            self._indent = event.start_mark.column
            # An anchor or a tag stands where the first key would be measured.
            self.entangled |= event.anchor is not None or event.tag is not None

    def _see_in_mapping(self, event: Event) -> None:
        self._at_key = not self._at_key
        if not self._at_key:
            return
        mark = event.start_mark
        self._finish(mark.line)
        before = self._source[mark.index - mark.column : mark.index]
        alone = before in {" " * self._indent, " " * self._indent + "? "}
        if type(event) is not SCALAR or not alone:
            self.entangled = True
            return
        self._entry = (event.value, mark.line)

    def _finish(self, limit: int) -> None:
        """End the open entry where its content ended, at the latest at line `limit`."""
        if self._entry is not None and self._content_end is not None:
            name, start = self._entry
            end = self._content_end.line + (self._content_end.column > 0)
            self.spans[name] = (start, min(end, limit))
        self._entry = None

    def _see_anchor(self, event: Event, name: str) -> None:
        if type(event) is not ALIAS:
            self._owners[name] = self._entry
            return
        owner = self._owners.get(name)
        if owner is not None and owner != self._entry:
            self.entangled = True
