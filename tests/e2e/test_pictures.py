"""Plots as image files, drawn by vl-convert, which loads nothing; and the script of the page is what it says it is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runner.review import pictures
from runner.review.changed import PlotRow
from runner.review.vega import DATA
from tests.golden import samples
from tests.support.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from runner.review.model import Report

pytestmark = pytest.mark.slow


def drawn(report: Report) -> dict[str, bytes]:
    require("vl_convert", "draws plots as images")
    return dict(pictures.files(report))


def test_every_plot_is_drawn_and_every_image_copied() -> None:
    found = drawn(samples.usual())
    assert sorted(found) == [
        "01-eval-loss.csv.png",
        "01-eval-loss.csv.svg",
        "02-eval-classes.csv.png",
        "02-eval-classes.csv.svg",
        "03-roc.svg-base.svg",
        "03-roc.svg-head.svg",
        "04-old.svg-head.svg",
    ]
    assert found["01-eval-loss.csv.svg"].startswith(b"<svg")
    assert found["01-eval-loss.csv.png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("scheme", ["file://", ""])
def test_a_plot_that_would_read_a_file_is_not_drawn(scheme: str, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text('[{"a": "leaked"}]')
    url = f"{scheme}{tmp_path / 'data.json'}"
    spec = json.dumps({"data": {"url": url}, "mark": "text", "encoding": {"text": {"field": "a"}}})
    row = PlotRow(id="../../evil name", title="p", template="own", spec=spec, points="[]")
    found = drawn(replace(samples.small(), plots=(row,)))
    assert all(name.startswith("01-evil-name") for name in found)
    assert b"leaked" not in b"".join(found.values())


def test_data_stands_where_the_template_wants_it() -> None:
    spec = json.dumps(
        {"datasets": {"d": DATA}, "data": {"name": "d"}, "mark": "text", "encoding": {"text": {"field": "a"}}}
    )
    row = PlotRow(id="p", title="p", template="own", spec=spec, points='[{"a": "hello"}]')
    assert b">hello<" in drawn(replace(samples.small(), plots=(row,)))["01-p.svg"]


def test_the_script_that_draws_is_what_vl_convert_bundles() -> None:
    require("vl_convert", "bundles Vega")
    from tests.support import vega_bundle  # noqa: PLC0415 - needs vl-convert

    assert vega_bundle.bundle() == vega_bundle.ASSET.read_text("utf-8"), "make assets writes it anew"
