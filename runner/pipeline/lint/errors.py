"""What could not be read, as findings: the errors of loading, each by its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.errors import Location
from runner.pipeline.lint import catalogue
from runner.pipeline.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.errors import Kind
    from runner.pipeline.lint.finding import Rule
    from runner.pipeline.lint.material import Material

RULES: Final[Mapping[Kind, Rule]] = {
    "not-yaml": catalogue.NOT_YAML,
    "unknown-key": catalogue.UNKNOWN_KEY,
    "missing-key": catalogue.MISSING_KEY,
    "wrong-value": catalogue.WRONG_VALUE,
    "outside-repository": catalogue.OUTSIDE,
    "clashing-outs": catalogue.CLASHING,
    "circular-stages": catalogue.CIRCULAR,
    "hidden-out": catalogue.HIDDEN,
    "ignored-lock": catalogue.LOCK_IGNORED,
    "": catalogue.REFUSED,
}


def unread(material: Material) -> Iterator[Finding]:
    """Yield every mistake that keeps a file from being read."""
    for error in material.errors:
        yield Finding(RULES[error.kind], error.where or Location(""), error.message, error.hint)
