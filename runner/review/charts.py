"""The pipeline as a graph: Mermaid for Markdown, and places of boxes and lines for the page's own drawing. Pure."""

from __future__ import annotations

from dataclasses import field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from runner.regexes import regex
from runner.review.escape import clean
from runner.review.words import outcome
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.review.changed import Kind, PathRow
    from runner.review.model import StageRow

Edge = tuple[str, str]

# GitHub draws no Mermaid of more than 500 edges; a picture of more boxes than this nobody reads.
MOST_BOXES = 80
MOST_EDGES = 450
MOST_ON_PAGE = 250
"""Boxes on the page, which can be scrolled."""
MOST_WITH_PATHS = 60
_PATH = "\0"
"""Before the names of paths among those of stages, in which it cannot be."""
BOX_WIDTH, BOX_HEIGHT = 190, 46
_THREAD, _MARGIN = 10, 12
_WIDEST = 5
_LABEL = 48
_UNSAFE = regex(r"[^\w /.]|_|\.(?=\s)")
_COLOURS = {
    "fresh": ("#f1f5f9", "#94a3b8"),
    "frozen": ("#e0e7ff", "#6366f1"),
    "restored": ("#cffafe", "#0891b2"),
    "ran": ("#dbeafe", "#2563eb"),
    "failed": ("#fee2e2", "#dc2626"),
    "skipped": ("#f5f5f4", "#a8a29e"),
    "planned": ("#fef9c3", "#ca8a04"),
    "recorded": ("#dbeafe", "#2563eb"),
    "data": ("#ecfdf5", "#059669"),
    "code": ("#ffffff", "#475569"),
    "model": ("#fae8ff", "#a21caf"),
    "metric": ("#fff7ed", "#ea580c"),
    "plot": ("#fffbeb", "#b45309"),
}
_SHAPES = {
    "stage": ("[", "]"),
    "data": ("[(", ")]"),
    "code": ("[/", "/]"),
    "model": ("{{", "}}"),
    "metric": ("([", "])"),
    "plot": ("[[", "]]"),
    "param": ("[", "]"),
}


@dataclass(frozen=True, slots=True)
class Graph:
    """What is drawn of a pipeline.

    Attributes:
        outcomes: stage to decision, in the pipeline's order; of data, code, models and metrics, where they are drawn
            too, their own name, which is no stage's, to an empty text.
        edges: (producer, consumer), both among `outcomes`.
        hidden: stages left out.
        paths: what each of those names stands for.

    """

    outcomes: Mapping[str, str]
    edges: tuple[Edge, ...]
    hidden: int = 0
    paths: Mapping[str, PathRow] = field(default_factory=dict)

    def kind(self, name: str) -> Kind | Literal["stage"]:
        """Give what a node is."""
        return self.paths[name].kind if name in self.paths else "stage"

    def label(self, name: str) -> str:
        """Give what stands in its box: a stage's address, or the path."""
        return self.paths[name].path if name in self.paths else name


@dataclass(frozen=True, slots=True)
class Box:
    """A stage's place, in pixels from the top left corner."""

    stage: str
    decision: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A laid out graph: boxes, and lines as SVG path data."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[str, ...]


Slot = tuple[str, str, int]
"""A stage's box `(stage, "", layer)`, or the thread of a line `(producer, consumer, layer)` passing a layer."""

Place = tuple[int, int]
"""Pixels along the flow, pixels across it."""


@dataclass(frozen=True, slots=True)
class _Flow:
    """The direction of the drawing: a box's size along the flow and across it, and the gaps."""

    along: int
    across: int
    gap_along: int
    gap_across: int
    rightwards: bool

    def extent(self, slot: Slot) -> int:
        """Give the room that a slot takes across the flow."""
        return _THREAD if slot[1] else self.across

    def point(self, place: Place) -> tuple[int, int]:
        """Give x and y."""
        return place if self.rightwards else (place[1], place[0])

    def text(self, place: Place) -> str:
        """Give `x y`."""
        x, y = self.point(place)
        return f"{x} {y}"


_DOWNWARDS = _Flow(BOX_HEIGHT, BOX_WIDTH, gap_along=38, gap_across=22, rightwards=False)
_RIGHTWARDS = _Flow(BOX_WIDTH, BOX_HEIGHT, gap_along=64, gap_across=12, rightwards=True)


def graph_of_rows(rows: Sequence[StageRow], edges: Sequence[Edge], most: int) -> Graph | None:
    """Draw what stages read and write between them; of a larger pipeline the stages alone, see `graph_of`.

    Args:
        rows: the stages.
        edges: (producer stage, consumer stage).
        most: how many boxes may be drawn.

    """
    if len(rows) <= most and any(row.outs for row in rows):
        whole = _with_paths(rows, edges)
        if len(whole.outcomes) <= min(most, MOST_WITH_PATHS) and len(whole.edges) <= MOST_EDGES:
            return whole
    return graph_of({row.stage: row.decision for row in rows}, edges, most)


