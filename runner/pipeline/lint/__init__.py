"""The linter: what would hurt a DVC team in CI and can be told from text. Pure: text and types in, findings out.

Each rule is a function from `Material` to findings; `catalogue` lists what they look for, docs/lint.md explains it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.pipeline.lint import commands, errors, keeping, parameters, recorded
from runner.pipeline.lint.catalogue import named
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.pipeline.lint.finding import Finding, Rule
    from runner.pipeline.lint.material import Material

    Check = Callable[[Material], Iterator[Finding]]

_OF_ONE_FILE: Final[tuple[Check, ...]] = (
    errors.unread,
    commands.scripts,
    commands.imports,
    commands.without_deps,
    commands.lines,
    commands.bash,
    parameters.absent,
    parameters.uncounted,
    keeping.in_git,
    keeping.kept_nowhere,
    keeping.secrets,
    keeping.one_machine,
    recorded.never_run,
    recorded.older,
    recorded.other_spelling,
    recorded.folded,
    recorded.numbers,
)
# These would be wrong where a file could not be read: what they miss may stand in it.
_OF_ALL_FILES: Final[tuple[Check, ...]] = (
    commands.inputs,
    commands.nowhere,
    parameters.undeclared,
    keeping.gates,
    keeping.default_remote,
    recorded.left_over,
)
_IGNORED: Final = regex(r"#\s*retrain:\s*ignore\[([^\]]*)\]")


def lint(material: Material) -> list[Finding]:
    """Give every finding that no comment silences, in order of file, line and column."""
    checks = _OF_ONE_FILE if material.errors else (*_OF_ONE_FILE, *_OF_ALL_FILES)
    found = dict.fromkeys(finding for check in checks for finding in check(material))
    silenced = {file: _silenced(material.read(file) or "") for file in {finding.where.file for finding in found}}
    shown = (finding for finding in found if not _is_silenced(finding, silenced[finding.where.file]))
    return sorted(shown, key=_order)


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    where = finding.where
    return where.file, where.line, where.column, finding.rule.code, finding.message


def _silenced(text: str) -> dict[int, frozenset[Rule]]:
    """Give the rules that comments name, by the line they hold for; one on a line of its own holds for the next too."""
    found: dict[int, frozenset[Rule]] = {}
    for number, line in enumerate(text.splitlines() if "retrain:" in text else (), 1):
        comment = _IGNORED.search(line)
        if comment:
            words = comment[1].replace(",", " ").split()
            rules = frozenset(rule for word in words for rule in named(word))
            for place in (number, number + 1) if line.lstrip().startswith("#") else (number,):
                found[place] = found.get(place, frozenset()) | rules
    return found


def _is_silenced(finding: Finding, silenced: Mapping[int, frozenset[Rule]]) -> bool:
    return any(finding.rule in silenced.get(line, ()) for line in (finding.where.line, finding.stage_line))
