"""What git tracks and ignores, asked of real repositories."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.git import Git
from runner.git.index import begin, ignored, listed, tracked, tracks
from tests.unit.git.repositories import Opened, Repository

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.git.repositories import Opened


ODD = ["a b", "größe", "tab\there", 'quo"te', "back\\slash", "日本語/x", "[glob]*", "-dash", ":colon"]


def test_odd_names_are_listed_and_shown(repository: Repository, opened: Opened) -> None:
    for name in ODD:
        (repository.root / name).parent.mkdir(exist_ok=True)
        (repository.root / name).write_text(name)
    head = repository.commit("odd")
    git = opened(repository.root)
    assert set(git.files("HEAD")) == set(ODD)
    assert [git.show(head, name) for name in ODD] == [name.encode() for name in ODD]
    assert tracked(git, [*ODD, "other"]) == set(ODD)


def test_dvc_files_are_listed_unless_an_ignore_file_names_them(repository: Repository, opened: Opened) -> None:
    repository.commit("one", dvc_yaml="", a_dvc="", sub__b_dvc="", sub__dvc_yaml="", other_yaml="", gone_dvc="")
    repository.commit("tracked all the same", ignored_dvc="", data__c_dvc="")
    (repository.root / ".gitignore").write_text("/ignored.dvc\n/data\n/sub/dvc.lock\n")
    (repository.root / "new x.dvc").write_text("")
    (repository.root / "link.dvc").symlink_to("a.dvc")
    (repository.root / "folder.dvc").mkdir()
    (repository.root / "gone.dvc").unlink()
    found = listed(opened(repository.root), repository.root)
    assert sorted(found.files) == ["a.dvc", "dvc.yaml", "link.dvc", "new x.dvc", "sub/b.dvc", "sub/dvc.yaml"]
    assert found.ignored_locks == {"sub/dvc.lock"}
    assert sorted(listed(opened(repository.root), repository.root / "sub").files) == ["b.dvc", "dvc.yaml"]


def test_dvc_files_of_repositories_inside_are_listed(repository: Repository, opened: Opened, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other", repository.program)
    other.commit("one", deep__x_dvc="", ignored__y_dvc="", _gitignore="/ignored\n")
    repository("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "module")
    repository("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "project")
    repository("clone", "-q", str(other.root), "clone")
    (repository.root / "project" / ".dvc").mkdir()
    found = listed(opened(repository.root), repository.root)
    assert sorted(found.files) == ["clone/deep/x.dvc", "module/deep/x.dvc"]


def test_tracked_are_files_of_the_index_and_folders_that_hold_one(repository: Repository, opened: Opened) -> None:
    repository.commit("one", data__x="1", file="2")
    (repository.root / "new").write_text("x")
    repository("add", "new")
    (repository.root / "untracked").write_text("x")
    git = opened(repository.root)
    paths = ["data", "data/x", "file", "new", "untracked", "dat", "data/", "fil", "gone"]
    assert tracked(git, paths) == {"data", "data/x", "file", "new"}
    assert tracked(git, []) == set()


def test_ignored_are_paths_that_a_gitignore_matches(repository: Repository, opened: Opened) -> None:
    repository.commit("one", sub__kept="x")
    (repository.root / ".gitignore").write_text("/model\n*.tmp\n")
    (repository.root / "sub" / ".gitignore").write_text("/data\n!keep.tmp\n")
    git = opened(repository.root)
    paths = ["model", "sub/model", "a.tmp", "sub/data", "sub/keep.tmp", "sub/data/x", "größe.tmp", "plain"]
    assert ignored(git, paths) == {"model", "a.tmp", "sub/data", "sub/data/x", "größe.tmp"}
    assert ignored(git, ["plain"]) == set()
    (repository.root / "link").symlink_to("sub")
    assert ignored(git, ["link/data", "link/deep/data", "model"]) == {"model"}
    assert ignored(git, []) == set()


def test_what_git_was_given_to_begin_with_is_not_asked_again(
    repository: Repository, environ: dict[str, str], tmp_path: Path
) -> None:
    repository.commit("one", dvc_yaml="", a_dvc="", scratch__file="")
    trace = tmp_path / "trace"
    with Git(repository.root, {**environ, "GIT_TRACE": str(trace)}) as git:
        begin(git, repository.root, "scratch")
        assert tracks(git, "scratch")
        assert sorted(listed(git, repository.root).files) == ["a.dvc", "dvc.yaml"]
        assert trace.read_text().count("built-in: git") == 3
        assert not tracks(git, "other")
        assert sorted(listed(git, repository.root).files) == ["a.dvc", "dvc.yaml"]
        assert trace.read_text().count("built-in: git") == 6


def test_what_git_was_given_to_begin_with_in_vain_ends_with_it(repository: Repository, environ: dict[str, str]) -> None:
    with Git(repository.root, environ) as git:
        begin(git, repository.root, "scratch")
        processes = [*git._begun.values()]
    assert len(processes) == 3
    assert all(process.returncode is not None for process in processes)
