"""When another try is worth it, how long before it, and what comes too slowly to be waited for."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING

import pytest

from runner.errors import Unavailable
from runner.store.lanes import in_order
from runner.store.patience import Pace, Patience
from runner.store.retry_after import seconds

if TYPE_CHECKING:
    from collections.abc import Callable

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


def refusing(times: int, after: float = 0.0) -> Callable[[], str]:
    left = itertools.count(times, -1)

    def attempt() -> str:
        if next(left) > 0:
            message = "out of order"
            raise Unavailable(message, after=after)
        return "done"

    return attempt


def test_nobody_is_asked_before_they_said() -> None:
    waits: list[float] = []
    assert Patience(budget=600, sleep=waits.append).call(refusing(3, after=30.0)) == "done"
    assert len(waits) == 3
    assert min(waits) >= 30


def test_who_wants_more_time_than_there_is_gets_none() -> None:
    waits: list[float] = []
    with pytest.raises(Unavailable):
        Patience(budget=20, sleep=waits.append).call(refusing(3, after=30.0))
    assert waits == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 0.0),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:09 GMT", "Date": DATE}, 9.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:27:00 GMT", "Date": DATE}, 0.0),
        ({"Retry-After": DATE}, pytest.approx(0.0, abs=1e9)),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "1.5"}, 0.0),
        ({"Retry-After": ""}, 0.0),
    ],
)
def test_what_a_server_asks_for_is_told_in_seconds_by_its_own_clock(headers: dict[str, str], expected: float) -> None:
    assert seconds(headers) == expected


def paced(sizes: list[int], each: float) -> int:
    clock = itertools.count(0.0, each)
    chunks = (bytes(size) for size in sizes)
    return sum(len(chunk) for chunk in Pace(window=10.0, slowest=100.0).kept(chunks, lambda: next(clock)))


def test_what_comes_in_time_is_passed_on() -> None:
    assert paced([1000] * 50, each=1.0) == 50_000
    assert paced([1] * 5, each=1.0) == 5
    assert paced([], each=1.0) == 0


def test_what_comes_too_slowly_is_given_up_however_long_it_came_fast() -> None:
    with pytest.raises(Unavailable, match=r"only \d+ bytes arrived in \d+ s"):
        paced([1000] * 50 + [1] * 50, each=1.0)


def test_results_come_in_order_and_no_more_wait_than_there_are_lanes() -> None:
    under_way: set[int] = set()
    most = 0

    def work(number: int) -> int:
        nonlocal most
        under_way.add(number)
        most = max(most, len(under_way))
        time.sleep(0.001 * (number % 3))
        return number

    taken = []
    for number in in_order(work, range(50), 4):
        taken.append(number)
        under_way.discard(number)
    assert taken == list(range(50))
    assert most <= 5  # one is in the hands of who takes them


def test_an_error_comes_in_its_turn_and_ends_the_work() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 3:
            raise ValueError(number)
        done.append(number)
        return number

    taken: list[int] = []
    with pytest.raises(ValueError, match="3"):
        taken.extend(in_order(work, range(1000), 2))
    assert taken == [0, 1, 2]
    assert len(done) < 10


def test_who_stops_taking_stops_the_work() -> None:
    before = threading.active_count()
    results = in_order(lambda number: number, range(1000), 4)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]  # a generator has it
    for _ in range(500):
        if threading.active_count() <= before:
            break
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_nothing_to_do_is_done() -> None:
    assert list(in_order(lambda number: number, range(0), 4)) == []
