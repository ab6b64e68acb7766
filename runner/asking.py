"""What one call asks for: event, settings, gate file, head and base. On a pull request the base decides.

What a pull request changes cannot widen its own rights: on such an event the settings in the gate file, its
`baseline`, and the remote's address are those of the base commit; the gates themselves are the checkout's, because a
change of them is there for the reviewer to see.
"""

from __future__ import annotations

import logging
import time
from dataclasses import field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from runner import inputs, job, ruling, settings, triggered
from runner.asked import Asked
from runner.errors import ForgeError, GitError, Location
from runner.review import baseline
from runner.review.commit import Commit
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.forge.event import Event
    from runner.forge.slash import Command
    from runner.git import Git
    from runner.job import Actions
    from runner.review.measured import Override

    Own = dict[str, tuple[object, Location]]

logger = logging.getLogger("retrain")
ACCEPT: Final = "accept-regression"
"""The label by which somebody accepts failed gates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the command line said.

    Attributes:
        flags: options by input name.
        environ: the process's environment.
        command: the call as given, for the report.
        compares: find the commit to compare with.
        judges: read the gate file whole; otherwise only the settings in it are read.

    """

    flags: Mapping[str, str | None]
    environ: Mapping[str, str] = field(repr=False)
    command: str
    compares: bool
    judges: bool


def ask(root: Path, git: Git, said: Said) -> Asked:
    """Find out what one call asks for, in the project at `root` of a repository.

    Raises:
        NothingAsked: the event is a comment that asks for nothing, or a stranger's.

    """
    for name in inputs.unknown(said.environ):
        logger.warning("%s is no input of the runner; see `retrain --help`", name)
    actions = job.actions_of(said.environ)
    event = triggered.event_of(said.environ)
    if event.kind not in {"local", "comment"}:
        logger.info("%s: %s", event.kind, event.why)
    if event.kind != "comment" or actions is None:
        return _asked(root, git, said, event)
    from runner import heeding  # noqa: PLC0415 - few events are comments

    token = inputs.early("github-token", said.flags, said.environ)
    heard = heeding.heed(event, _github(actions, token) if token else None, actions.repository, git)
    with heard.answers():
        made = _asked(root, git, replace(said, flags=_with_command(said, heard.command)), heard.event)
    return replace(made, notes=(heard.note,), answers=heard.answers)


def _with_command(said: Said, command: Command) -> Mapping[str, str | None]:
    """Give the options with what a comment asks for: its stages in place of ours, its params beside ours."""
    params = filter(None, (inputs.early("set-param", said.flags, said.environ), *command.params))
    asked = {"set-param": "\n".join(params), "targets": "\n".join(command.stages)}
    return {**said.flags, **{name: text for name, text in asked.items() if text}}


def _asked(root: Path, git: Git, said: Said, event: Event) -> Asked:
    flags, environ = said.flags, said.environ
    actions = job.actions_of(environ)
    file, text = ruling.found(root, flags, environ)
    if event.base_remote:
        ruling.refuse_outside(git, file)
    gates, own, rule = ruling.read_gates(text, file.name, judges=said.judges)
    token = inputs.early("github-token", flags, environ)
    host = _host(actions, token)
    trusted = None
    if event.base_remote:
        trusted = baseline.choose(git, _wish(event, inputs.early("base", flags, environ)), host)
        own, rule = ruling.of_base(git, trusted, file)
    chosen = settings.resolve(flags, environ, own)
    base = trusted if rule == baseline.MERGE_BASE else None
    if base is None and said.compares:
        base = baseline.choose(git, _wish(event, chosen.base, rule), host)
    if said.compares:
        _say_base(base)
    return Asked(
        settings=chosen,
        event=event,
        environ=environ,
        gates=gates,
        head=_head(git, event, named=said.judges),
        base=base,
        remote_from=(trusted.sha if trusted else None) if event.base_remote else "",
        gone=ruling.gone(git, base, file, text or "") if said.judges else (),
        command=said.command,
        began=time.monotonic(),
        override=_override(event, actions, token),
    )


def _wish(event: Event, rev: str, rule: str = baseline.MERGE_BASE) -> baseline.Wish:
    return baseline.Wish(
        rev=rev,
        rule=rule,
        event=event.kind,
        target=event.base_ref,
        target_sha=event.base_sha,
        head_sha=event.head_sha,
        before=event.before,
    )


def _head(git: Git, event: Event, *, named: bool) -> Commit:
    """Give the candidate, with its branch's name where it is for a reader; a repository without a commit has none."""
    branch = git.branch() if named else ""
    try:
        sha = git.head()
    except GitError:
        return Commit(sha="", ref=branch)
    shown = event.head_sha or sha
    return Commit(sha=shown, ref=branch, subject=git.subject(shown) if shown == sha else "")


def _say_base(base: Commit | None) -> None:
    if base:
        logger.info("compared with %s (%s)", base.sha[:12], base.how)
    else:
        logger.warning("there is no commit to compare with; limits on the difference are unmeasured")


def _host(actions: Actions | None, token: str) -> baseline.Host:
    """Ask GitHub what git cannot say, where this job may; the client is loaded only if it is asked."""
    if actions is None or not token or not actions.repository:
        return baseline.NOBODY

    def compared(base: str, head: str) -> str | None:
        try:
            found: str | None = _github(actions, token).merge_base(base, head)
        except ForgeError as error:
            logger.warning("GitHub could not give the merge base: %s", error)
            return None
        return found

    def succeeded(branch: str) -> list[str]:
        try:
            found: list[str] = _github(actions, token).successes(actions.workflow, branch)
        except ForgeError as error:
            logger.warning("GitHub could not give the last successful run: %s", error)
            return []
        return found

    return baseline.Host(compared, succeeded if actions.workflow else None)


def _override(event: Event, actions: Actions | None, token: str) -> Callable[[], Override | None]:
    """Give what finds out whether somebody who may write accepts failed gates of this head.

    The label holds for the head at which it was set: only the event that says so tells which one that was, and from
    whom it is. GitHub is asked whether the label and the head are still there, and whether they may write.
    """

    def ask() -> Override | None:
        if event.label != ACCEPT or event.number is None or actions is None or not token:
            return None
        github = _github(actions, token)
        try:
            pull = github.pull(event.number)
            writes = github.may_write(event.actor)
        except ForgeError as error:
            logger.warning("GitHub could not say whether the label %s counts: %s", ACCEPT, error)
            return None
        if pull.head != event.head_sha or ACCEPT not in pull.labels:
            logger.warning("the label %s does not count: it, or the head it was set at, is gone", ACCEPT)
            return None
        if not writes:
            logger.warning("the label %s does not count: %s may not write here", ACCEPT, event.actor)
            return None
        from runner.review.measured import Override  # noqa: PLC0415 - most events have none

        return Override(event.actor, ACCEPT, pull.head)

    return ask


def _github(actions: Actions, token: str) -> Any:  # noqa: ANN401 - forge.repository.Repository, which is loaded when it is asked
    return import_module("runner.forge.repository").Repository(actions.api_url, actions.repository, token)
