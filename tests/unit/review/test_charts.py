"""The pipeline as a graph: which stages are drawn, as Mermaid of any names, and laid out so that it can be read."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.review import charts
from runner.review.changed import PathRow
from runner.review.charts import Graph, graph_of, graph_of_rows, layout, mermaid
from runner.review.model import StageRow
from tests.unit.review.reports import TEXT

NODE = re.compile(r'  s\d+\["(?:[\w /.]|#\d+;)+<br/>[a-z ]+"\]:::[a-z]+')


def drawn(outcomes: dict[str, str], edges: list[tuple[str, str]]) -> Graph:
    graph = graph_of(outcomes, edges)
    assert graph is not None
    return graph


def test_a_flowchart_names_stages_with_their_outcome_and_colours_them() -> None:
    graph = drawn({"get data": "fresh", "train@a": "planned-run"}, [("get data", "train@a")])
    assert mermaid(graph) == (
        "flowchart TD\n"
        '  s0["get data<br/>fresh"]:::fresh\n'
        '  s1["train#64;a<br/>would run"]:::planned\n'
        "  s0 --> s1\n"
        "  classDef fresh fill:#f1f5f9,stroke:#94a3b8,color:#111827\n"
        "  classDef planned fill:#fef9c3,stroke:#ca8a04,color:#111827"
    )


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("a/b.dvc", "a/b.dvc"),
        ("größe 1", "größe 1"),
        ("1. a_b", "1#46; a#95;b"),
        ('x"]; y', "x#34;#93;#59; y"),
        ("`#35;`", "#96;#35;35#59;#96;"),
        ("", "#32;"),
    ],
)
def test_a_label_holds_nothing_that_mermaid_would_act_on(name: str, label: str) -> None:
    assert f's0["{label}<br/>ran"]' in mermaid(drawn({name: "ran"}, []))


@given(st.dictionaries(TEXT, st.sampled_from(["ran", "fresh"]), min_size=1, max_size=6))
def test_no_name_leaves_its_label(outcomes: dict[str, str]) -> None:
    lines = mermaid(drawn(outcomes, [])).split("\n")
    nodes = [line for line in lines if ":::" in line]
    assert len(nodes) == len(outcomes)
    assert all(NODE.fullmatch(line) for line in nodes)
    assert all(line.startswith(("flowchart TD", "  s", "  classDef ")) for line in lines)


def test_edges_to_unknown_stages_doubles_and_loops_are_not_drawn() -> None:
    graph = drawn({"a": "ran", "b": "ran"}, [("a", "b"), ("a", "b"), ("a", "a"), ("a", "x"), ("x", "b")])
    assert graph.edges == (("a", "b"),)


def test_of_a_large_pipeline_only_what_is_not_fresh_is_drawn_with_its_neighbours() -> None:
    outcomes = {f"s{n}": "fresh" for n in range(500)} | {"s250": "ran"}
    graph = drawn(outcomes, [(f"s{n}", f"s{n + 1}") for n in range(499)])
    assert list(graph.outcomes) == ["s249", "s250", "s251"]
    assert graph.edges == (("s249", "s250"), ("s250", "s251"))
    assert graph.hidden == 497


@pytest.mark.parametrize("decision", ["fresh", "ran"])
def test_a_pipeline_too_large_to_be_read_is_not_drawn(decision: str) -> None:
    assert graph_of({f"s{n}": decision for n in range(500)}, []) is None
    assert graph_of({}, []) is None


def test_a_chain_runs_down_the_page() -> None:
    drawing = layout(drawn(dict.fromkeys("abc", "ran"), [("a", "b"), ("b", "c")]))
    assert [box.stage for box in sorted(drawing.boxes, key=lambda box: box.y)] == ["a", "b", "c"]
    assert len({box.x for box in drawing.boxes}) == 1


def test_a_wide_fan_runs_from_left_to_right() -> None:
    outcomes = dict.fromkeys(["root", *map(str, range(20))], "ran")
    drawing = layout(drawn(outcomes, [("root", str(n)) for n in range(20)]))
    assert len({box.x for box in drawing.boxes}) == 2
    assert drawing.height > drawing.width


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 14))
    pairs = list(combinations(range(count), 2))
    picked = draw(st.lists(st.sampled_from(pairs), max_size=25)) if pairs else []
    names = [f"s{n}" for n in range(count)]
    return drawn(dict.fromkeys(names, "ran"), [(names[a], names[b]) for a, b in picked])


@given(graphs())
def test_every_stage_is_drawn_once_after_its_producers_and_apart_from_the_others(graph: Graph) -> None:
    drawing = layout(graph)
    places = {box.stage: box for box in drawing.boxes}
    assert places.keys() == graph.outcomes.keys()
    assert len(drawing.lines) == len(graph.edges)
    for producer, consumer in graph.edges:
        first, second = places[producer], places[consumer]
        assert first.y + charts.BOX_HEIGHT < second.y or first.x + charts.BOX_WIDTH < second.x
    for one, other in combinations(drawing.boxes, 2):
        assert abs(one.x - other.x) >= charts.BOX_WIDTH or abs(one.y - other.y) >= charts.BOX_HEIGHT
    for box in drawing.boxes:
        assert 0 <= box.x <= drawing.width - charts.BOX_WIDTH
        assert 0 <= box.y <= drawing.height - charts.BOX_HEIGHT


@given(graphs())
def test_a_line_joins_its_two_stages(graph: Graph) -> None:
    drawing = layout(graph)
    places = {box.stage: box for box in drawing.boxes}
    for (producer, consumer), line in zip(graph.edges, drawing.lines, strict=True):
        numbers = [int(number) for number in re.findall(r"\d+", line)]
        for stage, (x, y) in ((producer, numbers[:2]), (consumer, numbers[-2:])):
            assert places[stage].x <= x <= places[stage].x + charts.BOX_WIDTH
            assert places[stage].y <= y <= places[stage].y + charts.BOX_HEIGHT


def test_a_ring_is_drawn_all_the_same() -> None:
    graph = drawn({"a": "ran", "b": "ran", "c": "ran"}, [("a", "b"), ("b", "c"), ("c", "a")])
    assert {box.stage for box in layout(graph).boxes} == {"a", "b", "c"}


def test_an_import_is_drawn_as_its_data_below_its_source_and_every_end_of_a_line_is_a_box() -> None:
    rows = [
        StageRow(
            stage="data.csv.dvc", decision="frozen", deps=(PathRow("elsewhere/data.csv"),), outs=(PathRow("data.csv"),)
        ),
        StageRow(stage="train", decision="ran", cmd="train", deps=(PathRow("data.csv"),), outs=(PathRow("model"),)),
    ]
    graph = graph_of_rows(rows, [("data.csv.dvc", "train")], 30)
    assert graph
    assert {end for edge in graph.edges for end in edge} <= graph.outcomes.keys()
    assert len(graph.edges) == 3
    assert "elsewhere" in mermaid(graph)
