"""Every limit beside the plain ones is a row here: required gains, bands, sizes and durations, and their arithmetic."""

from __future__ import annotations

import statistics
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Location
from runner.review import bands, units
from runner.review.bands import Band
from runner.review.gate import Gate, judge
from runner.review.limits import Allowance
from runner.review.metrics import Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.review.measured import Verdict

P, W, F, U = "passed", "warned", "failed", "unmeasured"


def gate(better: Any = "higher", unit: Any = "", **limits: Any) -> Gate:
    label, file = {"": ("m.json:$.m", "m.json"), "bytes": ("size: a", "a"), "seconds": ("duration: a", "a")}[unit]
    path = "$" if unit else "$.m"
    return Gate(label=label, file=file, jsonpath=path, better=better, unit=unit, where=Location("r", 1, 1), **limits)


def allowance(text: str) -> Allowance:
    return Allowance(Decimal(text.rstrip("%")) / (100 if text.endswith("%") else 1), relative=text.endswith("%"))


def judged(rule: Gate, base: Any, head: Any, past: Sequence[Any] = ()) -> Verdict:
    """Judge one value; `None` is a revision without it."""

    def documents(value: Any) -> dict[str, object]:
        return {} if value is None else {rule.source: value if rule.unit else {"m": value}}

    before = {rule.source: [value if rule.unit else {"m": value} for value in past]}
    (verdict,) = judge([rule], documents(head), documents(base), past=before)
    return verdict


GAINS = [
    # better, required, base, head, status, the beginning of why
    ("higher", "0.1", 0.3, 0.4, P, "better by 0.1"),  # in binary 0.4 - 0.3 is above 0.1
    ("higher", "0.1", 0.2, 0.3, P, "better by 0.1"),  # in binary 0.3 - 0.2 is below 0.1
    ("higher", "0.1", 0.3, 0.39, F, "better by 0.09, 0.01 short of the 0.1 required"),
    ("higher", "0.1", 0.3, 0.3, F, "not better, 0.1 short of the 0.1 required"),
    ("higher", "0.1", 0.3, 0.2, F, "not better, 0.2 short of the 0.1 required"),
    ("higher", "0", 0.3, 0.3, P, "unchanged"),
    ("higher", "0", 0.3, 0.2999999999999999, F, "not better"),
    ("higher", "10%", 0.5, 0.55, P, "better by 0.05"),
    ("higher", "10%", 0.5, 0.549, F, "better by 0.049, 0.001 short of the 0.05 (10%) required"),
    ("higher", "10%", -1, -0.9, P, "better by 0.1"),
    ("higher", "10%", -1, -0.91, F, "better by 0.09, 0.01 short"),
    ("higher", "10%", 0, 1, U, "the baseline is 0"),
    ("higher", "0.1", 0, 0.1, P, "better by 0.1"),
    ("lower", "5", 100, 95, P, "better by 5"),
    ("lower", "5", 100, 95.1, F, "better by 4.9, 0.1 short of the 5 required"),
    ("lower", "5", 100, 105, F, "not better, 10 short"),
    ("lower", "5%", 100, 95, P, "better by 5"),
    ("lower", "5%", 100, 96, F, "better by 4, 1 short of the 5 (5%) required"),
    ("lower", "1e-300", 1e-300, 0, P, "better by 1e-300"),
    ("higher", "1", 9007199254740992, 9007199254740993, P, "better by 1"),
    ("higher", "2", 9007199254740992, 9007199254740993, F, "better by 1, 1 short"),
    ("higher", "0.1", None, 0.4, U, "m.json does not exist at the baseline"),
    ("higher", "0.1", "0.3", 0.4, U, 'the baseline\'s value is "0.3", not a number'),
    ("higher", "0.1", float("nan"), 0.4, U, "the baseline's value is NaN, not a number"),
]


@pytest.mark.parametrize(("better", "required", "base", "head", "status", "why"), GAINS)
def test_a_required_gain_is_measured_in_decimals(  # noqa: PLR0913, PLR0917 - a row of the table
    better: str, required: str, base: Any, head: Any, status: str, why: str
) -> None:
    row = judged(gate(better, require_gain=allowance(required)), base, head)
    assert (row.status, row.exits) == (status, status in {F, U})
    assert row.why.startswith(why)


