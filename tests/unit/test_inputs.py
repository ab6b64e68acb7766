"""The table of inputs: what is read of it before the gate file is found."""

from __future__ import annotations

from runner import inputs


def test_variables_that_nobody_reads_are_found() -> None:
    environ = {"INPUT_TARGETS": "", "INPUT_PASS-ENV": "", "INPUT_COMMAND": "run", "INPUT_PASS_ENV": "A", "INPUT_X": "1"}
    assert inputs.unknown({**environ, "OTHER": ""}) == ["INPUT_PASS_ENV", "INPUT_X"]


def test_what_the_gate_file_cannot_set_is_known_early() -> None:
    assert inputs.early("config", {}, {}) == "retrain.yaml"
    assert inputs.early("config", {}, {"INPUT_CONFIG": "e"}) == "e"
    assert inputs.early("config", {"config": "f"}, {"INPUT_CONFIG": "e"}) == "f"
