"""The report as others may see it: without secrets, by the project's own templates."""

from __future__ import annotations

import dataclasses
import logging
from functools import cache, lru_cache
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any

from runner import log
from runner.review import words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runner.review.model import Report

logger = logging.getLogger("retrain")
_TEXTLESS = frozenset({int, float, bool, type(None)})
_LARGEST_TEMPLATE = 1 << 18


def markdown(report: Report, root: Path, budget: int) -> str:
    """Give the report of a project at `root` as Markdown of at most so many bytes."""
    from runner.review import report as rendering  # noqa: PLC0415 - a run that nobody reads a report of does not pay

    return rendering.to_markdown(masked(report), budget=budget, own=own_templates(root))


def own_templates(root: Path) -> dict[str, str]:
    """Read the project's own templates of the report, by file name; what cannot be read is said, and not used."""
    folder, found = root / words.TEMPLATES, {}
    for place in sorted(folder.glob("*.jinja")):
        try:
            if place.resolve().is_relative_to(root.resolve()) and place.stat().st_size <= _LARGEST_TEMPLATE:
                found[place.name] = place.read_text(encoding="utf-8")
            else:
                logger.warning("%s is outside of the project or too large, and is not used", place)
        except (OSError, UnicodeDecodeError, RuntimeError) as error:  # RuntimeError: a link to itself
            logger.warning("%s cannot be read: %s", place, error)
    return found


def masked(report: Report) -> Report:
    """Give the report without secrets, before a rendering's escapes can hide one from the mask."""
    safe: Report = _masked(report, lru_cache(maxsize=1024)(log.masker()))
    return safe


def _masked(value: Any, mask: Callable[[str], str]) -> Any:  # noqa: ANN401 - what comes out is of the type that went in
    """Mask every text in `value`; what holds none stays the very same, which most of a large report does."""
    if isinstance(value, str):
        safe = mask(value) if value else value
        return value if safe == value else safe  # of equal texts the mask remembers one: all the others stay too
    if isinstance(value, tuple):
        parts = [_masked(part, mask) for part in value]
        return value if all(map(is_, parts, value)) else tuple(parts)
    names, get = _fields(type(value))  # type: ignore[arg-type]  # a class is hashable
    if not names:
        return value
    now = get(value)
    then = [part if type(part) in _TEXTLESS else _masked(part, mask) for part in now]
    if all(map(is_, then, now)):
        return value
    changed = {name: part for name, part, was in zip(names, then, now, strict=False) if part is not was}
    return dataclasses.replace(value, **changed)


@cache
def _fields(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """Give the names of a value class's fields, and what gets them all; none for any other type."""
    names = tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()
    return names, attrgetter(*names, names[0]) if names else tuple  # of one name alone it would give no tuple