STEADY = [0.90, 0.91, 0.92, 0.91, 0.90, 0.91, 0.92, 0.91]
BANDS: list[tuple[str, dict[str, Any], list[Any], Any, str]] = [
    # better, band, past, head, status
    ("higher", {"test": "z", "amount": "2"}, [1, 2, 3, 4, 5], 0, P),  # 3 - 2 * 1.5811 = -0.162
    ("higher", {"test": "z", "amount": "2"}, [1, 2, 3, 4, 5], -0.1622, P),
    ("higher", {"test": "z", "amount": "2"}, [1, 2, 3, 4, 5], -0.1623, F),
    ("higher", {"test": "z", "amount": "2"}, [1, 2, 3, 4, 5], 99, P),
    ("higher", {"test": "z", "amount": "2", "both": True}, [1, 2, 3, 4, 5], 99, F),
    ("higher", {"test": "z", "amount": "2", "both": True}, [1, 2, 3, 4, 5], 6.1622, P),
    ("lower", {"test": "z", "amount": "2"}, [1, 2, 3, 4, 5], 6.17, F),
    ("lower", {"test": "z", "amount": "2"}, [1, 2, 3, 4, 5], -99, P),
    ("lower", {"test": "z", "amount": "2", "both": True}, [1, 2, 3, 4, 5], -99, F),
    ("higher", {"test": "z", "amount": "3"}, [0.1] * 5, 0.1, P),  # in binary the mean of these is not 0.1
    ("higher", {"test": "z", "amount": "3"}, [0.1] * 5, 0.09999999999999999, F),
    ("higher", {"test": "z", "amount": "3"}, [1, 2, 3, 4], 9, U),
    ("higher", {"test": "z", "amount": "3", "samples": 4}, [1, 2, 3, 4], 9, P),
    ("higher", {"test": "z", "amount": "3"}, [], 9, U),
    ("higher", {"test": "z", "amount": "3"}, [1, 2, 3, 4, "5", None, True, float("nan")], 9, U),
    ("higher", {"test": "z", "amount": "1", "last": 5}, [900, 900, 900, 1, 2, 3, 4, 5], 2, P),
    ("higher", {"test": "z", "amount": "1", "last": 8}, [900, 900, 900, 1, 2, 3, 4, 5], -500, F),
    ("higher", {"test": "iqr", "amount": "1.5"}, [1, 2, 3, 4, 5], -1, P),  # 2 - 1.5 * 2
    ("higher", {"test": "iqr", "amount": "1.5"}, [1, 2, 3, 4, 5], -1.0000001, F),
    ("lower", {"test": "iqr", "amount": "1.5"}, [1, 2, 3, 4, 5], 7, P),
    ("lower", {"test": "iqr", "amount": "1.5"}, [1, 2, 3, 4, 5], 7.0000001, F),
    ("higher", {"test": "iqr", "amount": "0"}, [1, 2, 3, 4, 5], 2, P),
    ("higher", {"test": "iqr", "amount": "0"}, [1, 2, 3, 4, 5], 1.9, F),
    ("higher", {"test": "iqr", "amount": "0"}, [4, 1, 3, 2, 5, 6], 2.25, P),
    ("higher", {"test": "iqr", "amount": "0"}, [4, 1, 3, 2, 5, 6], 2.24, F),
    ("higher", {"test": "percent", "amount": "0.1"}, [1, 2, 3, 4, 5], 2.7, P),
    ("higher", {"test": "percent", "amount": "0.1"}, [1, 2, 3, 4, 5], 2.69, F),
    ("lower", {"test": "percent", "amount": "0.1"}, [1, 2, 3, 4, 5], 3.3, P),
    ("lower", {"test": "percent", "amount": "0.1"}, [1, 2, 3, 4, 5], 3.31, F),
    ("higher", {"test": "percent", "amount": "0.1"}, [-1, -2, -3, -4, -5], -3.3, P),
    ("higher", {"test": "percent", "amount": "0.1"}, [-1, -2, -3, -4, -5], -3.31, F),
    ("higher", {"test": "percent", "amount": "0.1"}, [-1, 1, -1, 1, 0], 5, U),
    ("higher", {"test": "percent", "amount": "0"}, [0.3] * 5, 0.3, P),
    ("higher", {"test": "z", "amount": "2"}, STEADY, 0.895, P),
    ("higher", {"test": "z", "amount": "2"}, STEADY, 0.894, F),
    ("higher", {"test": "z", "amount": "1"}, [1e308, 1e308, -1e308, 1, 2], -1.7e308, F),
    ("higher", {"test": "z", "amount": "1"}, [5e-324, 5e-324, 5e-324, 5e-324, 5e-324], 0, F),
]


