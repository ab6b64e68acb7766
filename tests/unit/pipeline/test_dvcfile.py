"""`.dvc` files: read as data sources, and written with new hashes as DVC writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError
from runner.hashes import LEGACY, Hash
from runner.pipeline import dvcfile, files, yaml12
from runner.pipeline.model import LockedPath, LockEntry, Out, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

OLD = "60b725f10c9c85c70d97880dfe8191b3"
NEW = "d3b07384d113edec49eaa6238ad5ff00"
ADDED = f"outs:\n- md5: {OLD}\n  size: 2\n  hash: md5\n  path: data.csv\n"


def load(text: str, file: str = "data.csv.dvc") -> tuple[Stage, LockEntry]:
    pipeline = files.load([file], {file: text}.get)
    return pipeline.stages[0], pipeline.entries[file]


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return [str(problem).partition("\n")[0] for problem in caught.value.problems]


def test_a_file_of_dvc_add_is_a_data_source_with_an_entry_of_its_own() -> None:
    stage, entry = load(ADDED, "sub/data.csv.dvc")
    assert stage == Stage(
        "sub/data.csv.dvc", "sub/data.csv.dvc", "", None, "sub", outs=(Out("sub/data.csv", "data.csv"),)
    )
    assert stage.is_data_source
    assert entry == LockEntry(None, outs=(LockedPath("data.csv", Hash(OLD), 2),))


def test_flags_wdir_and_words_for_people_are_read() -> None:
    text = (
        "desc: d\nmeta: {a: 1}\nwdir: ..\nlocked: true\nalways_changed: true\nouts:\n"
        f"- md5: {OLD}.dir\n  nfiles: 2\n  path: x\n  cache: true\n  push: false\n  remote: r\n  persist: true\n"
        "- path: y\n"
    )
    stage, entry = load(text, "sub/x.dvc")
    assert (stage.desc, stage.meta, stage.wdir, stage.frozen, stage.always_changed) == ("d", {"a": 1}, ".", True, True)
    assert stage.outs == (Out("x", "x", push=False, remote="r", persist=True), Out("y", "y"))
    assert entry.outs == (LockedPath("x", Hash(f"{OLD}.dir", LEGACY), nfiles=2), LockedPath("y", None))


@pytest.mark.parametrize("text", ["", "null\n", "outs:\n", "deps:\nouts:\n", "frozen: false\n"])
def test_a_file_that_tracks_nothing_is_fine(text: str) -> None:
    stage, entry = load(text)
    assert stage.outs == ()
    assert entry.outs == ()


IMPORT = f"""\
md5: 9ef4b139991961f36f53b4f528f1d815
frozen: true
deps:
- path: model
  repo:
    url: /srv/src
    rev: v1
    rev_lock: 4dfc04540394bc32ffd2fbd6f1e4ee0aaf1ac43f
outs:
- md5: {OLD}
  size: 2
  hash: md5
  path: model1
