"""Every rule of the gates is a row here: limits, then the two documents, then what each matched value gets."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Location
from runner.review.bands import Band
from runner.review.gate import Gate, judge, overall
from runner.review.limits import Allowance
from runner.review.measured import Verdict
from runner.review.metrics import Documents, Unreadable, parse_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = "metrics.json"
NONE = "no such file"


def gate(path: str = "$.m", better: Any = "higher", **rules: Any) -> Gate:
    limits: dict[str, Any] = {}
    for key, value in rules.items():
        if key in {"at_least", "at_most"}:
            limits[key] = Decimal(value)
        elif key in {"allow_drop", "warn_drop"}:
            relative = value.endswith("%")
            amount = Decimal(value.rstrip("%")) / (100 if relative else 1)
            limits[key] = Allowance(amount, relative)
        else:
            limits[key] = value
    return Gate(
        label=f"{FILE}:{path}", file=FILE, jsonpath=path, better=better, where=Location("retrain.yaml", 3, 5), **limits
    )


def documents(text: str | None) -> Documents | None:
    """Read a document as from a file: `None` is no baseline at all, `NONE` a revision without the file."""
    if text is None:
        return None
    return {} if text == NONE else {FILE: parse_metrics(FILE, text.encode())}


def m(value: str) -> str:
    return f'{{"m": {value}}}'


def judged(rule: Gate, base: str | None, head: str, event: str = "") -> tuple[Verdict, ...]:
    candidate = documents(head)
    assert candidate is not None
    return judge([rule], candidate, documents(base), event)


P, W, F, U = "passed", "warned", "failed", "unmeasured"
ABSOLUTE = [
    ({"at_least": "0.9"}, "0.9", P),
    ({"at_least": "0.9"}, "0.90", P),
    ({"at_least": "0.9"}, "0.9000000000000001", P),
    ({"at_least": "0.9"}, "0.8999999999999999", F),
    ({"at_least": "0.9"}, "9e-1", P),
    ({"at_least": "0.9"}, "1", P),
    ({"at_least": "0.9"}, "0", F),
    ({"at_least": "0.9"}, "-0.0", F),
    ({"at_least": "0"}, "-0.0", P),
    ({"at_least": "0"}, "-5e-324", F),
    ({"at_least": "-1"}, "-1", P),
    ({"at_least": "-1"}, "-1.0000001", F),
    ({"at_most": "120"}, "120", P),
    ({"at_most": "120"}, "120.0", P),
    ({"at_most": "120"}, "120.00000000000001", F),
    ({"at_most": "120"}, "119.99999999999999", P),
    ({"at_most": "0.3"}, "0.30000000000000004", F),
    ({"at_most": "0.3"}, "0.3", P),
    ({"at_most": "-2"}, "-2", P),
    ({"at_most": "-2"}, "-1", F),
    ({"at_least": "0.1", "at_most": "0.2"}, "0.15", P),
    ({"at_least": "0.1", "at_most": "0.2"}, "0.1", P),
    ({"at_least": "0.1", "at_most": "0.2"}, "0.2", P),
    ({"at_least": "0.1", "at_most": "0.2"}, "0.09", F),
    ({"at_least": "0.1", "at_most": "0.2"}, "0.21", F),
    ({"at_least": "1", "at_most": "1"}, "1", P),
    ({"at_least": "9007199254740993"}, "9007199254740993", P),
    ({"at_least": "9007199254740993"}, "9007199254740992", F),
    ({"at_most": "9007199254740992"}, "9007199254740993", F),
    ({"at_most": "1e308"}, "1e308", P),
    ({"at_most": "1e308"}, "1.7976931348623157e308", F),
    ({"at_least": "1e-320"}, "5e-324", F),
    ({"at_least": "1" + "0" * 300}, "1" + "0" * 300, P),
    ({"at_least": "1" + "0" * 300}, "9" * 300, F),
]
NO_NUMBERS = [
    ("NaN", "NaN cannot be compared"),
    ("Infinity", "Infinity cannot be compared"),
    ("-Infinity", "-Infinity cannot be compared"),
    ("1e400", "Infinity cannot be compared"),
    ("-1e400", "-Infinity cannot be compared"),
    ("1" + "0" * 400, "an integer out of range cannot be compared"),
    ("true", "true cannot be compared"),
    ("false", "false cannot be compared"),
    ("null", "null cannot be compared"),
    ('"0.95"', '"0.95" cannot be compared'),
    ('""', '"" cannot be compared'),
    ('"NaN"', '"NaN" cannot be compared'),
    ("{}", "{} cannot be compared"),
    ('{"a": 0.95}', '{"a": 0.95} cannot be compared'),
    ("[]", "[] cannot be compared"),
    ("[0.95]", "[0.95] cannot be compared"),
]
DROPS = [
    # better, rules, base, head, status
    ("higher", {"allow_drop": "0.005"}, "0.9", "0.9", P),
    ("higher", {"allow_drop": "0.005"}, "0.9", "0.95", P),
    ("higher", {"allow_drop": "0.005"}, "0.9", "0.895", P),  # in binary 0.9 - 0.895 is above 0.005
    ("higher", {"allow_drop": "0.005"}, "0.9", "0.8949999", F),
    ("higher", {"allow_drop": "0.1"}, "0.3", "0.2", P),  # in binary 0.3 - 0.2 is below 0.1
    ("higher", {"allow_drop": "0.1"}, "0.3", "0.19999999", F),
    ("higher", {"allow_drop": "0"}, "0.9", "0.9", P),
    ("higher", {"allow_drop": "0"}, "0.9", "0.8999999999999999", F),
    ("higher", {"allow_drop": "0"}, "1", "1.0", P),
    ("higher", {"allow_drop": "2%"}, "0.5", "0.49", P),
    ("higher", {"allow_drop": "2%"}, "0.5", "0.4899", F),
    ("higher", {"allow_drop": "0%"}, "0.5", "0.5", P),
    ("higher", {"allow_drop": "0%"}, "0.5", "0.4", F),
    ("higher", {"allow_drop": "0.1%"}, "1000", "999", P),
    ("higher", {"allow_drop": "0.1%"}, "1000", "998.9", F),
    ("higher", {"allow_drop": "10%"}, "-1", "-1.1", P),  # of the absolute value
    ("higher", {"allow_drop": "10%"}, "-1", "-1.11", F),
    ("higher", {"allow_drop": "10%"}, "-1", "-0.5", P),
    ("higher", {"allow_drop": "0.2"}, "-0.1", "-0.3", P),
    ("higher", {"allow_drop": "0.2"}, "-0.1", "-0.30001", F),
    ("higher", {"allow_drop": "0.2"}, "0.1", "-0.1", P),
    ("higher", {"allow_drop": "0.1"}, "0", "-0.1", P),
    ("higher", {"allow_drop": "0.1"}, "0", "-0.2", F),
    ("higher", {"allow_drop": "5%"}, "0", "0", U),
    ("higher", {"allow_drop": "5%"}, "0.0", "1", U),
    ("higher", {"allow_drop": "5%"}, "-0.0", "-1", U),
    ("lower", {"allow_drop": "5"}, "100", "105", P),
    ("lower", {"allow_drop": "5"}, "100", "105.1", F),
    ("lower", {"allow_drop": "5"}, "100", "20", P),
    ("lower", {"allow_drop": "5%"}, "100", "105", P),
    ("lower", {"allow_drop": "5%"}, "100", "105.00000000000001", F),
    ("lower", {"allow_drop": "150%"}, "100", "250", P),
    ("lower", {"allow_drop": "150%"}, "100", "251", F),
    ("lower", {"allow_drop": "10%"}, "-1", "-0.9", P),
    ("lower", {"allow_drop": "10%"}, "-1", "-0.89", F),
    ("lower", {"allow_drop": "5%"}, "0", "0.1", U),
    ("lower", {"allow_drop": "0"}, "3", "3", P),
    ("lower", {"allow_drop": "0"}, "3", "4", F),
    ("higher", {"allow_drop": "1"}, "9007199254740993", "9007199254740992", P),
    ("higher", {"allow_drop": "0"}, "9007199254740993", "9007199254740992", F),
    ("higher", {"allow_drop": "1e308"}, "1e308", "-1e308", F),
    ("higher", {"allow_drop": "2e308"}, "1e308", "-1e308", P),
    ("higher", {"allow_drop": "1e308"}, "1e308", "-5e-324", F),
    ("higher", {"allow_drop": "0"}, "5e-324", "0", F),
    ("higher", {"at_least": "0.9", "allow_drop": "0.5"}, "0.95", "0.89", F),
    ("higher", {"at_least": "0.5", "allow_drop": "0.01"}, "0.95", "0.89", F),
    ("higher", {"at_least": "0.5", "allow_drop": "0.1"}, "0.95", "0.89", P),
    ("higher", {"at_least": "0.9", "allow_drop": "5%"}, "0", "0.95", U),
    ("higher", {"at_least": "0.9", "allow_drop": "5%"}, "0", "0.85", F),
    ("higher", {"allow_drop": "0.1", "warn_drop": "0.01"}, "0.9", "0.89", P),
    ("higher", {"allow_drop": "0.1", "warn_drop": "0.01"}, "0.9", "0.88", W),
    ("higher", {"allow_drop": "0.1", "warn_drop": "0.01"}, "0.9", "0.79", F),
    ("higher", {"warn_drop": "0.01"}, "0.9", "0.1", W),
    ("lower", {"warn_drop": "1%"}, "100", "101", P),
    ("lower", {"warn_drop": "1%"}, "100", "102", W),
    ("lower", {"warn_drop": "1%"}, "0", "102", U),
]
MISSING = [
    # rules, base, status
    ({"allow_drop": "0.1"}, None, U),
    ({"allow_drop": "0.1"}, NONE, U),
    ({"allow_drop": "0.1"}, "{}", U),
    ({"allow_drop": "0.1"}, "not json", U),
    ({"allow_drop": "0.1"}, m("null"), U),
    ({"allow_drop": "0.1"}, m("NaN"), U),
    ({"allow_drop": "0.1"}, m('"0.9"'), U),
    ({"allow_drop": "0.1"}, m("true"), U),
    ({"allow_drop": "0.1"}, m("1e400"), U),
    ({"allow_drop": "0.1", "missing_baseline": "pass"}, None, P),
    ({"allow_drop": "0.1", "missing_baseline": "warn"}, None, W),
    ({"allow_drop": "0.1", "missing_baseline": "fail"}, None, F),
    ({"allow_drop": "0.1", "missing_baseline": "pass"}, NONE, P),
    ({"allow_drop": "0.1", "missing_baseline": "warn"}, "{}", W),
    ({"allow_drop": "0.1", "missing_baseline": "fail"}, m("NaN"), F),
    ({"allow_drop": "0.1", "missing_baseline": "pass"}, "not json", U),
    ({"allow_drop": "0.1", "missing_baseline": "warn"}, '{"m": 1, "m": 1}', U),
    ({"allow_drop": "0.1", "missing_baseline": "fail"}, "not json", F),
    ({"warn_drop": "0.1"}, None, U),
    ({"at_least": "0.9"}, None, P),
    ({"at_least": "0.9"}, NONE, P),
    ({"at_least": "0.96"}, None, F),
    ({"at_least": "0.9", "allow_drop": "0.1"}, None, U),
    ({"at_least": "0.96", "allow_drop": "0.1"}, None, F),
    ({"at_least": "0.96", "allow_drop": "0.1", "missing_baseline": "pass"}, None, F),
    ({"at_least": "0.9", "allow_drop": "0.1", "missing_baseline": "pass"}, None, P),
    ({"at_most": "1", "allow_drop": "5%", "missing_baseline": "warn"}, None, W),
]
CATS = '{"by": {"cat": {"f1": 0.8}, "dog": {"f1": 0.6}}}'
WILDCARDS = [
    # path, rules, base, head, statuses by path
    ("$.by[*].f1", {"at_least": "0.7"}, None, CATS, {"by.cat.f1": P, "by.dog.f1": F}),
    ("$.by.*.f1", {"at_least": "0.7"}, None, CATS, {"by.cat.f1": P, "by.dog.f1": F}),
    ("$..f1", {"at_least": "0.7"}, None, CATS, {"by.cat.f1": P, "by.dog.f1": F}),
    ("$.by[*].f1", {"allow_drop": "0.1"}, CATS, CATS, {"by.cat.f1": P, "by.dog.f1": P}),
    (
        "$.by[*].f1",
        {"allow_drop": "0.1"},
        '{"by": {"dog": {"f1": 0.9}, "cat": {"f1": 0.8}}}',
        CATS,
        {"by.cat.f1": P, "by.dog.f1": F},
    ),
    ("$.by[*].f1", {"allow_drop": "0.1"}, '{"by": {"cat": {"f1": 0.8}}}', CATS, {"by.cat.f1": P, "by.dog.f1": U}),
    ("$.by[*].f1", {"allow_drop": "0.1"}, CATS, '{"by": {"cat": {"f1": 0.8}}}', {"by.cat.f1": P, "by.dog.f1": F}),
    ("$.by[*].f1", {"at_least": "0.1"}, CATS, '{"by": {"cat": {"f1": 0.8}}}', {"by.cat.f1": P, "by.dog.f1": F}),
    ("$.by[*].f1", {"allow_drop": "0.1"}, CATS, '{"by": {}}', {"by.cat.f1": F, "by.dog.f1": F}),
    ("$.by[*]", {"at_least": "0"}, None, CATS, {"by.cat": F, "by.dog": F}),
    ("$.r[*]", {"allow_drop": "0"}, '{"r": [1, 2]}', '{"r": [1, 1]}', {"r[0]": P, "r[1]": F}),
    ("$.r[-1]", {"allow_drop": "0"}, '{"r": [1, 2]}', '{"r": [5, 6, 2]}', {"r[-1]": P}),
    ("$.r[0:2]", {"at_least": "2"}, None, '{"r": [1, 2, 3]}', {"r[0]": F, "r[1]": P}),
    ("$.r[?(@.n == 'a')].v", {"at_least": "2"}, None, '{"r": [{"n": "a", "v": 2}]}', {"r[?(@.n == 'a')].v": P}),
    ("$['a.b']", {"at_least": "1"}, '{"a": {"b": 3}}', '{"a.b": 1, "a": {"b": 0}}', {"['a.b']": P}),
    ("$.by[*]", {"at_least": "1"}, None, '{"by": {"x y": 1, "it\'s": 0}}', {"by['x y']": P, "by['it\\'s']": F}),
    ("$.by[*]", {"at_least": "1"}, None, '{"by": {"0": 1, "größe": 1}}', {"by.0": P, "by['größe']": P}),
    ("$", {"at_least": "1"}, None, "1.5", {"$": P}),
    ("$.m", {"at_least": "1"}, None, "{}", {"$.m": F}),
    ("$.by[*].f1", {"at_least": "1"}, None, '{"by": {}}', {"$.by[*].f1": F}),
    ("$.by[*].f1", {"at_least": "1"}, None, '{"by": []}', {"$.by[*].f1": F}),
    ("$.by[*].f1", {"at_least": "1"}, None, "3", {"$.by[*].f1": F}),
    ("$.m.n", {"at_least": "1"}, None, '{"m": 3}', {"$.m.n": F}),
    ("$.m", {"at_least": "1", "missing_baseline": "pass"}, '{"m": 1}', "{}", {"m": F}),
]


@pytest.mark.parametrize(("rules", "value", "status"), ABSOLUTE)
def test_an_absolute_limit_includes_its_boundary_and_compares_as_written(
    rules: dict[str, str], value: str, status: str
) -> None:
    assert [row.status for row in judged(gate(**rules), None, m(value))] == [status]


@pytest.mark.parametrize(("value", "why"), NO_NUMBERS)
def test_what_is_no_number_fails_with_the_value_shown(value: str, why: str) -> None:
    (row,) = judged(gate(at_least="0", allow_drop="5%", missing_baseline="pass"), None, m(value))
    assert row.status == "failed"
    assert row.exits
    assert why in row.why


@pytest.mark.parametrize(("better", "rules", "base", "head", "status"), DROPS)
def test_a_drop_is_measured_in_decimals_against_the_baseline(
    better: str, rules: dict[str, str], base: str, head: str, status: str
) -> None:
    assert [row.status for row in judged(gate(better=better, **rules), m(base), m(head))] == [status]


@pytest.mark.parametrize(("rules", "base", "status"), MISSING)
def test_a_missing_baseline_is_unmeasured_unless_the_gate_says_otherwise(
    rules: dict[str, str], base: str | None, status: str
) -> None:
    (row,) = judged(gate(**rules), base, m("0.95"))
    assert (row.status, row.exits) == (status, status in {F, U})


@pytest.mark.parametrize(("rule", "status"), [("", U), ("pass", U), ("warn", U), ("fail", F)])
def test_a_baseline_that_is_somewhere_and_cannot_be_had_is_not_a_missing_one(rule: str, status: str) -> None:
    gates = [gate(allow_drop="0.1", missing_baseline=rule)]
    (row,) = judge(gates, {FILE: {"m": 0.95}}, Unreadable("it cannot be had"))
    assert (row.status, row.why) == (status, f"it cannot be had{' (missing-baseline: fail)' * (rule == 'fail')}")
    (row,) = judge(gates, {FILE: {"m": 0.95}}, {FILE: Unreadable("its object is in no remote")})
    assert (row.status, "its object is in no remote" in row.why) == (status, True)
    (row,) = judge(gates, {FILE: {"m": 0.95}}, {FILE: Unreadable("nobody wrote it down", unrecorded=True)})
    assert row.status == {"": U, "pass": P, "warn": W, "fail": F}[rule]


def test_a_path_that_cannot_be_evaluated_at_the_baseline_is_no_missing_baseline() -> None:
    rule = gate("$.r[\\v][0].v", allow_drop="0.1", missing_baseline="pass")
    (row,) = judged(rule, '{"r": [{"v": 1}, {"v": "a"}]}', '{"r": [{"v": 2}, {"v": 1}]}')
    assert row.status == U


@pytest.mark.parametrize(("path", "rules", "base", "head", "expected"), WILDCARDS)
def test_every_match_is_judged_against_the_same_place_of_the_baseline(
    path: str, rules: dict[str, str], base: str | None, head: str, expected: dict[str, str]
) -> None:
    assert {row.path: row.status for row in judged(gate(path, **rules), base, head)} == expected


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (NONE, "metrics.json does not exist"),
        ("not json", "metrics.json cannot be read"),
        ("", "metrics.json cannot be read"),
        ('{"m": 1, "m": 2}', "the key 'm' stands there twice"),
        ("[" * 100_000, "metrics.json cannot be read: nested too deeply"),
        ("{}", "$.m matched nothing in metrics.json"),
    ],
)
def test_a_gate_that_cannot_be_evaluated_on_the_candidate_fails(head: str, why: str) -> None:
    (row,) = judged(gate(at_least="0"), m("1"), head) if head != "{}" else judged(gate(at_least="0"), None, head)
    assert (row.status, row.exits, row.head) == ("failed", True, None)
    assert why in row.why


SLICES = '{"s": [{"n": "young", "acc": 0.95}, {"n": "old", "acc": 0.9}]}'
SWAPPED = '{"s": [{"n": "old", "acc": 0.96}, {"n": "young", "acc": 0.9}]}'


def test_a_slice_that_got_worse_does_not_hide_behind_another_in_its_place() -> None:
    rows = judged(gate("$.s[*].acc", allow_drop="0.01", missing_baseline="pass"), SLICES, SWAPPED)
    assert [(row.path, row.status, row.base) for row in rows] == [("s[0].acc", U, None), ("s[1].acc", U, None)]
    assert rows[0].why == (
        "the entries of the list stand in another order: n 'old' is number 1 of the baseline; compare them with by: n"
    )
    rows = judged(gate("$.s[*].acc", allow_drop="0.01", by="n"), SLICES, SWAPPED)
    assert [(row.path, row.status, row.base) for row in rows] == [
        ("s[n=old].acc", P, 0.9),
        ("s[n=young].acc", F, 0.95),
    ]


@pytest.mark.parametrize(
    ("base", "head", "statuses"),
    [
        ('[{"n": "b", "v": 1}]', '[{"n": "a", "v": 1}]', [P]),  # called otherwise, and nowhere else
        ('[{"t": "mon", "v": 1}, {"t": "mon", "v": 1}]', '[{"t": "mon", "v": 1}, {"t": "tue", "v": 1}]', [P, P]),
        ('[{"n": 1, "v": 1}, {"n": 2, "v": 1}]', '[{"n": 2, "v": 1}, {"n": 1, "v": 1}]', [P, P]),
        ('[{"n": "a", "v": 1}, {"n": "b", "v": 1}]', '[{"n": "b", "v": 1}]', [U, F]),
        ("[1, 2]", "[1, 2]", []),
        ("{}", '[{"n": "b", "v": 1}]', [U]),
    ],
)
def test_entries_that_nothing_shows_to_have_moved_are_compared_by_their_numbers(
    base: str, head: str, statuses: list[str]
) -> None:
    rows = judged(gate("$[*].v", allow_drop="0"), base, head)
    assert [row.status for row in rows if "nothing" not in row.why] == statuses


def test_the_only_match_of_a_filter_is_compared_wherever_it_stands() -> None:
    (row,) = judged(gate("$.s[?(@.n == 'young')].acc", allow_drop="0.01"), SLICES, SWAPPED)
    assert (row.path, row.status, row.base, row.head) == ("s[?(@.n == 'young')].acc", F, 0.95, 0.9)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ('[{"n": "a", "v": 1}, {"n": "a", "v": 1}]', "two entries of a list are [n=a].v"),
        ('[{"v": 1}]', "entry 0 of a list has no n, a text or a number, to know it by"),
        ('[{"n": null, "v": 1}]', "entry 0 of a list has no n, a text or a number, to know it by"),
    ],
)
def test_entries_that_cannot_be_told_apart_by_what_the_gate_says_fail(head: str, why: str) -> None:
    (row,) = judged(gate("$[*].v", at_least="0", by="n"), None, head)
    assert row.status == F
    assert why in row.why


def test_what_is_usual_of_an_entry_is_read_where_it_stood_then() -> None:
    band = Band(test="percent", amount=Decimal("0.1"), last=5, samples=2)
    rule = gate("$[*].v", band=band, by="n")
    past = [[{"n": "b", "v": 5}, {"n": "a", "v": 1}], [{"n": "a", "v": 1}, {"n": "b", "v": 5}]]
    rows = judge([rule], {FILE: [{"n": "b", "v": 5}, {"n": "a", "v": 0.5}]}, {FILE: past[-1]}, past={FILE: past})
    assert [(row.path, row.status) for row in rows] == [("[n=b].v", P), ("[n=a].v", F)]


def test_a_value_of_the_baseline_that_is_gone_fails_and_shows_what_it_was() -> None:
    (row,) = judged(gate(allow_drop="0.1"), m("0.9"), "{}")
    assert (row.status, row.base, row.head, row.path) == ("failed", 0.9, None, "m")
    assert row.why == "it is in the baseline and no longer in the candidate"


def test_a_filter_that_cannot_be_evaluated_fails() -> None:
    (row,) = judged(gate("$.r[?(@.v > 'a')].v", at_least="0"), None, '{"r": [{"v": 1}]}')
    assert row.status == "failed"


@pytest.mark.parametrize(
    ("rules", "base", "head", "status", "exits"),
    [
        ({"at_least": "1"}, None, "0", W, False),
        ({"at_least": "1"}, None, "NaN", W, False),
        ({"allow_drop": "0.1"}, None, "1", U, False),
        ({"allow_drop": "0.1", "missing_baseline": "fail"}, None, "1", W, False),
        ({"at_least": "1"}, None, "1", P, False),
    ],
)
def test_severity_warn_never_blocks_and_never_turns_unmeasured_green(
    rules: dict[str, str], base: str | None, head: str, status: str, *, exits: bool
) -> None:
    (row,) = judged(gate(severity="warn", **rules), base, m(head))
    assert (row.status, row.exits) == (status, exits)


@pytest.mark.parametrize(
    ("when", "event", "rows"),
    [
        ((), "", 1),
        ((), "push", 1),
        (("schedule",), "", 1),
        (("schedule",), "schedule", 1),
        (("schedule",), "push", 0),
        (("schedule",), "a word that is no event", 1),
        (("schedule", "push"), "push", 1),
    ],
)
def test_a_gate_is_judged_at_its_events_and_always_where_there_is_none(
    when: tuple[str, ...], event: str, rows: int
) -> None:
    assert len(judged(gate(at_least="1", when=when), None, m("1"), event)) == rows


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        (gate(at_least="0.90"), "at least 0.9"),
        (gate(at_most="120"), "at most 120"),
        (gate(at_least="0.9", allow_drop="0.005"), "at least 0.9, may drop 0.005"),
        (gate(allow_drop="2%"), "may drop 2%"),
        (gate(allow_drop="0.5%", better="lower"), "may rise 0.5%"),
        (gate(allow_drop="0"), "may not drop"),
        (gate(allow_drop="1", warn_drop="0.5"), "may drop 1, warns beyond a drop of 0.5"),
    ],
)
def test_a_limit_reads_as_words(rule: Gate, limit: str) -> None:
    assert rule.limit == limit


@pytest.mark.parametrize(
    ("rule", "base", "head", "why"),
    [
        (gate(at_least="0.9"), None, "0.8956", "0.8956 is below 0.9 by 0.0044"),
        (gate(at_most="120"), None, "130.5", "130.5 is above 120 by 10.5"),
        (gate(at_least="0.9"), None, "0.8999999999999999", "0.8999999999999999 is below 0.9 by 1e-16"),
        (gate(allow_drop="0.005"), "0.9", "0.888", "dropped by 0.012, 0.007 more than the 0.005 allowed"),
        (gate(allow_drop="2%"), "0.5", "0.4", "dropped by 0.1, 0.09 more than the 0.01 (2%) allowed"),
        (gate(allow_drop="0", better="lower"), "3", "4", "rose by 1, where nothing is allowed"),
        (gate(allow_drop="0.1"), "0.9", "0.85", "dropped by 0.05, which is allowed"),
        (gate(allow_drop="0.1"), "0.9", "0.95", "better by 0.05"),
        (gate(allow_drop="0.1"), "0.9", "0.9", "unchanged"),
        (gate(allow_drop="5%"), "0", "1", "the baseline is 0, of which no percentage can be taken"),
        (gate(allow_drop="5%"), None, "1", "there is no baseline"),
        (gate(allow_drop="5%", missing_baseline="warn"), None, "1", "there is no baseline (missing-baseline: warn)"),
    ],
)
def test_the_reason_says_by_how_much(rule: Gate, base: str | None, head: str, why: str) -> None:
    (row,) = judged(rule, None if base is None else m(base), m(head))
    assert row.why.startswith(why)


def test_two_missed_limits_are_both_named() -> None:
    (row,) = judged(gate(at_least="0.9", allow_drop="0.01"), m("0.95"), m("0.8"))
    assert row.why == "0.8 is below 0.9 by 0.1; dropped by 0.15, 0.14 more than the 0.01 allowed"


def test_a_verdict_carries_only_what_json_can() -> None:
    rows = judged(
        gate("$[*]", at_least="0"), '{"a": Infinity}', '{"a": NaN, "b": [1], "c": null, "d": "x", "e": 1e400}'
    )
    text = json.dumps([[row.base, row.head, row.delta] for row in rows], allow_nan=False)
    assert text == '[[null, null, null], [null, null, null], [null, null, null], [null, "x", null], [null, null, null]]'


def test_the_delta_is_head_minus_base_in_decimals() -> None:
    (row,) = judged(gate(allow_drop="1"), m("0.5"), m("0.6123456789"))
    assert row.delta == 0.1123456789
    (row,) = judged(gate(allow_drop="1"), m("9007199254740993"), m("9007199254740994"))
    assert row.delta == 1


def test_a_row_names_gate_file_path_key_and_place() -> None:
    (row,) = judged(gate("$.by[*]", at_least="1"), None, '{"by": {"x y": 2}}')
    assert (row.gate, row.metric, row.path, row.key) == ("metrics.json:$.by[*]", FILE, "by['x y']", "by.x y")
    assert str(row.where) == "retrain.yaml:3:5"


def test_the_order_is_that_of_the_gates_and_then_of_the_document() -> None:
    head = documents('{"b": 1, "a": 2, "m": 3}')
    assert head is not None
    rows = judge([gate("$.m", at_least="0"), gate("$[*]", at_least="0")], head, None)
    assert [row.path for row in rows] == ["m", "b", "a", "m"]


def test_an_unreadable_document_given_by_the_caller_fails() -> None:
    (row,) = judge([gate(at_least="0")], {FILE: Unreadable("the object is missing")}, None)
    assert (row.status, row.why) == ("failed", "metrics.json cannot be read: the object is missing")


def verdict(status: Any, *, exits: bool) -> Verdict:
    where = Location("retrain.yaml")
    return Verdict(gate="g", metric=FILE, path="m", status=status, limit="", why="", where=where, exits=exits)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([], "ungated"),
        ([(P, False)], "passed"),
        ([(P, False), (W, False)], "warned"),
        ([(P, False), (U, True)], "unmeasured"),
        ([(U, False)], "warned"),
        ([(U, False), (U, True)], "unmeasured"),
        ([(U, True), (F, True)], "failed"),
        ([(W, False), (U, True)], "unmeasured"),
        ([(F, True), (P, False)], "failed"),
    ],
)
def test_the_worst_row_is_the_verdict(rows: Sequence[tuple[str, bool]], word: str) -> None:
    assert overall([verdict(status, exits=exits) for status, exits in rows]) == word


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(FLOATS, FLOATS)
def test_a_floor_agrees_with_exact_decimals_for_any_numbers(limit: float, value: float) -> None:
    (row,) = judged(gate(at_least=repr(limit)), None, m(repr(value)))
    assert (row.status == "passed") == (Decimal(repr(value)) >= Decimal(repr(limit)))


@given(FLOATS, FLOATS, st.sampled_from(["0", "0.5%", "1e-300", "3", "250%"]), st.sampled_from(["higher", "lower"]))
def test_turning_the_signs_and_the_direction_round_changes_no_status(
    base: float, head: float, allowed: str, better: str
) -> None:
    other = "lower" if better == "higher" else "higher"
    there = judged(gate(better=better, allow_drop=allowed), m(repr(base)), m(repr(head)))
    back = judged(gate(better=other, allow_drop=allowed), m(repr(-base)), m(repr(-head)))
    assert [row.status for row in there] == [row.status for row in back]


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_only_finite_numbers_ever_pass(value: Any) -> None:
    rows = judge([gate(at_most="1e308", at_least="-1e308")], {FILE: {"m": value}}, None)
    number = isinstance(value, float) and abs(value) <= 1e308
    assert [row.status for row in rows] == ["passed" if number else "failed"]


LOG = "step,acc,note\n0,0.5,\n1,0.9,best\n2,0.8,\n"
LONGER = "step,acc,note\n0,0.6,\n1,0.7,\n2,0.75,\n3,0.85,\n"
ROWS = {
    "the last row": ("$[-1].acc", {"[-1].acc": (0.8, 0.85, P)}),
    "the first row": ("$[0].acc", {"[0].acc": (0.5, 0.6, P)}),
    "a row by its value": ("$[?(@.step==1)].acc", {"[?(@.step==1)].acc": (0.9, 0.7, F)}),
    "the last two rows": (
        "$[-2:].acc",
        {"[1].acc": (0.9, None, F), "[2].acc": (0.8, 0.75, F), "[3].acc": (None, 0.85, U)},
    ),
    "the best row": ("$[\\acc][0].acc", {"[0].acc": (0.9, 0.85, F)}),
    "an empty cell": ("$[0].note", {"[0].note": (None, None, F)}),
    "no such column": ("$[-1].f1", {"$[-1].f1": (None, None, F)}),
    "no such row": ("$[9].acc", {"$[9].acc": (None, None, F)}),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_gate_picks_rows_and_columns_of_a_table(name: str) -> None:
    path, expected = ROWS[name]
    rule = Gate(
        label="log", file="log.csv", jsonpath=path, better="higher", where=Location("retrain.yaml", 3, 5),
        allow_drop=Allowance(Decimal("0.04"), relative=False),
    )  # fmt: skip
    base, head = ({"log.csv": parse_metrics("log.csv", text.encode())} for text in (LOG, LONGER))
    verdicts = judge([rule], head, base)
    assert {verdict.path: (verdict.base, verdict.head, verdict.status) for verdict in verdicts} == expected


def test_a_gate_reads_json_lines_as_it_reads_a_table() -> None:
    rule = Gate(
        label="log", file="log.jsonl", jsonpath="$[-1].val.acc", better="higher", where=Location("retrain.yaml", 3, 5),
        at_least=Decimal("0.9"),
    )  # fmt: skip
    text = '{"val": {"acc": 0.1}}\n{"val": {"acc": 0.9}}\n'
    (verdict,) = judge([rule], {"log.jsonl": parse_metrics("log.jsonl", text.encode())}, None)
    assert (verdict.status, verdict.path, verdict.key) == (P, "[-1].val.acc", "-1.val.acc")
