"""Building values from libyaml's events by the rules of DVC's YAML reader, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from yaml.error import YAMLError

from runner.errors import ConfigError, Location
from runner.pipeline.yaml12_errors import misplaced_tab, syntax_error, unreadable
from runner.pipeline.yaml12_events import (
    ALIAS,
    MAPPING,
    MAPPING_END,
    SCALAR,
    SEQUENCE_END,
    STREAM_END,
    events,
    is_plain,
)
from runner.pipeline.yaml12_scalars import COLLECTIONS, MERGE, TAG, TAGGED, YAML_11, YAML_12, for_keys
from runner.pipeline.yaml12_tabs import TabWatch
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.pipeline.yaml12_events import Event

MAX_CHARACTERS: Final = 8 << 20
MAX_EVENTS: Final = 500_000  # about a second: nodes and ends of collections
MAX_DEPTH: Final = 100
MAX_ALIASED: Final = 500_000  # nodes that aliases and merge keys stand for, counted as if written out
# libyaml skips it at the start of any line, where it belongs to the text for DVC's reader.
_BOM_IN_LINE: Final = regex("(?:^|[\r\n])\ufeff")

_KEYS_12: Final = for_keys(YAML_12)
_KEYS_11: Final = for_keys(YAML_11)


def read(source: str, file: str, see: Callable[[Event], None] | None = None) -> object:
    """Give the value of the one document in `source`, showing each event to `see`; None where it is empty.

    Raises:
        ConfigError: whatever is wrong with it, with its place in `file`.

    """
    if len(source) > MAX_CHARACTERS:
        message = f"too large for a YAML file: {len(source):,} characters"
        raise ConfigError(message, f"at most {MAX_CHARACTERS:,} are read", Location(file), kind="not-yaml")
    mark = _BOM_IN_LINE.search(source)
    if mark is not None:
        raise unreadable(source, mark.end() - 1, file)
    tabs = TabWatch(source) if "\t" in source else None
    try:
        take = events(source)
        crowd = _Crowd(file).see if len(source) > 2 * MAX_EVENTS else None  # an event has a character, and a mark
        for watch in (see, tabs.see if tabs else None, crowd):
            take = _shown(take, watch) if watch else take
        value = _Reader(take, file).document()
    except (YAMLError, UnicodeEncodeError) as error:
        raise syntax_error(error, source, file) from error
    tab = tabs.misplaced() if tabs else None
    if tab is not None:
        raise misplaced_tab(source, tab, file)
    return value


def _shown(take: Callable[[], Event], see: Callable[[Event], None]) -> Callable[[], Event]:
    def take_and_show() -> Event:
        event = take()
        see(event)
        return event

    return take_and_show


class _Crowd:
    """Counts the events of a long text, and refuses one with too many: each costs some microseconds."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._count = 0

    def see(self, event: Event) -> None:
        self._count += 1
        if self._count > MAX_EVENTS:
            mark = event.start_mark
            message = f"more than {MAX_EVENTS:,} values, keys and ends in one YAML file"
            place = Location(self._file, mark.line + 1, mark.column + 1)
            raise ConfigError(message, "split the file; large tables belong in CSV", place, kind="not-yaml")


