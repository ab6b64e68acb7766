"""The one door to libyaml: a text in, its events or its node tree out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from yaml import events as kinds
from yaml.resolver import BaseResolver

try:
    from yaml._yaml import CParser
except ImportError as missing:
    message = (
        "PyYAML was installed without libyaml, which reads the YAML files here;"
        " install its wheel: pip install --force-reinstall --only-binary pyyaml pyyaml"
    )
    raise ImportError(message) from missing

if TYPE_CHECKING:
    from collections.abc import Callable

# What `type(event)` is compared with.
STREAM_END: Final[object] = kinds.StreamEndEvent
SCALAR: Final[object] = kinds.ScalarEvent
ALIAS: Final[object] = kinds.AliasEvent
SEQUENCE: Final[object] = kinds.SequenceStartEvent
SEQUENCE_END: Final[object] = kinds.SequenceEndEvent
MAPPING: Final[object] = kinds.MappingStartEvent
MAPPING_END: Final[object] = kinds.MappingEndEvent


class Mark(Protocol):
    """A place in the text; all three count characters or lines from 0."""

    index: int
    line: int
    column: int


class Event(Protocol):
    """What the classes of yaml.events have, as far as it is used here.

    Each has the marks; a node (scalar, alias, start of a collection) has an anchor and a tag, and the rest
    belongs to one class. The published stubs leave these fields out or optional.
    """

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: str | None
    implicit: tuple[bool, bool]
    value: str
    style: str | None
    flow_style: bool
    version: tuple[int, int] | None


class Node(Protocol):
    """A node: `id` is scalar, sequence or mapping, `value` a str (then with a style), nodes or pairs of them."""

    id: str
    value: Any
    style: str | None
    start_mark: Mark
    end_mark: Mark


def events(source: str) -> Callable[[], Event]:
    """Give the function that takes the next event of `source`.

    Raises:
        YAMLError: `source` is not YAML; from the function given, at the event where that shows, or at once.
        UnicodeEncodeError: it holds half of a surrogate pair.

    """
    return cast("Callable[[], Event]", CParser(source).get_event)


def tree(source: str) -> Node | None:
    """Give the node tree of the one document in `source`, scalars unresolved; None where it is empty.

    Raises:
        YAMLError, UnicodeEncodeError: as `events` does.

    """
    return cast("Node | None", _Composer(source).get_single_node())


class _Composer(CParser, BaseResolver):
    """libyaml's composer asks the class it is mixed into for tags; without implicit ones all are strings."""

    def __init__(self, source: str) -> None:
        CParser.__init__(self, source)
        BaseResolver.__init__(self)


def is_plain(event: Event) -> bool:
    """Whether a scalar event has no quotes and is no block."""
    return not event.style
