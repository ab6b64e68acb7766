"""YAML as DVC reads and writes it: `parse`, `parse_spans` and `locate` on libyaml's events, `render` byte for byte.

dvc.yaml, dvc.lock, .dvc files, YAML parameters and metrics, and gate files all come through here. Never runs a
constructor named by the file, and bounds what a hostile file can cost.

libyaml knows a little less than DVC's reader, and then refuses: a colon without a key (`: x`), anchors with other
characters than ASCII letters, digits, `-` and `_`, a bare `?` or a word ending in a colon inside brackets, U+2028
outside quotes, a tab as the first character of a block. Refused on purpose, though DVC lets it pass: a key twice
beside `<<`, and a value that holds itself.
"""

from __future__ import annotations

from typing import Any, Final

from runner.pipeline.yaml12_outline import Outline
from runner.pipeline.yaml12_read import read
from runner.pipeline.yaml12_spans import SpanWatch

__all__ = ["Outline", "locate", "parse", "parse_spans", "render"]

_BOM: Final = "\ufeff"


def parse(text: str, file: str) -> Any:  # noqa: ANN401 (any document)
    """Give the one document in `text` as plain Python; an empty one is None.

    Scalars become str, int, float, bool, None, date or datetime by the rules of DVC's reader (1.1 under a
    `%YAML 1.1` directive). What an alias names is the same object again. A list as a key becomes a tuple.

    Raises:
        ConfigError: not YAML, several documents, a duplicate or unhashable key, an unknown tag, a merge conflict,
            or a document past the bounds; with line and column in `file`, the name shown.

    """
    return read(text.removeprefix(_BOM), file)


def parse_spans(text: str, file: str, under: str) -> tuple[Any, dict[str, tuple[int, int]]]:
    """Give the document, and where each entry of the block mapping under the top-level key `under` stands.

    A span is the half-open range of lines [start, end), counted from 0 as `text.splitlines()` does: from the line of
    the entry's key to the last line of its content. Comments and blank lines between two entries belong to neither,
    so that putting other lines in place of a span keeps them (DVC itself loses those after the entry).

    No spans (an empty dict) where entries cannot be replaced line by line: the mapping is absent, in flow style, has
    an anchor, `<<` or keys that are not strings, or an entry uses an anchor that another one sets.

    Raises:
        ConfigError: as `parse` does.

    """
    source = text.removeprefix(_BOM)
    watch = SpanWatch(source, under)
    document = read(source, file, watch.see)
    entries = document.get(under) if isinstance(document, dict) else None
    if not isinstance(entries, dict) or watch.entangled or entries.keys() != watch.spans.keys():
        return document, {}
    return document, watch.spans


def render(value: Any) -> str:  # noqa: ANN401 (any document)
    """Give the text that DVC writes for `value`, byte for byte; see `yaml12_write`.

    Raises:
        TypeError: the value holds something that DVC would not write.

    """
    from runner.pipeline.yaml12_write import render as written  # noqa: PLC0415 - most runs write nothing

    return written(value)


def locate(text: str, *path: str | int) -> tuple[int, int]:
    """Give line and column, from 1, of the node at `path`, or of its nearest ancestor: for error messages only.

    An entry of a mapping is where its key is. (1, 1) for an empty path and for a text that is not YAML. Who asks
    more than once keeps an `Outline`.
    """
    return Outline(text).locate(*path)
