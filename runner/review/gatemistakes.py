"""What is wrong with a gate file: every mistake at once, each with its place and a way out. Pure.

The shape is checked against the JSON Schema shipped in the package (editors use the same one); what a schema cannot
say is checked after it: limits that contradict each other, wrong JSONPath, units of something else.
"""

from __future__ import annotations

import json
import math
import posixpath
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from runner.errors import ConfigError, Location, spelled_like
from runner.pipeline import yaml12
from runner.review import bands, figures, jsonpaths, units
from runner.review.gaterows import UNITS, allowance, quantity, split, subject_of
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jsonschema.exceptions import ValidationError

    from runner.review.measured import Unit

Path = tuple[str | int, ...]
OURS = ("baseline", "gates", "lint")
"""The keys that no setting of the runner has."""
_ABSOLUTE = ("at-least", "at-most")
_ALLOWANCES = ("allow-drop", "warn-drop", "require-gain")
_LIMITS = (*_ABSOLUTE, *_ALLOWANCES, "band")
_AMOUNTS = {"z": "sigma", "iqr": "factor", "percent": "within"}
_TYPES = {
    "object": "keys and values",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "null": "nothing",
}


@dataclass(frozen=True, slots=True)
class Source:
    """The text being read, to say where something stands in it."""

    text: str
    file: str

    def where(self, *path: str | int) -> Location:
        """Give the place of a key, or of the nearest one above it."""
        return Location(self.file, *yaml12.locate(self.text, *path))

    def inside(self, part: str, offset: int, *path: str | int) -> Location:
        """Give the place of a character of `part`, a piece of the value at `path`, if on its key's line."""
        place = self.where(*path)
        line = self.text.split("\n")[place.line - 1]
        start = line.find(part, max(place.column - 1, 0))
        return Location(self.file, place.line, start + offset + 1) if start >= 0 else place

    def error(self, message: str, hint: str, *path: str | int) -> ConfigError:
        """Make an error about what stands at `path`."""
        return ConfigError(message, hint, self.where(*path))


def mistakes(document: object, source: Source) -> list[ConfigError]:
    """Give every mistake of a gate file, in the order of the file.

    Args:
        document: what YAML gives.
        source: the text it comes from.

    """
    violations = list(_schema().iter_errors(document))
    errors = [error for violation in violations for error in _translated(violation, source)]
    errors += _misspelt_keys(document, source)
    errors += _meaning_errors(document, {tuple(violation.absolute_path)[:2] for violation in violations}, source)
    return sorted(errors, key=lambda error: _order(error.where))


def _order(where: Location | None) -> tuple[int, int]:
    return (where.line, where.column) if where else (0, 0)