@pytest.mark.parametrize(("better", "band", "past", "head", "status"), BANDS)
def test_a_band_says_what_is_usual_and_too_few_values_are_never_green(
    better: str, band: dict[str, Any], past: list[Any], head: Any, status: str
) -> None:
    rule = gate(better, band=Band(**{**band, "amount": Decimal(band["amount"])}))
    row = judged(rule, None, head, past)
    assert (row.status, row.exits) == (status, status in {F, U})


def test_a_band_names_what_it_was_worked_out_from() -> None:
    rule = gate(band=Band(test="z", amount=Decimal(2)))
    assert judged(rule, None, -1, [1, 2, 3, 4, 5]).why == (
        "-1 is below what is usual, -0.162278 to 6.16228 (mean 3 and standard deviation 1.58114 of 5)"
    )
    assert judged(rule, None, 1, [1, 2]).why == "what is usual cannot be said: 2 recorded values, where it takes 5"


SIZES = [
    # limits, base, head, status, the beginning of why
    ({"at_most": Decimal(200_000_000)}, None, 200_000_000, P, "at most 200 MB"),
    ({"at_most": Decimal(200_000_000)}, None, 200_000_001, F, "200,000,001 B is above 200 MB by 1 B"),
    ({"at_least": Decimal(1)}, None, 0, F, "0 B is below 1 B by 1 B"),
    ({"allow_drop": allowance("10%")}, 1000, 1100, P, "rose by 100 B, which is allowed"),
    ({"allow_drop": allowance("10%")}, 1000, 1101, F, "rose by 101 B, 1 B more than the 100 B (10%) allowed"),
    ({"allow_drop": allowance("10%")}, 0, 1, U, "the baseline is 0"),
    ({"allow_drop": allowance("1000")}, 1000, 500, P, "better by 500 B"),
    ({"allow_drop": allowance("10%")}, None, 1, U, "a does not exist at the baseline"),
    ({"require_gain": allowance("1000")}, 5000, 4000, P, "better by 1 kB"),
    ({"require_gain": allowance("1000")}, 5000, 4001, F, "better by 999 B, 1 B short of the 1 kB required"),
    ({"at_most": Decimal(1)}, None, Unreadable("a does not exist, and no stage makes it"), F, "a does not exist"),
    ({"at_most": Decimal(1)}, 5, Unreadable("nowhere", unrecorded=True), U, "nowhere"),
    ({"allow_drop": allowance("1")}, Unreadable("nowhere", unrecorded=True), 5, U, "the baseline has none: nowhere"),
]


@pytest.mark.parametrize(("limits", "base", "head", "status", "why"), SIZES)
def test_a_size_is_judged_in_bytes_and_told_in_units(
    limits: dict[str, Any], base: Any, head: Any, status: str, why: str
) -> None:
    row = judged(gate("lower", "bytes", **limits), base, head)
    assert (row.status, row.path, row.unit) == (status, "size", "bytes")
    assert row.why.startswith(why)


DURATIONS = [
    ({"at_most": Decimal(7200)}, None, 7200.0, P, "at most 7200 s"),
    ({"at_most": Decimal(7200)}, None, 7200.001, F, "7200.001 s is above 7200 s by 0.00 s"),
    ({"allow_drop": allowance("60")}, 100.5, 160.5, P, "rose by 1 min 0 s, which is allowed"),
    ({"allow_drop": allowance("60")}, 100.5, 160.6, F, "rose by 1 min 0 s, 0.10 s more than the 1 min 0 s allowed"),
    ({"at_most": Decimal(9)}, 5.0, Unreadable("nobody recorded it", unrecorded=True), U, "nobody recorded it"),
    ({"at_most": Decimal(9)}, None, Unreadable("there is no stage a"), F, "there is no stage a"),
    ({"warn_drop": allowance("1")}, 1.0, 3.0, W, "rose by 2.0 s, 1.0 s more than the 1.0 s allowed"),
]


