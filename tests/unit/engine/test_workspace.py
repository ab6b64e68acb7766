"""The working tree as the pipeline sees it: which DVC files there are, and what paths hold."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from runner.engine.decision import Content
from runner.engine.workspace import Workspace, refusals
from runner.errors import ConfigError, RemoteError
from runner.hashes import Hash, Tree, hash_bytes
from runner.store.state import State
from tests.interop.projects import put

if TYPE_CHECKING:
    from pathlib import Path


def looked_at(root: Path) -> Workspace:
    return Workspace(root, State())


def files_of(workspace: Workspace, path: str) -> list[str]:
    assert workspace.observe(path)
    return [name for name, _ in workspace.tree(path)]


def test_a_file_is_its_hash_size_and_execute_bit(tmp_path: Path) -> None:
    put(tmp_path, {"plain": "1", "tool": "2"})
    (tmp_path / "tool").chmod(0o755)
    workspace = looked_at(tmp_path)
    assert workspace.observe("plain") == Content(Hash(hash_bytes(b"1")), 1)
    assert workspace.observe("tool") == Content(Hash(hash_bytes(b"2")), 1, isexec=True)
    assert workspace.observe("nowhere") is None
    assert workspace.observe("plain/inside") is None


def test_a_directory_is_its_listing_without_empty_folders(tmp_path: Path) -> None:
    put(tmp_path, {"d/b": "22", "d/a/x": "1"})
    (tmp_path / "d" / "empty" / "too").mkdir(parents=True)
    tree = Tree.of([("b", hash_bytes(b"22")), ("a/x", hash_bytes(b"1"))])
    workspace = looked_at(tmp_path)
    assert workspace.observe("d") == Content(tree.hash, 3, 2)
    assert workspace.tree("d") == tree


def test_links_to_files_are_followed_and_links_to_folders_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, {"d/a": "1", "other/x": "2"})
    (tmp_path / "d" / "file").symlink_to("../other/x")
    (tmp_path / "d" / "folder").symlink_to("../other")
    (tmp_path / "link").symlink_to("d")
    workspace = looked_at(tmp_path)
    assert files_of(workspace, "d") == ["a", "file"]
    assert workspace.observe("link") == workspace.observe("d")


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("/etc/passwd", "d/link is a link to a place outside the project"),
        ("../../secret", "d/link is a link to a place outside the project"),
        ("nowhere", "d/link is a broken link"),
        ("link", "d/link is a broken link"),
    ],
)
def test_a_link_that_leads_out_or_nowhere_is_refused(target: str, why: str, tmp_path: Path) -> None:
    put(tmp_path, {"root/d/a": "1", "secret": "canary"})
    (tmp_path / "root" / "d" / "link").symlink_to(target)
    with pytest.raises(ConfigError, match=why):
        looked_at(tmp_path / "root").observe("d")


@pytest.mark.parametrize(
    ("name", "why"), [("loop", "Too many levels of symbolic links"), ("n" * 256, "File name too long")]
)
def test_a_path_that_the_system_refuses_is_a_mistake_of_the_project(name: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ConfigError, match=why):
        looked_at(tmp_path).observe(name)


def test_git_and_dvc_and_projects_inside_a_directory_are_not_seen(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"d/a": "1", "d/.git/x": "", "d/.dvc/x": "", "d/sub/.dvc/config": "", "d/sub/x": "", "d/.gitignore": ""},
    )
    assert files_of(looked_at(tmp_path), "d") == [".gitignore", "a"]


def test_answers_are_kept_until_they_are_forgotten(tmp_path: Path) -> None:
    put(tmp_path, {"d/e/a": "1", "f": "1"})
    workspace = looked_at(tmp_path)
    before = {path: workspace.observe(path) for path in ("d", "d/e", "d/e/a", "f")}
    put(tmp_path, {"d/e/a": "2", "f": "2"})
    assert {path: workspace.observe(path) for path in before} == before
    workspace.forget("d/e")
    now = {path: workspace.observe(path) for path in before}
    assert {path for path in before if now[path] != before[path]} == {"d", "d/e", "d/e/a"}


# .dvcignore

IGNORED = [
    (".dvcignore", "*.tmp", "d/x.tmp", "unseen"),
    (".dvcignore", "*.tmp", "d/x.txt", "seen"),
    (".dvcignore", "  *.tmp  ", "d/x.tmp", "unseen"),
    (".dvcignore", "# *.tmp", "d/x.tmp", "seen"),
    (".dvcignore", "/x.tmp", "d/x.tmp", "seen"),
    (".dvcignore", "/d/x.tmp", "d/x.tmp", "unseen"),
    (".dvcignore", "deep/", "d/deep/x", "unseen"),
    (".dvcignore", "*.tmp\n!keep.tmp", "d/keep.tmp", "seen"),
    ("sub/.dvcignore", "*.tmp", "d/x.tmp", "seen"),
    ("sub/.dvcignore", "*.tmp", "sub/in/x.tmp", "unseen"),
    ("sub/.dvcignore", "/x.tmp", "sub/in/x.tmp", "seen"),
    ("sub/.dvcignore", "in/x.tmp", "sub/in/x.tmp", "unseen"),
]


@pytest.mark.parametrize(("file", "text", "path", "sight"), IGNORED)
def test_ignored_files_are_not_in_a_listing(
    file: str,
    text: str,
    path: str,
    sight: str,
    tmp_path: Path,
) -> None:
    folder = path.rpartition("/")[0]
    put(tmp_path, {file: text, path: "", f"{folder}/always": ""})
    top = "sub/in" if path.startswith("sub") else "d"
    names = files_of(looked_at(tmp_path), top)
    assert (path.removeprefix(f"{top}/") in names) == (sight == "seen")


@pytest.mark.parametrize("place", ["d/.dvcignore", "d/in/.dvcignore"])
def test_a_dvcignore_inside_a_tracked_directory_is_refused_as_dvc_refuses_it(place: str, tmp_path: Path) -> None:
    put(tmp_path, {place: "", "d/a": "1"})
    with pytest.raises(ConfigError, match=f"{place} lies in a directory that is tracked as a whole"):
        looked_at(tmp_path).observe("d")
    put(tmp_path, {".dvcignore": ".dvcignore"})
    assert files_of(looked_at(tmp_path), "d") == ["a"]


def test_the_file_by_which_git_knows_a_submodule_is_not_seen(tmp_path: Path) -> None:
    put(tmp_path, {"d/a": "1", "d/sub/.git": "gitdir: x", "d/sub/b": "2", "d/.hg": "a file"})
    assert files_of(looked_at(tmp_path), "d") == [".hg", "a", "sub/b"]


def test_an_ignored_directory_is_an_empty_one(tmp_path: Path) -> None:
    put(tmp_path, {".dvcignore": "d/", "d/a": "1"})
    assert files_of(looked_at(tmp_path), "d") == []


def test_the_line_that_hides_a_path_is_named(tmp_path: Path) -> None:
    put(tmp_path, {".dvcignore": "# first\nd/\n", "d/a": "1", "e/a": "1"})
    workspace = looked_at(tmp_path)
    assert [workspace.hiding(path) for path in ("d", "d/b", "e/a")] == ["'d/' (.dvcignore:2)"] * 2 + [""]


# DVC files


def test_dvc_files_come_a_folders_own_before_its_subfolders(tmp_path: Path) -> None:
    listed = ["z/dvc.yaml", "b.dvc", "a/x.dvc", "dvc.yaml", "a/dvc.yaml", "a.dvc"]
    put(tmp_path, dict.fromkeys(listed, ""))
    assert looked_at(tmp_path).found(listed) == [
        "a.dvc",
        "b.dvc",
        "dvc.yaml",
        "a/dvc.yaml",
        "a/x.dvc",
        "z/dvc.yaml",
    ]


def test_dvc_files_of_other_projects_and_ignored_ones_are_not_ours(tmp_path: Path) -> None:
    listed = ["dvc.yaml", "sub/dvc.yaml", "sub/deep/x.dvc", "no/dvc.yaml", "file/a.dvc", "file/.dvc", ".dvc/x.dvc"]
    put(tmp_path, {**dict.fromkeys(listed, ""), ".dvcignore": "no/\n", "sub/.dvc/config": ""})
    assert looked_at(tmp_path).found(listed) == ["dvc.yaml"]


def test_text_is_read_without_its_byte_order_mark_and_nothing_else_is_text(tmp_path: Path) -> None:
    put(tmp_path, {"bom": b"\xef\xbb\xbfx", "latin": b"\xe9", "folder/x": ""})
    workspace = looked_at(tmp_path)
    assert workspace.read("bom") == "x"
    assert workspace.read("nowhere") is None
    assert workspace.read("latin/x") is None
    with pytest.raises(ConfigError, match="folder is not a regular file"):
        workspace.read("folder")
    with pytest.raises(ConfigError, match="latin is not UTF-8 text"):
        workspace.read("latin")


def test_no_text_is_read_that_a_link_of_a_stranger_leads_to_outside_the_repository(tmp_path: Path) -> None:
    top = tmp_path / "top"
    root = top / "project"
    for name in ("secret", "top/shared.yaml", "top/.git/config", "top/project/own.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    links = {"a": "own.yaml", "b": "../shared.yaml", "c": "../../secret", "d": "../.git/config", "e": str(tmp_path)}
    for name, target in links.items():
        (root / name).symlink_to(target)
    strict, plain = Workspace(root, State(), within=top), Workspace(root, State())
    assert [strict.read("a"), strict.read("b")] == ["top/project/own.yaml", "top/shared.yaml"]
    assert [plain.read("c"), plain.read("d")] == ["secret", "top/.git/config"]
    for name in ("c", "d", "e/secret"):
        with pytest.raises(ConfigError, match=f"{name} is a link to a place outside the repository"):
            strict.read(name)


def test_an_ignore_file_that_never_ends_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".dvcignore").symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=r"\.dvcignore is not a regular file"):
        Workspace(tmp_path, State()).found(["dvc.yaml"])


@pytest.mark.parametrize(("number", "hint"), [(errno.EROFS, "mounted read-only"), (errno.ELOOP, "mend the file")])
def test_what_the_system_refuses_comes_with_what_to_do_about_it(number: int, hint: str) -> None:
    with (
        pytest.raises(ConfigError, match=r"params\.yaml cannot be written") as caught,
        refusals("params.yaml", "written"),
    ):
        raise OSError(number, os.strerror(number))
    assert hint in caught.value.hint


def test_a_full_disk_is_none_of_the_files_mistakes() -> None:
    with pytest.raises(RemoteError) as caught, refusals("params.yaml", "written"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "make room" in caught.value.hint
