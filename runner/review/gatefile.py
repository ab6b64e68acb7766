"""The gate file, retrain.yaml: its text into gates, with every mistake at once, each with its place and a way out.

The shape is checked against the JSON Schema shipped in the package (editors use the same one); what a schema
cannot say is checked after it: limits that contradict each other, wrong JSONPath, numbers that are none.
"""

from __future__ import annotations

import difflib
import json
import math
import posixpath
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from runner.errors import ConfigError, ConfigErrors, Location
from runner.pipeline import yaml12
from runner.review import jsonpaths, words
from runner.review.gate import Allowance, Gate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jsonschema.exceptions import ValidationError

Path = tuple[str | int, ...]
_OURS = ("baseline", "gates", "lint")
_LATER = frozenset({"require-gain", "band", "size", "duration", "columns", "where", "claims"})
_LIMITS = ("at-least", "at-most", "allow-drop", "warn-drop")
_ALLOWANCES = ("allow-drop", "warn-drop")
_TYPES = {
    "object": "keys and values",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "null": "nothing",
}


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


@dataclass(frozen=True, slots=True)
class _Source:
    """The text being read, to say where something stands in it."""

    text: str
    file: str

    def where(self, *path: str | int) -> Location:
        return Location(self.file, *yaml12.locate(self.text, *path))

    def inside(self, part: str, offset: int, *path: str | int) -> Location:
        """Give the place of a character of `part`, a piece of the value at `path`, if on its key's line."""
        place = self.where(*path)
        line = self.text.split("\n")[place.line - 1]
        start = line.find(part, max(place.column - 1, 0))
        return Location(self.file, place.line, start + offset + 1) if start >= 0 else place

    def error(self, message: str, hint: str, *path: str | int) -> ConfigError:
        return ConfigError(message, hint, self.where(*path))


def parse_gates(text: str, file: str) -> GateFile:
    """Read the gate file's text.

    Args:
        text: YAML 1.2.
        file: the file's name for messages and for `Gate.where`.

    Raises:
        ConfigErrors: every mistake, each with file, line and column and the nearest valid name.

    """
    source = _Source(text, file)
    document = yaml12.parse(text, file)
    violations = list(_schema().iter_errors(document))
    errors = [error for violation in violations for error in _translated(violation, source)]
    errors += _misspelt_keys(document, source)
    errors += _meaning_errors(document, {tuple(violation.absolute_path)[:2] for violation in violations}, source)
    if errors:
        raise ConfigErrors(sorted(errors, key=lambda error: _order(error.where)))
    return _gate_file(document or {}, source)


def _order(where: Location | None) -> tuple[int, int]:
    return (where.line, where.column) if where else (0, 0)


def _gate_file(document: Mapping[str, Any], source: _Source) -> GateFile:
    rows: Sequence[Mapping[str, Any]] = document.get("gates") or ()
    return GateFile(
        baseline=document.get("baseline", "merge-base"),
        gates=tuple(_gate(row, source.where("gates", index)) for index, row in enumerate(rows)),
        settings={key: Setting(value, source.where(key)) for key, value in document.items() if key not in _OURS},
        lint=document.get("lint") or {},
    )


def _gate(row: Mapping[str, Any], where: Location) -> Gate:
    file, jsonpath = _split(row["metric"])
    return Gate(
        label=row["metric"],
        file=posixpath.normpath(file),
        jsonpath=jsonpath,
        better=row["better"],
        at_least=_decimal(row.get("at-least")),
        at_most=_decimal(row.get("at-most")),
        allow_drop=_allowance(row.get("allow-drop")),
        warn_drop=_allowance(row.get("warn-drop")),
        severity=row.get("severity", "fail"),
        missing_baseline=row.get("missing-baseline", ""),
        when=tuple(row.get("when", ())),
        where=where,
    )


def _split(metric: str) -> tuple[str, str]:
    """Cut `file:$.path` at the first `:$`; a file's name may hold colons."""
    file, _, rest = metric.partition(":$")
    return file, f"${rest}"


def _decimal(value: float | None) -> Decimal | None:
    """Give the number as written: a float's shortest form is what the file says, up to 15 digits."""
    return None if value is None else Decimal(repr(value))


def _allowance(value: float | str | None) -> Allowance | None:
    if isinstance(value, str):
        return Allowance(Decimal(value.rstrip("% ")) / 100, relative=True)
    return None if value is None else Allowance(Decimal(repr(value)))


# What the schema says.


