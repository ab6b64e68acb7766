"""A class of values behaves as one of the standard library's: each is asked the same as its twin."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable


def _plain(decorated: Callable[..., Any]) -> type:
    @decorated(frozen=True, slots=True)
    class Part:
        """A part."""

        kind: ClassVar[str] = "part"
        name: str
        size: float = 0
        where: int | None = field(default=None, compare=False)
        noted: Any = field(default_factory=dict, hash=False)
        token: str = field(default="", repr=False)

    return Part


def _named(decorated: Callable[..., Any]) -> type:
    @decorated(frozen=True, kw_only=True)
    class Part:
        size: float = 0
        name: str

    return Part


def _extended(decorated: Callable[..., Any]) -> type:
    @decorated(frozen=True)
    class Part:
        name: str
        size: float = 0

    @decorated(frozen=True)
    class Whole(Part):
        parts: tuple[str, ...] = ()

    return Whole


def _changing(decorated: Callable[..., Any]) -> type:
    @decorated
    class Part:
        name: str
        size: float = 0
        seen: list[str] = field(default_factory=list)

        def __post_init__(self) -> None:
            self.seen.append(self.name)

    return Part


def _empty(decorated: Callable[..., Any]) -> type:
    @decorated(frozen=True, slots=True)
    class Part:
        pass

    return Part


def _own(decorated: Callable[..., Any]) -> type:
    @decorated(frozen=True, slots=True)
    class Part:
        name: str
        size: float = 0

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and self.name.lower() == other.name.lower()

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "a part"

    return Part


CALLS: list[tuple[tuple[object, ...], dict[str, object]]] = [
    ((), {}),
    (("a",), {}),
    (("A", 1), {}),
    (("a", float("nan")), {}),
    ((), {"name": "a"}),
    ((), {"name": "a", "size": 1}),
    (("a",), {"name": "a"}),
    ((), {"name": "a", "other": 1}),
    (("a", 1, 2, 3, 4, 5, 6), {}),
    (("a",), {"where": 3, "token": "secret"}),
    (("a",), {"noted": {"x": 1}}),
    (("a",), {"parts": ("b",)}),
]
KINDS = (_plain, _named, _extended, _changing, _empty, _own)


def _tried(ask: Callable[..., object], *values: object, **named: object) -> object:
    """Give an answer, or what kind of error there was instead."""
    try:
        return ask(*values, **named)
    except (TypeError, AttributeError) as error:
        return type(error)


def _instances(made: type) -> list[Any]:
    tried = [_tried(made, *values, **named) for values, named in CALLS]
    return [None if isinstance(each, type) else each for each in tried]


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_takes_compares_hashes_and_shows_what_its_standard_twin_does(kind: Callable[..., type]) -> None:
    ours, theirs = _instances(kind(dataclass)), _instances(kind(dataclasses.dataclass))
    assert [each is None for each in ours] == [each is None for each in theirs]
    assert [repr(each) for each in ours] == [repr(each) for each in theirs]
    assert [[one == other for one in ours] for other in ours] == [[one == other for one in theirs] for other in theirs]
    assert _found(ours) == _found(theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_later_instances_are_made_as_the_first_ones(kind: Callable[..., type]) -> None:
    made = kind(dataclass)
    first = [repr(each) for each in _instances(made)]
    for _ in range(40):
        assert [repr(each) for each in _instances(made)] == first


def test_a_default_that_one_instance_could_change_for_all_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Part\.sizes: a mutable default"):

        @dataclass(frozen=True)
        class Part:
            sizes: list[int] = []  # noqa: RUF012 - refused


def _found(instances: list[Any]) -> list[list[object]]:
    """Say which instance is found in a dictionary under which other, by hash and equality."""
    return [[_tried(lambda pair: pair[1] in {pair[0]: 1}, (one, other)) for one in instances] for other in instances]


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_is_described_copied_and_matched_as_its_standard_twin(kind: Callable[..., type]) -> None:
    ours, theirs = kind(dataclass), kind(dataclasses.dataclass)
    assert [each.name for each in fields(ours)] == [each.name for each in fields(theirs)]
    assert vars(ours)["__match_args__"] == vars(theirs)["__match_args__"]
    assert hasattr(ours, "__slots__") == hasattr(theirs, "__slots__")
    for one, other in zip(_instances(ours), _instances(theirs), strict=True):
        if one is not None:
            assert asdict(one) == asdict(other)
            assert copy.copy(one) == one or one != one  # noqa: PLR0124 - not a number
            assert repr(_tried(replace, one, name="b")) == repr(_tried(replace, other, name="b"))


def test_a_frozen_class_refuses_assignments_and_still_keeps_what_it_worked_out() -> None:
    @dataclass(frozen=True)
    class Part:
        name: str

        @cached_property
        def shout(self) -> str:
            return self.name.upper()

    part = Part("a")
    assert part.shout == "A"
    for change, values in ((setattr, ("name", "b")), (setattr, ("more", 1)), (delattr, ("name",))):
        with pytest.raises(FrozenInstanceError, match="is frozen"):
            change(part, *values)
    assert part == Part("a")


@dataclass(frozen=True, slots=True)
class _Sent:
    name: str
    sizes: tuple[int, ...] = ()


def test_a_frozen_class_with_slots_goes_through_pickle() -> None:
    sent = pickle.dumps(_Sent("a", (1, 2)))
    assert pickle.loads(sent) == _Sent("a", (1, 2))  # noqa: S301 - our own
