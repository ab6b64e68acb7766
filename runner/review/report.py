"""The report: its data model's names, as JSON with a versioned schema, and the way to Markdown and HTML. Pure.

Rendering the same report gives the same bytes everywhere, also after a round trip through JSON.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from functools import cache
from importlib import resources
from typing import Any, get_args, get_origin, get_type_hints

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from runner.errors import ConfigError, Location
from runner.review.commit import Commit
from runner.review.escape import whole
from runner.review.headline import headline
from runner.review.html import to_html
from runner.review.junit import to_junit
from runner.review.markdown import BUDGET, to_markdown
from runner.review.metrics import oddity
from runner.review.model import (
    SCHEMA,
    Decision,
    Outcome,
    Problem,
    ReasonRow,
    Report,
    StageRow,
    Traffic,
)
from runner.review.openmetrics import to_openmetrics

__all__ = [
    "BUDGET",
    "SCHEMA",
    "Commit",
    "Decision",
    "Outcome",
    "Problem",
    "ReasonRow",
    "Report",
    "StageRow",
    "Traffic",
    "from_json",
    "headline",
    "to_html",
    "to_json",
    "to_junit",
    "to_markdown",
    "to_openmetrics",
]


def to_json(report: Report) -> str:
    """Give report.json: what runner/schemas/report-1.json describes, two blanks of indentation, a final newline.

    It holds no bare NaN or Infinity: in gates and metrics such values are null already, with their reason in `why`;
    anywhere else they are text.
    """
    plain = _plain(dataclasses.asdict(report))
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: object) -> object:
    """Replace what JSON cannot carry: numbers that are none, and halves of characters."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, str):
        return whole(value)
    return str(value) if oddity(value) else value


def from_json(text: str, file: str = "report.json") -> Report:
    """Read a report again, as `to_json` wrote it. Fields that a later runner added are ignored.

    Args:
        text: the JSON document.
        file: its name, for messages.

    Raises:
        ConfigError: not JSON, or not what the schema says.

    """
    hint = "it is written by `retrain run --report-dir DIR`; run that again"
    try:
        document = json.loads(text, parse_constant=_refuse)
        wrong = best_match(_schema().iter_errors(document))
    except (ValueError, RecursionError) as error:
        message = f"{file} is not JSON: {error}"
        raise ConfigError(message, hint, Location(file)) from error
    if wrong:
        message = f"{file} is not a report of schema {SCHEMA}: {wrong.json_path}: {wrong.message[:200]}"
        raise ConfigError(message, hint, Location(file))
    report: Report = _built(Report, document)
    return report


def _refuse(constant: str) -> None:
    message = f"it holds {constant}"
    raise ValueError(message)


@cache
def _schema() -> Draft202012Validator:
    text = resources.files("runner").joinpath("schemas/report-1.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def _built(kind: Any, value: Any) -> Any:  # noqa: ANN401  # what comes out is what `kind` says
    """Give `value`, which the schema has checked, as the type `kind`: a dataclass, a tuple of them, or itself."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and value is not None:
        hints = _hints(kind)
        return kind(**{name: _built(hints[name], part) for name, part in value.items() if name in hints})
    if get_origin(kind) is tuple:
        return tuple(_built(get_args(kind)[0], part) for part in value)
    if get_origin(kind) in {types.UnionType, typing.Union}:
        return _built(next((arm for arm in get_args(kind) if dataclasses.is_dataclass(arm)), None), value)
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
