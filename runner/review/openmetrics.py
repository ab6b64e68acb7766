"""The head's metrics as OpenMetrics text, which GitLab compares between branches and Prometheus reads. Pure.

https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.review.model import Report

_STAGE = "retrain_stage_seconds"


def to_openmetrics(report: Report) -> str:
    """Give a gauge for each metric of the head and for each stage's time, with file and key, or stage, as labels.

    What is no number is left out: this form has no word for it, and a value in its place would be one nobody measured.
    """
    families: dict[str, list[str]] = {}
    for name, labels, value in (*_metrics(report), *_times(report)):
        families.setdefault(name, []).append(f"{name}{{{_labels(labels)}}} {value}\n")
    lines = (f"# TYPE {name} gauge\n{''.join(samples)}" for name, samples in families.items())
    return f"{''.join(lines)}# EOF\n"


def _metrics(report: Report) -> Iterator[tuple[str, Mapping[str, str], str]]:
    for row in report.metrics:
        value = row.head
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield _name(row.key), {"file": row.path, "key": row.key}, repr(value)


def _times(report: Report) -> Iterator[tuple[str, Mapping[str, str], str]]:
    for row in report.stages:
        if row.seconds is not None:
            yield _STAGE, {"stage": row.stage}, f"{row.seconds:.3f}"


def _name(key: str) -> str:
    """Give the key as a name may be; two keys that come out alike are told apart by their labels."""
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", key) or "value"
    name = f"_{plain}" if plain[0].isdigit() else plain
    # The text format gives these endings to other kinds than gauges.
    return (
        f"{name}_"
        if re.search(r"_(total|created|count|sum|bucket|info|gcount|gsum)$", name) or name == _STAGE
        else name
    )


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
