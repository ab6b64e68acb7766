"""The plots as image files beside the report: the project's own images, and drawings where vl-convert is installed.

vl-convert, a hundred megabytes that few need, is the extra `[images]`; the page draws without it. It may load nothing.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import logging
from typing import TYPE_CHECKING, Any, Final

from runner.regexes import regex
from runner.review.vega import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.review.changed import PlotRow
    from runner.review.model import Report

logger = logging.getLogger("retrain")
LITE: Final = "6.4"
_SUFFIX: Final = regex(r"image/([a-z]+)")
_NAME: Final = regex(r"[^\w.-]+")


def files(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents: `03-roc.svg-head.svg`, and of a drawing `01-loss.csv.svg` and `.png`."""
    draws = importlib.util.find_spec("vl_convert") is not None
    for number, row in enumerate(report.plots, 1):
        name = f"{number:02}-{_NAME.sub('-', row.id).strip('.-')[:60]}"
        for picture in row.pictures:
            kind = _SUFFIX.match(picture.media)
            if picture.content and kind:
                yield f"{name}-{picture.side}.{kind[1]}", base64.b64decode(picture.content)
        if row.spec and draws:
            yield from _drawn(name, row)


def _drawn(name: str, row: PlotRow) -> Iterator[tuple[str, bytes]]:
    import vl_convert  # noqa: PLC0415 - an extra, and it takes time to load

    try:
        spec = json.dumps(_filled(json.loads(row.spec), json.loads(row.points)))
        svg = vl_convert.vegalite_to_svg(spec, vl_version=LITE, allowed_base_urls=[])
        yield f"{name}.svg", svg.encode()
        yield f"{name}.png", vl_convert.svg_to_png(svg, scale=2)
    except (ValueError, RecursionError) as error:
        logger.warning("the plot %s cannot be drawn as an image: %s", row.id, next(iter(str(error).splitlines()), ""))


def _filled(part: Any, points: Any) -> Any:  # noqa: ANN401 - any JSON
    if part == DATA:
        return points
    if isinstance(part, dict):
        return {key: _filled(one, points) for key, one in part.items()}
    return [_filled(one, points) for one in part] if isinstance(part, list) else part
