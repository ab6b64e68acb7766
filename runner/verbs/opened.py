"""How a verb opens its project, and how it tells that it was stopped before it had a report."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from runner.errors import NothingAsked
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.forge.protocol import Forge
    from runner.live import Live
    from runner.opening import Opened
    from runner.options import Call
    from runner.store.meter import Meter

WORKSPACE: Final = "workspace"
"""What DVC calls the working tree where a revision is asked for."""


def open_project(call: Call, *, compares: bool = False) -> Opened:
    """Open the project. Modules are imported as verbs need them: `--help` must not wait for a parser of YAML."""
    from runner import opening  # noqa: PLC0415

    return opening.open_call(call.flags, call.environ, call.command, compares=compares, judges=False, meter=meter(call))


def meter(call: Call) -> Meter | None:
    """Give what shows how far a verb is: live on a terminal, by lines in a log, not at all where less is to be said."""
    if call.verbosity < 0:
        return None
    from runner.progress import Progress  # noqa: PLC0415 - see `open_project`

    environ = call.environ
    lives = sys.stderr.isatty() and environ.get("TERM") != "dumb" and environ.get("GITHUB_ACTIONS") != "true"
    return Progress(sys.stderr if lives else None)


@dataclass
class Stop:
    """How far a verb came: what it has begun to post, if anything."""

    live: Live | None = None


@contextmanager
def stop_is_told(call: Call, *, writes: bool = False) -> Iterator[Stop]:
    """Tell a GitHub job, and the report files of a verb that `writes` them, of an error that no report holds."""
    stop = Stop()
    try:
        yield stop
    except NothingAsked as end:
        from runner import hosting, telling  # noqa: PLC0415 - see `open_project`

        telling.ignored(end, hosting.step(call.environ))
        raise
    except Exception as error:
        from runner import filing, locating, telling  # noqa: PLC0415 - see `open_project`

        prefix = locating.folder(call.flags, call.environ) if call.in_actions else ""
        folder = filing.named_folder(call.flags, call.environ) if writes else None
        telling.stopped(error, call.environ, call.command, folder, _host(call, stop, writes=writes), prefix)
        raise


def _host(call: Call, stop: Stop, *, writes: bool) -> Forge:
    """Give the host as far as the verb would have used it: those that write no report post nothing either."""
    from runner import hosting  # noqa: PLC0415 - see `open_project`

    if stop.live:
        return stop.live.finished()
    return hosting.early(call.flags, call.environ) if writes else hosting.step(call.environ)
