"""The first of two runs on a stranger's pull request: what GitHub says of it to the one that follows. Pure.

`workflow_run` carries facts of GitHub's own, but names no pull request where the head lies in a fork.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_PULL_REQUESTS: Final = frozenset({"pull_request", "pull_request_target"})
_READS_ONLY: Final = "dependabot[bot]"
"""Whose runs GitHub gives a token that writes nothing, though the branch is in this repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    """A run of a workflow that has ended.

    Attributes:
        number: its id; later runs have higher ones.
        attempt: counted from 1.
        url: its page.
        head_sha: the commit it was about.
        head_branch: that commit's branch, in the repository `head`.
        head: `owner/name`; empty where the fork is gone.
        could_comment: whether it could write on its pull request itself.

    """

    number: int
    attempt: int
    url: str
    head_sha: str
    head_branch: str
    head: str
    could_comment: bool


def first_run(payload: Mapping[str, object], repository: str) -> FirstRun | None:
    """Read the payload of `workflow_run`; `None` where it tells of no pull request's run.

    https://docs.github.com/webhooks/webhook-events-and-payloads#workflow_run
    """
    match payload:
        case {"workflow_run": {"id": int(number), "event": str(event), "head_sha": str(sha), **more}}:
            if event not in _OF_PULL_REQUESTS:
                return None
            head = _text(more.get("head_repository"), "full_name")
            return FirstRun(
                number=number,
                attempt=_count(more.get("run_attempt")),
                url=_text(more, "html_url"),
                head_sha=sha,
                head_branch=_text(more, "head_branch"),
                head=head,
                could_comment=head.lower() == repository.lower() and _text(more.get("actor"), "login") != _READS_ONLY,
            )
    return None


def _text(mapping: Any, key: str) -> str:  # noqa: ANN401 - part of a payload, of any shape
    found = mapping.get(key) if isinstance(mapping, dict) else None
    return found if isinstance(found, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 1
