"""docs/lint.md has a section for every rule, and its examples are what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.pipeline.lint.catalogue import RULES
from runner.review.gatefile import parse_gates
from tests.support.linting import found

TEXT = Path("docs/lint.md").read_text(encoding="utf-8")
SECTION = re.compile(
    r"^## (RT\d+) (\S+)\n\n(\w+)\. (.+?)\n\n"
    r"Wrong:\n\n```yaml\n(.+?)```\n\nRight:\n\n```yaml\n(.+?)```\n\nSilence: (.+?)\n",
    re.MULTILINE | re.DOTALL,
)
SECTIONS = {section[1]: section for section in SECTION.finditer(TEXT)}
FILE = re.compile(r"^# (\S+)\n", re.MULTILINE)


def told(example: str) -> set[str]:
    """Lint the files of an example; give the codes found."""
    parts = FILE.split(f"{example}\n")[1:]
    texts = dict(zip(parts[::2], parts[1::2], strict=True))
    ignored = texts.get(".gitignore", "").split()
    gates = parse_gates(texts["retrain.yaml"], "retrain.yaml").gates if "retrain.yaml" in texts else ()
    return {one.rule.code for one in found(texts, ignored=ignored, gates=[(gate.file, gate.where) for gate in gates])}


def test_every_rule_has_a_section_with_its_name_and_severity_in_order_and_no_other_has() -> None:
    written = [(section[1], section[2], section[3].lower()) for section in SECTIONS.values()]
    assert written == [(rule.code, rule.name, rule.severity.word) for rule in RULES]
    assert len(re.findall(r"^## RT", TEXT, re.MULTILINE)) == len(RULES)


@pytest.mark.parametrize("code", [rule.code for rule in RULES])
def test_the_wrong_example_breaks_the_rule_and_the_right_one_does_not(code: str) -> None:
    assert code in told(SECTIONS[code][5])
    assert code not in told(SECTIONS[code][6])
    assert f"ignore[{code}]" in SECTIONS[code][7]


def test_the_readme_counts_the_rules() -> None:
    assert f": {len(RULES)} rules, no data needed" in Path("README.md").read_text(encoding="utf-8")
