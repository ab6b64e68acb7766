"""The verb that removes what nothing names any more. It says what would go first, and is told to go on."""

from __future__ import annotations

import logging
import math
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from runner import units
from runner.errors import ConfigError, Exit
from runner.options import Call, listed, revisions, verb
from runner.verbs.opened import open_project, stop_is_told
from runner.verbs.output import print_result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.engine.garbage import Garbage, Wish
    from runner.engine.tracked import Scope

logger = logging.getLogger("retrain")


def _kept(function: Callable[..., int]) -> Callable[..., int]:
    """Take what is to be kept beside the working tree, as DVC's `gc` does."""
    for option in (
        click.option("--skip-failed", is_flag=True, help="Let go of what cannot be read: old commits, lost listings."),
        click.option("--not-in-remote", is_flag=True, help="Keep only what the remote does not hold."),
        click.option("--date", "since", metavar="YYYY-MM-DD", default="", help="Keep commits of that day and later."),
        click.option("--all-experiments", "experiments", is_flag=True, help="Keep DVC's experiments."),
        click.option("-n", "--num", type=int, default=1, metavar="N", help="That many commits of REV and branches."),
        click.option("--rev", metavar="REV", default="", help="Keep this commit."),
        click.option("-w", "--workspace", is_flag=True, help="Keep the working tree; always done."),
    ):
        function = option(function)
    return function


@verb("remote", "jobs")
@_kept
@revisions
@click.option("-c", "--cloud", is_flag=True, help="Remove from the remotes too.")
@click.option(
    "--grace",
    metavar="DURATION",
    default="2 h",
    help="With --cloud: keep what came less than this ago, for pushes under way (2 h); 0: keep nothing for that.",
)
@listed("-p", "--projects", metavar="DIRS", help="Keep what these projects name too; they share the cache.")
@click.option("-f", "--force", is_flag=True, help="Remove without asking.")
@click.option("--dry", is_flag=True, help="Say what would go, and remove nothing.")
def gc(call: Call, *, projects: Sequence[str], force: bool, dry: bool, **asked: Any) -> int:  # noqa: ANN401 - DVC's flags
    """Remove objects that nothing names any more from the cache, and with --cloud from the remotes.

    What is to be kept has to be said: at least one of -w, -a, -T, -A, --rev, --date, --all-experiments. Without --force
    it says what would go, asks on a terminal, and elsewhere removes nothing and exits with 2.
    """
    from runner.engine import garbage  # noqa: PLC0415 - see `open_project`

    with stop_is_told(call):
        wish = _wish(call, **asked)
        opened = open_project(call)
        if wish.remotes and not dry and not opened.asked.event.may_push:
            message = f"nothing is removed from a remote here: {opened.asked.event.why}"
            raise ConfigError(message, "remove from a run that is trusted, or leave --cloud out")
        others = [open_project(_elsewhere(call, folder)) for folder in projects]
        near = [other.project for other in others]
        if dry:
            for project in (opened.project, *near):
                project.cache.only_looks = True
            found, done = garbage.find(opened.project, near, wish), False
        else:
            with garbage.alone(opened.project, near):
                found = garbage.find(opened.project, near, wish)
                done = _may_go(found, force=force)
                if done:
                    garbage.remove(opened.project, found)
        for each in (opened, *others):
            each.close()
    return _told(call, found, done=done, asked=not dry)


def _wish(call: Call, *, scope: Scope, workspace: bool, cloud: bool, not_in_remote: bool, **asked: Any) -> Wish:  # noqa: ANN401 - DVC's flags
    from runner.engine.garbage import Wish  # noqa: PLC0415 - see `open_project`
    from runner.engine.span import Span  # noqa: PLC0415 - as above

    skip_failed, before = asked.pop("skip_failed"), _before(asked.pop("grace"))
    span = Span(scope.branches, scope.tags, scope.commits, **asked)
    if not (workspace or scope or span.rev or span.since or span.experiments):
        message = "what is to be kept has to be said"
        raise ConfigError(message, "-w keeps what the working tree names, -a also all branches, -A all commits")
    if span.num != 1 and not (span.rev or span.branches):
        message = "--num counts commits of --rev or of --all-branches"
        raise ConfigError(message, "add one of them")
    if cloud and not_in_remote:
        message = "--not-in-remote and --cloud exclude each other"
        raise ConfigError(message, "what only the remote keeps must not be removed there")
    if call.flags.get("remote") and not (cloud or not_in_remote):
        message = "--remote needs --cloud or --not-in-remote"
        raise ConfigError(message, "add one of them, or leave it out")
    return Wish(span, not_in_remote=not_in_remote, remotes=cloud, skip_failed=skip_failed, before=before)


def _before(grace: str) -> float:
    """Give the moment since when what came into a remote is kept."""
    try:
        return math.inf if grace.strip() == "0" else time.time() - units.seconds(grace)
    except ValueError as error:
        message = f"--grace {grace!r} is not {error}"
        raise ConfigError(message, "for instance --grace '30 min'") from error


def _elsewhere(call: Call, folder: str) -> Call:
    return replace(call, flags={**call.flags, "working-directory": folder})


def _may_go(found: Garbage, *, force: bool) -> bool:
    """Whether to go on: there is something, and somebody says so."""
    if force or found.is_nothing:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    for line in _lines(found, "to remove"):
        click.echo(line, err=True)
    return click.confirm("Remove it for good?", err=True)


def _told(call: Call, found: Garbage, *, done: bool, asked: bool) -> int:
    print_result(call, lambda: _data(found, done=done), lambda: _lines(found, "removed" if done else "to remove"))
    for heap in found.heaps:
        for name in heap.names:
            logger.debug("%s %s from %s", "removed" if done else "would remove", name.key, heap.place)
    if asked and not done:
        logger.error("nothing was removed; --force removes it without asking, --dry only looks")
        return Exit.CONFIG
    return Exit.HELD


def _data(found: Garbage, *, done: bool) -> dict[str, Any]:
    heaps = [
        {"place": heap.place, "objects": len(heap.names), "bytes": heap.bytes, "kept": heap.kept, "late": heap.late}
        for heap in found.heaps
    ]
    rest = {"quarantined": len(found.quarantined), "leftovers": len(found.leftovers)}
    return {"removed": done, "cache": heaps[0], "remotes": heaps[1:], **rest}


def _lines(found: Garbage, word: str) -> list[str]:
    from runner.review import words  # noqa: PLC0415 - see `open_project`

    lines = [
        f"{heap.place}: {words.count(len(heap.names), 'object')} {word}, {words.size(heap.bytes)}; {heap.kept} kept"
        + (f", {heap.late} of them because they came lately (--grace)" if heap.late else "")
        for heap in found.heaps
    ]
    if found.quarantined:
        lines.append(f"{words.count(len(found.quarantined), 'broken object')} in quarantine {word}")
    if found.leftovers:
        lines.append(f"{words.count(len(found.leftovers), 'half-written file')} of killed runs {word}")
    return lines
