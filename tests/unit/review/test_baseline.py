"""The commit a candidate is compared with, on real repositories and the clones that CI makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import GitError
from runner.git import Git
from runner.review import baseline
from runner.review.baseline import Wish
from tests.interop.projects import commit, git, put

if TYPE_CHECKING:
    from pathlib import Path

    from runner.review.commit import Commit


class History:
    """A repository on a code host, and clones of it.

    main:     one - two - three - four
    feature:        \\ five - six
    merge:                      four + six, as `refs/pull/1/merge`
    """

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder, self.environ = folder, environ
        self.origin = folder / "origin"
        git(folder, "init", "-q", "-b", "main", str(self.origin))
        self.one, self.two = self.commit("one"), self.commit("two")
        git(self.origin, "checkout", "-q", "-b", "feature")
        self.five, self.six = self.commit("five"), self.commit("six")
        git(self.origin, "checkout", "-q", "main")
        self.three, self.four = self.commit("three"), self.commit("four")
        git(self.origin, "checkout", "-q", "--detach")
        git(self.origin, "merge", "-q", "--no-ff", "-m", "merge", "feature")
        git(self.origin, "update-ref", "refs/pull/1/merge", "HEAD")
        self.merge = git(self.origin, "rev-parse", "HEAD")
        git(self.origin, "checkout", "-q", "main")

    def commit(self, name: str) -> str:
        put(self.origin, {name: name})
        commit(self.origin, name)
        return git(self.origin, "rev-parse", "HEAD")

    def clone(self, ref: str, depth: int = 0, name: str = "clone") -> Path:
        """Check out one ref, detached and with so much history (0: all), as actions/checkout does it."""
        place = self.folder / name
        git(self.folder, "init", "-q", str(place))
        git(place, "remote", "add", "origin", self.origin.as_uri())
        wanted = (
            [f"--depth={depth}", f"+{ref}:refs/remotes/pull"] if depth else ["+refs/heads/*:refs/remotes/origin/*", ref]
        )
        git(place, "fetch", "-q", "--no-tags", "origin", *wanted)
        git(place, "checkout", "-q", "--detach", "FETCH_HEAD" if depth else git(self.origin, "rev-parse", ref))
        return place

    def choose(self, place: Path, **wish: str) -> Commit | None:
        with Git(place, self.environ) as opened:
            return baseline.choose(opened, Wish(**wish))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, session_environment: dict[str, str]) -> History:
    return History(tmp_path_factory.mktemp("history"), session_environment)


@pytest.fixture
def history(kept: History, tmp_path: Path) -> History:
    """Give the repository, with a folder of one's own to clone it to."""
    kept.folder = tmp_path
    return kept


def found(chosen: Commit | None) -> tuple[str, str]:
    assert chosen
    return chosen.sha, chosen.how


DEPTHS = pytest.mark.parametrize("depth", [0, 1])


# What is asked


@pytest.mark.parametrize(("rev", "name"), [("HEAD~1", "five"), ("main", "four"), ("origin/main", "four")])
def test_a_revision_asked_for_is_taken(rev: str, name: str, history: History) -> None:
    chosen = history.choose(history.clone("feature"), rev=rev, rule="previous", event="push")
    assert found(chosen) == (getattr(history, name), f"{rev}, as asked")
    assert chosen
    assert chosen.subject == name


def test_a_revision_that_is_not_there_is_an_error_with_what_to_do(history: History) -> None:
    with pytest.raises(GitError, match="nowhere") as raised:
        history.choose(history.clone("main"), rev="nowhere")
    assert "fetch" in raised.value.hint


def test_a_rule_may_be_a_revision(history: History) -> None:
    chosen = history.choose(history.clone("main"), rule="HEAD~2")
    assert found(chosen) == (history.two, "HEAD~2, as the gate file says")


def test_a_merge_that_a_stranger_made_does_not_name_the_base(history: History) -> None:
    place = history.clone("feature")
    parents = ("-p", history.five, "-p", history.six)
    git(place, "checkout", "-q", git(place, "commit-tree", "HEAD^{tree}", *parents, "-m", "merge"))
    wish = {"target": "main", "target_sha": history.four, "head_sha": history.six}
    assert found(history.choose(place, event="pull-request-target", **wish))[0] == history.two


# The last success


