"""The kinds of run, and what each may do: the one table, which docs/events.md shows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal[
    "pull-request", "fork", "pull-request-target", "push", "schedule", "dispatch", "merge-group", "release",
    "workflow-run", "workflow-run-of-stranger", "comment", "command", "command-on-fork", "local", "other",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a kind of run may do; one row of the table in docs/events.md.

    Attributes:
        trusted: somebody with write access wrote or reviewed the code that runs.
        may_run: run stages; `plan` and `gate` are always allowed.
        may_push: write objects and past runs to the remote.
        may_comment: write on the pull request.
        may_propose: commit what a run wrote, or propose it in a pull request of its own.
        base_remote: the remote and its options are read from the base commit, so that a pull request
            cannot send credentials elsewhere.
        why: the row in one sentence, for the log.

    """

    trusted: bool
    may_run: bool
    may_push: bool
    may_comment: bool
    may_propose: bool
    base_remote: bool
    why: str

    @property
    def beside_secrets(self) -> bool:
        """Whether a stranger's code may lie in the checkout of a job whose token may write: it is to decide nothing."""
        return self.may_comment and not self.trusted


def _rights(allowed: str, why: str) -> Rights:
    words = frozenset(allowed.split())
    return Rights(
        trusted="trusted" in words,
        may_run="run" in words,
        may_push="push" in words,
        may_comment="comment" in words,
        may_propose="propose" in words,
        base_remote="base-remote" in words,
        why=why,
    )


RIGHTS: Final[Mapping[Kind, Rights]] = {
    "pull-request": _rights(
        "trusted run push comment propose base-remote",
        "a pull request from this repository: written by somebody who may write here",
    ),
    "fork": _rights(
        "run base-remote",
        "a stranger's code: no secrets, no push, no comment; the report is in the step summary",
    ),
    "pull-request-target": _rights(
        "comment base-remote",
        "pull_request_target puts a stranger's code beside secrets: no stage is run; use pull_request instead",
    ),
    "push": _rights("trusted run push comment propose", "a push: reviewed code"),
    "schedule": _rights("trusted run push comment propose", "a schedule: the default branch's code"),
    "dispatch": _rights(
        "trusted run push comment propose", "started by hand or by API, by somebody who may write here"
    ),
    "merge-group": _rights("trusted run push comment", "the merge queue: approved code"),
    "release": _rights("trusted run push comment", "a release, made by somebody who may write here"),
    "workflow-run": _rights("trusted run push comment propose", "a workflow that follows a run of reviewed code"),
    "workflow-run-of-stranger": _rights(
        "comment", "a workflow that follows a stranger's: its results are data, no stage is run"
    ),
    "comment": _rights("", "a comment, which anybody may write: nothing is done"),
    "command": _rights(
        "trusted run push comment propose base-remote",
        "asked for in a comment by somebody who may write here, on a pull request from this repository",
    ),
    "command-on-fork": _rights(
        "comment base-remote",
        "asked for on a stranger's pull request, and a comment's job has secrets: no stage is run; start the pull"
        " request's own run again, which has none",
    ),
    "local": _rights("trusted run push", "no event: a laptop or another CI"),
    "other": _rights("run", "an event the runner does not know: nothing is kept and nothing is posted"),
}

BY_DEPENDABOT: Final = _rights("run base-remote", "started by Dependabot, which GitHub gives no secrets: as a fork")
"""The rights of a fork, for code that lies here."""
