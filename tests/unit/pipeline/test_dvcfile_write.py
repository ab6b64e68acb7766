"""`.dvc` files are written with new hashes as DVC writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.hashes import Hash
from runner.pipeline import dvcfile_write, files, yaml12
from runner.pipeline.model import LockedPath, LockEntry

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

OLD = "60b725f10c9c85c70d97880dfe8191b3"
NEW = "d3b07384d113edec49eaa6238ad5ff00"
ADDED = f"outs:\n- md5: {OLD}\n  size: 2\n  hash: md5\n  path: data.csv\n"


def entry(text: str, file: str = "data.csv.dvc") -> LockEntry:
    return files.load([file], {file: text}.get).entries[file]


def updated(text: str, *outs: LockedPath) -> str:
    return dvcfile_write.updated(text, "data.csv.dvc", LockEntry(None, outs=outs))


def test_new_hashes_take_the_place_of_the_old_ones() -> None:
    fresh = LockedPath("data.csv", Hash(NEW), 77)
    assert updated(ADDED, fresh) == ADDED.replace(OLD, NEW).replace("size: 2", "size: 77")


def test_the_md5_that_dvc_0_wrote_at_the_top_of_data_goes() -> None:
    assert updated(f"md5: {NEW}\n{ADDED}", LockedPath("data.csv", Hash(OLD), 2)) == ADDED


def test_comments_and_the_order_of_keys_stay() -> None:
    text = (
        f"# why\nouts:\n# the data\n- path: data.csv   # kept\n  md5: {OLD}  # old\n  hash: md5\n  size: 2\n"
        "desc: d  # end\n"
    )
    fresh = LockedPath("data.csv", Hash(NEW), 3)
    assert updated(text, fresh) == text.replace(OLD, NEW).replace("size: 2", "size: 3")


def test_a_file_that_becomes_a_folder_takes_new_keys_at_the_end() -> None:
    text = updated(ADDED, LockedPath("data.csv", Hash(f"{NEW}.dir"), 9, 3))
    assert text == f"outs:\n- md5: {NEW}.dir\n  size: 9\n  hash: md5\n  path: data.csv\n  nfiles: 3\n"


def test_a_folder_that_becomes_a_file_loses_what_it_no_longer_has() -> None:
    old = f"outs:\n- md5: {OLD}.dir\n  size: 9\n  nfiles: 3\n  hash: md5\n  path: d\n"
    assert updated(old, LockedPath("d", Hash(NEW), 1, isexec=True)) == (
        f"outs:\n- md5: {NEW}\n  size: 1\n  hash: md5\n  path: d\n  isexec: true\n"
    )


def test_only_the_out_that_is_named_changes() -> None:
    text = f"outs:\n- md5: {OLD}\n  hash: md5\n  path: a\n- md5: {OLD}\n  hash: md5\n  path: b\n"
    changed = updated(text, LockedPath("b", Hash(NEW)))
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
    new = updated(text, fresh)
    assert yaml12.parse(new, "f")["outs"][0] == {"md5": NEW, "size": 5, "hash": "md5", "path": "data.csv"}
    assert entry(new).outs == (fresh,)


@pytest.mark.slow
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
        assert updated(before[name], *entry(after, f"{name}.dvc").outs) == after


IMPORTED = f"""\
# from the shop
md5: 9ef4b139991961f36f53b4f528f1d815  # DVC's
frozen: true
deps:
- path: model  # theirs
  repo:
    url: /srv/src
    rev_lock: 4dfc04540394bc32ffd2fbd6f1e4ee0aaf1ac43f
outs:
- md5: {OLD}
  size: 2
  hash: md5
  path: model1
"""
COMMIT = "89ce1c5bc8a2f18a0c9f5d3f5e4cbb8e6e6fd3a1"


def test_an_import_from_a_repository_takes_the_new_commit_and_the_md5_of_what_it_says_now() -> None:
    new = LockEntry(None, (LockedPath("model", Hash(COMMIT, "rev_lock")),), outs=(LockedPath("model1", Hash(NEW), 3),))
    text = dvcfile_write.updated(IMPORTED, "model1.dvc", new, "v2")
    assert text.splitlines()[:9] == [
        "# from the shop",
        f"md5: {yaml12.parse(text, 'f')['md5']}  # DVC's",
        "frozen: true",
        "deps:",
        "- path: model  # theirs",
        "  repo:",
        "    url: /srv/src",
        f"    rev_lock: {COMMIT}",
        "    rev: v2",
    ]
    assert entry(text, "model1.dvc") == new


def test_what_a_server_says_of_a_file_takes_the_place_of_what_it_said_before() -> None:
    text = "deps:\n- etag: abc\n  size: 3\n  hash: md5\n  path: s3://b/k\nouts:\n- path: k\n  hash: md5\nfrozen: true\n"
    dep = LockedPath("s3://b/k", Hash("def", "etag"), 4)
    new = dvcfile_write.updated(text, "k.dvc", LockEntry(None, (dep,), outs=(LockedPath("k", Hash(NEW), 4),)))
    assert new == (
        "deps:\n- etag: def\n  size: 4\n  hash: md5\n  path: s3://b/k\nouts:\n- path: k\n  hash: md5\n"
        f"  md5: {NEW}\n  size: 4\nfrozen: true\nmd5: {yaml12.parse(new, 'f')['md5']}\n"
    )
    assert entry(new, "k.dvc").checksum is None