@cache
def _schema() -> Draft202012Validator:
    text = resources.files("runner").joinpath("schemas/retrain-1.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def _misspelt_keys(document: object, source: Source) -> Iterator[ConfigError]:
    """Refuse `gate:` for `gates:`: other keys are not ours to judge, but this one would switch the gates off."""
    for key in document if isinstance(document, dict) else ():
        near = spelled_like(str(key), OURS, cutoff=0.8)
        if near and key not in OURS:
            yield source.error(f"unknown key {key!r}", f"did you mean {near[0]!r}?", key)


def _translated(violation: ValidationError, source: Source) -> Iterator[ConfigError]:
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
        case "dependentRequired":
            yield source.error(f"{name} has no 'better'", schema["properties"]["better"]["description"], *path)
        case "oneOf":
            yield from _subject_errors(value, path, source)
        case "enum":
            choices = [str(choice) for choice in expected]
            yield source.error(f"{name} cannot be {figures.literal(value)}", _nearest(value, choices), *path)
        case "type":
            kinds = [_TYPES[kind] for kind in _listed(expected) if kind != "null"]
            yield source.error(f"{name} must be {' or '.join(kinds)}, not {figures.literal(value)}", about, *path)
        case _:
            yield source.error(f"{name} cannot be {figures.literal(value)}", about, *path)


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
    if len(path) > 3 and path[2] == "band":  # noqa: PLR2004  # ("gates", index, "band", key)
        return f"{path[3]} of the band of {gate}"
    if path[-1] == "band":
        return f"the band of {gate}"
    return gate if len(path) == 2 else f"{path[2]} of {gate}"  # noqa: PLR2004  # ("gates", index) is the gate itself


def _nearest(word: object, known: Sequence[str]) -> str:
    near = spelled_like(str(word), known)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"


def _subject_errors(row: object, at: Path, source: Source) -> Iterator[ConfigError]:
    """Say what a rule lacks that is about nothing, or about more than one thing."""
    if not isinstance(row, dict):
        return
    name, keys = _name(at), _schema().schema["$defs"]["gate"]["properties"]  # type: ignore[index]  # a dict, by its file
    judged = [subject for subject in UNITS if subject in row]
    if len(judged) > 1:
        message = f"{name} judges {' and '.join(judged)} at once"
        yield source.error(message, "write a rule for each", *at, judged[1])
    if not judged:
        yield source.error(f"{name} has no 'metric'", f"{keys['metric']['description']}; or size, or duration", *at)


# What a schema cannot say.


def _meaning_errors(document: object, misshapen: set[Path], source: Source) -> Iterator[ConfigError]:
    """Check the gates whose shape is right."""
    if not isinstance(document, dict) or ("gates",) in misshapen:
        return
    for index, row in enumerate(document.get("gates") or ()):
        at = ("gates", index)
        if at not in misshapen:
            yield from _place_errors(row, at, source)
            yield from list(_limit_errors(row, at, source)) or _contradictions(row, at, source)


def _limit_errors(row: Mapping[str, Any], at: Path, source: Source) -> Iterator[ConfigError]:
    name, unit = _name(at), UNITS[subject_of(row)]
    if not any(key in row for key in _LIMITS):
        yield source.error(f"{name} has no limit", f"add one of {', '.join(_LIMITS)}", *at)
    for key in (*_ABSOLUTE, *_ALLOWANCES):
        value = row.get(key)
        if isinstance(value, float) and not math.isfinite(value):
            yield source.error(f"{key} of {name} is no finite number", "write the limit as a plain number", *at, key)
        elif isinstance(value, str) and not (key in _ALLOWANCES and value.endswith("%")):
            yield from _unit_errors(value, unit, (*at, key), source)


def _unit_errors(value: str, unit: Unit, at: Path, source: Source) -> Iterator[ConfigError]:
    try:
        units.quantity(value, unit)
    except units.UnitError as error:
        hint = f"{error.hint}, or a percentage such as 2%" if at[-1] in _ALLOWANCES else error.hint
        yield source.error(f"{_name(at)}: {error}", hint, *at)


def _place_errors(row: Mapping[str, Any], at: Path, source: Source) -> Iterator[ConfigError]:
    subject = subject_of(row)
    file, jsonpath = (row[subject], "") if UNITS[subject] else split(row[subject])
    parts = posixpath.normpath(file).split("/")
    if subject != "duration" and (file.startswith("/") or ".." in parts):
        what = "metrics file" if subject == "metric" else "out"
        hint = "write the path from the repository's root, without a leading '/' and without '..'"
        yield source.error(f"the {what} {file!r} of {_name(at)} is outside of the repository", hint, *at, subject)
    if not jsonpath:
        return
    try:
        jsonpaths.compiled(jsonpath)
    except jsonpaths.JsonPathError as error:
        where = source.inside(jsonpath, error.offset, *at, subject)
        yield ConfigError(f"{jsonpath!r} of {_name(at)} is not a JSONPath: {error}", jsonpaths.QUOTING, where)


def _contradictions(row: Mapping[str, Any], at: Path, source: Source) -> Iterator[ConfigError]:
    """Find limits that no value can meet, and those that can never say anything."""
    name, unit = _name(at), UNITS[subject_of(row)]
    low, high = (quantity(row.get(key), unit) for key in _ABSOLUTE)
    if low is not None and high is not None and low > high:
        message = f"at-least {units.exact(low, unit)} of {name} is above at-most {units.exact(high, unit)}"
        yield source.error(message, "no value can meet both limits", *at, "at-least")
    allow, warn, gain = (allowance(row.get(key), unit) for key in _ALLOWANCES)
    if allow and warn and allow.relative == warn.relative and warn.amount >= allow.amount:
        message = f"warn-drop {warn.said(unit)} of {name} is not below allow-drop {allow.said(unit)}"
        yield source.error(message, "it would never warn: what exceeds it fails already", *at, "warn-drop")
    if gain:
        for key in ("allow-drop", "warn-drop"):
            if key in row:
                message = f"{key} of {name} contradicts require-gain {gain.said(unit)}"
                yield source.error(message, "what does not gain fails already: leave one of them out", *at, key)
    if unit and "by" in row:
        message = f"by of {name} says nothing of a {subject_of(row)}"
        yield source.error(message, "it names the member that entries of a metric's lists are known by", *at, "by")
    if unit and row.get("better") == "higher":
        message = f"better: higher of {name} is not what a {subject_of(row)} is judged by"
        yield source.error(message, "less is better of sizes and durations: leave it out", *at, "better")
    if "band" in row:
        yield from _band_errors(row["band"], (*at, "band"), source)


def _band_errors(band: Mapping[str, Any], at: Path, source: Source) -> Iterator[ConfigError]:
    name, test = _name(at), band["test"]
    for other, key in _AMOUNTS.items():
        if key in band and other != test:
            message = f"{key} of {name} belongs to test {other}, not to {test}"
            yield source.error(message, f"of test {test} it is {_AMOUNTS[test]}", *at, key)
    if test == "percent" and "within" not in band:
        yield source.error(f"{name} has no 'within'", "test percent takes a percentage: within: 5%", *at)
    last = band.get("last", bands.LAST)
    if band.get("samples", 0) > last:
        message = f"samples {band['samples']} of {name} are more than last {last}"
        yield source.error(message, "so many values are never looked at", *at, "samples")
    for key in ("sigma", "factor"):
        if isinstance(band.get(key), float) and not math.isfinite(band[key]):
            yield source.error(f"{key} of {name} is no finite number", "write a plain number", *at, key)
