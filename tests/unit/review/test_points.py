"""The points of plots: which lists of a file count, which fields are x and y, what is said of files that do not fit."""

from __future__ import annotations

from typing import Any

import pytest

from runner.errors import ConfigError
from runner.pipeline.declared import Plot
from runner.review import points

ROWS = b"epoch,loss\n0,0.5\n1,nan\n"


def plot(y: dict[str, tuple[str, ...]], x: Any = "") -> Plot:
    return Plot("dvc.yaml", "p", y, x)


def joined(y: dict[str, tuple[str, ...]], x: Any = "", **files: bytes) -> points.Points:
    """Join files, each given by its name with an underscore for the dot."""
    texts = {name.replace("_", "."): text for name, text in files.items()}
    return points.points(plot(y, x), {path: points.parse(path, text) for path, text in texts.items()})


def test_the_last_column_over_the_number_of_the_row_is_drawn_where_nothing_is_named() -> None:
    found = joined({"a.csv": ()}, a_csv=ROWS)
    assert (found.x, found.y, found.x_label, found.y_label) == ("step", "loss", "step", "loss")
    assert [(row["step"], row["loss"]) for row in found.rows] == [(0, 0.5), (1, None)]
    assert found.series == ({"filename": "a.csv", "field": "loss"},)


def test_lists_anywhere_in_a_document_are_laid_beside_each_other() -> None:
    text = b'{"a": {"b": [{"x": 1}, {"x": 2}]}, "c": [{"y": 3}, {"y": 4}], "d": [1, 2], "e": [{"z": 1}, {"w": 2}]}'
    found = joined({"a.json": ("y",)}, "x", a_json=text)
    assert [(row["x"], row["y"]) for row in found.rows] == [(1, 3), (2, 4)]


def test_fields_of_several_files_get_one_name_and_each_its_line() -> None:
    files = {"d/a.csv": points.parse("d/a.csv", ROWS), "d/b.tsv": points.parse("d/b.tsv", b"epoch\tval\n0\t7\n")}
    found = points.points(plot({"d/a.csv": ("loss",), "d/b.tsv": ("val",)}, "epoch"), files)
    assert (found.x, found.y, found.y_label) == ("epoch", "dvc_inferred_y_value", "y")
    assert [row["dvc_inferred_y_value"] for row in found.rows] == [0.5, None, 7]
    assert found.series == ({"filename": "a.csv", "field": "loss"}, {"filename": "b.tsv", "field": "val"})


def test_x_may_come_from_another_file_of_the_same_length() -> None:
    files = {"x.yaml": points.parse("x.yaml", b"- {t: 5}\n- {t: 6}\n"), "a.csv": points.parse("a.csv", ROWS)}
    found = points.points(plot({"a.csv": ("loss",)}, {"x.yaml": "t"}), files)
    assert [(row["t"], row["loss"]) for row in found.rows] == [(5, 0.5), (6, None)]


def test_without_a_header_columns_are_named_by_their_numbers() -> None:
    document = points.parse("a.csv", b"1,2\n3,4\n", header=False)
    found = points.points(plot({"a.csv": ("1",)}, "0"), {"a.csv": document})
    assert [(row["0"], row["1"]) for row in found.rows] == [(1, 2), (3, 4)]


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("a.txt", b"1", "plots are CSV, TSV, JSON, YAML or images"),
        ("a.json", b"{", "not JSON"),
        ("a.csv", b"\xff", "cannot be read"),
        ("a.csv", b"1,2\n" * 400_000, "more than 500,000 values"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(path: str, content: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        points.parse(path, content)


@pytest.mark.parametrize(
    ("y", "x", "message"),
    [
        ({"a.csv": ("lost",)}, "", "a.csv has no field 'lost', only epoch, loss"),
        ({"a.csv": ("loss",)}, "lost", "a.csv has no field 'lost'"),
        ({"a.csv": ("loss",)}, {"b.csv": "n"}, "b.csv and a.csv differ in length"),
        ({"a.csv": ("loss", "epoch", "loss")}, {"a.csv": "epoch", "b.csv": "n"}, "2 fields for x and 3 for y"),
    ],
)
def test_what_cannot_be_joined_says_why(y: dict[str, tuple[str, ...]], x: Any, message: str) -> None:
    files = {"a.csv": points.parse("a.csv", ROWS), "b.csv": points.parse("b.csv", b"n\n1\n")}
    with pytest.raises(ConfigError, match=message):
        points.points(plot(y, x), files)