def _with_paths(rows: Sequence[StageRow], edges: Iterable[Edge]) -> Graph:
    """Draw each path once. A data source, for which nothing is run, is drawn as its data, below its source."""
    sources = {row.stage for row in rows if row.outs and not row.cmd}
    outs = {out.path: (row, out) for row in rows for out in row.outs}
    paths = {f"{_PATH}{path}": out for path, (_, out) in outs.items()}
    found: dict[Edge, None] = {}
    for row in rows:
        readers = [f"{_PATH}{out.path}" for out in row.outs] if row.stage in sources else [row.stage]
        for dep in row.deps:
            for path in _written(dep.path, outs) or [dep.path]:
                paths.setdefault(f"{_PATH}{path}", dep)
                found.update({(f"{_PATH}{path}", reader): None for reader in readers})
        found.update({(row.stage, f"{_PATH}{out.path}"): None for out in row.outs if row.stage not in sources})
    joined = {(outs[path][0].stage, row.stage) for row in rows for dep in row.deps for path in _written(dep.path, outs)}
    stages = {row.stage: row.decision for row in rows if row.stage not in sources}
    found.update({edge: None for edge in edges if edge not in joined and stages.keys() >= set(edge)})
    used = {name for edge in found for name in edge} | {f"{_PATH}{out.path}" for row in rows for out in row.outs}
    nodes = {**stages, **{name: "" for name in paths if name in used}}
    return Graph(nodes, tuple(edge for edge in found if edge[0] != edge[1]), paths=paths)


def _written(path: str, outs: Mapping[str, object]) -> list[str]:
    """Give the outs that a dep equals, lies in or holds."""
    if path in outs:
        return [path]
    parts = path.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts))]
    return [one for one in above if one in outs] or [one for one in outs if one.startswith(f"{path}/")]


def graph_of(outcomes: Mapping[str, str], edges: Iterable[Edge], most: int = MOST_BOXES) -> Graph | None:
    """Choose what to draw: everything, or, of a large pipeline, what is not fresh with its direct neighbours.

    Returns:
        `None` where there is nothing to draw, or still too much of it.

    """
    known = [
        edge for edge in dict.fromkeys(edges) if edge[0] in outcomes and edge[1] in outcomes and edge[0] != edge[1]
    ]
    if len(outcomes) <= most and len(known) <= MOST_EDGES:
        return Graph(outcomes, tuple(known)) if outcomes else None
    busy = {stage for stage, decision in outcomes.items() if decision not in {"fresh", "frozen"}}
    near = busy | {stage for edge in known if busy & set(edge) for stage in edge}
    drawn = [edge for edge in known if near.issuperset(edge)]
    if not near or len(near) > most or len(drawn) > MOST_EDGES:
        return None
    kept = {stage: decision for stage, decision in outcomes.items() if stage in near}
    return Graph(kept, tuple(drawn), len(outcomes) - len(kept))


def kind(decision: str) -> str:
    """Give the decision without its detail: every `planned-...` is `planned`."""
    return decision.partition("-")[0]


def mermaid(graph: Graph) -> str:
    """Give a Mermaid flowchart, valid for any names: they stand in quoted labels, with entities for all but letters."""
    ids = {stage: f"s{number}" for number, stage in enumerate(graph.outcomes)}
    nodes = [_node(graph, name, ids[name]) for name in graph.outcomes]
    lines = [f"  {ids[producer]} --> {ids[consumer]}" for producer, consumer in graph.edges]
    used = sorted({kind(graph.outcomes[name]) or graph.kind(name) for name in graph.outcomes})
    styles = [_style(name) for name in used]
    return "\n".join(["flowchart TD", *nodes, *lines, *styles])


def _node(graph: Graph, name: str, number: str) -> str:
    """Give a node: of a stage with its outcome, of anything else in a shape of its own and with the word for it."""
    what = graph.kind(name)
    opening, closing = _SHAPES[what]
    text = f"{_label(graph.label(name))}<br/>{outcome(graph.outcomes[name]) or what}"
    return f'  {number}{opening}"{text}"{closing}:::{kind(graph.outcomes[name]) or what}'


def _style(name: str) -> str:
    fill, stroke = _COLOURS.get(name, _COLOURS["fresh"])
    return f"  classDef {name} fill:{fill},stroke:{stroke},color:#111827"


def _label(name: str) -> str:
    return _UNSAFE.sub(lambda match: f"#{ord(match.group())};", clean(name, _LABEL)) or "#32;"


