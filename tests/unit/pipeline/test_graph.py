"""The graph: orders, neighbours, selections, and what may not be. DVC's networkx is the oracle of order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ConfigError
from runner.pipeline import files
from runner.pipeline.graph import PathTree, cycles, post_order
from runner.pipeline.model import Dep, Out, Param, Stage
from runner.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence


def stage(
    name: str, deps: Sequence[str] = (), outs: Sequence[str] = (), *, frozen: bool = False, params: Sequence[str] = ()
) -> Stage:
    return Stage(
        address=name,
        file="dvc.yaml",
        name=name,
        cmd="x",
        wdir=".",
        deps=tuple(Dep(path, path) for path in deps),
        params=tuple(Param(path, path) for path in params),
        outs=tuple(Out(path, path) for path in outs),
        frozen=frozen,
    )


def names(stages: Sequence[Stage]) -> list[str]:
    return [one.name for one in stages]


DIAMOND = Pipeline(
    (
        stage("d", ["b.o", "c.o"], ["d.o"]),
        stage("c", ["a.o"], ["c.o"]),
        stage("b", ["a.o"], ["b.o"]),
        stage("a", ["in"], ["a.o"]),
        stage("lone", [], ["l.o"]),
    ),
    {},
)


def test_producers_come_first_in_the_order_of_deps() -> None:
    assert names(DIAMOND.in_order()) == ["a", "b", "c", "d", "lone"]


def test_neighbours_are_direct() -> None:
    assert names(DIAMOND.upstream(DIAMOND.stage("d"))) == ["b", "c"]
    assert names(DIAMOND.downstream(DIAMOND.stage("a"))) == ["c", "b"]
    assert DIAMOND.upstream(DIAMOND.stage("a")) == ()


def test_a_frozen_stage_keeps_its_producers_but_is_ordered_without_them() -> None:
    pipeline = Pipeline((stage("b", ["a.o"], ["b.o"], frozen=True), stage("a", [], ["a.o"])), {})
    assert names(pipeline.in_order()) == ["b", "a"]
    assert names(pipeline.upstream(pipeline.stage("b"))) == ["a"]
    assert names(pipeline.select(["b"])) == ["b"]


def test_a_params_file_written_by_a_stage_makes_it_a_producer() -> None:
    pipeline = Pipeline((stage("b", params=["p.yaml"], outs=["b.o"]), stage("a", [], ["p.yaml"])), {})
    assert names(pipeline.in_order()) == ["a", "b"]


def test_a_dep_has_the_producers_of_what_holds_it_and_of_what_it_holds() -> None:
    pipeline = Pipeline(
        (
            stage("reader", ["out/a/file", "parts"]),
            stage("p2", [], ["parts/z"]),
            stage("folder", [], ["out"]),
            stage("p1", [], ["parts/a"]),
            stage("other", [], ["parts2"]),
        ),
        {},
    )
    assert names(pipeline.upstream(pipeline.stages[0])) == ["folder", "p2", "p1"]
    assert pipeline.producer("out/a/file") == (pipeline.stages[2], Out("out", "out"))
    assert pipeline.producer("out") == (pipeline.stages[2], Out("out", "out"))
    assert pipeline.producer("outer") is None
    assert [(one.name, out.path) for one, out in pipeline.outs_inside("parts")] == [
        ("p2", "parts/z"),
        ("p1", "parts/a"),
    ]
    assert pipeline.outs_inside("parts/z") == ()
    assert len(pipeline.outs_inside(".")) == 4


@given(st.lists(st.lists(st.integers(0, 7), max_size=4), min_size=8, max_size=8))
def test_any_order_is_that_of_networkx(wanted: list[list[int]]) -> None:
    edges = [list(dict.fromkeys(t for t in targets if t > number)) for number, targets in enumerate(wanted)]
    graph = nx.DiGraph()
    graph.add_nodes_from(range(8))
    graph.add_edges_from((number, target) for number, targets in enumerate(edges) for target in targets)
    assert list(post_order(range(8), edges)) == list(nx.dfs_postorder_nodes(graph))


@given(st.lists(st.lists(st.integers(0, 7), max_size=3, unique=True), min_size=8, max_size=8))
def test_each_group_of_stages_in_a_circle_is_found_once_with_a_true_way_round(edges: list[list[int]]) -> None:
    graph = nx.DiGraph((number, target) for number, targets in enumerate(edges) for target in targets)
    groups = [set(group) for group in nx.strongly_connected_components(graph)]
    circular = sorted(min(group) for group in groups if len(group) > 1 or min(group) in edges[min(group)])
    found = cycles(edges)
    assert [way[0] for way in found] == circular
    assert all(after in edges[before] for way in found for before, after in zip(way, [*way[1:], way[0]], strict=True))


@pytest.mark.slow
def test_a_chain_of_many_thousand_stages_is_ordered_without_recursion() -> None:
    stages = tuple(stage(f"s{n}", [f"o{n + 1}"], [f"o{n}"]) for n in range(20_000))
    assert [one.name for one in Pipeline(stages, {}).in_order()] == [f"s{n}" for n in reversed(range(20_000))]


def test_a_tree_of_paths_tells_above_from_at_and_below() -> None:
    tree = PathTree([("a/b", 1), ("a/b/c", 2), ("a", 3), (".", 0)])
    assert tree.at_or_above("a/b/x") == (0, 3, 1)
    assert tree.above("a/b") == (0, 3)
    assert tree.above(".") == ()
    assert tree.below("a") == (1, 2)
    assert tree.below("nope") == ()


@pytest.mark.parametrize(
    ("targets", "cwd", "selected"),
    [
        ([], ".", ["data.dvc", "a", "b", "c", "sub/dvc.yaml:x", "sub/dvc.yaml:y:z"]),
        (["b"], ".", ["data.dvc", "a", "b"]),
        (["c"], ".", ["c"]),
        (["c", "a"], ".", ["data.dvc", "a", "c"]),
        (["dvc.yaml"], ".", ["data.dvc", "a", "b", "c"]),
        (["dvc.yaml:a"], ".", ["data.dvc", "a"]),
        (["data.dvc"], ".", ["data.dvc"]),
        (["sub/dvc.yaml:x"], ".", ["sub/dvc.yaml:x"]),
        (["sub/dvc.yaml:y:z"], ".", ["sub/dvc.yaml:y:z"]),
        (["x"], "sub", ["sub/dvc.yaml:x"]),
        (["y:z"], "sub", ["sub/dvc.yaml:y:z"]),
        (["dvc.yaml"], "sub", ["sub/dvc.yaml:x", "sub/dvc.yaml:y:z"]),
        (["../dvc.yaml:c"], "sub", ["c"]),
        (["../data.dvc"], "sub", ["data.dvc"]),
    ],
)
def test_targets_bring_everything_upstream_in_order(targets: list[str], cwd: str, selected: list[str]) -> None:
    assert [one.address for one in PROJECT.select(targets, cwd)] == selected


_TEXTS = {
    "dvc.yaml": (
        "stages:\n  b: {cmd: x, deps: [a.o], outs: [b.o]}\n  a: {cmd: x, deps: [data], outs: [a.o]}\n  c: {cmd: x}\n"
    ),
    "data.dvc": "outs:\n- path: data\n",
    "sub/dvc.yaml": "stages:\n  x: {cmd: x}\n  y:z: {cmd: x}\n",
}
PROJECT = files.load(["dvc.yaml", "data.dvc", "sub/dvc.yaml"], _TEXTS.get)


@pytest.mark.parametrize(
    ("target", "near"), [("bb", "b"), ("dta.dvc", "data.dvc"), ("nothing alike", "retrain stages")]
)
def test_an_unknown_target_is_refused_with_the_nearest(target: str, near: str) -> None:
    with pytest.raises(ConfigError, match="no stage") as caught:
        PROJECT.select([target])
    assert near in caught.value.hint


GROUPS = files.load(
    ["dvc.yaml", "sub/dvc.yaml"],
    {
        "dvc.yaml": (
            "stages:\n  s: {foreach: [a, e:f, g/h], do: {cmd: x}}\n  m: {matrix: {x: [1, 2]}, cmd: x}\n"
            "  none: {foreach: [], do: {cmd: x}}\n  t: {cmd: x}\n"
        ),
        "sub/dvc.yaml": "stages:\n  s: {foreach: {k: 1}, do: {cmd: x}}\n",
    }.get,
)


@pytest.mark.parametrize(
    ("target", "cwd", "selected"),
    [
        ("s", ".", ["s@a", "s@e:f", "s@g/h"]),
        ("s@e:f", ".", ["s@e:f"]),
        ("s@g/h", ".", ["s@g/h"]),
        ("dvc.yaml:s@e:f", ".", ["s@e:f"]),
        (":t", ".", ["t"]),
        ("m", ".", ["m@1", "m@2"]),
        ("none", ".", []),
        ("sub/dvc.yaml:s", ".", ["sub/dvc.yaml:s@k"]),
        ("sub/dvc.yaml:s@k", ".", ["sub/dvc.yaml:s@k"]),
        ("s", "sub", ["sub/dvc.yaml:s@k"]),
        ("../dvc.yaml:m", "sub", ["m@1", "m@2"]),
        ("../dvc.yaml:m@1", "sub", ["m@1"]),
    ],
)
def test_a_target_names_a_group_or_one_stage_of_it(target: str, cwd: str, selected: list[str]) -> None:
    assert [one.address for one in GROUPS.named(target, cwd)] == selected
    assert [one.address for one in GROUPS.select([target], cwd)] == selected


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("s@zz", "did you mean s@a or s@e:f or s@g/h?"),
        ("m@3", "did you mean m@2 or m@1?"),
        ("nine", "did you mean none?"),
        ("dvc.lock", "did you mean dvc.yaml?"),
        ("sub/dvc.lock:s", "did you mean sub/dvc.yaml:s?"),
    ],
)
def test_an_unknown_key_of_a_group_is_refused_with_those_there_are(target: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="no stage") as caught:
        GROUPS.named(target)
    assert caught.value.hint == hint


def test_a_target_is_looked_up_in_the_present_folder_only() -> None:
    with pytest.raises(ConfigError):
        PROJECT.select(["a"], "sub")


def problems(text: str, **others: str) -> list[str]:
    texts = {"dvc.yaml": text, **{name.replace("__", "/").replace("_", "."): other for name, other in others.items()}}
    with pytest.raises(ConfigError) as caught:
        files.load(texts, texts.get)
    return [str(problem).partition("\n")[0] for problem in caught.value.problems]


def test_two_stages_that_write_one_path_are_refused_at_the_second() -> None:
    text = "stages:\n  a: {cmd: x, outs: [o]}\n  b:\n    cmd: x\n    metrics:\n    - ./o\n"
    assert problems(text) == ["dvc.yaml:6:7: './o' is an out of 'b' and also of 'a' (dvc.yaml:2:22)"]


def test_a_stage_and_a_dvc_file_cannot_track_one_path() -> None:
    found = problems("stages:\n  a: {cmd: x, outs: [data]}\n", data_dvc="outs:\n- path: data\n")
    assert found == ["data.dvc:2:3: 'data' is an out of 'data.dvc' and also of 'a' (dvc.yaml:2:22)"]


def test_an_out_inside_another_is_refused() -> None:
    assert problems("stages:\n  a: {cmd: x, outs: [d, d/e]}\n") == [
        "dvc.yaml:2:25: 'd/e', an out of 'a', is inside 'd', an out of 'a' (dvc.yaml:2:22)"
    ]


def test_a_dvc_file_inside_an_out_that_is_found_later_is_refused() -> None:
    texts = {"a/b.dvc": "outs:\n- path: x\n", "z/c.dvc": "wdir: ..\nouts:\n- path: a\n"}
    with pytest.raises(ConfigError) as caught:
        files.load(texts, texts.get)
    found = [str(problem).partition("\n")[0] for problem in caught.value.problems]
    assert found == [
        "a/b.dvc:2:3: 'a/x', an out of 'a/b.dvc', is inside 'a', an out of 'z/c.dvc' (z/c.dvc:3:3)",
        "a/b.dvc:1:1: the DVC file 'a/b.dvc' is inside 'a', an out of 'z/c.dvc' (z/c.dvc:3:3)",
    ]


def test_a_path_named_twice_by_one_stage_is_told_with_both_places() -> None:
    assert problems("stages:\n  a:\n    cmd: x\n    outs: [o]\n    metrics:\n    - o\n") == [
        "dvc.yaml:4:12: 'o' is an out of 'a' twice (also at dvc.yaml:4:12)"
    ]


def test_a_stage_that_reads_what_it_writes_is_refused() -> None:
    assert problems("stages:\n  a: {cmd: x, deps: [in, d/e], outs: [d]}\n") == [
        "dvc.yaml:2:26: 'd/e' is both a dep and an out of 'a'"
    ]


def test_stages_in_a_circle_are_named_in_its_order() -> None:
    entries = (f"  {name}: {{cmd: x, deps: [{dep}], outs: [{name}]}}\n" for name, dep in ("ac", "ba", "cb"))
    text = "stages:\n" + "".join(entries)
    assert problems(text) == ["dvc.yaml:2:22: stages depend on one another in a circle: 'a' -> 'c' -> 'b' -> 'a'"]


def test_a_circle_through_a_frozen_stage_is_a_circle() -> None:
    text = "stages:\n  a: {cmd: x, deps: [b], outs: [a], frozen: true}\n  b: {cmd: x, deps: [a], outs: [b]}\n"
    assert len(problems(text)) == 1


def test_all_clashes_are_told_at_once() -> None:
    text = "stages:\n  a: {cmd: x, deps: [a], outs: [a, b]}\n  b: {cmd: x, outs: [b, c]}\n  c: {cmd: x, outs: [c/d]}\n"
    assert len(problems(text)) == 3


def test_a_target_that_is_an_out_is_told_with_the_stage_that_writes_it() -> None:
    text = "stages:\n  a:\n    cmd: x\n    outs: [o]\n"
    pipeline = files.load(["sub/dvc.yaml"], {"sub/dvc.yaml": text}.get)
    with pytest.raises(ConfigError) as caught:
        pipeline.select(["o"], "sub")
    assert caught.value.hint == "it is a path that sub/dvc.yaml:a writes: name that stage"
