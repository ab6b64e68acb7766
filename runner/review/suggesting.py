"""Proposes gates from what the base branch recorded: `retrain gate --suggest`. Pure: documents in, YAML out.

A limit is proposed outside of the metric's own noise, never inside. Which direction is better is said by a gate or by
the caller; it is never guessed, and what nobody says it of is proposed as a comment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Literal

from runner.regexes import regex
from runner.review import bands, figures, jsonpaths, words
from runner.review.metrics import Unreadable, decimal
from runner.review.series import Series
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from runner.review.jsonpaths import Steps

    Better = Literal["higher", "lower", ""]
    Say = Callable[[str, Steps], Better]

_PLAIN: Final = regex(r"[A-Za-z0-9_./-]+:\$[A-Za-z0-9_.\[\]-]*\Z")
_BEYOND_NOISE: Final = 3


@dataclass(frozen=True, slots=True)
class Recorded:
    """One metric's values.

    Attributes:
        path: the metrics file.
        steps: its place there.
        values: as recorded, oldest first.

    """

    path: str
    steps: Steps
    values: tuple[Decimal, ...]

    @property
    def metric(self) -> str:
        """The gate's `metric`: `eval/metrics.json:$.accuracy`."""
        place = jsonpaths.spell(self.steps)
        return f"{self.path}:${'' if place == '$' else place if place.startswith('[') else f'.{place}'}"


def recorded(past: Mapping[str, Sequence[object]]) -> Iterator[Recorded]:
    """Give the metrics that the newest document of each file has, with their values over all of them.

    Args:
        past: the documents of each file, oldest first.

    """
    for path, documents in past.items():
        for steps in _places(documents[-1]) if documents else ():
            found = (decimal(_at(document, steps)) for document in documents)
            yield Recorded(path, steps, tuple(value for value in found if value is not None))


def _places(document: object) -> Iterator[Steps]:
    """Give the places of finite numbers, as a report lists them: of rows those in the last one."""
    rows = isinstance(document, Series) and bool(document)
    pending: list[tuple[Steps, object]] = [((-1,), document[-1]) if rows else ((), document)]  # type: ignore[index]
    while pending:
        steps, node = pending.pop()
        if isinstance(node, Mapping):
            pending += [((*steps, key), value) for key, value in reversed(list(node.items()))]
        elif decimal(node) is not None:
            yield steps


def _at(document: object, steps: Steps) -> object:
    for step in steps:
        if isinstance(step, int):
            document = document[step] if isinstance(document, list) and document else None
        else:
            document = document.get(step) if isinstance(document, Mapping) else None
    return None if isinstance(document, Unreadable) else document


def yaml(metrics: Sequence[Recorded], say: Say, source: str) -> str:
    """Give a gate file with a rule for each metric.

    Args:
        metrics: what was recorded.
        say: gives which direction is better; empty where nobody says.
        source: where the values come from, for the comment at the top.

    """
    lines = [f"# Proposed from {source}.", "gates:"]
    if not metrics:
        lines.insert(
            1, "# No metrics file that is declared or gated here was recorded: name one in a gate, or declare it."
        )
    rules = [_rule(one, say(one.path, one.steps)) for one in metrics]
    if not any(line.startswith("  - ") for rule in rules for line in rule):
        lines[-1] = "gates: []"
    return "\n".join([*lines, *(line for rule in rules for line in rule)]) + "\n"


def directions(said: Mapping[tuple[str, str], str], named: Mapping[str, Sequence[str]]) -> Say:
    """Give what says which direction of a metric is better: a gate, or somebody who names it.

    Args:
        said: metrics file and JSONPath of gates, and their `better`.
        named: `higher` and `lower`, and patterns of dotted keys or of their last parts.

    """

    def say(path: str, steps: Steps) -> Better:
        for better, patterns in named.items():
            names = (jsonpaths.dotted(steps), str(steps[-1]) if steps else "")
            if any(fnmatchcase(name, pattern) for name in names for pattern in patterns):
                return better  # type: ignore[return-value]  # a key of `named`
        metric = Recorded(path, steps, ()).metric.removeprefix(f"{path}:")
        return said.get((path, metric), "")  # type: ignore[return-value]  # as a gate says

    return say


def _rule(metric: Recorded, better: Better) -> list[str]:
    values, name = metric.values, metric.metric
    quoted = name if _PLAIN.match(name) else json.dumps(name, ensure_ascii=True)
    if len(values) < bands.SAMPLES:
        return [f"  # {quoted}: {words.count(len(values), 'recorded value')}, too few to propose anything"]
    moves = _moves(values)
    told = f"{figures.number(min(values))} to {figures.number(max(values))} over {len(values)} values"
    head = f"  # {told}, last {figures.number(values[-1])}; it moves by {figures.number(moves)} from one to the next"
    if not better:
        return [head, *(f"  # {line}" for line in _limits(quoted, "higher or lower?", values, moves))]
    return [head, *(f"  {line}" for line in _limits(quoted, better, values, moves))]


def _limits(quoted: str, better: str, values: Sequence[Decimal], moves: Decimal) -> list[str]:
    drop = _rounded(moves * _BEYOND_NOISE, ROUND_CEILING)
    rows = [f"- metric: {quoted}", f"  better: {better}"]
    if better == "higher":
        rows.append(f"  at-least: {figures.exact(_rounded(min(values), ROUND_FLOOR))}")
    elif better == "lower":
        rows.append(f"  at-most: {figures.exact(_rounded(max(values), ROUND_CEILING))}")
    return [*rows, f"  allow-drop: {figures.exact(drop)}"]


def _moves(values: Sequence[Decimal]) -> Decimal:
    """Give how far it moves by itself; of a metric that mostly stays, how far its values lie apart."""
    return bands.noise(values) or bands.deviation(values)


def _rounded(value: Decimal, how: str) -> Decimal:
    """Round outwards to two digits, so that the limit is readable and no tighter."""
    return Context(prec=2, rounding=how).plus(value)
