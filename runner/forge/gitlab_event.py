"""What kind of run a GitLab pipeline is, by the same rows as GitHub's events. Pure.

https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.forge.event import Event
from runner.forge.rights import RIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.forge.rights import Kind

_KINDS: Final[Mapping[str, Kind]] = {
    "push": "push",
    "schedule": "schedule",
    "web": "dispatch",
    "api": "dispatch",
    "trigger": "dispatch",
    "chat": "dispatch",
    "pipeline": "dispatch",
}
_NAMES: Final[Mapping[Kind, str]] = {
    "pull-request": "pull_request",
    "fork": "pull_request",
    "merge-group": "merge_group",
    "push": "push",
    "schedule": "schedule",
    "dispatch": "workflow_dispatch",
}
_NO_COMMIT: Final = "0" * 40


def classify(variables: Mapping[str, str]) -> Event:
    """Say what kind of run this is.

    Args:
        variables: GitLab's `CI_*`; what is absent gives no rights.

    """
    if variables.get("CI_MERGE_REQUEST_IID"):
        return _of_merge_request(variables)
    sha, source = variables.get("CI_COMMIT_SHA", ""), variables.get("CI_PIPELINE_SOURCE", "")
    kind = _KINDS.get(source, "other")
    branch, before = variables.get("CI_COMMIT_BRANCH", ""), variables.get("CI_COMMIT_BEFORE_SHA", "")
    return Event(
        kind=kind,
        rights=RIGHTS[kind],
        sha=sha,
        head_sha=sha,
        base_ref=branch if kind == "push" else "",
        before=before if kind == "push" and before != _NO_COMMIT else "",
        branch=branch,
    )


def name(kind: Kind) -> str:
    """Give the name that `when` of a gate has for it, which is GitHub's of the same thing; empty: it has none."""
    return _NAMES.get(kind, "")


def _of_merge_request(variables: Mapping[str, str]) -> Event:
    """Tell a member's merge request from a stranger's: where its source branch lies decides, wherever it is run."""
    source, target = variables.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), variables.get("CI_MERGE_REQUEST_PROJECT_ID")
    kind: Kind = "pull-request" if source and source == target else "fork"
    if kind == "pull-request" and variables.get("CI_MERGE_REQUEST_EVENT_TYPE") == "merge_train":
        kind = "merge-group"
    sha, number = variables.get("CI_COMMIT_SHA", ""), variables["CI_MERGE_REQUEST_IID"]
    parted = variables.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    return Event(
        kind=kind,
        rights=RIGHTS[kind],
        number=int(number) if number.isdigit() else None,
        sha=sha,
        head_sha=variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or sha,
        base_ref=variables.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""),
        base_sha=variables.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA") or parted,
        branch=variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "") if kind == "pull-request" else "",
    )
