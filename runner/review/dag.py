"""The pipeline's graph as `dvc dag` shows it: of stages or of outs, all of it or a part; as Mermaid or DOT. Pure."""

from __future__ import annotations

import posixpath
from functools import cached_property
from typing import TYPE_CHECKING

from runner.pipeline.addresses import DATA_SUFFIX, JOIN
from runner.review.rows import edges
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from runner.pipeline.pipeline import Pipeline
    from runner.review.charts import Edge


@dataclass(frozen=True)
class Dag:
    """A graph.

    Attributes:
        nodes: what is shown, in the pipeline's order.
        edges: (producer, consumer), both among `nodes`.

    """

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def producers(self) -> Mapping[str, list[str]]:
        """The direct producers of each node."""
        return _grouped(self.nodes, ((consumer, producer) for producer, consumer in self.edges))

    @cached_property
    def consumers(self) -> Mapping[str, list[str]]:
        """The direct consumers of each node."""
        return _grouped(self.nodes, self.edges)

    def groups(self) -> list[Dag]:
        """Give the parts that nothing connects, by their first nodes."""
        groups = []
        seen: set[str] = set()
        for node in self.nodes:
            if node not in seen:
                connected = _reached([node], self.producers, self.consumers)
                seen |= connected
                groups.append(self.only(connected))
        return groups

    def only(self, kept: Collection[str]) -> Dag:
        """Give the part with these nodes."""
        nodes = tuple(node for node in self.nodes if node in kept)
        return Dag(nodes, tuple(edge for edge in self.edges if edge[0] in kept and edge[1] in kept))

    def around(self, targets: Iterable[str], *, full: bool) -> Dag:
        """Give what leads to `targets`, or with `full` all that is connected with them."""
        ways = (self.producers, self.consumers) if full else (self.producers,)
        return self.only(_reached(targets, *ways))


def of_stages(pipeline: Pipeline, cwd: str) -> Dag:
    """Give the graph of stages, by their addresses as seen from `cwd`."""
    return Dag(tuple(stage.address_from(cwd) for stage in pipeline.stages), edges(pipeline, cwd))


def of_outs(pipeline: Pipeline, cwd: str) -> Dag:
    """Give the graph of outs, by their paths as seen from `cwd`: each is made from the outs that its stage reads."""
    shown = {out.path: posixpath.relpath(out.path, cwd) for stage in pipeline.stages for out in stage.outs}
    found = [
        (shown[read], shown[out.path])
        for stage in pipeline.stages
        for read in _outs_read(pipeline, stage.reads)
        for out in stage.outs
    ]
    return Dag(tuple(shown.values()), tuple(dict.fromkeys(found)))


def _outs_read(pipeline: Pipeline, paths: Iterable[str]) -> list[str]:
    found = []
    for path in paths:
        produced = pipeline.producer(path)
        found += [produced[1].path] if produced else []
        found += [out.path for _, out in pipeline.outs_inside(path)]
    return found


def collapsed(dag: Dag) -> Dag:
    """Put the stages of one `foreach` or `matrix` into one node."""
    names = {node: node if node.endswith(DATA_SUFFIX) else node.partition(JOIN)[0] for node in dag.nodes}
    pairs = dict.fromkeys((names[producer], names[consumer]) for producer, consumer in dag.edges)
    return Dag(tuple(dict.fromkeys(names.values())), tuple(pair for pair in pairs if pair[0] != pair[1]))


def mermaid(dag: Dag) -> str:
    """Give a Mermaid flowchart, as DVC writes it."""
    lines = ["flowchart TD"]
    number = 0
    for group in dag.groups():
        names = sorted(group.nodes)
        ids = {name: f"node{number + place}" for place, name in enumerate(names, 1)}
        number += len(names)
        lines += [f'\t{ids[name]}["{name.replace(chr(34), "#quot;")}"]' for name in names]
        lines += [f"\t{ids[producer]}-->{ids[consumer]}" for producer, consumer in sorted(group.edges)]
    return "\n".join(lines)


def dot(dag: Dag) -> str:
    """Give the graph in the language of Graphviz, as DVC writes it."""
    nodes = [f"{_quoted(node)};" for node in dag.nodes]
    pairs = [f"{_quoted(producer)} -> {_quoted(consumer)};" for producer, consumer in dag.edges]
    return "\n".join(["strict digraph {", *nodes, *pairs, "}", ""])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', r"\"") + '"'


def _grouped(nodes: Iterable[str], pairs: Iterable[Edge]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {node: [] for node in nodes}
    for one, other in pairs:
        found[one].append(other)
    return found


def _reached(starts: Iterable[str], *ways: Mapping[str, list[str]]) -> set[str]:
    waiting = list(starts)
    found = set(waiting)
    while waiting:
        node = waiting.pop()
        for near in (near for way in ways for near in way[node] if near not in found):
            found.add(near)
            waiting.append(near)
    return found