@pytest.mark.parametrize(("limits", "base", "head", "status", "why"), DURATIONS)
def test_a_duration_that_nobody_recorded_is_unmeasured(
    limits: dict[str, Any], base: Any, head: Any, status: str, why: str
) -> None:
    row = judged(gate("lower", "seconds", **limits), base, head)
    assert (row.status, row.path) == (status, "duration")
    assert row.why.startswith(why)


def test_every_limit_says_how_it_was_worked_out() -> None:
    rule = gate(
        at_least=Decimal("0.9"), allow_drop=allowance("2%"), warn_drop=allowance("0.001"),
        band=Band(test="percent", amount=Decimal("0.5")),
    )  # fmt: skip
    row = judged(rule, 0.91, 0.9, [0.9, 0.91, 0.92, 0.91, 0.9])
    assert [(check.limit, check.status, check.arithmetic) for check in row.checks] == [
        ("at-least: 0.9", P, "0.9 >= 0.9"),
        ("allow-drop: 2%", P, "0.91 - 0.9 = 0.01 <= 2% of 0.91 = 0.0182"),
        ("warn-drop: 0.001", W, "0.91 - 0.9 = 0.01 > 0.001"),
        (
            "band: within 50% of the mean over the last 20",
            P,
            "0.9 in >= 0.454; mean 0.908 of 5, 50% of it 0.454",
        ),
    ]


NOISE = [
    # limits, past, whether it is said
    ({"allow_drop": allowance("0.005")}, STEADY, True),
    ({"allow_drop": allowance("0.01")}, STEADY, False),
    ({"allow_drop": allowance("1%")}, STEADY, True),
    ({"allow_drop": allowance("0")}, STEADY, False),  # nothing allowed is a decision, no oversight
    ({"require_gain": allowance("0.005")}, STEADY, True),
    ({"warn_drop": allowance("0.005")}, STEADY, True),
    ({"at_least": Decimal("0.1")}, STEADY, False),
    ({"allow_drop": allowance("0.005")}, STEADY[:4], False),
    ({"allow_drop": allowance("0.005")}, [0.9] * 8, False),
    ({"allow_drop": allowance("0.005")}, [0.1, 0.1, 0.1, 0.9, 0.9, 0.9], False),  # one jump is no noise
]


@pytest.mark.parametrize(("limits", "past", "said"), NOISE)
def test_a_limit_smaller_than_the_metrics_own_noise_is_said_so(
    limits: dict[str, Any], past: list[float], *, said: bool
) -> None:
    assert bool(judged(gate(**limits), 0.91, 0.95, past).note) == said


def test_the_note_names_the_limit_and_the_noise() -> None:
    assert judged(gate(allow_drop=allowance("0.005")), 0.91, 0.91, STEADY).note == (
        "allow-drop 0.005 is smaller than the metric's own noise: "
        "it moves by 0.01 from one to the next of its last 8 values"
    )


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("200 MB", "bytes", "200000000"),
        ("1.5GiB", "bytes", "1610612736"),
        ("0.1 kB", "bytes", "100"),
        ("7 B", "bytes", "7"),
        ("2 h", "seconds", "7200"),
        ("1.5 min", "seconds", "90"),
        ("250 ms", "seconds", "0.25"),
        ("2 d", "seconds", "172800"),
    ],
)
def test_a_quantity_is_read_exactly(text: str, unit: Any, value: str) -> None:
    assert units.quantity(text, unit) == Decimal(value)


# Properties

SOME = st.decimals(-(10**9), 10**9, places=6)
SAMPLES = st.lists(SOME, min_size=5, max_size=30)
TESTS = st.sampled_from(["z", "iqr", "percent"])


