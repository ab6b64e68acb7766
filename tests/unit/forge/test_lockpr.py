"""The pull request that brings a lock, against a GitHub with a real git repository, where others are at work too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from runner.engine import proposal
from runner.engine.proposal import Change
from runner.errors import ForgeError
from runner.forge.answers import RefusedError
from runner.forge.branches import NOWHERE, Branches, MovedError
from runner.forge.lockpr import ACTIONS, ForeignError, LockPulls, Wish
from runner.forge.repository import Repository
from runner.git import Entry
from tests.support.forge import TOKEN
from tests.support.github import Meanwhile, Trouble, refusal
from tests.support.github.talk import label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.forge.lockpr import Done
    from tests.support.github import FakeGitHub
    from tests.support.pace import Time

pytestmark = pytest.mark.slow  # a git repository, and a second between two writes

LOCK = "retrain/main"
OLD, NEW, NEWER = b"old\n", b"new\n", b"newer\n"


class Bench:
    """One run after the other that proposes what it found for main."""

    def __init__(self, fake: FakeGitHub, repository: Repository) -> None:
        self.fake = fake
        self.repository = repository
        self.branches = Branches(repository)
        self.first = fake.push("main", {"dvc.lock": OLD, "train.py": b"pass\n"})

    def tree(self, revision: str) -> dict[str, Entry]:
        rows = self.fake.git.raw("ls-tree", "-r", "-z", revision).decode().split("\0")
        pairs = (row.partition("\t") for row in rows if row)
        return {path: Entry(about.split()[0], about.split()[2]) for about, _, path in pairs}

    def propose(self, content: bytes | None, verdict: str = "passed", **wishes: Any) -> Done:
        """Propose `content` for dvc.lock."""
        return self.propose_all([Change("dvc.lock", content, was="100644")], verdict, **wishes)

    def propose_all(self, changes: Sequence[Change], verdict: str = "passed", **wishes: Any) -> Done:
        tip = str(self.fake.git.tip("main"))
        tree = self.tree(tip)
        left = proposal.missing_from(changes, tree)
        return LockPulls(self.repository, self.branches).propose(
            self.wish(left, tree, verdict, **wishes), tip, tree, left
        )

    def wish(self, changes: Sequence[Change], tree: dict[str, Entry], verdict: str, **wishes: Any) -> Wish:
        content = proposal.digest(proposal.entries(changes, tree))
        message = f"Retrain main\n\nRetrain-Verdict: {verdict}\nRetrain-Content: {content}\n"
        usual: dict[str, Any] = {
            "base": "main",
            "branch": LOCK,
            "aside": "aside/1",
            "title": f"Retrain main ({verdict})",
            "body": "why",
            "message": message,
            "is_draft": verdict == "warned",
            "label": f"retrain:{verdict}",
        }
        return Wish(**(usual | wishes))

    @property
    def pull(self) -> dict[str, Any]:
        """The only pull request."""
        (only,) = self.fake.pulls.values()
        found: dict[str, Any] = only
        return found

    @property
    def labels(self) -> set[str]:
        return {label["name"] for label in self.fake.issues[self.pull["number"]]["labels"]}

    @property
    def refs(self) -> set[str]:
        return {ref.removeprefix("refs/heads/") for ref in self.fake.git.refs("refs/heads/")}


@pytest.fixture
def bench(fake: FakeGitHub, repository: Repository) -> Bench:
    return Bench(fake, repository)


def test_a_new_lock_is_one_signed_commit_on_the_base_in_one_pull_request(bench: Bench) -> None:
    done = bench.propose(NEW)
    assert (done.status, done.url) == ("proposed", bench.pull["html_url"])
    assert bench.fake.git.files(LOCK) == {"dvc.lock": NEW, "train.py": b"pass\n"}
    assert bench.branches.commit(done.sha).parents == (bench.first,)
    assert done.sha in bench.fake.signed
    assert (bench.pull["head"]["ref"], bench.pull["base"]["ref"], bench.pull["draft"]) == (LOCK, "main", False)
    assert (bench.pull["title"], bench.pull["body"]) == ("Retrain main (passed)", "why")
    assert bench.labels == {"retrain", "retrain:passed"}
    assert bench.refs == {"main", LOCK}
    assert bench.fake.git.tip("main") == bench.first


def test_the_same_lock_again_moves_nothing(bench: Bench) -> None:
    first = bench.propose(NEW)
    again = bench.propose(NEW)
    assert (again.status, again.url, again.sha) == ("unchanged", first.url, first.sha)


def test_another_lock_takes_the_place_of_the_first_in_the_same_pull_request(bench: Bench) -> None:
    first = bench.propose(NEW)
    done = bench.propose(NEWER, "warned")
    assert (done.status, done.url) == ("updated", first.url)
    assert bench.branches.commit(done.sha).parents == (bench.first,)
    assert bench.pull["state"] == "open"
    assert bench.pull["title"] == "Retrain main (warned)"
    assert bench.labels == {"retrain", "retrain:warned"}


def test_a_base_that_moved_on_carries_the_lock_with_it(bench: Bench) -> None:
    bench.propose(NEW)
    second = bench.fake.push("main", {"README": b"words\n"})
    done = bench.propose(NEW)
    assert done.status == "updated"
    assert bench.branches.commit(done.sha).parents == (second,)
    assert bench.fake.git.files(LOCK)["README"] == b"words\n"
    assert bench.pull["state"] == "open"


def test_when_the_base_has_the_lock_the_pull_request_is_closed_and_the_branch_is_gone(bench: Bench) -> None:
    url = bench.propose(NEW).url
    bench.fake.push("main", {"dvc.lock": NEW})
    done = bench.propose(NEW)
    assert (done.status, done.url) == ("closed", url)
    assert bench.pull["state"] == "closed"
    assert "Nothing is left" in bench.fake.bodies()[-1]
    assert bench.refs == {"main"}
    assert bench.propose(NEW).status == "nothing"


def test_after_a_merge_the_next_lock_has_a_pull_request_of_its_own(bench: Bench) -> None:
    first = bench.propose(NEW)
    bench.fake.git.move("refs/heads/main", first.sha)
    bench.fake.pulls[bench.pull["number"]]["state"] = "closed"
    done = bench.propose(NEWER)
    assert (done.status, len(bench.fake.pulls)) == ("proposed", 2)


def test_with_nothing_to_propose_nothing_is_written_and_no_permission_is_needed_but_to_read(bench: Bench) -> None:
    bench.fake.token(TOKEN, permissions={"contents": "read"})
    assert bench.propose(OLD).status == "nothing"
    assert LockPulls(bench.repository, bench.branches).put_down("main", LOCK, "retrain:failed", "why") == ""
    assert [one.method for one in bench.fake.received] == ["GET", "GET"]


# What is not ours


@pytest.mark.parametrize("message", ["my own", None])
def test_a_commit_of_somebody_else_on_the_branch_is_never_written_over(bench: Bench, message: str | None) -> None:
    done = bench.propose(NEW)
    ours = bench.branches.commit(done.sha).message
    theirs = bench.fake.git.commit(LOCK, {"dvc.lock": b"mine\n"}, message or ours)
    with pytest.raises(ForeignError, match="left alone"):
        bench.propose(NEWER)
    assert bench.fake.git.tip(LOCK) == theirs


def test_our_commit_amended_by_somebody_else_is_theirs(bench: Bench) -> None:
    done = bench.propose(NEW)
    message = bench.branches.commit(done.sha).message
    theirs = bench.fake.git.commit(LOCK, {"dvc.lock": NEW, "notes": b"precious\n"}, message, bench.first)
    assert bench.branches.commit(theirs).parents == (bench.first,)
    with pytest.raises(ForeignError):
        bench.propose(NEWER)
    assert bench.fake.git.tip(LOCK) == theirs


def test_a_branch_of_that_name_that_was_there_before_us_is_left_alone(bench: Bench) -> None:
    theirs = bench.fake.push(LOCK, {"work": b"in progress\n"}, parent=bench.first)
    with pytest.raises(ForeignError):
        bench.propose(NEW)
    bench.fake.push("main", {"dvc.lock": NEW})
    assert bench.propose(NEW).status == "nothing"
    assert bench.fake.git.tip(LOCK) == theirs


def test_a_branch_of_that_name_that_the_base_has_overtaken_is_left_alone_too(bench: Bench) -> None:
    bench.fake.git.move(f"refs/heads/{LOCK}", bench.first)
    bench.fake.push("main", {"dvc.lock": NEW})
    assert bench.propose(NEW).status == "nothing"
    with pytest.raises(ForeignError, match="left alone"):
        bench.propose(NEWER)
    assert bench.fake.git.tip(LOCK) == bench.first


# Races


def test_a_branch_that_moves_between_the_look_and_the_move_stops_the_run(bench: Bench) -> None:
    bench.propose(NEW)
    theirs: list[str] = []
    act = lambda: theirs.append(bench.fake.push(LOCK, {"late": b"work\n"}))  # noqa: E731
    bench.fake.meanwhile.append(Meanwhile("POST", "git/refs", act))
    with pytest.raises(MovedError, match="moved meanwhile"):
        bench.propose(NEWER)
    assert bench.fake.git.tip(LOCK) == theirs[0]
    assert bench.refs == {"main", LOCK}


def test_a_branch_that_somebody_makes_meanwhile_is_theirs(bench: Bench) -> None:
    act = lambda: bench.fake.push(LOCK, {"late": b"work\n"}, parent=bench.first)  # noqa: E731
    bench.fake.meanwhile.append(Meanwhile("POST", "git/refs", act))
    with pytest.raises(MovedError):
        bench.propose(NEW)
    assert "late" in bench.fake.git.files(LOCK)


def test_a_branch_that_moves_while_its_pull_request_is_closed_stays(bench: Bench) -> None:
    bench.propose(NEW)
    bench.fake.push("main", {"dvc.lock": NEW})
    act = lambda: bench.fake.push(LOCK, {"late": b"work\n"})  # noqa: E731
    bench.fake.meanwhile.append(Meanwhile("POST", "graphql", act))
    with pytest.raises(MovedError):
        bench.propose(NEW)
    assert bench.pull["state"] == "open"
    assert "late" in bench.fake.git.files(LOCK)


class Interrupted(requests.Session):
    """Connections of a run that another one overtakes just before it makes its first branch."""

    def __init__(self, other: Callable[[], object]) -> None:
        super().__init__()
        self._other: Callable[[], object] | None = other

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        if self._other and str(url).endswith("git/refs"):
            other, self._other = self._other, None
            other()
        return super().request(method, url, *args, **kwargs)


def test_of_two_runs_at_once_one_proposes_and_the_other_is_told(bench: Bench, fake: FakeGitHub, time: Time) -> None:
    with Interrupted(lambda: bench.propose(NEWER, aside="aside/2")) as session:
        late = Bench(fake, Repository(fake.url, fake.repository, TOKEN, session, time.pace()))
        with pytest.raises(MovedError):
            late.propose(NEW)
    assert fake.git.files(LOCK)["dvc.lock"] == NEWER
    assert bench.pull["state"] == "open"
    assert bench.refs == {"main", LOCK}


def test_a_pull_request_that_another_run_opened_meanwhile_is_taken_over(bench: Bench) -> None:
    act = lambda: bench.fake.open_pull(head=LOCK, title="early")  # noqa: E731
    bench.fake.meanwhile.append(Meanwhile("POST", "/pulls", act))
    done = bench.propose(NEW)
    assert done.url == bench.pull["html_url"]
    assert bench.pull["title"] == "Retrain main (passed)"


def test_what_a_killed_run_left_is_in_nobodys_way(bench: Bench) -> None:
    bench.fake.push("aside/1", {"half": b"done\n"}, parent=bench.first)
    assert bench.propose(NEW).status == "proposed"
    assert bench.refs == {"main", LOCK}


# The verdict


def test_with_warnings_it_is_a_draft_until_all_is_well(bench: Bench) -> None:
    bench.propose(NEW, "warned")
    assert bench.pull["draft"]
    bench.propose(NEW, "passed")
    assert not bench.pull["draft"]
    assert bench.labels == {"retrain", "retrain:passed"}


def test_a_draft_that_somebody_made_stays_one(bench: Bench) -> None:
    bench.propose(NEW)
    bench.pull["draft"] = True
    bench.propose(NEWER)
    assert bench.pull["draft"]


def test_it_is_a_draft_before_the_branch_holds_what_only_just_passed(bench: Bench) -> None:
    bench.propose(NEW, auto_merge=True)
    bench.fake.received.clear()
    bench.propose(NEWER, "warned")
    queries = [str(one.body["query"]) for one in bench.fake.received if one.graphql]
    names = [name for query in queries for name in ("convertPullRequestToDraft", "updateRefs") if f"{{ {name}" in query]
    assert names == ["convertPullRequestToDraft", "updateRefs"]
    assert bench.fake.auto_merges == {}


def test_labels_that_people_set_stay(bench: Bench) -> None:
    bench.propose(NEW)
    for one in (bench.pull, bench.fake.issues[bench.pull["number"]]):
        one["labels"] = [*one["labels"], label("urgent")]
    bench.propose(NEWER, "warned")
    assert bench.labels == {"retrain", "retrain:warned", "urgent"}


def test_what_was_proposed_is_put_down_when_a_later_run_fails(bench: Bench) -> None:
    url = bench.propose(NEW, auto_merge=True).url
    for _ in range(2):
        pulls = LockPulls(bench.repository, bench.branches)
        assert pulls.put_down("main", LOCK, "retrain:failed", "A later run failed.") == url
    assert bench.pull["draft"]
    assert bench.fake.auto_merges == {}
    assert bench.labels == {"retrain", "retrain:failed"}
    assert bench.fake.bodies() == ["A later run failed."]
    bench.propose(NEW, "passed")
    assert not bench.pull["draft"]


def test_with_nothing_proposed_there_is_nothing_to_put_down(bench: Bench) -> None:
    assert LockPulls(bench.repository, bench.branches).put_down("main", LOCK, "retrain:failed", "why") == ""


# Reviewers and auto-merge


def test_reviewers_are_asked_once(bench: Bench) -> None:
    bench.fake.permissions["ada"] = "write"
    bench.propose(NEW, reviewers=("ada", "Codertocat/models"))
    bench.propose(NEWER, reviewers=("ada", "Codertocat/models"))
    (asked,) = bench.fake.sent("POST", "requested_reviewers")
    assert asked.body == {"reviewers": ["ada"], "team_reviewers": ["models"]}


def test_a_reviewer_that_cannot_be_asked_costs_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    assert bench.propose(NEW, reviewers=("nobody",)).status == "proposed"
    assert "nobody is asked for a review" in caplog.text


def test_github_is_asked_to_merge_the_very_commit_that_was_judged(bench: Bench) -> None:
    done = bench.propose(NEW, auto_merge=True)
    ((_, asked),) = bench.fake.auto_merges.items()
    assert asked["expectedHeadOid"] == done.sha
    assert bench.fake.git.tip("main") == bench.first


def test_what_no_gate_judged_is_not_merged_on_the_word_of_an_earlier_run(bench: Bench) -> None:
    bench.propose(NEW, auto_merge=True)
    bench.fake.received.clear()
    bench.propose(NEWER, "ungated")
    assert bench.fake.auto_merges == {}
    queries = [str(one.body["query"]) for one in bench.fake.received if one.graphql]
    names = [
        name for query in queries for name in ("disablePullRequestAutoMerge", "updateRefs") if f"{{ {name}" in query
    ]
    assert names == ["disablePullRequestAutoMerge", "updateRefs"]


def test_where_auto_merge_cannot_be_switched_off_the_branch_stays_as_it_was_judged(bench: Bench) -> None:
    done = bench.propose(NEW, auto_merge=True)
    del bench.fake.auto_merges[bench.pull["number"]]  # the list of pull requests still says that it is on
    with pytest.raises(RefusedError, match="auto-merge"):
        bench.propose(NEWER, "ungated")
    assert bench.fake.git.tip(LOCK) == done.sha


def test_auto_merge_that_somebody_else_switched_on_is_theirs(bench: Bench) -> None:
    bench.propose(NEW, auto_merge=True)
    bench.pull["auto_merge"]["enabled_by"]["login"] = "ada"
    bench.propose(NEWER, "ungated")
    assert len(bench.fake.auto_merges) == 1


def test_nothing_is_ever_merged(bench: Bench) -> None:
    bench.propose(NEW, auto_merge=True)
    bench.propose(NEWER, auto_merge=True)
    assert not [one for one in bench.fake.received if one.path.endswith(("/merge", "/merges"))]
    queries = [str(one.body["query"]) for one in bench.fake.received if one.graphql]
    assert not [query for query in queries if "mergePullRequest" in query or "mergeBranch" in query]


def test_auto_merge_that_the_repository_does_not_allow_is_an_error_after_all_else(bench: Bench) -> None:
    bench.fake.allow_auto_merge = False
    done = bench.propose(NEW, auto_merge=True)
    assert (done.status, done.url) == ("proposed", bench.pull["html_url"])
    assert isinstance(done.refused, ForgeError)
    assert "not allowed" in str(done.refused)


# What GitHub refuses


@pytest.mark.parametrize(
    ("granted", "named"),
    [
        ({"contents": "write", "pull-requests": "read"}, "pull-requests: write"),
        ({"contents": "read", "pull-requests": "write"}, "contents: write"),
    ],
)
def test_a_missing_permission_is_named(bench: Bench, granted: dict[str, str], named: str) -> None:
    bench.fake.token(TOKEN, permissions={**granted, "metadata": "read"})
    with pytest.raises(RefusedError) as caught:
        bench.propose(NEW)
    assert named in caught.value.hint


def test_the_setting_that_keeps_actions_from_opening_pull_requests_is_named(bench: Bench) -> None:
    bench.fake.actions_may_open_pulls = False
    with pytest.raises(RefusedError) as caught:
        bench.propose(NEW)
    assert "allow GitHub Actions to create and approve pull requests" in caught.value.hint
    assert bench.repository.login == ACTIONS


def test_where_there_are_no_drafts_it_is_an_ordinary_one(bench: Bench) -> None:
    no_drafts = refusal(422, "Draft pull requests are not supported in this repository.")
    bench.fake.troubles.append(Trouble("POST", no_drafts, path="/pulls"))
    assert bench.propose(NEW, "warned").status == "proposed"
    assert not bench.pull["draft"]


# Commits


ODD = ["a b.txt", 'quo"te', "tab\there", "new\nline", "ünï/cödé", "-rf", "100%", "x#y?z&w"]


@pytest.mark.parametrize("modes", [("100644",), ("100644", "100755", "120000")])
def test_files_of_any_name_content_and_mode_arrive_as_they_are(bench: Bench, modes: tuple[str, ...]) -> None:
    changes = [
        Change(path, bytes(range(256)) if mode == "100644" else b"dvc.lock", mode)
        for number, path in enumerate(ODD)
        for mode in [modes[number % len(modes)]]
    ]
    done = bench.propose_all([*changes, Change("train.py", None, proposal.GONE, "100644")])
    expected = {"dvc.lock": bench.tree(bench.first)["dvc.lock"]}
    assert bench.tree(done.sha) == {**expected, **{one.path: one.entry("0" * 40) for one in changes}}
    assert done.sha in bench.fake.signed


def test_more_files_than_one_mutation_takes_are_one_commit_all_the_same(bench: Bench) -> None:
    changes = [Change(f"plots/{number}", b"%d" % number) for number in range(101)]
    done = bench.propose_all(changes)
    assert len(bench.tree(done.sha)) == 103
    assert bench.branches.commit(done.sha).parents == (bench.first,)


def test_a_file_that_is_no_longer_executable_is_one_no_longer(bench: Bench) -> None:
    script = Change("run.sh", b"true\n", "100755")
    bench.propose_all([script])
    bench.fake.git.move("refs/heads/main", str(bench.fake.git.tip(LOCK)))
    done = bench.propose_all([Change("run.sh", b"true\n", "100644", "100755")])
    assert bench.tree(done.sha)["run.sh"].mode == "100644"


def test_a_branch_that_is_not_there_is_nowhere(bench: Bench) -> None:
    assert bench.branches.tip("retrain") == NOWHERE
    assert bench.branches.tip("main") == bench.first
