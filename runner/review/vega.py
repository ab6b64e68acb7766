"""Plots as Vega-Lite: DVC's own templates and rules, by DVC's rendering library, for base against head. Pure.

A template of the project comes as text; nothing is looked up on a disk here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from dvc_render.exceptions import DvcRenderError
from dvc_render.vega import VegaRenderer
from dvc_render.vega_templates import TEMPLATES, Template

from runner.errors import ConfigError, Location

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA: Final = Template.anchor("data")
"""Stands in a filled template where the points go."""
DEFAULT: Final = "linear"
BUILT_IN: Final = {template.DEFAULT_NAME: template for template in TEMPLATES}
_MOST: Final = 1 << 20


def parse_template(name: str, path: str, text: str) -> Template:
    """Give a template of the project.

    Raises:
        ConfigError: it is no JSON mapping, or has no place for the data; with file and line.

    """
    try:
        content = json.loads(text[: _MOST + 1])
    except (ValueError, RecursionError) as error:
        message = f"the template is not JSON: {getattr(error, 'msg', error)}"
        raise ConfigError(
            message, "", Location(path, getattr(error, "lineno", 0), getattr(error, "colno", 0))
        ) from error
    template = Template(content, name) if isinstance(content, dict) else None
    if template is None or not template.has_anchor("data"):
        message = f"the template has no {DATA}"
        raise ConfigError(message, f'put "{DATA}" where the values of the data go', Location(path))
    return template


def filled(template: Template, rows: list[dict[str, Any]], style: dict[str, Any], sides: Sequence[str]) -> str:
    """Fill a template in, but for the points themselves; `DATA` stands where they go.

    Args:
        template: which.
        rows: the points, which get the fields that lines are told apart by.
        style: `title`, `x`, `y`, `x_label`, `y_label`, and the series as `anchors_y_definitions`.
        sides: those that have points, in the order of their colours.

    Raises:
        ConfigError: it cannot be filled in.

    """
    renderer = VegaRenderer(rows, "", **style, template=template, revs_with_datapoints=list(sides))
    try:
        content = renderer.get_filled_template(split_anchors=["data"])
    except DvcRenderError as error:
        message = f"the template {template.name} cannot be filled in: {error}"
        raise ConfigError(message) from error
    return json.dumps(_quiet(content), ensure_ascii=False, allow_nan=False)


def _quiet(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out what speaks to the program that draws, and not of the drawing."""
    return {key: part for key, part in content.items() if key != "usermeta"}