@given(SAMPLES)
def test_mean_deviation_and_quartiles_are_those_of_exact_arithmetic(samples: list[Decimal]) -> None:
    middle = statistics.mean(samples)
    assert abs(bands.mean(samples) - middle) <= Decimal("1e-20") * max(Decimal(1), abs(middle))
    spread = statistics.stdev(samples)
    assert abs(bands.deviation(samples) - spread) <= Decimal("1e-15") * max(Decimal(1), spread)
    first, _, third = statistics.quantiles(samples, n=4, method="inclusive")
    assert abs(bands.quantile(samples, Decimal("0.25")) - first) <= Decimal("1e-20") * max(Decimal(1), abs(first))
    assert abs(bands.quantile(samples, Decimal("0.75")) - third) <= Decimal("1e-20") * max(Decimal(1), abs(third))


@given(SAMPLES, TESTS, st.decimals(0, 5, places=2), st.decimals(0, 5, places=2))
def test_a_wider_band_never_excludes_what_a_narrower_one_allows(
    samples: list[Decimal], test: Any, one: Decimal, other: Decimal
) -> None:
    narrow, wide = (bands.bounds(Band(test=test, amount=amount), samples) for amount in sorted((one, other)))
    if isinstance(narrow, str) or isinstance(wide, str):
        assert narrow == wide
    else:
        assert wide.low <= narrow.low <= narrow.high <= wide.high


@given(SAMPLES, TESTS, SOME)
def test_bands_move_with_their_metric(samples: list[Decimal], test: Any, shift: Decimal) -> None:
    if test == "percent":  # which is of the value itself
        return
    here = bands.bounds(Band(test=test, amount=Decimal(2)), samples)
    there = bands.bounds(Band(test=test, amount=Decimal(2)), [value + shift for value in samples])
    assert not isinstance(here, str)
    assert not isinstance(there, str)
    assert abs(there.low - here.low - shift) < Decimal("1e-25")


@given(SAMPLES, TESTS)
def test_the_order_of_the_values_does_not_matter_to_a_band(samples: list[Decimal], test: Any) -> None:
    band = Band(test=test, amount=Decimal(1))
    here, there = bands.bounds(band, samples[-20:]), bands.bounds(band, sorted(samples[-20:]))
    if isinstance(here, str) or isinstance(there, str):
        assert here == there
    else:
        assert abs(here.low - there.low) + abs(here.high - there.high) < Decimal("1e-25")


@given(st.lists(SOME, max_size=4), TESTS)
def test_too_few_values_are_never_enough(samples: list[Decimal], test: Any) -> None:
    assert isinstance(bands.bounds(Band(test=test, amount=Decimal(9)), samples), str)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(NUMBERS, NUMBERS, st.sampled_from(["0", "0.5%", "1e-300", "3"]), st.sampled_from(["higher", "lower"]))
def test_a_required_gain_is_the_mirror_of_an_allowed_drop(base: float, head: float, amount: str, better: str) -> None:
    """What gains at least so much, seen from the other side, dropped at least so much: strictly more fails there."""
    other = "lower" if better == "higher" else "higher"
    gained = judged(gate(better, require_gain=allowance(amount)), base, head)
    dropped = judged(gate(other, allow_drop=allowance(amount)), base, head)
    if gained.status == U:
        assert dropped.status == U
    elif gained.status == F:
        assert dropped.status == P
    exact = (
        Decimal(repr(head)) - Decimal(repr(base)) if better == "higher" else Decimal(repr(base)) - Decimal(repr(head))
    )
    if not amount.endswith("%"):
        assert (gained.status == P) == (exact >= Decimal(amount))


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)), TESTS
)
def test_nothing_but_a_finite_number_is_ever_usual(value: Any, test: Any) -> None:
    band = Band(test=test, amount=Decimal("1e9"), samples=2)
    row = judged(gate(band=band, missing_baseline="pass"), None, value, [1.0, 2.0, 3.0])
    number = isinstance(value, float) and value - value == 0
    assert row.status in ({P, F} if number else {F})


@pytest.mark.parametrize("value", ["1e300", "1e17", "-1e17", "99999999999999999999", "0.5", "999999999999999999"])
def test_a_size_that_nothing_has_is_told_all_the_same(value: str) -> None:
    assert units.exact(Decimal(value), "bytes").endswith("B")


@given(st.integers(0, 10**15))
def test_a_size_is_told_with_every_byte_that_counts(count: int) -> None:
    told = units.exact(Decimal(count), "bytes")
    assert units.quantity(told.replace(",", ""), "bytes") == count
