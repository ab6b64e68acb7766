"""Datasets: what is read of dvc.yaml and dvc.lock, the form that a stage's entry gives it, and when two differ."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from runner.errors import ConfigError
from runner.pipeline import datasets, files, lock
from runner.pipeline.declared import Dataset
from runner.pipeline.model import Dep
from runner.pipeline.shape import Page
from runner.pipeline.source import Source

DVC = {"name": "mine", "url": "https://x.org/r.git", "type": "dvc", "path": "f", "rev": "v1"}
LOCKED_DVC = {**DVC, "rev_lock": "75d2668f215ccda120e35c7cb215b7057c7f1d10"}
URL = {"name": "dir", "url": "s3://b/p", "type": "url"}
LOCKED_URL: dict[str, Any] = {
    **URL,
    "meta": {"isdir": True, "size": 5, "nfiles": 2},
    "files": [
        {"relpath": "a", "meta": {"size": 3, "version_id": "v1", "etag": "11"}},
        {"relpath": "b", "meta": {"size": 2, "version_id": "v2", "etag": "22"}},
    ],
}
CHAIN = {"name": "old", "url": "ds", "type": "dc"}
LOCKED_CHAIN = {**CHAIN, "version": 3, "created_at": "2024-05-08T10:00:00+00:00"}


def told(page: Page) -> list[str]:
    return [f"{mistake.at}: {mistake.message}" for mistake in page.mistakes]


@pytest.mark.parametrize("spec", [DVC, URL, CHAIN, {**CHAIN, "type": "dvcx"}])
def test_a_dataset_is_read_without_the_keys_that_are_none_of_its_own(spec: dict[str, Any]) -> None:
    page = Page("dvc.yaml", "")
    assert datasets.spec(page, {"desc": "x", **spec, "labels": [1]}, ()) == spec
    assert not page.mistakes


def test_the_path_and_the_rev_of_a_dvc_dataset_may_be_left_out() -> None:
    bare = {key: DVC[key] for key in ("name", "url", "type")}
    assert datasets.spec(Page("", ""), {**bare, "path": "", "rev": None}, ()) == bare


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("x", "('at',): expected a mapping, found a string ('x')"),
        ({"url": "u", "type": "url"}, "('at',): 'name' is missing"),
        ({"name": "n", "type": "url"}, "('at',): 'url' is missing"),
        ({"name": 1, "url": "u", "type": "url"}, "('at', 'name'): expected a string, found a whole number (1)"),
        ({"name": "n", "url": "u", "type": "dvd"}, "('at', 'type'): 'dvd' is no type of dataset"),
    ],
)
def test_what_is_no_dataset_is_refused_with_its_place(written: object, said: str) -> None:
    page = Page("dvc.yaml", "")
    assert datasets.spec(page, written, ("at",)) is None
    assert told(page) == [said]


@pytest.mark.parametrize(
    ("written", "recorded"),
    [
        (LOCKED_DVC, LOCKED_DVC),
        ({**dict(reversed(LOCKED_DVC.items())), "note": 1}, LOCKED_DVC),
        (LOCKED_CHAIN, LOCKED_CHAIN),
        ({**LOCKED_CHAIN, "created_at": dt.datetime(2024, 5, 8, 10, tzinfo=dt.UTC)}, LOCKED_CHAIN),
        (LOCKED_URL, LOCKED_URL),
        ({**LOCKED_URL, "files": list(reversed(LOCKED_URL["files"]))}, LOCKED_URL),
        ({**LOCKED_URL, "meta": {**LOCKED_URL["meta"], "isexec": False, "etag": None, "other": 1}}, LOCKED_URL),
        ({**LOCKED_URL, "files": []}, {key: LOCKED_URL[key] for key in LOCKED_URL if key != "files"}),
    ],
)
def test_a_record_takes_the_form_that_dvc_writes(written: dict[str, Any], recorded: dict[str, Any]) -> None:
    page = Page("dvc.lock", "")
    found = datasets.locked(page, written, ())
    assert (found, page.mistakes) == (recorded, [])
    assert repr(found) == repr(recorded), "the order of keys is DVC's"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (DVC, "(): 'rev_lock' is missing"),
        ({**URL, "meta": 1}, "('meta',): expected a mapping, found a whole number (1)"),
        ({**LOCKED_URL, "files": {}}, "('files',): expected a list or nothing, found a mapping"),
        ({**LOCKED_URL, "files": [1]}, "('files', 0): expected a mapping, found a whole number (1)"),
        ({**LOCKED_URL, "files": [{"meta": {}}]}, "('files', 0): 'relpath' is missing"),
        ({**LOCKED_CHAIN, "version": "3"}, "('version',): expected a whole number, found a string ('3')"),
        ({**LOCKED_CHAIN, "created_at": "now"}, "('created_at',): expected a date and time, found a string ('now')"),
    ],
)
def test_a_record_that_lacks_something_is_refused_with_its_place(written: dict[str, Any], said: str) -> None:
    page = Page("dvc.lock", "")
    assert datasets.locked(page, written, ()) is None
    assert told(page) == [said]
    assert datasets.hash_of(written) is None


SAME = [
    (LOCKED_DVC, {**LOCKED_DVC, "note": 1}),
    (LOCKED_URL, {**LOCKED_URL, "meta": {**LOCKED_URL["meta"], "remote": "r", "nlink": 2, "is_link": True}}),
    (LOCKED_CHAIN, {**LOCKED_CHAIN, "created_at": "2024-05-08T12:00:00+02:00"}),
]
OTHER = [
    (LOCKED_DVC, {**LOCKED_DVC, "rev_lock": "6ef6ced604844a53f7abab135db6ce640bbd9d4c"}),
    (LOCKED_DVC, {**LOCKED_DVC, "path": "g"}),
    (LOCKED_URL, {**LOCKED_URL, "meta": {**LOCKED_URL["meta"], "size": 6}}),
    (LOCKED_URL, {**LOCKED_URL, "files": LOCKED_URL["files"][:1]}),
    (LOCKED_CHAIN, {**LOCKED_CHAIN, "version": 4}),
    (LOCKED_CHAIN, {**LOCKED_CHAIN, "type": "dvcx"}),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_what_a_storage_says_of_links_is_no_difference(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert datasets.hash_of(left) == datasets.hash_of(right) is not None


@pytest.mark.parametrize(("left", "right"), OTHER)
def test_another_version_or_another_place_is_a_difference(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert datasets.hash_of(left) != datasets.hash_of(right)


@pytest.mark.parametrize(
    ("record", "version"),
    [
        (LOCKED_DVC, "75d2668f215ccda120e35c7cb215b7057c7f1d10 "),
        (LOCKED_CHAIN, "3 "),
        (LOCKED_URL, "2 files "),
        ({**URL, "meta": {"size": 1, "version_id": "v7", "etag": "e"}}, "v7 "),
    ],
)
def test_a_record_is_named_by_its_version_for_people(record: dict[str, Any], version: str) -> None:
    name = datasets.hash_of(record)
    assert name
    assert name.value.startswith(version)
    assert name.name == "dataset"


PROJECT = """\
vars: [{rev: v1}]
datasets:
- {name: mine, url: 'https://x.org/r.git', type: dvc, path: f, rev: '${rev}'}
stages:
  s: {cmd: x, deps: ['ds://mine']}
