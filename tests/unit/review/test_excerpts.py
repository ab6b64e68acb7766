"""What DVC 0.x took of a metrics file. The expected values are those that DVC 0.80 gave, as text."""

from __future__ import annotations

import pytest

from runner.pipeline.model import Excerpt
from runner.review import excerpts
from runner.review.metrics import Unreadable

CSV = b"epoch,auc,name\n1,0.5,a\n2,0.75,b\n"
TSV = CSV.replace(b",", b"\t")
PLAIN = b"1,0.5\n2,0.75\n"
JSON = b'{"auc": 0.5, "folds": [{"auc": 0.1}, {"auc": 0.2}], "deep": {"f1": 1}}'


def shown(kind: str, xpath: str, content: bytes, path: str = "m.txt") -> object:
    excerpt = Excerpt(kind, xpath)
    return excerpts.shown(excerpt, path, excerpts.read(excerpt, path, content))


@pytest.mark.parametrize(
    ("kind", "xpath", "content", "expected"),
    [
        ("json", "auc", JSON, {"auc": 0.5}),
        ("json", "$.auc", JSON, {"auc": 0.5}),
        ("json", "folds[*].auc", JSON, {"folds.0.auc": 0.1, "folds.1.auc": 0.2}),
        ("json", "$..auc", JSON, {"auc": 0.5, "folds.0.auc": 0.1, "folds.1.auc": 0.2}),
        ("json", "$.deep", JSON, {"deep.f1": 1}),
        ("json", "folds", JSON, {"folds": '[{"auc": 0.1}, {"auc": 0.2}]'}),
        ("hcsv", "0,auc", CSV, {"0.auc": 0.5}),
        ("hcsv", ",auc", CSV, {"0.auc": 0.5, "1.auc": 0.75}),
        ("hcsv", "1,", CSV, {"1.epoch": 2, "1.auc": 0.75, "1.name": "b"}),
        ("hcsv", "-1,auc", CSV, {"-1.auc": 0.75}),
        ("hcsv", "0", CSV, {"0.epoch": 1, "0.auc": 0.5, "0.name": "a"}),
        ("htsv", "1,name", TSV, {"1.name": "b"}),
        ("tsv", "1,1", TSV, {"1.1": 0.5}),
        ("csv", "0,1", PLAIN, {"0.1": 0.5}),
        ("csv", ",1", PLAIN, {"0.1": 0.5, "1.1": 0.75}),
        ("csv", ",", PLAIN, {"0.0": 1, "0.1": 0.5, "1.0": 2, "1.1": 0.75}),
        ("raw", "x", b"0.93\n", 0.93),
        ("raw", "", b"fine\n", "fine"),
    ],
)
def test_the_same_values_are_shown_as_in_dvc_0(kind: str, xpath: str, content: bytes, expected: object) -> None:
    assert shown(kind, xpath, content) == expected


@pytest.mark.parametrize(
    ("kind", "xpath", "content"),
    [
        ("json", "$.nothing", JSON),
        ("hcsv", "7,auc", CSV),
        ("hcsv", "0,none", CSV),
        ("csv", "9,9", PLAIN),
        ("csv", "a", PLAIN),
    ],
)
def test_an_xpath_that_finds_nothing_is_told(kind: str, xpath: str, content: bytes) -> None:
    found = shown(kind, xpath, content)
    assert isinstance(found, Unreadable)
    assert repr(xpath) in found.why


def test_a_path_that_is_none_and_a_file_that_cannot_be_read_are_told() -> None:
    assert isinstance(shown("json", "$[", JSON), Unreadable)
    assert isinstance(shown("json", "$.auc", b"{"), Unreadable)


def test_without_a_type_the_suffix_says_how_a_file_is_read() -> None:
    assert shown("", "0,1", PLAIN, "m.csv") == {"0.1": 0.5}
    assert shown("", "auc", JSON, "m.JSON") == {"auc": 0.5}


def test_without_an_xpath_the_last_row_of_a_table_is_shown() -> None:
    assert shown("csv", "", PLAIN) == {"-1.0": 2, "-1.1": 0.75}
    assert shown("csv", "", b"") == []


def test_gates_see_the_whole_document() -> None:
    assert excerpts.read(Excerpt("csv", "0,1"), "m.txt", PLAIN) == [[1, 0.5], [2, 0.75]]
    assert excerpts.read(Excerpt("json", "auc"), "m.txt", b'{"auc": 1, "f1": 2}') == {"auc": 1, "f1": 2}
