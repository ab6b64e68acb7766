"""Entries of lists by what they are called, and not by where they stand: rows of a table, slices, runs. Pure.

Two revisions of a list need not have the same order. Compared by position, a class that got worse can hide behind
another that stands in its place now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.review.jsonpaths import Entry, JsonPathError, find, spell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.review.jsonpaths import Steps

_FILTER = "[?("


def found(document: object, expression: str, by: str = "") -> dict[Steps, object]:
    """Give every value that `expression` selects, by its place; entries of lists by their `by`, where that is said.

    The only match of a filter is called by the filter, wherever it stands.

    Raises:
        JsonPathError: as `jsonpaths.find`, or an entry has no such member, or several have the same.

    """
    matches = find(document, expression)
    if not by:
        return _by_filter(matches, expression)
    named: dict[Steps, object] = {}
    for steps, value in matches.items():
        place = _called(document, steps, by)
        if place in named:
            message = f"two entries of a list are {spell(place)}"
            raise JsonPathError(message, 0)
        named[place] = value
    return named


def _called(document: object, steps: Steps, by: str) -> Steps:
    node, place = document, list[str | int]()
    for step in steps:
        node = node[step]  # type: ignore[index]  # a mapping or a list: the match went this way
        name = node.get(by) if isinstance(step, int) and isinstance(node, dict) else None
        if isinstance(step, int) and isinstance(node, dict) and not isinstance(name, (str, int, float)):
            message = f"entry {step} of a list has no {by}, a text or a number, to know it by"
            raise JsonPathError(message, 0)
        place.append(step if name is None else Entry(f"[{by}={name}]"))
    return tuple(place)


def _by_filter(matches: dict[Steps, object], expression: str) -> dict[Steps, object]:
    start, end = expression.find(_FILTER), expression.rfind(")]") + 2
    if len(matches) != 1 or expression.count(_FILTER) != 1 or end < start:
        return matches
    ((steps, value),) = matches.items()
    if sum(isinstance(step, int) for step in steps) != 1:
        return matches
    entry = Entry(expression[start:end])
    return {tuple(entry if isinstance(step, int) else step for step in steps): value}


def moved(head: object, base: object, places: Iterable[Steps]) -> dict[Steps, str]:
    """Give the places in lists at which the two sides hold different entries, and what shows it.

    Only where both sides call their entries by texts that are each there once, and an entry of the one stands elsewhere
    in the other: an entry with another text may be the same one of another day.
    """
    lists: dict[Steps, Mapping[int, str]] = {}
    told: dict[Steps, str] = {}
    for steps in places:
        depth = next((depth for depth, step in enumerate(steps) if isinstance(step, int) and step >= 0), -1)
        if depth < 0:
            continue
        above = steps[:depth]
        if above not in lists:
            lists[above] = _moved(_at(head, above), _at(base, above))
        if why := lists[above].get(int(steps[depth])):
            told[steps] = why
    return told


def _at(document: object, steps: Steps) -> object:
    node = document
    for step in steps:
        try:
            node = node[step]  # type: ignore[index]  # or it raises
        except (KeyError, IndexError, TypeError):
            return None
    return node


def _moved(head: object, base: object) -> dict[int, str]:
    for key, now in _names(head).items():
        before = {name: number for number, name in enumerate(_names(base).get(key, ()))}
        away = {number: before[name] for number, name in enumerate(now) if before.get(name, number) != number}
        if away:
            return {
                number: f"the entries of the list stand in another order: {key} {now[number]!r} is number {old} of the "
                f"baseline; compare them with by: {key}"
                for number, old in away.items()
            }
    return {}


def _names(node: object) -> dict[str, Sequence[str]]:
    """Give the members that tell the entries of a list apart, each with its texts."""
    if not isinstance(node, list) or not node or not all(isinstance(one, dict) for one in node):
        return {}
    columns = {key: [one.get(key) for one in node] for key in node[0]}
    return {
        key: texts
        for key, texts in columns.items()
        if all(isinstance(text, str) for text in texts) and len(set(texts)) == len(texts)
    }
