"""The linter's findings as SARIF: valid by its schema, placed in the repository."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft4Validator

from runner.errors import Location
from runner.pipeline.lint import catalogue
from runner.pipeline.lint.finding import Finding
from runner.review import sarif
from tests.support.tools import require

FINDINGS = [
    Finding(catalogue.SCRIPT, Location("models a/dvc.yaml", 4, 14), "'fit' runs fit.py", "add it"),
    Finding(catalogue.NO_REMOTE, Location(".dvc/config", 3), "no default remote"),
    Finding(catalogue.REFUSED, Location("dvc.lock"), "it cannot be read"),
    Finding(catalogue.REFUSED, Location(""), "something else"),
]


@pytest.fixture(scope="module")
def schema() -> Any:
    """SARIF 2.1.0 as its authors publish it for tests (npm @microsoft/jest-sarif)."""
    folder = require("tests/node_modules/@microsoft/jest-sarif/lib/schemas/", "SARIF's schema; npm ci --prefix tests")
    return json.loads((folder / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("findings", [FINDINGS, []])
def test_a_log_fits_the_schema_of_sarif(schema: Any, findings: list[Finding]) -> None:
    log = json.loads(json.dumps(sarif.render(findings, "sub folder/")))
    validator = Draft4Validator(schema)
    assert [error.message for error in validator.iter_errors(log)] == []
    log["runs"][0]["results"].append({"ruleId": 1})
    assert list(validator.iter_errors(log))


def test_results_name_their_rule_their_level_and_their_place_in_the_repository() -> None:
    first, second, third, last = sarif.render(FINDINGS, "sub/")["runs"][0]["results"]
    rules = sarif.render([])["runs"][0]["tool"]["driver"]["rules"]
    assert (first["ruleId"], rules[first["ruleIndex"]]["id"], first["level"]) == ("RT101", "RT101", "warning")
    assert first["message"]["text"] == "'fit' runs fit.py. Add it"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "sub/models%20a/dvc.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 4, "startColumn": 14}
    assert second["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
    assert "region" not in third["locations"][0]["physicalLocation"]
    assert "locations" not in last
