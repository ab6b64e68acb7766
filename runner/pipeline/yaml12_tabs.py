"""Tabs that DVC's YAML reader refuses and libyaml takes as blanks, found while the events pass by.

Outside quotes, block scalars, brackets and comments, a tab is an error for DVC; inside an unquoted value it is one
everywhere. Reading such a file here would pass in review what DVC then cannot read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from runner.pipeline.yaml12_events import MAPPING, MAPPING_END, SCALAR, SEQUENCE, SEQUENCE_END, is_plain
from runner.regexes import regex

if TYPE_CHECKING:
    from runner.pipeline.yaml12_events import Event

_COMMENT_OR_TAB: Final = regex(r"(?:^|(?<=[ \t]))#[^\r\n\x85\u2028\u2029]*|\t", re.MULTILINE)
_STARTS: Final = frozenset({SEQUENCE, MAPPING})
_ENDS: Final = frozenset({SEQUENCE_END, MAPPING_END})


class TabWatch:
    """Watches the events of a document that holds a tab."""

    def __init__(self, source: str) -> None:
        """Watch for misplaced tabs in `source`, in whose text the marks of the events count."""
        self._source = source
        self._flow_depth = 0
        self._open: list[bool] = []  # of each collection around: is it in brackets
        self._shielded: list[tuple[int, int]] = []  # where tabs may stand, in order
        self._bracket = 0
        self._inside: int | None = None

    def see(self, event: Event) -> None:
        """Take the next event."""
        kind = type(event)
        if kind is SCALAR:
            self._see_scalar(event)
        elif kind in _STARTS:
            if event.flow_style and not self._flow_depth:
                self._bracket = event.start_mark.index
            self._open.append(event.flow_style)
            self._flow_depth += event.flow_style
        elif kind in _ENDS and self._open.pop():
            self._flow_depth -= 1
            if not self._flow_depth:
                self._shielded.append((self._bracket, event.end_mark.index))

    def misplaced(self) -> int | None:
        """Give the index of the first tab that DVC refuses, after the last event."""
        if self._inside is not None:
            return self._inside
        start = 0
        for shield, end in (*self._shielded, (len(self._source), 0)):
            for match in _COMMENT_OR_TAB.finditer(self._source, start, shield):
                if match[0] == "\t":
                    return match.start()
            start = end
        return None

    def _see_scalar(self, event: Event) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if is_plain(event):
            if "\t" in event.value and self._inside is None:
                self._inside = self._source.find("\t", start, end)
        elif not self._flow_depth:
            header = self._source.find("\n", start, end) if event.style in {"|", ">"} else -1
            self._shielded.append((max(start, header), end))
