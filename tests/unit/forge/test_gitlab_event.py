"""What GitLab's variables say of a pipeline: the kind of run, and so what it may do."""

from __future__ import annotations

import pytest

from runner import job
from runner.forge.gitlab_event import classify, name
from runner.forge.rights import RIGHTS

SHA, PARTED, TIP = "a" * 40, "b" * 40, "c" * 40
REQUEST = {
    "CI_COMMIT_SHA": SHA,
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_PROJECT_ID": "1",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "change",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": PARTED,
}


@pytest.mark.parametrize(
    ("source", "kind", "when"),
    [
        ("push", "push", "push"),
        ("schedule", "schedule", "schedule"),
        ("web", "dispatch", "workflow_dispatch"),
        ("api", "dispatch", "workflow_dispatch"),
        ("trigger", "dispatch", "workflow_dispatch"),
        ("pipeline", "dispatch", "workflow_dispatch"),
        ("external_pull_request_event", "other", ""),
        ("ondemand_dast_scan", "other", ""),
        ("", "other", ""),
    ],
)
def test_a_pipeline_without_a_merge_request_is_what_started_it(source: str, kind: str, when: str) -> None:
    event = classify({"CI_PIPELINE_SOURCE": source, "CI_COMMIT_SHA": SHA, "CI_COMMIT_BRANCH": "main"})
    assert (event.kind, event.rights, event.number) == (kind, RIGHTS[event.kind], None)
    assert name(event.kind) == when


def test_a_members_merge_request_is_compared_with_where_it_parted_or_with_what_gitlab_merged_it_into() -> None:
    event = classify(REQUEST)
    assert (event.kind, event.number, event.head_sha, event.base_sha) == ("pull-request", 7, SHA, PARTED)
    merged = classify(
        {**REQUEST, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "d" * 40, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": TIP}
    )
    assert (merged.sha, merged.head_sha, merged.base_sha) == (SHA, "d" * 40, TIP)


@pytest.mark.parametrize("source", ["2", ""])
def test_a_merge_request_from_elsewhere_is_a_strangers_in_whichever_project_it_runs(source: str) -> None:
    event = classify({**REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source, "CI_PROJECT_ID": source})
    assert event.kind == "fork"
    assert not event.may_push
    assert not event.may_comment
    train = classify(
        {**REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source, "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"}
    )
    assert train.kind == "fork"


def test_a_merge_train_is_the_merge_queue() -> None:
    assert classify({**REQUEST, "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"}).kind == "merge-group"


def test_a_new_branch_has_nothing_before_it() -> None:
    pushed = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_SHA": SHA, "CI_COMMIT_BRANCH": "main"}
    assert classify({**pushed, "CI_COMMIT_BEFORE_SHA": "0" * 40}).before == ""
    assert classify({**pushed, "CI_COMMIT_BEFORE_SHA": PARTED}).before == PARTED


def test_no_credential_is_among_the_variables_that_are_kept() -> None:
    given = {
        "GITLAB_CI": "true",
        "CI_JOB_TOKEN": "x",
        "CI_REGISTRY_PASSWORD": "x",
        "CI_JOB_JWT": "x",
        "CI_PROJECT_ID": "1",
    }
    assert job.gitlab_of(given) == {"CI_PROJECT_ID": "1"}
    assert job.gitlab_of({**given, "GITHUB_ACTIONS": "true"}) is None
