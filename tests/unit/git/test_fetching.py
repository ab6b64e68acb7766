"""History that a shallow clone lacks, fetched by real git."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.errors import GitError
from runner.git.fetching import deepen, meet
from tests.unit.git.repositories import GONE, Opened, Repository

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.git.repositories import Opened, Repository


def long_history(repository: Repository, commits: int) -> tuple[str, str, str]:
    """Make two branches that fork `commits` before the tip of main; give fork, main and side."""
    fork = repository.commit("fork")
    repository("branch", "side")
    for number in range(commits):
        repository.commit(f"main {number}")
    main = repository("rev-parse", "HEAD")
    repository("checkout", "-q", "side")
    side = repository.commit("side")
    return fork, main, side


def test_the_meeting_point_is_fetched_step_by_step_and_no_deeper(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    repository.commit("far past")
    for number in range(20):
        repository.commit(f"past {number}")
    fork, main, side = long_history(repository, 6)
    git = opened(repository.clone(tmp_path / "clone", "--depth=1", "--branch=side"))
    assert git.head() == side
    assert meet(git, side, main, "origin", steps=(2, 10)) == fork
    assert git.is_shallow()
    assert git.resolve(main) == main


def test_history_is_fetched_whole_where_no_step_reaches(repository: Repository, opened: Opened, tmp_path: Path) -> None:
    fork, main, side = long_history(repository, 6)
    git = opened(repository.clone(tmp_path / "clone", "--depth=1", "--branch=side"))
    assert meet(git, side, main, "origin", steps=(2,)) == fork
    assert not git.is_shallow()


def test_a_complete_clone_is_not_made_shallow_by_fetching(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    first = repository.commit("one")
    repository.commit("two")
    git = opened(repository.clone(tmp_path / "clone"))
    later = repository.commit("three")
    deepen(git, "origin", [later], 1)
    assert git.resolve(later) == later
    assert git.resolve(first) == first
    assert not git.is_shallow()


def test_objects_fetched_after_the_first_question_are_seen(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    repository.commit("one")
    git = opened(repository.clone(tmp_path / "clone", "--depth=1"))
    later = repository.commit("two", a="new")
    with pytest.raises(GitError):
        git.show(later, "a")
    deepen(git, "origin", [later], 1)
    assert git.show(later, "a") == b"new"


def test_a_commit_that_the_remote_does_not_have_is_an_error_with_a_hint(
    repository: Repository, opened: Opened, tmp_path: Path
) -> None:
    repository.commit("one")
    git = opened(repository.clone(tmp_path / "clone", "--depth=1"))
    with pytest.raises(GitError, match="git fetch failed") as caught:
        deepen(git, "origin", [GONE], 5)
    assert "fetch-depth: 0" in caught.value.hint


def test_a_remote_whose_name_looks_like_an_option_is_not_one(repository: Repository, opened: Opened) -> None:
    repository.commit("one")
    with pytest.raises(GitError):
        deepen(opened(repository.root), "--upload-pack=touch owned", ["main"], 1)
    assert not (repository.root / "owned").exists()