class _Reader:
    """Builds one document from libyaml's events. Recursive; the depth is bounded."""

    def __init__(self, take: Callable[[], Event], file: str) -> None:
        self._next = take
        self._file = file
        self._values, self._keys = YAML_12, _KEYS_12
        self._anchors: dict[str, tuple[object, int]] = {}  # name -> value, and how many nodes it stands for
        self._depth = 0
        self._count = 0
        self._aliased = 0

    def document(self) -> object:
        """Give the value of the only document, None where there is none."""
        self._next()  # the start of the stream
        event = self._next()
        if type(event) is STREAM_END:
            return None
        if event.version == (1, 1):
            self._values, self._keys = YAML_11, _KEYS_11
        value = self._node(self._next())
        self._next()  # the end of the document
        event = self._next()
        if type(event) is not STREAM_END:
            self._fail(event, "a second document in one file", "keep one; a line '---' starts another")
        return value

    def _node(self, event: Event) -> object:
        if event.anchor is not None:
            return self._anchored(event, event.anchor)
        return self._scalar(event, self._values) if type(event) is SCALAR else self._collection(event)

    def _collection(self, event: Event) -> object:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(event, f"nested more than {MAX_DEPTH} deep", "")
        value = self._mapping() if type(event) is MAPPING else self._sequence()
        self._depth -= 1
        return value if event.tag is None else self._converted(event, value)

    def _converted(self, event: Event, value: dict[object, object] | list[object]) -> object:
        convert = COLLECTIONS.get((event.tag, type(value)))
        if convert is None:
            self._unknown_tag(event)
        try:
            return convert(value)
        except (TypeError, ValueError):
            self._fail(event, f"not what the tag {_shown_tag(event)} asks for", "remove the tag")

    def _anchored(self, event: Event, name: str) -> object:
        if type(event) is ALIAS:
            return self._alias(event, name)
        self._anchors.pop(name, None)  # inside the node its own name means nothing: no value holds itself
        before = self._count
        value = self._scalar(event, self._values) if type(event) is SCALAR else self._collection(event)
        self._anchors[name] = (value, self._count - before + 1)
        return value

    def _alias(self, event: Event, name: str) -> object:
        if name not in self._anchors:
            self._fail(event, f"no anchor &{name} stands before *{name}", "")
        value, count = self._anchors[name]
        self._expand(event, count)
        return value

    def _expand(self, event: Event, count: int) -> None:
        """Count nodes that the text has only by reference, so that few bytes cannot stand for a huge value."""
        self._count += count
        self._aliased += count
        if self._aliased > MAX_ALIASED:
            self._fail(event, f"its aliases stand for more than {MAX_ALIASED:,} values", "write them out or use fewer")

    def _scalar(self, event: Event, starts: Mapping[str, Callable[[str], object]]) -> object:
        text, tag = event.value, event.tag
        if tag is None and not event.implicit[0]:
            return text  # quoted, or a block
        read = starts.get(text[:1]) if tag is None or tag == "!" else self._tagged(event, tag)
        if read is None:
            return text
        try:
            return read(text)
        except (ValueError, OverflowError):
            self._fail(event, f"{text[:40]!r} cannot be read as a value", "put it in quotes if it is meant as text")

    def _tagged(self, event: Event, tag: str) -> Callable[[str], object]:
        if tag not in TAGGED:
            self._unknown_tag(event)
        return TAGGED[tag]

    def _sequence(self) -> list[object]:
        members: list[object] = []
        while type(event := self._next()) is not SEQUENCE_END:
            members.append(self._node(event))
        self._count += len(members)
        return members

    def _mapping(self) -> dict[object, object]:
        entries: dict[object, object] = {}
        merged: dict[object, object] | None = None
        while type(event := self._next()) is not MAPPING_END:
            key = self._key(event)
            if key is MERGE and merged is None:
                merged = self._merged(self._next())
                continue
            if key is MERGE or key in entries:
                self._duplicate(event, key)
            entries[key] = self._node(self._next())
        self._count += len(entries)
        return entries if merged is None else {**merged, **entries}

    def _key(self, event: Event) -> object:
        if type(event) is SCALAR and event.anchor is None:
            return self._scalar(event, self._keys)
        if type(event) is SCALAR and not event.value and is_plain(event):
            # DVC's reader takes `&a: x` for an anchor named "a:", libyaml for one before an empty key.
            self._fail(event, "an anchor with no key after it", "put a blank between the anchor and the key")
        key = self._node(event)
        if isinstance(key, list):
            key = tuple(key)
        try:
            hash(key)
        except TypeError:
            self._fail(
                event, "only plain values and lists of them can be keys", "put it in quotes if it is meant as text"
            )
        return key

    def _merged(self, event: Event) -> dict[object, object]:
        """Read the value of `<<`: a mapping, or a list of mappings of which the first wins."""
        value = self._node(event)
        sources = value if isinstance(value, list) else [value]
        merged: dict[object, object] = {}
        for source in reversed(sources):
            if not isinstance(source, dict):
                self._fail(event, "'<<' takes a mapping or a list of mappings", "")
            self._expand(event, len(source))
            merged.update(source)
        return merged

    def _duplicate(self, event: Event, key: object) -> NoReturn:
        name = "<<" if key is MERGE else key
        self._fail(event, f"the key {name!r} comes twice in one mapping", "remove or rename one of them")

    def _unknown_tag(self, event: Event) -> NoReturn:
        self._fail(event, f"the tag {_shown_tag(event)} is not read here", "remove it; only plain YAML values are read")

    def _fail(self, event: Event, message: str, hint: str) -> NoReturn:
        mark = event.start_mark
        raise ConfigError(message, hint, Location(self._file, mark.line + 1, mark.column + 1), kind="not-yaml")


def _shown_tag(event: Event) -> str:
    return str(event.tag).replace(TAG, "!!")[:40]
