"""Metrics and params in the shapes of DVC's `--json` and tables, from documents alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from runner.review.differences import (
    Revision,
    Table,
    changed,
    diff_data,
    diff_table,
    show_data,
    show_table,
    without_first,
)
from runner.review.metrics import Unreadable, as_python, compare
from runner.review.series import Series

if TYPE_CHECKING:
    from runner.review.measured import Change

BEFORE = {"acc": 0.5, "flag": True, "n": {"a.b": 1, "gone": "x"}, "same": 1}
AFTER = {"acc": 0.6, "flag": False, "n": {"a.b": 1, "new": 3}, "same": 1.0}


def rows() -> list[Change]:
    return changed(compare({"eval/m.json": BEFORE}, {"eval/m.json": AFTER}))


def test_only_what_python_calls_different_has_changed() -> None:
    assert [change.key for change in rows()] == ["acc", "flag", "n.gone", "n.new"]


def test_changes_have_dvc_s_shape_with_booleans_as_numbers() -> None:
    assert diff_data(rows(), ".") == {
        "eval/m.json": {
            "acc": {"old": 0.5, "new": 0.6, "diff": 0.1},
            "flag": {"old": True, "new": False, "diff": -1},
            "n.gone": {"old": "x", "new": None},
            "n.new": {"old": None, "new": 3},
        }
    }


def test_paths_are_shown_from_the_folder_one_is_in() -> None:
    assert list(diff_data(rows(), "eval")) == ["m.json"]
    assert list(diff_data(rows(), "other")) == ["../eval/m.json"]


def test_a_number_that_is_none_is_null_with_the_reason_and_named_in_the_table() -> None:
    changes = changed(compare({"m": {"x": math.inf}}, {"m": {"x": math.nan}}))
    assert diff_data(changes, ".") == {"m": {"x": {"old": None, "new": None, "why": "base is Infinity, head is NaN"}}}
    assert diff_table(changes, ".", list("pkabc"), 5).rows == (("m", "x", "Infinity", "NaN", "-"),)


def test_a_boolean_beside_a_number_has_a_difference_and_beside_text_none() -> None:
    changes = compare({"m": {"x": 1.5, "y": "no"}}, {"m": {"x": True, "y": True}})
    assert diff_data(changes, ".")["m"] == {
        "x": {"old": 1.5, "new": True, "diff": -0.5},
        "y": {"old": "no", "new": True},
    }


def test_tables_round_and_leave_columns_out() -> None:
    headers = ("Path", "Metric", "HEAD", "workspace", "Change")
    table = diff_table(compare({"m": {"x": 0.123456789}}, {"m": {"x": 1}}), ".", headers, 3)
    assert table == Table(headers, (("m", "x", "0.123", "1", "0.877"),))
    assert without_first(table) == Table(headers[1:], (("x", "0.123", "1", "0.877"),))
    assert diff_table(rows(), ".", headers[:4], None).rows[0] == ("eval/m.json", "acc", "0.5", "0.6")


def test_lists_and_null_of_params_are_shown_as_dvc_shows_them() -> None:
    changes = compare({"p": {"l": [1, "a"], "n": None}}, {"p": {"l": [1], "n": 2}}, as_python)
    assert diff_data(changes, ".") == {"p": {"l": {"old": "[1, 'a']", "new": "[1]"}, "n": {"old": None, "new": 2}}}


def test_shown_metrics_keep_their_nesting_and_lose_what_is_none() -> None:
    document: dict[str, object] = {
        "a": {"b": 1, "empty": {}, "list": [1]},
        "null": None,
        "text": "x",
        "nan": math.nan,
        "deep": {"l": []},
    }
    assert show_data([Revision("", {"m": document, "s": 0.5, "bad": Unreadable("why")})], ".") == {
        "": {
            "data": {
                "m": {"data": {"a": {"b": 1}, "text": "x", "nan": None}, "why": {"nan": "NaN"}},
                "s": {"data": 0.5},
                "bad": {"error": {"type": "Unreadable", "msg": "why"}},
            }
        }
    }


def test_of_rows_the_last_is_shown() -> None:
    rows = Series([{"loss": 2.0}, {"loss": 1.0}])
    assert show_data([Revision("", {"m.csv": rows})], ".") == {"": {"data": {"m.csv": {"data": {"-1": {"loss": 1.0}}}}}}
    assert show_table([Revision("", {"m.csv": rows})], ".", 5).rows == (("", "m.csv", "1.0"),)


def test_the_table_of_several_revisions_has_a_column_for_every_key() -> None:
    revisions = [Revision("workspace", {"m": {"b": 1 / 3}}), Revision("main,v1", {"m": {"a": True}})]
    assert show_table(revisions, ".", 5) == Table(
        ("Revision", "Path", "a", "b"), (("workspace", "m", "-", "0.33333"), ("main,v1", "m", "True", "-"))
    )
