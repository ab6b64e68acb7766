"""What the linter says: rules, and findings that name a place and a way out. Pure values."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from runner.values import dataclass

if TYPE_CHECKING:
    from runner.errors import Location


class Severity(IntEnum):
    """How much a finding weighs.

    An error is what DVC refuses, or what fails in a clean checkout. A warning gives wrong or unrepeatable results. A
    note may well be meant as it is.
    """

    NOTE = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """`note`, `warning` or `error`: SARIF's words for its levels too."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that the linter looks for; its section in docs/lint.md has the same code.

    Attributes:
        code: never changes and is never used again.
        name: for reading; may stand for the code wherever one is given.
        severity: of each of its findings.
        summary: what is wrong, in one sentence.

    """

    code: str
    name: str
    severity: Severity
    summary: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One instance of a rule.

    Attributes:
        rule: what is broken.
        where: file, line and column.
        message: what is wrong, in the project's own words.
        hint: what to do next; may be empty.
        stage_line: line of the stage it belongs to, in the same file; 0 where there is none.

    """

    rule: Rule
    where: Location
    message: str
    hint: str = ""
    stage_line: int = 0
