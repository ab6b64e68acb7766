"""Which stage may begin: on generated pipelines, whatever ends first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.engine.schedule import Schedule
from runner.pipeline.model import Stage

Edges = dict[int, set[int]]


@st.composite
def pipelines(draw: st.DrawFn) -> Edges:
    """Draw, for each stage, the earlier ones that it reads."""
    count = draw(st.integers(1, 8))
    return {
        number: draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set() for number in range(count)
    }


def scheduled(edges: Edges) -> tuple[Schedule, list[Stage]]:
    stages = [Stage(str(number), "dvc.yaml", str(number), "true", ".") for number in edges]

    def related(stage: Stage) -> list[Stage]:
        mine = int(stage.address)
        return [other for other in stages if int(other.address) in edges[mine] or mine in edges[int(other.address)]]

    return Schedule(stages, related), stages


def numbers(stages: list[Stage] | tuple[Stage, ...]) -> list[int]:
    return [int(stage.address) for stage in stages]


@given(pipelines())
def test_one_at_a_time_is_the_order_itself(edges: Edges) -> None:
    schedule, stages = scheduled(edges)
    taken = []
    while stage := schedule.begin():
        taken.append(stage)
        schedule.end(stage)
    assert taken == stages


@given(pipelines(), st.data())
def test_nothing_begins_before_what_it_reads_has_ended_and_everything_ends(edges: Edges, data: st.DataObject) -> None:
    schedule, stages = scheduled(edges)
    underway: list[Stage] = []
    ended: list[int] = []
    while len(ended) < len(stages):
        while stage := schedule.begin():
            assert edges[int(stage.address)] <= set(ended)
            underway.append(stage)
        assert schedule.underway == {stage.address for stage in underway}
        stage = underway.pop(data.draw(st.integers(0, len(underway) - 1)))
        schedule.end(stage)
        ended.append(int(stage.address))
    assert schedule.begin() is None


@given(pipelines(), st.data())
def test_what_may_begin_begins_in_order(edges: Edges, data: st.DataObject) -> None:
    schedule, _ = scheduled(edges)
    while stage := schedule.begin():
        begun = [stage]
        while following := schedule.begin():
            begun.append(following)
        assert numbers(begun) == sorted(numbers(begun))
        for one in data.draw(st.permutations(begun)):
            schedule.end(one)


@given(pipelines(), st.data())
def test_a_postponed_stage_comes_after_what_is_made_again_and_that_beside_nobody_who_reads_it(
    edges: Edges, data: st.DataObject
) -> None:
    schedule, stages = scheduled(edges)
    underway: list[Stage] = []
    times = dict.fromkeys(range(len(stages)), 0)
    has_been_postponed = False
    while True:
        while stage := schedule.begin():
            neighbours = edges[int(stage.address)] | {other for other in edges if int(stage.address) in edges[other]}
            assert not neighbours & set(numbers(underway))
            assert stage not in underway
            underway.append(stage)
        if not underway:
            break
        stage = underway.pop(data.draw(st.integers(0, len(underway) - 1)))
        producers = sorted(edges[int(stage.address)])
        if producers and not has_been_postponed:
            has_been_postponed = True
            schedule.postpone(stage, [stages[producers[0]]])
            continue
        schedule.end(stage)
        times[int(stage.address)] += 1
    assert all(times.values())
    assert sum(times.values()) == len(stages) + has_been_postponed


def test_what_is_given_up_is_given_in_order_and_never_begins() -> None:
    schedule, stages = scheduled({0: set(), 1: {0}, 2: set(), 3: {1}})
    assert schedule.begin() == stages[0]
    assert numbers(schedule.give_up()) == [1, 2, 3]
    schedule.end(stages[0])
    assert schedule.begin() is None