"""
LOCK = """\
schema: '2.0'
datasets:
- {name: mine, url: 'https://x.org/r.git', type: dvc, path: f, rev: v1, rev_lock: 75d2668f}
- {name: mine, url: other, type: dvc, rev_lock: never looked at}
- {name: gone, url: other, type: dc, version: 1, created_at: 2024-05-08 10:00:00}
stages:
  s:
    cmd: x
    deps:
    - path: ds://mine
      dataset: {name: mine, url: 'https://x.org/r.git', type: dvc, path: f, rev: v1, rev_lock: 0}
"""


def test_a_project_knows_its_datasets_with_what_the_lock_beside_them_says() -> None:
    pipeline = files.load(["dvc.yaml"], {"dvc.yaml": PROJECT, "dvc.lock": LOCK}.get)
    assert pipeline.declared.datasets == {"mine": Dataset("dvc.yaml", "mine", DVC, {**DVC, "rev_lock": "75d2668f"})}
    assert pipeline.stages[0].deps == (Dep("ds://mine", "ds://mine", Source("ds://mine")),)
    assert pipeline.stages[0].deps[0].dataset == "mine"
    assert pipeline.stages[0].reads == ()
    assert files.load(["dvc.yaml"], {"dvc.yaml": PROJECT}.get).declared.datasets["mine"].record is None


def test_an_entry_says_again_what_was_read_of_a_dataset() -> None:
    text = f"schema: '2.0'\nstages:\n  s:\n    cmd: x\n    deps:\n    - path: ds://mine\n      dataset: {LOCKED_DVC}\n"
    (dep,) = lock.parse(text, "dvc.lock").entries["s"].deps
    assert dep.hash == datasets.hash_of(LOCKED_DVC)
    assert lock.path_data(dep) == {"path": "ds://mine", "dataset": LOCKED_DVC}


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (
            {"dvc.yaml": PROJECT.replace("ds://mine", "ds://mime")},
            "dvc.yaml:5:22: there is no dataset 'mime'\n  did you",
        ),
        ({"dvc.yaml": PROJECT.replace("ds://mine", "ds://")}, "dvc.yaml:5:22: 'ds://' names no dataset"),
        (
            {"dvc.yaml": PROJECT.replace("type: dvc", "type: dv")},
            "dvc.yaml:3:44: 'dv' is no type of dataset\n  did you",
        ),
        ({"dvc.yaml": PROJECT.replace("name: mine, ", "")}, "dvc.yaml:3:3: 'name' is missing"),
        ({"dvc.lock": LOCK.replace("version: 1, ", "")}, "dvc.lock:5:3: 'version' is missing"),
        ({"dvc.lock": LOCK.replace("stages:", "stagez:")}, "dvc.lock:6:1: unknown key"),
    ],
)
def test_mistakes_about_datasets_have_their_place(others: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        files.load(["dvc.yaml"], {"dvc.yaml": PROJECT, "dvc.lock": LOCK, **others}.get)
    assert str(caught.value.problems[0]).startswith(said)