def successes(*shas: str) -> baseline.Host:
    """Give a code host that knows these commits of main, the latest first."""
    return baseline.Host(succeeded=lambda branch: shas if branch == "main" else ())


@DEPTHS
def test_the_last_success_is_the_latest_commit_of_the_branch_that_can_be_had(depth: int, history: History) -> None:
    with Git(history.clone("feature", depth), history.environ) as opened:
        wish = Wish(rule="last-success", event="pull-request", target="main", head_sha=history.six)
        chosen = baseline.choose(opened, wish, successes("1" * 40, history.three, history.two))
    assert found(chosen) == (history.three, "the last commit of main on which this workflow succeeded")


def test_a_candidate_is_never_its_own_last_success(history: History) -> None:
    with Git(history.clone("main"), history.environ) as opened:
        wish = Wish(rule="last-success", event="push", target="main", head_sha=history.four, before=history.two)
        chosen = baseline.choose(opened, wish, successes(history.four, history.four))
    why = "the commit before this push; no earlier success is known here"
    assert found(chosen) == (history.two, why)


@pytest.mark.parametrize("host", [baseline.NOBODY, successes()], ids=["no code host", "no success"])
def test_without_a_success_the_rule_is_that_of_the_event_and_says_so(host: baseline.Host, history: History) -> None:
    with Git(history.clone("feature"), history.environ) as opened:
        wish = Wish(rule="last-success", event="fork", target="main", target_sha=history.four, head_sha=history.six)
        chosen = baseline.choose(opened, wish, host)
    assert found(chosen) == (history.two, "merge base with main; no earlier success is known here")


def test_where_nothing_of_the_target_is_known_the_last_success_is_the_last_step_of_the_ladder(history: History) -> None:
    with Git(history.clone("feature", depth=1), history.environ) as opened:
        wish = Wish(event="fork", target="main", target_sha="1" * 40, head_sha=history.six)
        chosen = baseline.choose(opened, wish, successes(history.three))
    assert found(chosen) == (history.three, "the last commit of main on which this workflow succeeded")


def test_the_first_commit_of_all_has_no_success_and_no_baseline(history: History) -> None:
    with Git(history.clone(history.one), history.environ) as opened:
        wish = Wish(rule="last-success", event="push", target="main", head_sha=history.one)
        assert baseline.choose(opened, wish, successes(history.one)) is None


