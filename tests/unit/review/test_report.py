"""report.json: what the schema says, nothing that JSON cannot carry, and the same report when read again."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from runner.errors import ConfigError
from runner.review.report import (
    SCHEMA,
    Commit,
    ReasonRow,
    StageRow,
    from_json,
    to_html,
    to_json,
    to_markdown,
)
from tests.golden import samples
from tests.support.examples import examples
from tests.unit.review.reports import reports

if TYPE_CHECKING:
    from runner.review.model import Report

LEAST = {
    "schema": 1,
    "version": "1",
    "verdict": "passed",
    "exit_code": 0,
    "command": "retrain run",
    "head": {"sha": "a"},
}


def schema() -> Any:
    return json.loads(resources.files("runner").joinpath("schemas/report-1.json").read_text("utf-8"))


def refuse(constant: str) -> None:
    raise AssertionError(constant)


@settings(max_examples=examples(20))
@given(reports())
def test_any_report_is_valid_json_by_its_schema_and_renders_the_same_when_read_again(report: Report) -> None:
    text = to_json(report)
    text.encode()
    Draft202012Validator(schema()).validate(json.loads(text, parse_constant=refuse))
    again = from_json(text)
    assert to_json(again) == text
    assert to_markdown(again) == to_markdown(report)
    assert to_html(again) == to_html(report)


@pytest.mark.parametrize("make", samples.SAMPLES.values())
def test_a_report_read_again_is_the_same_report(make: Any) -> None:
    assert from_json(to_json(make())) == make()


def test_the_schema_describes_every_field_and_no_other() -> None:
    document = json.loads(to_json(samples.usual()))
    shape = schema()
    assert document.keys() == shape["properties"].keys()
    for name, field in (("gate", "gates"), ("change", "metrics"), ("stage", "stages")):
        assert document[field][0].keys() == shape["$defs"][name]["properties"].keys()
    assert document["head"].keys() == shape["$defs"]["commit"]["properties"].keys()
    assert document["left"].keys() == shape["$defs"]["traffic"]["properties"].keys()
    problem = json.loads(to_json(samples.small()))["error"]
    assert problem.keys() == shape["$defs"]["problem"]["properties"].keys()


def test_a_number_that_json_cannot_carry_is_text_in_a_reason() -> None:
    reason = ReasonRow("param modified", "params.yaml:lr", math.nan, -math.inf)
    report = replace(samples.small(), stages=(StageRow(stage="s", decision="ran", reasons=(reason,)),))
    document = json.loads(to_json(report))
    assert document["stages"][0]["reasons"][0] | {"change": ""} == {
        "change": "",
        "path": "params.yaml:lr",
        "was": "nan",
        "now": "-inf",
    }


def test_the_least_report_is_enough_and_unknown_fields_are_ignored() -> None:
    document = LEAST | {"later": {"field": 1}, "pulled": {"objects": 1, "bytes": 2, "later": 3}}
    report = from_json(json.dumps(document))
    assert report.head == Commit(sha="a")
    assert (report.schema, report.pulled.bytes) == (SCHEMA, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "not a report of schema 1"),
        (json.dumps(LEAST | {"schema": 2}), "$.schema"),
        (json.dumps(LEAST | {"verdict": "fine"}), "$.verdict"),
        (json.dumps(LEAST | {"seconds": math.nan}), "it holds NaN"),
        (json.dumps(LEAST | {"edges": [["a"]]}), "$.edges[0]"),
        (json.dumps(LEAST | {"stages": [{"stage": "s", "decision": "ran", "pulled": None}]}), "$.stages[0].pulled"),
        (json.dumps(LEAST | {"head": {}}), "$.head"),
    ],
)
def test_what_is_no_report_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_json(text, "out/report.json")
    assert message in caught.value.message
    assert "out/report.json" in str(caught.value)