"""


def test_a_frozen_import_is_data_that_is_simply_there() -> None:
    stage, entry = load(IMPORT)
    assert (stage.frozen, stage.deps, stage.outs) == (True, (), (Out("model1", "model1"),))
    assert entry.outs == (LockedPath("model1", Hash(OLD), 2),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (IMPORT.replace("frozen: true\n", ""), "data.csv.dvc:2:1: an import that is not frozen is not supported yet"),
        ("cmd: x\nouts:\n- path: a\n", "data.csv.dvc:1:1: stage files with a cmd (DVC 0.x) are not supported yet"),
        (
            "outs:\n- path: a\n  metric: true\n",
            "data.csv.dvc:3:3: metric in a .dvc file (DVC 0.x) is not supported yet",
        ),
        ("outz: []\n", "data.csv.dvc:1:1: unknown key 'outz'"),
        ("- a\n", "data.csv.dvc:1:1: expected a mapping, found a list"),
        ("outs: {}\n", "data.csv.dvc:1:1: expected a list or nothing, found a mapping"),
        ("outs:\n- md5: abc\n", "data.csv.dvc:2:3: 'path' is missing"),
        ("outs:\n- path: a\n  md5: abc\n", "data.csv.dvc:3:3: 'abc' is not an md5"),
        ('outs:\n- path: "a\\rb"\n', "data.csv.dvc:2:3: 'a\\rb' is not a path: it holds a control character"),
        ("outs:\n- path: a\n  md5: ab\n", "data.csv.dvc:3:3: expected a string of at least 3 characters (quote it)"),
        ("outs:\n- path: a\n  md5: 12345\n", "data.csv.dvc:3:3: expected a string of at least 3 characters (quote it)"),
        ("outs:\n- path: a\n  size: big\n", "data.csv.dvc:3:3: expected a whole number, found a string ('big')"),
        ("outs:\n- path: ../a\n", "data.csv.dvc:2:3: '../a' is outside the repository"),
        ("outs:\n- path: .git/config\n", "data.csv.dvc:2:3: '.git/config' is inside .git"),
        ("outs:\n- path: s3://b/k\n", "data.csv.dvc:2:3: the URL 's3://b/k' is not supported as an out"),
        ("wdir: ../..\n", "data.csv.dvc:1:1: the wdir '../..' is outside the repository"),
        ("frozen: true\ndeps:\n- pathh: a\n", "data.csv.dvc:3:3: unknown key 'pathh'"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(text: str, expected: str) -> None:
    assert mistakes(text)[0].startswith(expected)


def test_new_hashes_take_the_place_of_the_old_ones() -> None:
    fresh = [LockedPath("data.csv", Hash(NEW), 77)]
    assert dvcfile.updated(ADDED, "f", fresh) == ADDED.replace(OLD, NEW).replace("size: 2", "size: 77")


def test_comments_and_the_order_of_keys_stay() -> None:
    text = (
        f"# why\nouts:\n# the data\n- path: data.csv   # kept\n  md5: {OLD}  # old\n  hash: md5\n  size: 2\n"
        "desc: d  # end\n"
    )
    fresh = [LockedPath("data.csv", Hash(NEW), 3)]
    assert dvcfile.updated(text, "f", fresh) == text.replace(OLD, NEW).replace("size: 2", "size: 3")


def test_a_file_that_becomes_a_folder_takes_new_keys_at_the_end() -> None:
    text = dvcfile.updated(ADDED, "f", [LockedPath("data.csv", Hash(f"{NEW}.dir"), 9, 3)])
    assert text == f"outs:\n- md5: {NEW}.dir\n  size: 9\n  hash: md5\n  path: data.csv\n  nfiles: 3\n"


def test_a_folder_that_becomes_a_file_loses_what_it_no_longer_has() -> None:
    old = f"outs:\n- md5: {OLD}.dir\n  size: 9\n  nfiles: 3\n  hash: md5\n  path: d\n"
    assert dvcfile.updated(old, "f", [LockedPath("d", Hash(NEW), 1, isexec=True)]) == (
        f"outs:\n- md5: {NEW}\n  size: 1\n  hash: md5\n  path: d\n  isexec: true\n"
    )


def test_only_the_out_that_is_named_changes() -> None:
    text = f"outs:\n- md5: {OLD}\n  hash: md5\n  path: a\n- md5: {OLD}\n  hash: md5\n  path: b\n"
    changed = dvcfile.updated(text, "f", [LockedPath("b", Hash(NEW))])
    assert changed == f"outs:\n- md5: {OLD}\n  hash: md5\n  path: a\n- md5: {NEW}\n  hash: md5\n  path: b\n"


@pytest.mark.parametrize(
    "text",
    [
        f"outs: [{{md5: {OLD}, size: 2, hash: md5, path: data.csv}}]\n",
        f"{{outs: [{{path: data.csv, md5: {OLD}}}]}}",
        f"outs:\n- nfiles: 3\n  md5: {OLD}.dir\n  path: data.csv\n",
        f"outs:\n-\n  md5: {OLD}\n  cloud:\n    r:\n      etag: x\n  path: data.csv\n",
        f"outs:\r\n- md5: {OLD}\r\n  path: data.csv\r\n",
        "outs:\n- path: data.csv",
    ],
    ids=["flow", "flow throughout", "old key first", "cloud goes", "CRLF", "nothing recorded, no last newline"],
)
def test_a_text_in_another_style_says_the_same_in_the_end(text: str) -> None:
    fresh = LockedPath("data.csv", Hash(NEW), 5)
    new = dvcfile.updated(text, "f", [fresh])
    assert yaml12.parse(new, "f")["outs"][0] == {"md5": NEW, "size": 5, "hash": "md5", "path": "data.csv"}
    assert load(new)[1].outs == (fresh,)


def test_a_changed_file_gets_the_bytes_that_dvc_writes(tmp_path: Path, dvc: Program) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x").write_text("x")
    dvc("init", "--no-scm", "-q", cwd=tmp_path)
    dvc("add", "-q", "a", "d", cwd=tmp_path)
    before = {name: (tmp_path / f"{name}.dvc").read_text() for name in "ad"}
    (tmp_path / "a").write_text("two!")
    (tmp_path / "d" / "y").write_text("yy")
    dvc("commit", "-q", "-f", cwd=tmp_path)
    for name in "ad":
        after = (tmp_path / f"{name}.dvc").read_text()
        assert after != before[name]
        assert dvcfile.updated(before[name], name, load(after)[1].outs) == after
