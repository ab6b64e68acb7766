"""The door: signals, which verbs there are, and the one place where errors become exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from runner import __version__, log
from runner.errors import Exit, Interrupted, NothingAsked, RunnerError
from runner.options import EPILOG, OPTIONS, Call
from runner.verbs.output import discard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

logger = logging.getLogger("retrain")

ABOUT: Final = """Retrain models in CI and decide whether they may be merged.

\b
A first look, in a repository with a dvc.yaml:
  retrain plan        which stages are stale, why, and what would be pulled
  retrain run         pull what is needed, run it, judge the gates, push, report"""


VERBS: Final = {
    "plan": "walk",
    "run": "walk",
    "repro": "walk",
    "gate": "walk",
    "report": "walk",
    "pull": "data",
    "push": "data",
    "fetch": "data",
    "checkout": "data",
    "update": "data",
    "verify": "verify",
    "gc": "garbage",
    "status": "inspect",
    "diff": "inspect",
    "metrics": "compare",
    "params": "compare",
    "dag": "inspect",
    "stages": "listing",
    "lint": "lint",
    "migrate": "migrate",
}
"""Every verb, and the module of `runner.verbs` that holds it as a function of that name."""


def start(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command line; give the exit code.

    Args:
        argv: arguments without the program's name.
        environ: the process's environment.

    """
    call = Call(environ, argv)
    call.log_to_stderr()
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        code = main.main(args=list(argv), prog_name="retrain", standalone_mode=False, obj=call)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        return _usage(error)
    except RunnerError as error:
        return _told(error, call)
    except SystemExit:  # click makes it of a broken pipe: nobody reads the log any more, so the run is given up
        discard(sys.stdout)
        discard(sys.stderr)
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a message and an exit code
        from runner.store import disk  # noqa: PLC0415 - `--help` has no disk to fill

        is_full = disk.full(error)
        return _told(is_full, call) if is_full else _bug(call)
    return int(code or Exit.HELD)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Leave from wherever we are: what is half done is undone on the way out; a second signal ends at once."""
    for expected in (signal.SIGINT, signal.SIGTERM):
        signal.signal(expected, _end_at_once)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # of a terminal that is gone both the shell and the kernel tell
    raise Interrupted(terminated=number != signal.SIGINT)


def _end_at_once(number: int, _frame: FrameType | None) -> None:
    """End with everything below us; what is half done is undone by the next run."""
    from runner.engine import processes  # noqa: PLC0415 - almost no run needs it

    processes.end_everything()
    os._exit(Exit.TERMINATED if number == signal.SIGTERM else Exit.INTERRUPTED)


def _usage(error: click.UsageError) -> int:
    hint = f"\n  see `{error.ctx.command_path} --help`" if error.ctx else ""
    logger.error("%s%s", error.format_message(), hint)
    return Exit.CONFIG


def _told(error: RunnerError, call: Call) -> int:
    """Say every problem, each beside its place in the file; that nothing was asked of us is none."""
    if isinstance(error, NothingAsked):
        logger.info("nothing is done: %s", error)
        return error.exit_code
    from runner import locating, pointing  # noqa: PLC0415 - `--help` goes wrong nowhere

    # A code host knows files by their place in the repository; who sits in the project's folder, by their place there.
    prefix = locating.folder(call.flags, call.environ) if call.in_actions else ""
    for one in pointing.mistakes(error, prefix):
        log.annotation(one.level, one.message, where=one.where)
    return error.exit_code


def _bug(call: Call) -> int:
    logger.error("this is a bug in the runner, version %s", __version__)
    with log.group("Traceback"):
        logger.error("%s\nPython %s\n%s", call.command, sys.version, traceback.format_exc())
    return Exit.BUG


class _Verbs(click.Group):
    """The verbs, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """Give their names, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Give the verb of that name."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"runner.verbs.{VERBS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=ABOUT,
    epilog=EPILOG,
    no_args_is_help=True,
)
@OPTIONS["directory"]
@click.version_option(__version__, prog_name="retrain", message="%(prog)s %(version)s")
def main() -> None:
    """Hold the verbs."""
