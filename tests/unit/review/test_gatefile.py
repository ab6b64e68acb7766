"""The gate file: what it says becomes gates, and each of its mistakes is named at its place with a way out."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from runner.errors import ConfigError, ConfigErrors, Location
from runner.review.bands import Band
from runner.review.gate import EVENTS, Gate
from runner.review.gatefile import GateFile, Setting, parse_gates
from runner.review.limits import Allowance

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


OTHERS = """\
gates:
  - size: ./models/model.pkl
    at-most: 200 MB
    allow-drop: 1 MiB
  - duration: sub/dvc.yaml:train
    at-most: 1.5 h
    warn-drop: 10 min
  - metric: m.json:$.a
    better: higher
    require-gain: 0.10%
    band: {test: percent, within: 2.5%, last: 3, side: both}
  - metric: m.json:$.a
    better: lower
    band: {test: iqr, samples: 8}
  - metric: m.json:$.a
    better: lower
    band: {test: z, sigma: 2.5}
"""


def test_sizes_durations_gains_and_bands_are_read_with_their_units() -> None:
    size, duration, gain, iqr, z = parse_gates(OTHERS, "retrain.yaml").gates
    assert (size.label, size.file, size.source) == ("size: ./models/model.pkl", "models/model.pkl", size.label)
    assert (size.unit, size.better, size.at_most) == ("bytes", "lower", Decimal(200_000_000))
    assert size.allow_drop == Allowance(Decimal(1_048_576))
    assert (duration.file, duration.unit, duration.at_most) == ("sub/dvc.yaml:train", "seconds", Decimal(5400))
    assert duration.warn_drop == Allowance(Decimal(600))
    assert gain.require_gain == Allowance(Decimal("0.001"), relative=True)
    assert gain.band == Band(test="percent", amount=Decimal("0.025"), last=3, samples=3, both=True)
    assert iqr.band == Band(test="iqr", amount=Decimal("1.5"), samples=8)
    assert z.band == Band(test="z", amount=Decimal("2.5"))
    assert size.limit == "at most 200 MB, may rise 1,048,576 B"
    assert gain.limit == "must gain 0.1%, within 2.5% of the mean over the last 3"


@pytest.mark.parametrize("text", ["", "# nothing\n", "gates:\n", "gates: []\n", "{}\n"])
def test_a_file_without_gates_has_none(text: str) -> None:
    assert parse_gates(text, "retrain.yaml") == GateFile()


GATE = "gates:\n  - metric: m.json:$.a\n    better: higher\n    at-least: 1\n"
SIZE = "gates:\n  - size: a.bin\n"
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
    (GATE + "    zzz: 3\n", "5:5", "unknown key 'zzz' in gate 1", "known here: metric, size, duration, better"),
    (GATE + "    allow-drop: 5 percent\n", "5:5", "allow-drop of gate 1: '5 percent' is not a plain number", "2%"),
    (GATE + "    allow-drop: -0.1\n", "5:5", "allow-drop of gate 1 cannot be -0.1", "zero or more"),
    (GATE + "    allow-drop: -1%\n", "5:5", 'allow-drop of gate 1 cannot be "-1%"', "zero or more"),
    (GATE + "    allow-drop: true\n", "5:5", "allow-drop of gate 1 must be a number or a text, not true", "2%"),
    (GATE + "    allow-drop:\n", "5:5", "allow-drop of gate 1 must be a number or a text, not null", "2%"),
    (GATE + '    at-most: "3"\n', "5:5", 'at-most of gate 1 cannot be "3"', "without quotes"),
    (GATE + "    at-most: 90%\n", "5:5", 'at-most of gate 1 cannot be "90%"', "without quotes"),
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
    (GATE + "    at-most: 200 MB\n", "5:5", "at-most of gate 1: '200 MB' is a size, where a plain", "has no unit"),
    (GATE + "    allow-drop: 2 h\n", "5:5", "allow-drop of gate 1: '2 h' is a duration, where a plain", "2%"),
    (
        GATE + "    require-gain: 0.1\n    allow-drop: 1\n",
        "6:5",
        "allow-drop of gate 1 contradicts require-gain 0.1",
        "out",
    ),
    (
        GATE + "    require-gain: 1%\n    warn-drop: 1\n",
        "6:5",
        "warn-drop of gate 1 contradicts require-gain 1%",
        "out",
    ),
    (GATE + "    require-gain: -1\n", "5:5", "require-gain of gate 1 cannot be -1", "zero or more"),
    (
        SIZE + "    at-most: 2 h\n",
        "3:5",
        "at-most of gate 1: '2 h' is a duration, where a size is wanted",
        "such as 200 MB",
    ),
    (SIZE + "    at-most: 2 mb\n", "3:5", "'2 mb' has no unit that is known here", "did you mean 'MB'?"),
    (SIZE + "    at-most: 2 Gib\n", "3:5", "'2 Gib' has no unit that is known here", "did you mean 'GiB'?"),
    (
        SIZE + "    at-most: 200MB\n    at-least: 1 GB\n",
        "4:5",
        "at-least 1 GB of gate 1 is above at-most 200 MB",
        "no value",
    ),
    (SIZE + "    at-most: 1\n    better: higher\n", "4:5", "better: higher of gate 1", "leave it out"),
    (SIZE.replace("a.bin", "../a.bin") + "    at-most: 1\n", "2:5", "the out '../a.bin' of gate 1 is outside", "root"),
    (
        SIZE + "    duration: train\n    at-most: 1\n",
        "3:5",
        "gate 1 judges size and duration at once",
        "a rule for each",
    ),
    (
        SIZE + "    metric: a:$.b\n    better: lower\n    at-most: 1\n",
        "2:5",
        "gate 1 judges metric and size at once",
        "a rule for each",
    ),
    (
        SIZE.replace("size", "duration") + "    at-most: 20 m\n",
        "3:5",
        "'20 m' has no unit that is known",
        "20 min or 2 h",
    ),
    (
        SIZE.replace("size", "duration") + "    at-most: 1 MB\n",
        "3:5",
        "'1 MB' is a size, where a duration is wanted",
        "2 h",
    ),
    (SIZE.replace("a.bin", "''") + "    at-most: 1\n", "2:5", 'size of gate 1 cannot be ""', "whose bytes are judged"),
    (SIZE, "2:5", "gate 1 has no limit", "require-gain, band"),
    (GATE + "    band: {}\n", "5:5", "the band of gate 1 has no 'test'", "standard deviations"),
    (
        GATE + "    band: 3\n",
        "5:5",
        "the band of gate 1 must be keys and values, not 3",
        "{test: z, sigma: 3, last: 20}",
    ),
    (GATE + "    band: {test: t}\n", "5:12", 'test of the band of gate 1 cannot be "t"', "z, iqr, percent"),
    (GATE + "    band: {test: z, sigmas: 2}\n", "5:21", "unknown key 'sigmas' in the band of gate 1", "mean 'sigma'?"),
    (GATE + "    band: {test: z, sigma: 0}\n", "5:21", "sigma of the band of gate 1 cannot be 0", "more than 0"),
    (GATE + "    band: {test: z, sigma: .inf}\n", "5:21", "sigma of the band of gate 1 is no finite number", "plain"),
    (
        GATE + "    band: {test: z, factor: 2}\n",
        "5:21",
        "factor of the band of gate 1 belongs to test iqr",
        "it is sigma",
    ),
    (
        GATE + "    band: {test: iqr, within: 2%}\n",
        "5:23",
        "within of the band of gate 1 belongs to test percent",
        "factor",
    ),
    (GATE + "    band: {test: percent}\n", "5:5", "the band of gate 1 has no 'within'", "within: 5%"),
    (
        GATE + "    band: {test: percent, within: 5}\n",
        "5:27",
        "within of the band of gate 1 must be a text, not 5",
        "5%",
    ),
    (GATE + "    band: {test: z, last: 1}\n", "5:21", "last of the band of gate 1 cannot be 1", "from 2 to 1000"),
    (GATE + "    band: {test: z, last: 2.5}\n", "5:21", "last of the band of gate 1 must be a whole number", "2 to"),
    (
        GATE + "    band: {test: z, last: 9, samples: 10}\n",
        "5:30",
        "samples 10 of the band of gate 1 are more",
        "never",
    ),
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
