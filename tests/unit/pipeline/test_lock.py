"""What is read of a dvc.lock, and the form of an entry."""

from __future__ import annotations

from typing import Any

import pytest

from runner.errors import ConfigError
from runner.hashes import LEGACY, Hash, Tree
from runner.pipeline import lock, yaml12
from runner.pipeline.model import LockedPath
from tests.unit.pipeline.locks import ENTRIES, LISTING, LONG, MD5, replaced


def test_a_lock_is_read_into_entries() -> None:
    text = replaced(None, "s", ENTRIES["everything"])
    entry = lock.parse(text, "dvc.lock").entries["s"]
    assert entry.cmd == ("echo 1", LONG)
    assert entry.dep("data") == LockedPath("data", Hash(LISTING), 10, 3)
    assert entry.params == {"params.yaml": {"lr": 0.1}, "conf.json": {"a": [1]}}
    assert [out.spelled for out in entry.outs] == ["m.json", "model"]


def test_an_item_without_hash_is_of_the_legacy_kind_and_is_written_without_it() -> None:
    text = f"schema: '2.0'\nstages:\n  s:\n    cmd: x\n    outs:\n    - path: o\n      md5: {MD5}\n      size: 3\n"
    entry = lock.parse(text, "dvc.lock").entries["s"]
    assert entry.outs[0].hash == Hash(MD5, LEGACY)
    assert replaced(None, "s", entry) == text


def test_cloud_and_etag_are_kept_as_read() -> None:
    text = (
        "schema: '2.0'\nstages:\n  s:\n    cmd: x\n    deps:\n    - path: s3://b/k\n      hash: md5\n"
        f"      etag: abcdef\n      size: 3\n    outs:\n    - path: o\n      hash: md5\n      md5: {MD5}\n"
        "      size: 2\n      cloud:\n        r:\n          etag: abc\n          version_id: v\n"
    )
    assert replaced(None, "s", lock.parse(text, "dvc.lock").entries["s"]) == text


FILES = f"""\
schema: '2.0'
stages:
  s:
    cmd: x
    outs:
    - path: o
      hash: md5
      files:
      - relpath: b/é
        md5: {MD5}
        size: 2
        cloud:
          r:
            version_id: v
      - relpath: a
        md5: {MD5}
"""


def test_a_directory_whose_files_are_recorded_one_by_one_has_the_hash_of_their_listing() -> None:
    entry = lock.parse(FILES, "dvc.lock").entries["s"]
    assert entry.outs[0].hash == Tree.of([("a", MD5), ("b/é", MD5)]).hash
    assert replaced(None, "s", entry) == FILES


def test_files_without_an_md5_give_no_hash() -> None:
    entry = lock.parse(FILES.replace(f"- relpath: a\n        md5: {MD5}", "- relpath: a"), "dvc.lock").entries["s"]
    assert entry.outs[0].hash is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("relpath: a", "relpath: ../a", "the path '../a' could leave the directory"),
        ("relpath: a", "relpath: ''", "the path '' could leave the directory"),
        ("- relpath: a", "- path: a", "unknown key 'path'"),
        ("size: 2", "size: two", "expected a whole number"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(old: str, new: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        lock.parse(FILES.replace(old, new), "dvc.lock")
    assert caught.value.problems[0].where


def test_one_entry_alone_is_read_as_a_run_cache_record_holds_it() -> None:
    text = yaml12.render(lock.entry_data(ENTRIES["everything"]))
    assert lock.entry_data(lock.parse_entry(text, "record")) == lock.entry_data(ENTRIES["everything"])


HEAD = "schema: '2.0'\nstages:\n  s:\n    cmd: x\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", "dvc.lock", "empty"),
        ("{}\n", "dvc.lock", "empty"),
        ("stages: {}\n", "dvc.lock:1:1", "'schema' is missing"),
        ("schema: 2.0\nstages: {}\n", "dvc.lock:1:1", "schema: '2.0'"),
        ("schema: '1.0'\n", "dvc.lock:1:1", "'1.0'"),
        ("schema: '2.0'\nstage: {}\n", "dvc.lock:2:1", "unknown key 'stage'"),
        (
            "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    deps:\n    - path: d\n      hash: md5\n      md5: abc\n",
            "dvc.lock:8:7",
            "'abc' is not an md5",
        ),
        ("schema: '2.0'\nstages: []\n", "dvc.lock:2:1", "expected a mapping, found a list"),
        (f"{HEAD}  t: {{outs: []}}\n", "dvc.lock:5:3", "'cmd' is missing"),
        (f"{HEAD}    outs:\n    - path: o\n      md6: a\n", "dvc.lock:7:7", "unknown key 'md6'"),
        (f"{HEAD}    outs:\n    - path: o\n      md5: 12345678901234567890123456789012\n", "dvc.lock:7:7", "quote it"),
        (f"{HEAD}    outs:\n    - path: o\n      size: 1.5\n", "dvc.lock:7:7", "expected a whole number"),
        (f"{HEAD}    deps:\n    - hash: md5\n", "dvc.lock:6:7", "'path' is missing"),
        (f"{HEAD}    params:\n      params.yaml: 1\n", "dvc.lock:6:7", "expected a mapping"),
        (f"{HEAD}    cmd: y\n", "dvc.lock:5", "comes twice"),
        ("<<<<<<< ours\nschema: '2.0'\n=======\n>>>>>>> theirs\n", "dvc.lock:1", "merge conflict"),
    ],
)
def test_a_broken_lock_is_refused_with_its_place(text: str, place: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lock.parse(text, "dvc.lock")
    assert str(caught.value.problems[0]).startswith(place)
    assert said in str(caught.value)


def test_all_mistakes_of_a_lock_are_told_at_once() -> None:
    text = f"{HEAD}    deps:\n    - path: 1\n    - {{}}\n    outz: []\n  t: 3\n"
    with pytest.raises(ConfigError) as caught:
        lock.parse(text, "dvc.lock")
    assert [problem.where.line for problem in caught.value.problems if problem.where] == [8, 9]


def test_sections_are_dumped_in_dvcs_order_whatever_order_they_came_in() -> None:
    entry: dict[str, Any] = lock.entry_data(ENTRIES["everything"])
    assert list(entry) == ["cmd", "deps", "params", "outs"]
    assert list(entry["outs"][0]) == ["path", "hash", "md5", "size"]
