"""The gate file, retrain.yaml: its text into gates and settings. What is wrong with one `gatemistakes` says."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigErrors, Location
from runner.pipeline import yaml12
from runner.review.gatemistakes import OURS, Source, mistakes
from runner.review.gaterows import gate_of
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.review.gate import Gate


@dataclass(frozen=True, slots=True)
class Setting:
    """One of the runner's inputs as the gate file gives it, not checked yet.

    Attributes:
        value: as YAML gives it.
        where: the place of its key.

    """

    value: object
    where: Location


@dataclass(frozen=True, slots=True)
class GateFile:
    """What a gate file says.

    Attributes:
        baseline: `merge-base`, `target`, `previous`, `last-success` or a git revision.
        gates: in the order written.
        settings: every other top-level key, for `settings` to check.
        lint: what the linter is told: `select`, `ignore`, `fail-on`.

    """

    baseline: str = "merge-base"
    gates: tuple[Gate, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    lint: Mapping[str, Any] = field(default_factory=dict)


def parse_gates(text: str, file: str) -> GateFile:
    """Read the gate file's text.

    Args:
        text: YAML 1.2.
        file: the file's name for messages and for `Gate.where`.

    Raises:
        ConfigErrors: every mistake, each with file, line and column and the nearest valid name.

    """
    source = Source(text, file)
    document = yaml12.parse(text, file)
    errors = mistakes(document, source)
    if errors:
        raise ConfigErrors(errors)
    return _gate_file(document or {}, source)


def _gate_file(document: Mapping[str, Any], source: Source) -> GateFile:
    rows: Sequence[Mapping[str, Any]] = document.get("gates") or ()
    return GateFile(
        baseline=document.get("baseline", "merge-base"),
        gates=tuple(gate_of(row, source.where("gates", index)) for index, row in enumerate(rows)),
        settings={key: Setting(value, source.where(key)) for key, value in document.items() if key not in OURS},
        lint=document.get("lint") or {},
    )
