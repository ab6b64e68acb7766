"""The verbs that move data between remote, cache and workspace."""

from __future__ import annotations

import logging

import click

from runner.errors import ConfigError, Exit
from runner.options import Call, targets, verb
from runner.verbs.opened import open_project, stop_is_told
from runner.verbs.output import print_result

logger = logging.getLogger("retrain")


@verb("remote", "jobs")
@targets
def pull(call: Call) -> int:
    """Fetch outs from the remote, verified, and put them in place. TARGETS: stages, DVC files, paths; none: all."""
    return _exchange(call, "pull")


@verb("remote", "jobs")
@targets
def push(call: Call) -> int:
    """Send outs and past runs to the remote, and prove them there. TARGETS: stages, DVC files, paths; none: all."""
    return _exchange(call, "push")


@verb("jobs")
@click.option(
    "--rev", metavar="REV", default="", help="Branch, tag or commit that imports from git follow from now on."
)
@click.option("--no-download", is_flag=True, help="Record what the sources hold, and leave the data there.")
@targets
def update(call: Call, *, rev: str, no_download: bool) -> int:
    """Ask the sources of imports, and take in what changed. TARGETS: .dvc files of imports; none: every import.

    A source that did not change costs one request. Its import is left as it is.
    """
    from runner import printing  # noqa: PLC0415 - see `open_project`
    from runner.engine import updating  # noqa: PLC0415

    with stop_is_told(call):
        opened = open_project(call)
        done = updating.update(opened.project, opened.asked.settings.targets, rev, download=not no_download)
        opened.close()
    print_result(call, lambda: printing.updates_data(done), lambda: printing.updates_lines(done))
    errors = [one.error for one in done if one.error]
    for error in errors:
        logger.error("%s", error)
    return errors[0].exit_code if errors else Exit.HELD


def _exchange(call: Call, verb: str) -> int:
    from runner import printing  # noqa: PLC0415 - see `open_project`
    from runner.engine import exchange  # noqa: PLC0415

    with stop_is_told(call):
        opened = open_project(call)
        if verb == "push" and not opened.asked.event.may_push:
            message = f"nothing is pushed here: {opened.asked.event.why}"
            raise ConfigError(message, "push from a run that is trusted")
        moved = getattr(exchange, verb)(opened.project, opened.asked.settings.targets)
        opened.close()
    print_result(call, lambda: printing.moved_data(moved), lambda: printing.moved_lines(verb, moved))
    for failure in moved.failed:
        logger.error("%s", failure.error)
    return Exit.REMOTE if moved.failed else Exit.HELD
