"""The Jinja environments of the templates in templates/: sandboxed, escaping everything that is not marked safe."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from runner.review import escape, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment, Template

_LONGEST = 2_000


@cache
def template(name: str) -> Template:
    """Give a template of the package, ready to render: `report.md.jinja` or `report.html.jinja`."""
    environment = _markdown() if ".md." in name else _environment()
    return environment.get_template(name)


def _environment() -> Environment:
    """Everything goes through HTML's escaping, unless marked safe by us."""
    environment = ImmutableSandboxedEnvironment(
        loader=PackageLoader("runner.review", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_text,
    )
    environment.filters |= {
        "size": words.size,
        "duration": words.seconds,
        "outcome": words.outcome,
        "count": words.count,
    }
    return environment


def _markdown() -> Environment:
    """Everything is prose, unless a filter says that it is a code span, a table's cell or a fenced block."""
    environment = _environment()
    environment.finalize = _prose
    environment.filters |= {"code": _code, "cell": _cell, "fenced": _fenced}
    return environment


def _text(value: object) -> object:
    """Drop controls and invisible characters; the escaping comes after this."""
    return escape.clean(value, _LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


def _prose(value: object) -> Markup:
    return value if isinstance(value, Markup) else Markup(escape.prose(str(value)))  # noqa: S704  # just escaped


def _code(text: str) -> Markup:
    return Markup(escape.code(text))  # noqa: S704  # just escaped


def _cell(text: str) -> Markup:
    return Markup(escape.cell(text))  # noqa: S704  # just escaped


def _fenced(lines: Sequence[str]) -> Markup:
    return Markup(escape.fenced(lines))  # noqa: S704  # just escaped
