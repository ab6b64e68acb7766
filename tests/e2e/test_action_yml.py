"""action.yml says what the program does: its inputs, its outputs, its verbs."""

from __future__ import annotations

import re

import pytest

from runner import cli
from runner.inputs import INPUTS, Input
from tests.support import host_action
from tests.support.job import action
from tests.support.tools import ROOT

IN_JOB = [one for one in INPUTS if one.in_job]


def test_the_inputs_are_those_of_the_settings_and_the_verb() -> None:
    assert set(action()["inputs"]) == {"command", *(one.name for one in IN_JOB)}


@pytest.mark.parametrize("one", IN_JOB, ids=lambda one: one.name)
def test_an_input_is_described_alike_and_falls_through_to_the_gate_file_when_it_is_empty(one: Input) -> None:
    described = action()["inputs"][one.name]
    assert described["description"] == one.help
    assert described["default"] == ("${{ github.token }}" if one.name == "github-token" else "")


def test_the_host_action_has_the_same_inputs_and_outputs_and_hands_each_of_them_on() -> None:
    container, host = action(), action("host/action.yml")
    assert {name: told for name, told in host["inputs"].items() if name != "python"} == container["inputs"]
    assert host["outputs"].keys() == container["outputs"].keys()
    assert host_action.PLACE.read_text() == host_action.rendered(), "run `make host`"


def test_every_verb_is_named() -> None:
    description = action()["inputs"]["command"]["description"]
    assert set(re.findall(r"[a-z]+", description.partition(" - ")[2])) - {"or"} == set(cli.VERBS)


def test_the_image_keeps_githubs_rules_for_container_actions() -> None:
    instructions = [
        line.split(maxsplit=1) for line in (ROOT / "Dockerfile").read_text().splitlines() if line[:1].isupper()
    ]
    names = [name for name, *_ in instructions]
    assert "USER" not in names
    assert "WORKDIR" not in names
    entrypoint = next(rest for name, rest in instructions if name == "ENTRYPOINT")
    assert entrypoint == '["/opt/retrain/bin/python", "-I", "-m", "runner"]'
    assert not any(name == "ENV" and "PATH" in rest for name, rest in instructions)


def test_the_base_image_is_pinned_by_digest() -> None:
    (base,) = re.findall(r"^ARG BASE=(.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+[\w.-]*@sha256:[0-9a-f]{64}", base)
