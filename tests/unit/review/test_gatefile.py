"""The gate file: what it says becomes gates, and each of its mistakes is named at its place with a way out."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from runner.errors import ConfigError, ConfigErrors, Location
from runner.review.gate import EVENTS, Allowance, Gate
from runner.review.gatefile import GateFile, Setting, parse_gates

WHOLE = """\
baseline: origin/main
remote: store
pass-env: [TOKEN]
gates:
  - metric: ./eval/metrics.json:$.accuracy
    better: higher
    at-least: 0.90
    allow-drop: 0.005
    warn-drop: 2%
  - metric: eval/metrics.json:$.by_class[*].f1
    better: higher
    allow-drop: 5 %
    missing-baseline: warn
    when: [schedule, pull_request]
  - metric: "eval/latency:p95.json:$['p95 ms']"
    better: lower
    at-most: 120
    severity: warn
"""


def test_every_key_of_a_gate_is_read() -> None:
    assert parse_gates(WHOLE, "retrain.yaml") == GateFile(
        baseline="origin/main",
        gates=(
            Gate(
                label="./eval/metrics.json:$.accuracy",
                file="eval/metrics.json",
                jsonpath="$.accuracy",
                better="higher",
                at_least=Decimal("0.9"),
                allow_drop=Allowance(Decimal("0.005")),
                warn_drop=Allowance(Decimal("0.02"), relative=True),
                where=Location("retrain.yaml", 5, 5),
            ),
            Gate(
                label="eval/metrics.json:$.by_class[*].f1",
                file="eval/metrics.json",
                jsonpath="$.by_class[*].f1",
                better="higher",
                allow_drop=Allowance(Decimal("0.05"), relative=True),
                missing_baseline="warn",
                when=("schedule", "pull_request"),
                where=Location("retrain.yaml", 10, 5),
            ),
            Gate(
                label="eval/latency:p95.json:$['p95 ms']",
                file="eval/latency:p95.json",
                jsonpath="$['p95 ms']",
                better="lower",
                at_most=Decimal(120),
                severity="warn",
                where=Location("retrain.yaml", 15, 5),
            ),
        ),
        settings={
            "remote": Setting("store", Location("retrain.yaml", 2, 1)),
            "pass-env": Setting(["TOKEN"], Location("retrain.yaml", 3, 1)),
        },
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "gates:\n", "gates: []\n", "{}\n"])
def test_a_file_without_gates_has_none(text: str) -> None:
    assert parse_gates(text, "retrain.yaml") == GateFile()


GATE = "gates:\n  - metric: m.json:$.a\n    better: higher\n    at-least: 1\n"
ONE_MISTAKE = [
    # text, place, message, hint
    ("- 1\n", "1:1", "the gate file must be keys and values, not [1]", "The gate file"),
    ("gates: 3\n", "1:1", "gates must be a list, not 3", "begins with '- metric:'"),
    ("gates: {metric: a}\n", "1:1", 'gates must be a list, not {"metric": "a"}', "begins with"),
    ("gates: [7]\n", "1:9", "gate 1 must be keys and values, not 7", "at least one limit"),
    ("gate: []\n", "1:1", "unknown key 'gate'", "did you mean 'gates'?"),
    ("Gates: []\n", "1:1", "unknown key 'Gates'", "did you mean 'gates'?"),
    ("baselines: main\n", "1:1", "unknown key 'baselines'", "did you mean 'baseline'?"),
    ("baseline: 3\n", "1:1", "baseline must be a text, not 3", "merge-base"),
    ("baseline: ''\n", "1:1", 'baseline cannot be ""', "merge-base"),
    (GATE + "    at-last: 3\n", "5:5", "unknown key 'at-last' in gate 1", "did you mean 'at-least'?"),
    (GATE + "    allow_drop: 3\n", "5:5", "unknown key 'allow_drop' in gate 1", "did you mean 'allow-drop'?"),
    (GATE + "    zzz: 3\n", "5:5", "unknown key 'zzz' in gate 1", "known here: metric, better"),
    (GATE + "    require-gain: 3\n", "5:5", "unknown key 'require-gain' in gate 1", "not supported yet"),
    (GATE + "    allow-drop: 5 percent\n", "5:5", 'allow-drop of gate 1 cannot be "5 percent"', "such as 2%"),
    (GATE + "    allow-drop: -0.1\n", "5:5", "allow-drop of gate 1 cannot be -0.1", "zero or more"),
    (GATE + "    allow-drop: -1%\n", "5:5", 'allow-drop of gate 1 cannot be "-1%"', "zero or more"),
    (GATE + "    allow-drop: true\n", "5:5", "allow-drop of gate 1 must be a number or a text, not true", "2%"),
    (GATE + "    allow-drop:\n", "5:5", "allow-drop of gate 1 must be a number or a text, not null", "2%"),
    (GATE + '    at-most: "3"\n', "5:5", 'at-most of gate 1 must be a number, not "3"', "without quotes"),
    (GATE + "    at-most: 90%\n", "5:5", 'at-most of gate 1 must be a number, not "90%"', "without quotes"),
    (GATE + "    at-most: .nan\n", "5:5", "at-most of gate 1 is no finite number", "plain number"),
    (GATE + "    at-most: .inf\n", "5:5", "at-most of gate 1 is no finite number", "plain number"),
    (GATE + "    allow-drop: .inf\n", "5:5", "allow-drop of gate 1 is no finite number", "plain number"),
    (GATE + "    at-most: 0.5\n", "4:5", "at-least 1 of gate 1 is above at-most 0.5", "no value can meet both"),
    (GATE + "    severity: warning\n", "5:5", 'severity of gate 1 cannot be "warning"', "did you mean 'warn'?"),
    (GATE + "    missing-baseline: ok\n", "5:5", 'missing-baseline of gate 1 cannot be "ok"', "pass, warn, fail"),
    (GATE + "    when: schedule\n", "5:5", 'when of gate 1 must be a list, not "schedule"', "a list of the events"),
    (GATE + "    when: []\n", "5:5", "when of gate 1 cannot be []", "a list of the events"),
    (GATE + "    when: [pull-request]\n", "5:12", 'when of gate 1 cannot be "pull-request"', "'pull_request'"),
    (
        GATE + "    allow-drop: 1%\n    warn-drop: 1%\n",
        "6:5",
        "warn-drop 1% of gate 1 is not below allow-drop 1%",
        "never warn",
    ),
    ("gates:\n  - metric: m:$.a\n    better: lower\n", "2:5", "gate 1 has no limit", "at-least, at-most"),
    ("gates:\n  - metric: m:$.a\n    at-most: 1\n", "2:5", "gate 1 has no 'better'", "never guessed"),
    ("gates:\n  - better: lower\n    at-most: 1\n", "2:5", "gate 1 has no 'metric'", "eval/metrics.json:$.accuracy"),
    (GATE.replace("m.json:$.a", "m.json"), "2:5", 'metric of gate 1 cannot be "m.json"', "a colon"),
    (GATE.replace("m.json:$.a", "m.json:a"), "2:5", 'metric of gate 1 cannot be "m.json:a"', "a JSONPath"),
    (GATE.replace("m.json:$.a", '":$.a"'), "2:5", 'metric of gate 1 cannot be ":$.a"', "the metrics file"),
    (GATE.replace("m.json", "../m.json"), "2:5", "'../m.json' of gate 1 is outside of the repository", "'..'"),
    (GATE.replace("m.json", "/m.json"), "2:5", "'/m.json' of gate 1 is outside of the repository", "root"),
    (GATE.replace("m.json", "a/../../m.json"), "2:5", "is outside of the repository", "root"),
    (GATE.replace("$.a", "$.a b"), "2:24", "'$.a b' of gate 1 is not a JSONPath: Parse error", "in quotes"),
    (GATE.replace("$.a", "$.a."), "2:24", "'$.a.' of gate 1 is not a JSONPath", "in quotes"),
    (GATE.replace("$.a", "$.größe"), "2:24", "'$.größe' of gate 1 is not a JSONPath", "$['by class'].f1"),
    (GATE.replace("$.a", "$.a * 2"), "2:20", "arithmetic is not allowed", "in quotes"),
    (GATE.replace("better: higher", "better: high"), "3:5", 'better of gate 1 cannot be "high"', "'higher'"),
    (GATE.replace("better: higher", "better: up"), "3:5", 'better of gate 1 cannot be "up"', "higher, lower"),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), ONE_MISTAKE)
def test_a_mistake_has_a_place_and_a_way_out(text: str, place: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        parse_gates(text, "retrain.yaml")
    (problem,) = caught.value.problems
    assert str(problem.where) == f"retrain.yaml:{place}"
    assert message in problem.message
    assert hint in problem.hint


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        "gates:\n  - metrc: a.json:$.a\n    better: high\n    at-least: '0.9'\n"
        "  - metric: a.json:$.a b\n    better: lower\n    at-least: 2\n    at-most: 1\nbaseline: 3\n"
    )
    with pytest.raises(ConfigErrors) as caught:
        parse_gates(text, "r.yaml")
    places = [str(problem.where) for problem in caught.value.problems]
    assert places == ["r.yaml:2:5", "r.yaml:2:5", "r.yaml:3:5", "r.yaml:4:5", "r.yaml:5:24", "r.yaml:7:5", "r.yaml:9:1"]


def test_broken_yaml_is_a_config_error_with_its_place() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_gates("gates:\n  - [1\n", "retrain.yaml")
    assert caught.value.where is not None
    assert caught.value.where.file == "retrain.yaml"


def test_other_keys_of_the_file_are_left_to_the_settings() -> None:
    file = parse_gates("jobs: many\nno-such-input: 1\n", "retrain.yaml")
    assert file.settings == {
        "jobs": Setting("many", Location("retrain.yaml", 1, 1)),
        "no-such-input": Setting(1, Location("retrain.yaml", 2, 1)),
    }


def test_the_schema_names_the_events_that_a_gate_knows() -> None:
    schema = json.loads(resources.files("runner").joinpath("schemas/retrain-1.json").read_text("utf-8"))
    assert set(schema["$defs"]["gate"]["properties"]["when"]["items"]["enum"]) == EVENTS


@pytest.mark.parametrize("name", ["retrain-1.json", "report-1.json"])
def test_a_shipped_schema_is_a_valid_schema(name: str) -> None:
    Draft202012Validator.check_schema(
        json.loads(resources.files("runner").joinpath("schemas", name).read_text("utf-8"))
    )
