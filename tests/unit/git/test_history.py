"""The commits of real repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.git import history
from tests.unit.git.repositories import Opened, Repository

if TYPE_CHECKING:
    from tests.unit.git.repositories import Opened, Repository


def test_branches_tags_and_commits_are_listed(repository: Repository, opened: Opened) -> None:
    first = repository.commit("one", a="1")
    repository("tag", "v1")
    repository("branch", "feature/x")
    second = repository.commit("two", b="1")
    repository("checkout", "-q", "--detach")
    third = repository.commit("three", a="2")
    git = opened(repository.root)
    assert history.branches(git) == ["feature/x", "main"]
    assert history.tags(git) == ["v1"]
    assert set(history.commits(git)) == {first, second, third}
    assert history.commits(git, "b") == [second]
