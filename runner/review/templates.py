"""The Jinja environments of the report: sandboxed, escaping everything that is not marked safe, blocks to override.

A project may have templates of its own. Whatever is wrong with them is told with file and line, and the report's own
template is used instead: they never cost the report, and never the verdict.
"""

from __future__ import annotations

import logging
import traceback
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from jinja2 import ChoiceLoader, FunctionLoader, PackageLoader, PrefixLoader, StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from runner.review import curves, escape, figures, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jinja2 import Environment, Template

    Own = Mapping[str, str]
    """Templates of the project: text by file name."""

logger = logging.getLogger("retrain")
PARENT: Final = "retrain"
"""`{% extends "retrain/report.md.jinja" %}` names the report's own template."""
_LONGEST = 2_000


class BrokenTemplateError(Exception):
    """A project's template cannot be rendered. Its text says where, and why."""


def rendered(name: str, facts: Mapping[str, Any], own: Own | None = None) -> str:
    """Render `report.md.jinja` or `report.html.jinja`: the project's, if it has one of that name.

    Raises:
        BrokenTemplateError: the project's cannot be rendered.

    """
    if not own or name not in own:
        return _packaged(name).render(facts)
    try:
        return _environment(name, own).get_template(name).render(facts)
    except Exception as error:
        logger.debug("a template of the project is broken", exc_info=error)
        raise BrokenTemplateError(_told(error, name, own)) from error


def _told(error: Exception, name: str, own: Own) -> str:
    """Say what is wrong with file and line: the innermost line of a template of the project."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno) for frame in reversed(frames) if frame.filename in own]
    file, line = next(iter(places), (name, 0))
    if isinstance(error, TemplateSyntaxError):
        file, line = error.name or name, error.lineno
    return f"{words.TEMPLATES}/{file}{f':{line}' if line else ''}: {error}"


@cache
def _packaged(name: str) -> Template:
    return _environment(name, {}).get_template(f"{PARENT}/{name}")


def _environment(name: str, own: Own) -> Environment:
    """Everything goes through HTML's escaping, or in Markdown is prose, unless marked safe by us; JSON has `tojson`."""
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([PrefixLoader({PARENT: PackageLoader("runner.review", "templates")}), _loader(own)]),
        autoescape=".json." not in name,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_prose if ".md." in name else None if ".json." in name else _text,
    )
    environment.filters |= {**_FILTERS, **(_MARKDOWN if ".md." in name else {})}
    return environment


def _loader(own: Own) -> FunctionLoader:
    """Give a project's templates their file names, so that a mistake in one can be told by it."""
    return FunctionLoader(lambda name: (own[name], name, lambda: True) if name in own else None)


def _text(value: object) -> object:
    """Drop controls and invisible characters; the escaping comes after this."""
    return escape.clean(value, _LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


def _prose(value: object) -> Markup:
    return value if isinstance(value, Markup) else Markup(escape.prose(str(value)))  # noqa: S704  # just escaped


def _code(text: str) -> Markup:
    return Markup(escape.code(text))  # noqa: S704  # just escaped


def _cell(text: str) -> Markup:
    return Markup(escape.cell(text))  # noqa: S704  # just escaped


def _markup(text: str) -> Markup:
    return Markup(escape.markup(text))  # noqa: S704  # just escaped


def _fenced(lines: Sequence[str]) -> Markup:
    return Markup(escape.fenced(lines))  # noqa: S704  # just escaped


_FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "size": words.size,
    "duration": words.seconds,
    "outcome": words.outcome,
    "count": words.count,
    "number": figures.number,
    "signed": figures.signed,
    "sparkline": curves.sparkline,
}
_MARKDOWN: Final[Mapping[str, Callable[..., Any]]] = {
    "code": _code,
    "cell": _cell,
    "fenced": _fenced,
    "markup": _markup,
}
