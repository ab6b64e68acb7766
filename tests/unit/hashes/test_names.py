"""Sets of very many names: what sets are, in less memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.hashes import LEGACY, MD5, Hash, Names, Sizes

_VALUES = st.one_of(
    st.binary(min_size=16, max_size=16).map(bytes.hex),
    st.sampled_from(
        ["00" * 16, "00" * 15 + "01", "ff" * 16, "AB" * 16, "ab" * 16, "", "ab", "0" * 32 + ".dir", "é" * 32]
    ),
)
_HASHES = st.builds(Hash, _VALUES, st.sampled_from([MD5, LEGACY, "etag"]))
_SETS = st.frozensets(_HASHES, max_size=20)


@given(st.lists(_HASHES, max_size=20))
def test_names_are_those_that_were_given_each_once(given: list[Hash]) -> None:
    names = Names.of(iter(given))
    assert len(names) == len(set(given))
    assert set(names) == set(given)
    assert len(list(names)) == len(names)
    assert all(name in names for name in given)
    assert bool(names) is bool(given)
    assert Names.of(names) is names


@given(_SETS, _SETS)
def test_names_are_put_together_and_taken_apart_as_sets_are(one: frozenset[Hash], other: frozenset[Hash]) -> None:
    left, right = Names.of(one), Names.of(other)
    assert set(left - right) == set(left - other) == set(one - right) == one - other
    assert set(left & right) == set(left & other) == set(one & right) == one & other
    assert set(left | right) == set(left | other) == set(one | right) == one | other
    assert (left == right) is (one == other)
    assert all((name in left) is (name in one) for name in other)
    assert Names.united([left, right, left]) == left | right


@given(_SETS, st.integers(1, 10))
def test_names_in_parts_are_all_of_them_each_in_one(given: frozenset[Hash], most: int) -> None:
    parts = list(Names.of(given).parts(most))
    assert sorted(str(name) for part in parts for name in part) == sorted(map(str, given))
    folders = list(Names.of(given).folders())
    assert all(len({(name.value[:2], name.name) for name in folder}) == 1 for folder in folders)
    widest = max(map(len, folders), default=0)
    assert all(0 < len(part) <= max(most, widest) for part in parts)


def test_packed_digests_are_names_of_their_kind() -> None:
    names = Names.packed(LEGACY, [bytes(16) + b"\xff" * 16, bytes(16)])
    assert list(names) == [Hash("00" * 16, LEGACY), Hash("ff" * 16, LEGACY)]


@given(st.dictionaries(_HASHES, st.integers(0, 1 << 50), max_size=20), _SETS)
def test_sizes_are_found_and_added_up_by_name(given: dict[Hash, int], others: frozenset[Hash]) -> None:
    sizes = Sizes(given.items())
    assert dict(sizes) == dict(sizes.pairs()) == given
    assert len(sizes) == len(given)
    assert set(sizes.names) == given.keys()
    assert {name: sizes.get(name) for name in others} == {name: given.get(name) for name in others}
    asked = others | set(list(given)[::2])
    assert sizes.total(Names.of(asked)) == sum(given.get(name, 0) for name in asked)
    assert dict(sizes.without(Names.of(asked))) == {name: given[name] for name in given if name not in asked}


@given(_SETS)
def test_listings_go_before_files_and_nothing_goes_twice(given: frozenset[Hash]) -> None:
    going = [*Names.of(given).listings_first()]
    assert len(going) == len(given)
    assert set(going) == given
    assert [name.is_dir for name in going] == sorted((name.is_dir for name in going), reverse=True)