def layout(graph: Graph) -> Drawing:
    """Give every stage a place after all its producers; long lines run between the boxes, not behind them.

    The pipeline runs down the page, or, where many stages stand beside each other, from left to right.
    """
    layers = _layers(graph)
    rows, chains = _with_threads(layers, graph.edges)
    _untangle(rows, chains)
    return _draw(graph, rows, chains)


def _layers(graph: Graph) -> dict[str, int]:
    """Give each stage the length of its longest way from a source; a ring, which no pipeline has, is cut."""
    waiting = dict.fromkeys(graph.outcomes, 0)
    consumers: dict[str, list[str]] = {stage: [] for stage in graph.outcomes}
    for producer, consumer in graph.edges:
        consumers[producer].append(consumer)
        waiting[consumer] += 1
    layers = dict.fromkeys(graph.outcomes, 0)
    ready = [stage for stage, count in waiting.items() if not count]
    for stage in ready:
        for consumer in consumers[stage]:
            layers[consumer] = layers[stage] + 1  # the deepest producer comes last: stages get ready layer by layer
            waiting[consumer] -= 1
            if not waiting[consumer]:
                ready.append(consumer)
    return layers


def _with_threads(layers: Mapping[str, int], edges: Iterable[Edge]) -> tuple[list[list[Slot]], list[list[Slot]]]:
    """Give the slots of each layer, and for each edge its slots from top to bottom."""
    rows: list[list[Slot]] = [[] for _ in range(max(layers.values()) + 1)]
    for stage, layer in layers.items():
        rows[layer].append((stage, "", layer))
    chains = []
    for producer, consumer in edges:
        top, bottom = layers[producer], layers[consumer]
        threads = [(producer, consumer, layer) for layer in range(top + 1, bottom)]
        for thread in threads:
            rows[thread[2]].append(thread)
        chains.append([(producer, "", top), *threads, (consumer, "", bottom)])
    return rows, chains


def _untangle(rows: list[list[Slot]], chains: Iterable[Sequence[Slot]]) -> None:
    """Order each layer by the mean place of what its slots hang on, twice down and up (the barycentre rule)."""
    above: dict[Slot, list[Slot]] = {}
    below: dict[Slot, list[Slot]] = {}
    for chain in chains:
        for upper, lower in pairwise(chain):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    for ties, order in ((above, rows[1:]), (below, rows[-2::-1])) * 2:
        places = {slot: place for row in rows for place, slot in enumerate(row)}
        for row in order:
            means = {slot: _mean([places[tie] for tie in ties.get(slot, ())], places[slot]) for slot in row}
            row.sort(key=means.__getitem__)
            places.update({slot: place for place, slot in enumerate(row)})


def _mean(places: Sequence[int], otherwise: int) -> float:
    return sum(places) / len(places) if places else float(otherwise)


def _draw(graph: Graph, rows: Sequence[Sequence[Slot]], chains: Iterable[Sequence[Slot]]) -> Drawing:
    flow = _RIGHTWARDS if max(sum(not slot[1] for slot in row) for row in rows) > _WIDEST else _DOWNWARDS
    extents = [sum(flow.extent(slot) + flow.gap_across for slot in row) - flow.gap_across for row in rows]
    breadth = max(extents) + 2 * _MARGIN
    places: dict[Slot, Place] = {}
    for number, (row, extent) in enumerate(zip(rows, extents, strict=True)):
        across = (breadth - extent) // 2
        for slot in row:
            places[slot] = (_MARGIN + number * (flow.along + flow.gap_along), across)
            across += flow.extent(slot) + flow.gap_across
    boxes = [Box(slot[0], graph.outcomes[slot[0]], *flow.point(place)) for slot, place in places.items() if not slot[1]]
    length = 2 * _MARGIN + len(rows) * (flow.along + flow.gap_along) - flow.gap_along
    return Drawing(*flow.point((length, breadth)), tuple(boxes), tuple(_line(chain, places, flow) for chain in chains))


def _line(chain: Sequence[Slot], places: Mapping[Slot, Place], flow: _Flow) -> str:
    """Join the slots of an edge by curves; inside a thread the line runs straight on."""
    steps = []
    for slot in chain:
        start, across = places[slot]
        middle = across + flow.extent(slot) // 2
        steps.append(((start, middle), (start + flow.along, middle)))
    path = f"M{flow.text(steps[0][1])}"
    for (_, (end, before)), ((start, after), leave) in pairwise(steps):
        bend = (end + start) // 2
        path += f"C{flow.text((bend, before))} {flow.text((bend, after))} {flow.text((start, after))}"
        path += "" if leave == steps[-1][1] else f"L{flow.text(leave)}"
    return path
