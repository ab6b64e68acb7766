"""Which rights follow from which event: the table, GitHub's own examples, and payloads that lie or lack."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.forge.event import Comment, Event, Pull, classify, commanded
from runner.forge.rights import RIGHTS
from tests.support import events

OURS = "Codertocat/Hello-World"
SHA = "1" * 40
HEAD = "2" * 40
BASE = "3" * 40
DEPENDABOT = {"sender": {"login": "dependabot[bot]"}}


def event(name: str, payload: dict[str, Any] | None = None, ref: str = "refs/heads/main") -> Event:
    return classify(name, payload or {}, sha=SHA, ref=ref, repository=OURS)


def opened(**changes: Any) -> dict[str, Any]:
    return events.pull_request(repository=OURS, number=7, head=HEAD, base=BASE) | changes


def workflow_run(first: str, repository: str | None, actor: str = "octocat") -> dict[str, Any]:
    head = {"full_name": repository} if repository else None
    return {"workflow_run": {"event": first, "head_repository": head, "head_sha": HEAD, "actor": {"login": actor}}}


@pytest.mark.parametrize(
    ("name", "payload", "kind", "allowed"),
    [
        ("", {}, "local", "trusted run push"),
        ("push", {"before": HEAD}, "push", "trusted run push propose"),
        ("push", DEPENDABOT, "push", "run base-remote"),
        ("schedule", {"schedule": "0 4 * * 1"}, "schedule", "trusted run push propose"),
        ("workflow_dispatch", {}, "dispatch", "trusted run push propose"),
        ("repository_dispatch", {}, "dispatch", "trusted run push propose"),
        ("merge_group", {}, "merge-group", "trusted run push"),
        ("release", {}, "release", "trusted run push"),
        ("pull_request", {}, "fork", "run base-remote"),
        ("pull_request_review", {}, "fork", "run base-remote"),
        ("pull_request_target", {}, "pull-request-target", "base-remote"),
        ("workflow_run", workflow_run("push", OURS), "workflow-run", "trusted run push propose"),
        ("workflow_run", workflow_run("schedule", OURS.upper()), "workflow-run", "trusted run push propose"),
        ("workflow_run", workflow_run("pull_request", OURS), "workflow-run-of-stranger", ""),
        ("workflow_run", workflow_run("pull_request_target", OURS), "workflow-run-of-stranger", ""),
        ("workflow_run", workflow_run("push", "someone/else"), "workflow-run-of-stranger", ""),
        ("workflow_run", workflow_run("push", OURS, "dependabot[bot]"), "workflow-run-of-stranger", ""),
        ("workflow_run", workflow_run("push", None), "workflow-run-of-stranger", ""),
        ("workflow_run", {}, "workflow-run-of-stranger", ""),
        ("issue_comment", {"issue": {"number": 7}}, "comment", ""),
        ("issue_comment", {"issue": {"number": 7, "pull_request": {"url": "x"}}}, "comment", ""),
        ("watch", {}, "other", "run"),
        ("an-event-of-the-future", {}, "other", "run"),
    ],
)
def test_each_event_has_the_rights_of_its_row(name: str, payload: dict[str, Any], kind: str, allowed: str) -> None:
    found = event(name, payload)
    assert (found.kind, granted(found)) == (kind, set(allowed.split()))
    assert found.why


def granted(found: Event) -> set[str]:
    rights = {
        "trusted": found.trusted,
        "run": found.may_run,
        "push": found.may_push,
        "comment": found.may_comment,
        "propose": found.may_propose,
        "base-remote": found.base_remote,
    }
    return {word for word, given_ in rights.items() if given_}


def test_a_writers_pull_request_may_everything_and_says_where_it_is() -> None:
    found = event("pull_request", opened(), "refs/pull/7/merge")
    assert granted(found) == {"trusted", "run", "push", "comment", "propose", "base-remote"}
    assert (found.kind, found.number, found.sha, found.head_sha) == ("pull-request", 7, SHA, HEAD)
    assert (found.base_ref, found.base_sha) == ("main", BASE)


@pytest.mark.parametrize("fork", ["stranger/Hello-World", None])
def test_a_forks_pull_request_runs_without_secrets_and_keeps_nothing(fork: str | None) -> None:
    found = event("pull_request", events.from_fork(opened(), fork))
    assert (found.kind, granted(found)) == ("fork", {"run", "base-remote"})
    assert found.number == 7


def test_dependabot_is_treated_as_a_fork() -> None:
    found = event("pull_request", opened(**DEPENDABOT))
    assert (found.kind, granted(found)) == ("fork", {"run", "base-remote"})
    assert "Dependabot" in found.why


@pytest.mark.parametrize("fork", [OURS, "stranger/Hello-World", None])
def test_no_stage_runs_under_pull_request_target_whoever_wrote_it(fork: str | None) -> None:
    payload = events.from_fork(opened(), fork)
    for changed in (payload, payload | DEPENDABOT):
        found = event("pull_request_target", changed)
        assert (found.kind, granted(found)) == ("pull-request-target", {"comment", "base-remote"})


@pytest.mark.parametrize(("before", "expected"), [("0" * 40, ""), (BASE, BASE)])
def test_a_new_branch_has_no_commit_before(before: str, expected: str) -> None:
    found = event("push", {"before": before}, "refs/heads/feature/x")
    assert (found.before, found.base_ref, found.head_sha) == (expected, "feature/x", SHA)


def test_a_tag_has_no_branch_to_compare_with_nor_to_propose_a_lock_for() -> None:
    found = event("push", {}, "refs/tags/v1")
    assert (found.base_ref, found.branch, found.may_propose) == ("", "", False)


@pytest.mark.parametrize(("fork", "branch"), [(OURS, "changes"), ("stranger/Hello-World", "")])
def test_a_lock_is_meant_for_the_branch_whose_code_runs_if_it_is_ours(fork: str, branch: str) -> None:
    assert event("pull_request", events.from_fork(opened(), fork), "refs/pull/7/merge").branch == branch
    assert event("schedule", {}, "refs/heads/main").branch == "main"


def test_a_merge_group_is_compared_with_its_queues_base() -> None:
    (example, *_) = events.examples("merge_group")
    found = event("merge_group", example)
    group = example["merge_group"]
    assert (found.head_sha, found.base_sha, found.base_ref) == (group["head_sha"], group["base_sha"], "main")


# What may come of each event of GitHub's that is in the table; everything else is `other`.
OUTCOMES: dict[str, set[str]] = {
    "issue_comment": {"comment"},
    "merge_group": {"merge-group"},
    "pull_request": {"pull-request", "fork"},
    "pull_request_review": {"pull-request", "fork"},
    "pull_request_review_comment": {"pull-request", "fork"},
    "push": {"push"},
    "release": {"release"},
    "repository_dispatch": {"dispatch"},
    "workflow_dispatch": {"dispatch"},
    "workflow_run": {"workflow-run", "workflow-run-of-stranger"},
}


@pytest.mark.parametrize("name", events.names())
def test_every_example_of_every_event_is_classified_and_what_is_unknown_gets_the_least(name: str) -> None:
    for example in events.examples(name):
        found = event(name, example)
        assert found.kind in OUTCOMES.get(name, {"other"})
        assert found.rights in RIGHTS.values()
        if name not in OUTCOMES:
            assert granted(found) == {"run"}
        if name.startswith("pull_request") and name in OUTCOMES:
            assert (found.kind, found.number) == ("pull-request", example["pull_request"]["number"])
            assert found.head_sha == example["pull_request"]["head"]["sha"]


@pytest.mark.parametrize("action", ["opened", "synchronize", "reopened", "labeled"])
@pytest.mark.parametrize("checkout", ["merge", "head"])
def test_a_pull_request_is_one_whatever_was_done_to_it_and_whichever_of_its_commits_is_checked_out(
    action: str, checkout: str
) -> None:
    payload = events.pull_request(action=action, repository=OURS, number=7, head=HEAD, base=BASE)
    sha = {"merge": SHA, "head": HEAD}[checkout]
    found = classify("pull_request", payload, sha=sha, ref=f"refs/pull/7/{checkout}", repository=OURS)
    assert (found.kind, found.sha, found.head_sha, found.base_sha) == ("pull-request", sha, HEAD, BASE)
    assert (found.label, found.actor) == (
        (payload["label"]["name"], payload["sender"]["login"]) if action == "labeled" else ("", "")
    )


def commented(body: str = "/retrain", action: str = "created") -> dict[str, Any]:
    made = events.comment(body, repository=OURS, number=7, identity=5, author="octocat", at="2026-01-01T00:00:00Z")
    return made | {"action": action}


@pytest.mark.parametrize(("action", "is_new"), [("created", True), ("edited", False), ("deleted", False)])
def test_a_comment_alone_gives_no_rights_and_keeps_what_was_said(action: str, *, is_new: bool) -> None:
    found = event("issue_comment", commented(action=action))
    assert (found.kind, found.number, granted(found)) == ("comment", 7, set())
    at = "2026-01-01T00:00:00Z"
    assert found.comment == Comment(id=5, author="octocat", body="/retrain", at=at, is_new=is_new)


def pulled(repository: str) -> Pull:
    return Pull(
        number=7, is_open=True, head=HEAD, branch="topic", repository=repository, base_ref="main", base_sha=BASE
    )


def test_a_writers_command_runs_the_head_with_the_rights_of_its_pull_request() -> None:
    found = commanded(event("issue_comment", commented()), pulled(OURS), OURS)
    assert granted(found) == granted(event("pull_request", opened()))
    assert (found.kind, found.sha, found.head_sha, found.actor) == ("command", HEAD, HEAD, "octocat")
    assert (found.number, found.branch, found.base_ref, found.base_sha) == (7, "topic", "main", BASE)


@pytest.mark.parametrize("fork", ["mallory/Hello-World", ""])
def test_no_command_runs_a_strangers_code_beside_secrets(fork: str) -> None:
    found = commanded(event("issue_comment", commented()), pulled(fork), OURS)
    assert (found.kind, granted(found), found.branch) == ("command-on-fork", {"comment", "base-remote"}, "")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["head", "repo", "number"]), inner),
    max_leaves=5,
)
KEYS = st.sampled_from(["pull_request", "issue", "workflow_run", "merge_group", "sender", "before"])


@given(st.sampled_from(["pull_request", "push", "merge_group", "workflow_run", "issue_comment"]), st.data())
def test_a_payload_of_any_shape_is_classified_and_never_trusted_as_a_pull_request(
    name: str, data: st.DataObject
) -> None:
    payload = data.draw(st.dictionaries(KEYS, ANYTHING))
    found = event(name, payload)
    assert found.kind != "pull-request"
    assert not (found.may_comment and found.number is None)


def paths(document: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Give every place in a document."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        inner = list(document.items())
    elif isinstance(document, list):
        inner = list(enumerate(document))
    return [path, *(place for key, part in inner for place in paths(part, (*path, key)))]


@given(st.sampled_from(sorted({*OUTCOMES, "pull_request_target", "watch", "issues", "schedule"})), st.data())
def test_a_payload_that_was_tampered_with_gets_no_more_than_its_event(name: str, data: st.DataObject) -> None:
    examples = events.examples(name) if name in events.names() else [opened()]
    payload = data.draw(st.sampled_from(examples))
    for _ in range(data.draw(st.integers(1, 4))):
        *way, last = data.draw(st.sampled_from(paths(payload)[1:]))
        place: Any = payload
        for key in way:
            place = place[key]
        place[last] = data.draw(ANYTHING)
    found = event(name, payload)
    allowed = {"pull_request_target": {"pull-request-target"}, "schedule": {"schedule"}, **OUTCOMES}
    assert found.kind in allowed.get(name, {"other"})
    if found.kind == "pull-request":
        assert payload["pull_request"]["head"]["repo"]["full_name"].lower() == OURS.lower()
    if found.kind == "workflow-run":
        assert payload["workflow_run"]["head_repository"]["full_name"].lower() == OURS.lower()
    assert not (found.may_comment and found.number is None)
    assert not (found.may_propose and not found.branch)
