"""The verb that trusts nothing: objects read anew, in the cache and in the remotes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import click

from runner.errors import ConfigError, Exit
from runner.options import Call, targets, verb
from runner.verbs.opened import open_project, stop_is_told
from runner.verbs.output import print_result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.engine.audit import Audit, Finding

logger = logging.getLogger("retrain")


@verb("remote", "requests")
@click.option("-c", "--cloud", is_flag=True, help="Read the objects in their remotes too: all of them are downloaded.")
@click.option(
    "--repair", is_flag=True, help="Put a good copy in the place of what is broken, from the side that has one."
)
@targets
def verify(call: Call, *, cloud: bool, repair: bool) -> int:
    """Read every object from its first byte to its last and compare it with its name.

    Exits with 4 if an object holds other bytes, or if one that the lock names is not in its remote. TARGETS: stages,
    DVC files, paths; none: everything in the cache and all that the lock names.
    """
    from runner.engine import audit  # noqa: PLC0415 - see `open_project`

    with stop_is_told(call):
        opened = open_project(call)
        event = opened.asked.event
        if repair and cloud and not event.may_push:
            message = f"nothing is sent to a remote here: {event.why}"
            raise ConfigError(message, "repair the remote from a run that is trusted, or leave --cloud out")
        done = audit.verify(opened.project, opened.asked.settings.targets, remotes=cloud, repair=repair)
        opened.close()
    print_result(call, lambda: _data(done), lambda: _lines(done))
    say(done.findings)
    return Exit.HELD if done.is_good else Exit.REMOTE


def say(findings: Iterable[Finding]) -> None:
    """Log what was found, each with what it is needed for."""
    for finding in findings:
        needed = f" (needed for {finding.path})" if finding.path else ""
        if finding.repaired:
            logger.warning("repaired in the %s: %s%s", finding.side, finding.why, needed)
        else:
            logger.error("%s in the %s: %s%s", finding.state, finding.side, finding.why, needed)


def findings_data(findings: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    """Give findings for JSON, one by one."""
    names = ("side", "name", "state", "path", "why", "repaired")
    return ({name: getattr(finding, name) for name in names} for finding in findings)


def _data(done: Audit) -> dict[str, Any]:
    sides = {"cache": done.cache, "remote": done.remote}
    read = {side: {"objects": moved.objects, "bytes": moved.bytes} for side, moved in sides.items()}
    return {**read, "findings": findings_data(done.findings)}


def _lines(done: Audit) -> list[str]:
    from runner.review import words  # noqa: PLC0415 - see `open_project`

    lines = [
        f"{side}: {words.count(moved.objects, 'object')} good, {words.size(moved.bytes)}"
        for side, moved in (("cache", done.cache), ("remote", done.remote))
        if side == "cache" or moved.objects or moved.failed
    ]
    mended = sum(finding.repaired for finding in done.findings)
    wrong = len(done.findings) - mended
    return [*lines, f"{wrong} wrong, {mended} repaired" if done.findings else "nothing is wrong"]
