"""What the documents say is what the program does: inputs, outputs, exit codes, verbs, samples, links."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import click
import pytest

from runner import inputs
from runner.cli import VERBS, main
from runner.errors import Exit
from runner.forge.rights import RIGHTS
from runner.pipeline import yaml12
from runner.review.gatefile import parse_gates
from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")])
ACTION = yaml12.parse((ROOT / "action.yml").read_text(encoding="utf-8"), "action.yml")


def yaml_of(document: str) -> list[str]:
    """Give the samples of a document that are YAML."""
    return re.findall(r"^```yaml\n(.*?)^```", document, re.MULTILINE | re.DOTALL)


SAMPLES = yaml_of(README)


def rows(text: str, heading: str) -> list[list[str]]:
    """Give the cells of the table under a header row, without the header."""
    table = text[text.index(heading) :].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_the_readme_has_every_input_with_its_help_and_its_default() -> None:
    listed = {name.split("`")[1]: (name, default, text) for name, default, text in rows(README, "| input |")}
    del listed["command"]
    assert list(listed) == [one.name for one in inputs.INPUTS if one.in_job]
    for one in filter(lambda one: one.in_job, inputs.INPUTS):
        name, default, text = listed[one.name]
        assert text == one.help
        assert name.endswith("*") is one.in_file
        assert one.default in {default.strip("`"), ""}


def test_the_readme_has_every_output_of_the_action() -> None:
    listed = [name for cell, _ in rows(README, "| output |") for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(listed) == sorted(ACTION["outputs"])


@pytest.mark.parametrize("text", [README, (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")])
def test_every_exit_code_is_listed(text: str) -> None:
    listed = [int(code) for row in rows(text, "| code |") for code in row[0].split(",")]
    assert listed == sorted(int(code) for code in Exit)


def test_every_verb_has_a_help_that_says_what_it_does() -> None:
    context = click.Context(main)
    for name in VERBS:
        verb = main.get_command(context, name)
        assert verb
        assert verb.help, name
        assert name in README


def test_the_gate_file_of_the_readme_is_read() -> None:
    sample = next(text for text in SAMPLES if "gates:" in text)
    assert len(parse_gates(sample, "retrain.yaml").gates) == 3


def test_the_workflows_of_the_documents_are_valid(tmp_path: Path) -> None:
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    found = {path: yaml_of(path.read_text(encoding="utf-8")) for path in DOCUMENTS}
    samples = [(path.stem, text) for path, texts in found.items() for text in texts if "jobs:" in text]
    assert len(samples) > 2
    for number, (name, text) in enumerate(samples):
        (workflows / f"{name}-{number}.yml").write_text(text, encoding="utf-8")
    files = sorted(map(str, workflows.iterdir()))
    subprocess.run([require("actionlint"), *files], check=True)
    subprocess.run(
        [require("check-jsonschema"), "--quiet", "--builtin-schema", "vendor.github-workflows", *files], check=True
    )
    pedantic = ("--quiet", "--offline", "--no-progress", "--persona", "pedantic")
    subprocess.run([require("zizmor"), *pedantic, *files], check=True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
        assert "://" in target or (document.parent / target).exists(), target


def test_the_table_of_events_is_the_programs() -> None:
    table = rows((ROOT / "docs" / "events.md").read_text(encoding="utf-8"), "| kind |")
    assert [row[0].strip("`") for row in table] == list(RIGHTS)
    for kind, _, runs, pushes, comments, proposes, remote in table:
        rights = RIGHTS[kind.strip("`")]  # type: ignore[index]
        assert runs.startswith("yes") is rights.may_run
        assert pushes.startswith("yes") is rights.may_push
        assert comments in {"yes" if rights.may_comment else "no", ""}, "empty: there is nothing to comment on"
        assert (proposes == "yes") is rights.may_propose
        assert (remote == "the base commit") is rights.base_remote
