"""The graph of stages and of outs, whole and in part, as Mermaid, DOT and trees."""

from __future__ import annotations

import itertools

import pytest

from runner import tables
from runner.pipeline import files
from runner.review.dag import Dag, collapsed, dot, mermaid, of_outs, of_stages

PIPELINE = """\
stages:
  join: {cmd: x, deps: [right, left], outs: [joined]}
  left: {cmd: x, deps: [top], outs: [left]}
  right: {cmd: x, deps: [top/in], outs: [right, 'r"2']}
  top: {cmd: x, deps: [data], outs: [top]}
  lone: {cmd: x, outs: [alone]}
"""
PROJECT = files.load(["dvc.yaml", "data.dvc"], {"dvc.yaml": PIPELINE, "data.dvc": "outs: [{path: data}]\n"}.get)
STAGES = of_stages(PROJECT, ".")
EDGES = {("data.dvc", "top"), ("top", "left"), ("top", "right"), ("right", "join"), ("left", "join")}


def test_stages_are_nodes_by_their_addresses_from_where_one_is() -> None:
    assert STAGES.nodes == ("join", "left", "right", "top", "lone", "data.dvc")
    assert set(STAGES.edges) == EDGES
    assert of_stages(PROJECT, "sub").nodes[:1] == ("../dvc.yaml:join",)


def test_outs_lead_to_the_outs_of_the_stages_that_read_them() -> None:
    assert set(of_outs(PROJECT, ".").edges) == {
        ("data", "top"),
        ("top", "left"),
        ("top", "right"),
        ("top", 'r"2'),
        ("right", "joined"),
        ("left", "joined"),
    }


def test_a_target_shows_what_leads_to_it_or_all_it_is_connected_with() -> None:
    assert STAGES.around(["left"], full=False).nodes == ("left", "top", "data.dvc")
    assert STAGES.around(["left"], full=True).nodes == ("join", "left", "right", "top", "data.dvc")


def test_mermaid_numbers_each_group_in_order_of_names() -> None:
    part = STAGES.around(["left", "lone"], full=False)
    assert mermaid(part).split("\n") == [
        "flowchart TD",
        '\tnode1["data.dvc"]',
        '\tnode2["left"]',
        '\tnode3["top"]',
        "\tnode1-->node3",
        "\tnode3-->node2",
        '\tnode4["lone"]',
    ]
    assert 'r#quot;2"]' in mermaid(of_outs(PROJECT, "."))


def test_dot_quotes_names() -> None:
    assert dot(Dag(('r"2', "b"), (('r"2', "b"),))) == 'strict digraph {\n"r\\"2";\n"b";\n"r\\"2" -> "b";\n}\n'


def test_stages_of_one_group_become_one_node() -> None:
    dag = Dag(("fit@a", "fit@b", "a@b.dvc", "end"), (("fit@a", "end"), ("fit@b", "end"), ("a@b.dvc", "fit@a")))
    assert collapsed(dag) == Dag(("fit", "a@b.dvc", "end"), (("fit", "end"), ("a@b.dvc", "fit")))


def test_trees_name_what_follows_each_stage_once() -> None:
    assert tables.forest(STAGES).splitlines() == [
        "lone",
        "data.dvc",
        "└── top",
        "    ├── left",
        "    │   └── join",
        "    └── right",
        "        └── join (*)",
    ]


@pytest.mark.slow
def test_a_long_chain_is_drawn_too() -> None:
    names = tuple(f"s{number}" for number in range(2_000))
    assert len(tables.forest(Dag(names, tuple(itertools.pairwise(names)))).splitlines()) == 2_000