def test_after_a_force_push_the_commit_before_is_fetched_by_its_id(history: History) -> None:
    """The branch no longer leads to it; a host that still has it gives it."""
    git(history.origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(history.origin, "checkout", "-q", "--detach", history.three)
    put(history.origin, {"gone": ""})
    commit(history.origin, "pushed over")
    over = git(history.origin, "rev-parse", "HEAD")
    git(history.origin, "checkout", "-q", "main")
    chosen = history.choose(history.clone("main", 1), event="push", before=over)
    assert found(chosen) == (over, "the commit before this push")


@DEPTHS
def test_previous_is_the_first_parent_however_shallow(depth: int, history: History) -> None:
    chosen = history.choose(history.clone("main", depth), rule="previous")
    assert found(chosen) == (history.three, "the previous commit")


def test_the_first_commit_has_no_previous_one(history: History) -> None:
    assert history.choose(history.clone(history.one), rule="previous") is None


@DEPTHS
def test_target_is_the_tip_of_the_target_branch(depth: int, history: History) -> None:
    place = history.clone("feature", depth)
    chosen = history.choose(place, rule="target", event="pull-request", target="main", target_sha=history.four)
    assert found(chosen) == (history.four, "tip of main")


def test_target_on_a_laptop_is_the_default_branch(history: History) -> None:
    assert found(history.choose(history.clone("feature"), rule="target")) == (history.four, "tip of main")


# Pull requests


@DEPTHS
def test_on_a_checkout_of_the_merge_it_is_the_first_parent(depth: int, history: History) -> None:
    place = history.clone("refs/pull/1/merge", depth)
    asked = {"event": "pull-request", "target": "main", "target_sha": history.three, "head_sha": history.six}
    chosen = history.choose(place, **asked)
    assert found(chosen) == (history.four, "main, which this checkout merges the pull request into")


@DEPTHS
@pytest.mark.parametrize("event", ["pull-request", "fork", "pull-request-target", "merge-group"])
def test_on_a_checkout_of_the_head_it_is_the_merge_base(event: str, depth: int, history: History) -> None:
    place = history.clone("feature", depth)
    chosen = history.choose(place, event=event, target="main", target_sha=history.four, head_sha=history.six)
    assert found(chosen) == (history.two, "merge base with main")


def test_a_merge_of_something_else_is_not_taken_for_the_pull_requests(history: History) -> None:
    place = history.clone("refs/pull/1/merge")
    chosen = history.choose(place, event="pull-request", target="main", target_sha=history.four, head_sha=history.two)
    assert found(chosen) == (history.four, "merge base with main")


def test_where_history_cannot_be_had_the_code_host_is_asked(history: History) -> None:
    place = history.clone("feature", depth=1)
    unknown = "1" * 40
    asked = []

    def compared(base: str, head: str) -> str:
        asked.append((base, head))
        return history.two

    with Git(place, history.environ) as opened:
        wish = Wish(event="fork", target="main", target_sha=unknown, head_sha=history.six)
        chosen = baseline.choose(opened, wish, baseline.Host(compared))
    assert found(chosen) == (history.two, "merge base with main, as the code host says")
    assert asked == [(unknown, history.six)]


def test_unrelated_histories_are_compared_with_the_targets_tip(history: History) -> None:
    place = history.clone("main")
    git(place, "checkout", "-q", "--orphan", "other")
    commit(place, "alone")
    chosen = history.choose(place, event="pull-request", target="main", target_sha=history.four, head_sha="0" * 40)
    assert found(chosen) == (history.four, "tip of main: no common history here")


def test_where_nothing_of_the_target_can_be_had_there_is_none(history: History) -> None:
    place = history.clone("feature", depth=1)
    git(place, "remote", "set-url", "origin", str(history.folder / "gone"))
    chosen = history.choose(place, event="fork", target="main", target_sha=history.four, head_sha=history.six)
    assert chosen is None


# Pushes and the rest


@DEPTHS
def test_on_a_push_it_is_the_commit_before(depth: int, history: History) -> None:
    chosen = history.choose(history.clone("main", depth), event="push", before=history.two)
    assert found(chosen) == (history.two, "the commit before this push")


@DEPTHS
@pytest.mark.parametrize("before", ["", "0" * 40, "1" * 40], ids=["none", "new branch", "gone"])
def test_on_a_push_without_an_earlier_commit_it_is_the_parent(before: str, depth: int, history: History) -> None:
    chosen = history.choose(history.clone("main", depth), event="push", before=before)
    assert found(chosen) == (history.three, "the previous commit, as the one before this push is not known")


@DEPTHS
@pytest.mark.parametrize("event", ["schedule", "dispatch", "release", "other"])
def test_otherwise_it_is_what_is_committed(event: str, depth: int, history: History) -> None:
    chosen = history.choose(history.clone("main", depth), event=event)
    assert found(chosen) == (history.four, "HEAD, the committed state")


# A laptop


def test_on_a_branch_it_is_where_the_branch_left_the_default_one(history: History) -> None:
    place = history.folder / "laptop"
    git(history.folder, "clone", "-q", str(history.origin), str(place))
    git(place, "checkout", "-q", "feature")
    assert found(history.choose(place)) == (history.two, "merge base with main")


def test_without_a_default_branch_it_is_the_committed_state(tmp_path: Path, environ: dict[str, str]) -> None:
    git(tmp_path, "init", "-q", "-b", "somewhere", "alone")
    place = tmp_path / "alone"
    put(place, {"x": ""})
    commit(place)
    with Git(place, environ) as opened:
        chosen = baseline.choose(opened, Wish())
        assert found(chosen) == (opened.head(), "HEAD, as there is no default branch to compare with")


def test_without_history_in_common_it_is_the_committed_state_too(history: History) -> None:
    place = history.clone("main")
    git(place, "checkout", "-q", "--orphan", "other")
    commit(place, "alone")
    chosen = history.choose(place)
    assert chosen
    assert chosen.sha == git(place, "rev-parse", "HEAD")
    assert chosen.how == "HEAD, as it has no history in common with main"


@pytest.mark.parametrize("rule", ["merge-base", "target", "previous"])
def test_before_the_first_commit_there_is_none(rule: str, tmp_path: Path, environ: dict[str, str]) -> None:
    git(tmp_path, "init", "-q", "empty")
    with Git(tmp_path / "empty", environ) as opened:
        assert baseline.choose(opened, Wish(rule=rule)) is None