@cache
def _schema() -> Draft202012Validator:
    text = resources.files("runner").joinpath("schemas/retrain-1.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def _misspelt_keys(document: object, source: _Source) -> Iterator[ConfigError]:
    """Refuse `gate:` for `gates:`: other keys are not ours to judge, but this one would switch the gates off."""
    for key in document if isinstance(document, dict) else ():
        near = difflib.get_close_matches(str(key), _OURS, n=1, cutoff=0.8)
        if near and key not in _OURS:
            yield source.error(f"unknown key {key!r}", f"did you mean {near[0]!r}?", key)


def _translated(violation: ValidationError, source: _Source) -> Iterator[ConfigError]:
    """Put one schema violation into the words of the file's reader."""
    path: Path = tuple(violation.absolute_path)
    name = _name(path)
    schema: Any = violation.schema
    expected: Any = violation.validator_value
    about = _described(path, schema)
    value: Any = violation.instance
    match violation.validator:
        case "additionalProperties":
            known = list(schema["properties"])
            for key in value:
                if key not in known:
                    yield source.error(f"unknown key {key!r} in {name}", _nearest(key, known), *path, key)
        case "required":
            (missing,) = [key for key in expected if f"'{key}' is a required" in violation.message]
            about = schema["properties"][missing]["description"]
            yield source.error(f"{name} has no {missing!r}", about, *path)
        case "enum":
            choices = [str(choice) for choice in expected]
            yield source.error(f"{name} cannot be {words.literal(value)}", _nearest(value, choices), *path)
        case "type":
            kinds = [_TYPES[kind] for kind in _listed(expected) if kind != "null"]
            yield source.error(f"{name} must be {' or '.join(kinds)}, not {words.literal(value)}", about, *path)
        case _:
            yield source.error(f"{name} cannot be {words.literal(value)}", about, *path)


def _listed(kinds: str | Sequence[str]) -> Sequence[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _described(path: Path, schema: Mapping[str, Any]) -> str:
    """Give the description of the key at `path`: that of a shared definition stands beside the reference to it."""
    root: Any = _schema().schema
    keys = root["$defs"]["gate"]["properties"]
    return str(schema.get("description") or keys.get(path[-1] if path else "", {}).get("description", ""))


def _name(path: Path) -> str:
    """Name a place as the reader knows it: `gate 2`, `at-least of gate 2`, `baseline`."""
    if not path:
        return "the gate file"
    if path[0] == "lint" and len(path) > 1:
        return f"{path[1]} of lint"
    if path[0] != "gates" or len(path) == 1:
        return str(path[0])
    gate = f"gate {int(path[1]) + 1}"
    return gate if len(path) == 2 else f"{path[2]} of {gate}"  # noqa: PLR2004  # ("gates", index) is the gate itself


def _nearest(word: object, known: Sequence[str]) -> str:
    if word in _LATER:
        return "it is not supported yet"
    near = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"


# What a schema cannot say.


def _meaning_errors(document: object, misshapen: set[Path], source: _Source) -> Iterator[ConfigError]:
    """Check the gates whose shape is right."""
    if not isinstance(document, dict) or ("gates",) in misshapen:
        return
    for index, row in enumerate(document.get("gates") or ()):
        at = ("gates", index)
        if at not in misshapen:
            yield from _limit_errors(row, at, source)
            yield from _metric_errors(row["metric"], at, source)
            yield from _contradictions(row, at, source)


def _limit_errors(row: Mapping[str, Any], at: Path, source: _Source) -> Iterator[ConfigError]:
    name = _name(at)
    if not any(key in row for key in _LIMITS):
        yield source.error(f"{name} has no limit", f"add one of {', '.join(_LIMITS)}", *at)
    for key in _LIMITS:
        if isinstance(row.get(key), float) and not math.isfinite(row[key]):
            yield source.error(f"{key} of {name} is no finite number", "write the limit as a plain number", *at, key)


def _metric_errors(metric: str, at: Path, source: _Source) -> Iterator[ConfigError]:
    file, jsonpath = _split(metric)
    parts = posixpath.normpath(file).split("/")
    if file.startswith("/") or ".." in parts:
        hint = "write the path from the repository's root, without a leading '/' and without '..'"
        yield source.error(
            f"the metrics file {file!r} of {_name(at)} is outside of the repository", hint, *at, "metric"
        )
    try:
        jsonpaths.compiled(jsonpath)
    except jsonpaths.JsonPathError as error:
        where = source.inside(jsonpath, error.offset, *at, "metric")
        yield ConfigError(f"{jsonpath!r} of {_name(at)} is not a JSONPath: {error}", jsonpaths.QUOTING, where)


def _contradictions(row: Mapping[str, Any], at: Path, source: _Source) -> Iterator[ConfigError]:
    low, high = row.get("at-least"), row.get("at-most")
    if low is not None and high is not None and low > high:
        message = f"at-least {words.exact(low)} of {_name(at)} is above at-most {words.exact(high)}"
        yield source.error(message, "no value can meet both limits", *at, "at-least")
    allow, warn = (_allowance(row.get(key)) for key in _ALLOWANCES)
    if allow and warn and allow.relative == warn.relative and warn.amount >= allow.amount:
        message = f"warn-drop {warn} of {_name(at)} is not below allow-drop {allow}"
        yield source.error(message, "it would never warn: what exceeds it fails already", *at, "warn-drop")
