"""Git, the only door: real repositories and refusals."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.errors import Exit, GitError
from runner.git import Git
from runner.git.fetching import meet
from tests.unit.git.repositories import GONE, Opened, Repository

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.git.repositories import Opened, Repository


def test_a_repository_is_found_from_any_folder_inside_it(repository: Repository, opened: Opened) -> None:
    repository.commit("one", deep__er__file="x")
    assert opened(repository.root / "deep" / "er").root == repository.root.resolve()


def test_outside_a_repository_the_error_says_so(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(GitError, match="not inside a git work tree") as caught:
        Git.discover(tmp_path, {**environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    assert caught.value.exit_code == Exit.GIT


def test_a_folder_of_another_user_gives_the_command_that_trusts_it(
    repository: Repository, environ: dict[str, str]
) -> None:
    distrusting = {**environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    with pytest.raises(GitError, match="belongs to another user") as caught:
        Git.discover(repository.root, distrusting).head()
    assert caught.value.hint == f"git config --global --add safe.directory {repository.root}"


def test_without_git_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="cannot be started") as caught:
        Git.discover(tmp_path, {"PATH": str(tmp_path)})
    assert "install git" in caught.value.hint


def test_revisions_of_every_form_resolve_to_ids(repository: Repository, opened: Opened) -> None:
    first = repository.commit("one")
    repository("tag", "-a", "-m", "x", "v1")
    second = repository.commit("two")
    git = opened(repository.root)
    assert git.head() == second
    assert [git.resolve(rev) for rev in ("HEAD~1", "v1", first[:10], "main", "refs/heads/main")] == [
        first,
        first,
        first,
        second,
        second,
    ]


@pytest.mark.parametrize(
    "rev", ["nope", "HEAD~9", GONE, "", "-x", "a b", "HEAD\nHEAD", "^HEAD", "HEAD:dvc.yaml", "main..main"]
)
def test_what_names_no_commit_is_refused_with_how_to_fetch_it(rev: str, repository: Repository, opened: Opened) -> None:
    repository.commit("one", dvc_yaml="x")
    with pytest.raises(GitError, match="knows no commit") as caught:
        opened(repository.root).resolve(rev)
    assert "fetch-depth: 0" in caught.value.hint


def test_a_repository_without_commits_says_so(repository: Repository, opened: Opened) -> None:
    with pytest.raises(GitError) as caught:
        opened(repository.root).head()
    assert caught.value.hint == "the repository has no commit yet"


def test_files_are_shown_as_they_were_at_a_revision(repository: Repository, opened: Opened) -> None:
    first = repository.commit("one", dvc_yaml="old\r\n", sub__a="")
    repository.commit("two", dvc_yaml="new")
    git = opened(repository.root)
    assert git.show(first, "dvc.yaml") == b"old\r\n"
    assert git.show("HEAD", "dvc.yaml") == b"new"
    assert git.show("HEAD", "sub/a") == b""
    assert git.show("HEAD", "nope") is None
    assert git.show("HEAD", "sub") is None
    assert git.show("HEAD", "dvc.yaml/x") is None
    assert git.show("HEAD", "dvc.yaml") == b"new"


def test_showing_at_an_unknown_revision_is_an_error_not_an_absent_file(repository: Repository, opened: Opened) -> None:
    repository.commit("one", a="x")
    with pytest.raises(GitError):
        opened(repository.root).show(GONE, "a")


def test_a_large_binary_file_is_shown_whole(repository: Repository, opened: Opened) -> None:
    content = os.urandom(3_000_000)
    (repository.root / "big").write_bytes(content)
    repository.commit("one")
    assert opened(repository.root).show("HEAD", "big") == content


def test_every_file_of_a_revision_is_listed_also_from_a_folder(repository: Repository, opened: Opened) -> None:
    repository.commit("one", a="1", sub__b="2", sub__deep__c="3")
    (repository.root / "later").write_text("x")
    assert opened(repository.root / "sub").files("HEAD") == ["a", "sub/b", "sub/deep/c"]


def test_the_branch_is_empty_where_head_is_detached(repository: Repository, opened: Opened) -> None:
    repository.commit("one")
    git = opened(repository.root)
    assert git.branch() == "main"
    repository("checkout", "-q", "--detach")
    assert git.branch() == ""


def test_the_default_branch_is_what_the_remote_calls_its_head(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    repository.commit("one")
    repository("branch", "-m", "develop")
    assert opened(repository.clone(tmp_path / "clone")).default_branch() == "develop"
    assert opened(repository.root).default_branch() == ""
    repository("branch", "master")
    assert opened(repository.root).default_branch() == "master"


def test_commits_tell_their_parents_and_subject(repository: Repository, opened: Opened) -> None:
    first = repository.commit("A subject\nof two lines\n\nAnd a body: größe")
    repository("checkout", "-q", "-b", "side")
    side = repository.commit("side")
    repository("checkout", "-q", "main")
    main = repository.commit("main")
    repository("merge", "-q", "--no-ff", "-m", "merge", "side")
    git = opened(repository.root)
    assert git.parents("HEAD") == (main, side)
    assert git.parents(first) == ()
    assert git.subject(first) == "A subject of two lines"
    assert git.subject("HEAD") == "merge"


def test_the_merge_base_is_the_best_common_ancestor(repository: Repository, opened: Opened) -> None:
    repository.commit("one")
    fork = repository.commit("two")
    repository("checkout", "-q", "-b", "side")
    repository.commit("side")
    repository("checkout", "-q", "main")
    repository.commit("three")
    git = opened(repository.root)
    assert git.merge_base("main", "side") == fork
    assert git.merge_base(fork, "side") == fork


def test_unrelated_histories_have_no_merge_base(repository: Repository, opened: Opened) -> None:
    repository.commit("one", a="1")
    repository("checkout", "-q", "--orphan", "other")
    repository.commit("other")
    git = opened(repository.root)
    assert git.merge_base("main", "other") is None
    assert meet(git, git.resolve("main"), git.resolve("other"), "origin") is None


def test_a_shallow_clone_knows_that_it_is_and_names_parents_it_lacks(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    first = repository.commit("one")
    repository.commit("two")
    git = opened(repository.clone(tmp_path / "clone", "--depth=1"))
    assert git.is_shallow()
    assert not opened(repository.root).is_shallow()
    assert git.parents("HEAD") == (first,)
    with pytest.raises(GitError):
        git.resolve(first)


def test_one_process_answers_many_questions_and_ends_with_close(
    repository: Repository, environ: dict[str, str]
) -> None:
    head = repository.commit("one", **{f"f{number}": str(number) for number in range(50)})
    with Git.discover(repository.root, environ) as git:
        assert [git.show(head, f"f{number}") for number in range(50)] == [str(n).encode() for n in range(50)]
        process = git._batch
        assert process is not None
        assert process.poll() is None
    assert process.poll() == 0
    assert git.show(head, "f7") == b"7"
    git.close()


def test_a_damaged_repository_is_an_error_not_a_hang(repository: Repository, opened: Opened) -> None:
    repository.commit("one", a="x")
    git = opened(repository.root)
    shutil.rmtree(repository.root / ".git" / "objects")
    with pytest.raises(GitError):
        git.show("HEAD", "a")


def test_the_environment_given_is_the_one_git_sees(repository: Repository, environ: dict[str, str]) -> None:
    repository.commit("one", a="x")
    elsewhere = {**environ, "GIT_DIR": str(repository.root / "nowhere")}
    with pytest.raises(GitError):
        Git(repository.root, elsewhere).head()


def test_a_work_tree_of_its_own_is_gone_afterwards_and_runs_no_hook(repository: Repository, opened: Opened) -> None:
    first = repository.commit("one", a="1")
    repository.commit("two", a="2")
    hook = repository.root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ../hooked\n")
    hook.chmod(0o755)
    place = repository.root.parent / "beside"
    git = opened(repository.root)
    with git.work_tree(first, place):
        assert (place / "a").read_text() == "1"
        (place / "junk").write_text("left")
    assert not place.exists()
    assert repository("worktree", "list").count("\n") == 0
    assert not list(repository.root.parent.glob("**/hooked"))
