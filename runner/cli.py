"""The door: verbs, signals, and the one place where errors become exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from runner import __version__, log
from runner.errors import ConfigError, Exit, Interrupted, RunnerError
from runner.options import EVERY, OPTIONS, Call, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType
    from typing import TextIO

    from runner.opening import Opened
    from runner.review.model import Report

logger = logging.getLogger("retrain")

EPILOG: Final = """\b
Exit codes: 0 held, 1 a gate failed or could not be measured, 2 usage or configuration,
3 a stage failed, 4 remote, 5 git, 6 code host, 10 stale (plan --check), 70 a bug,
130 and 143 interrupted. Logs go to standard error, results to standard output."""


_WIDE: Final = 160

ABOUT: Final = """Retrain models in CI and decide whether they may be merged.

\b
A first look, in a repository with a dvc.yaml:
  retrain plan        which stages are stale, why, and what would be pulled
  retrain run         pull what is needed, run it, judge the gates, push, report"""


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
    try:
        code = main.main(args=list(argv), prog_name="retrain", standalone_mode=False, obj=call)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        return _usage(error)
    except RunnerError as error:
        return _told(error)
    except SystemExit:  # click makes it of a broken pipe: nobody reads the log any more, so the run is given up
        _discard(sys.stdout)
        _discard(sys.stderr)
        return Exit.INTERRUPTED
    except Exception:  # noqa: BLE001 - the one place where a bug becomes a message and an exit code
        return _bug(call)
    return int(code or Exit.HELD)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Leave from wherever we are: what is half done is undone on the way out; a second signal ends at once."""
    signal.signal(number, signal.SIG_DFL)
    raise Interrupted(terminated=number == signal.SIGTERM)


def _usage(error: click.UsageError) -> int:
    hint = f"\n  see `{error.ctx.command_path} --help`" if error.ctx else ""
    logger.error("%s%s", error.format_message(), hint)
    return Exit.CONFIG


def _told(error: RunnerError) -> int:
    """Say every problem, each beside its place in the file."""
    for problem in error.problems:
        where = problem.where
        text = f"{problem.message}\n  {problem.hint}" if problem.hint else problem.message
        log.annotation("error", text, file=where.file if where else "", line=where.line if where else 0)
    return error.exit_code


def _bug(call: Call) -> int:
    logger.error("this is a bug in the runner, version %s", __version__)
    with log.group("Traceback"):
        logger.error("%s\nPython %s\n%s", call.command, sys.version, traceback.format_exc())
    return Exit.BUG


def _verb(*options: str) -> Callable[[Callable[..., int]], click.Command]:
    """Make a verb: the options every verb has, and those named."""

    def decorate(function: Callable[..., int]) -> click.Command:
        for name in reversed([*options, *EVERY]):
            function = OPTIONS[name](function)
        return main.command(epilog=EPILOG)(click.pass_obj(function))

    return decorate


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=ABOUT,
    epilog=EPILOG,
    no_args_is_help=True,
)
@OPTIONS["directory"]
@click.version_option(__version__, prog_name="retrain", message="%(prog)s %(version)s")
def main() -> None:
    """Hold the verbs."""


@_verb("remote", "base", "jobs")
@click.option("--check", is_flag=True, help="Exit with 10 if anything is stale.")
@targets
def plan(call: Call, *, check: bool) -> int:
    """Say which stages are stale and why, and what would be pulled. Runs nothing.

    Works in a fresh clone from hashes alone. TARGETS are stages (with all they need) or DVC files; none: all.
    """
    from runner import ci, printing, telling  # noqa: PLC0415 - see `_open`

    with _stop_is_told(call):
        opened = _open(call, compares=True)
        made = ci.plan(opened.project, opened.asked.settings.targets)
        opened.close()
    _print(call, lambda: printing.plan_data(opened.asked, made), lambda: printing.plan_lines(opened.asked, made))
    if opened.asked.settings.actions:
        telling.write_outputs(opened.asked.settings.actions, printing.plan_outputs(made))
    return Exit.STALE if check and any(step.is_stale for step in made.steps) else Exit.HELD


@_verb("remote", "base", "jobs", "report", "push", "comment", "setup", "pass-env")
@targets
def run(call: Call) -> int:
    """Do the whole job: pull what is needed, run what is stale, judge the gates, push, report.

    In a GitHub job the report also goes to the step summary and, on a pull request, into one comment.
    """
    return _whole(call, "run")


@_verb("remote", "jobs", "report", "setup", "pass-env")
@targets
def repro(call: Call) -> int:
    """Make stages fresh: restore what was computed before, run the rest. Judges and pushes nothing."""
    return _whole(call, "repro")


@_verb("remote", "base", "jobs", "report", "comment")
def gate(call: Call) -> int:
    """Judge the metrics that are there by the limits of the gate file. Runs nothing.

    Works in any git repository with a retrain.yaml, with or without DVC.
    """
    return _whole(call, "gate")


@_verb("report")
def report(call: Call) -> int:
    """Render report.json again, as report.md and report.html: the same bytes as in CI."""
    from runner import opening, telling  # noqa: PLC0415 - see `_open`

    chosen = opening.settings_alone(call.flags, call.environ)
    top = opening.find_root(chosen.directory) or chosen.directory
    found = telling.again(telling.folder_of(chosen, top, call.flags, call.environ) or chosen.directory)
    with _reader_may_leave():
        _print_report(call, found, "report")
    return Exit.HELD


@_verb("remote", "jobs")
@targets
def pull(call: Call) -> int:
    """Fetch outs from the remote, verified, and put them in place. TARGETS: stages, DVC files, paths; none: all."""
    return _exchange(call, "pull")


@_verb("remote", "jobs")
@targets
def push(call: Call) -> int:
    """Send outs and past runs to the remote, and prove them there. TARGETS: stages, DVC files, paths; none: all."""
    return _exchange(call, "push")


@_verb()
def stages(call: Call) -> int:
    """List the stages as they are resolved: command, deps, params, outs."""
    from runner import printing  # noqa: PLC0415 - see `_open`

    with _stop_is_told(call):
        opened = _open(call)
        opened.close()
    _print(call, lambda: printing.stages_data(opened.project), lambda: printing.stages_lines(opened.project))
    return Exit.HELD


def _open(call: Call, *, compares: bool = False) -> Opened:
    """Open the project. Modules are imported as verbs need them: `--help` must not wait for a parser of YAML."""
    from runner import opening  # noqa: PLC0415

    return opening.open_call(call.flags, call.environ, call.command, compares=compares, judges=False)


@contextmanager
def _stop_is_told(call: Call, *, writes: bool = False) -> Iterator[None]:
    """Tell a GitHub job, and the report files of a verb that `writes` them, of an error that no report holds."""
    try:
        yield
    except Exception as error:
        from runner import telling  # noqa: PLC0415 - see `_open`

        telling.stopped(error, call.flags, call.environ, call.command, writes=writes)
        raise


def _whole(call: Call, verb: str) -> int:
    """Walk, then tell, also of a bug; the report's exit code is ours."""
    from runner import opening, telling  # noqa: PLC0415 - see `_open`

    judges = verb != "repro"
    with _stop_is_told(call, writes=True):
        opened = opening.open_call(call.flags, call.environ, call.command, compares=judges, judges=judges)
        chosen = opened.asked.settings
        folder = telling.folder_of(chosen, opened.git.root, call.flags, call.environ)
        made, bug = _walked(opened, verb)
        opened.close()
    try:
        code = telling.tell(made, opened, folder)
        with _reader_may_leave():
            _print_report(call, made, verb)
    finally:
        if bug:
            raise bug
    return code


def _walked(opened: Opened, verb: str) -> tuple[Report, BaseException | None]:
    """Go as far as `verb` goes; give what was done, and the bug that ended it, which is raised when that is told."""
    from runner import ci  # noqa: PLC0415 - see `_open`

    asked = opened.asked
    if verb == "gate" and not (asked.gates and asked.gates.gates):
        message = "there are no gates to judge"
        raise ConfigError(message, "write a retrain.yaml with a gate in it, or name the gate file with --config")
    try:
        if verb == "gate":
            return ci.judge(ci.Place(opened.git, opened.root, opened.prefix), opened.found, asked), None
        return (ci.run if verb == "run" else ci.repro)(opened.project, asked), None
    except ci.BrokeError as broke:
        return broke.report, broke.__cause__


def _print_report(call: Call, made: Report, verb: str) -> None:
    from runner import printing, telling  # noqa: PLC0415 - see `_open`

    if call.as_json:
        click.echo(printing.json_line(telling.gate_data(made) if verb == "gate" else telling.data(made)))
    else:
        _show(telling.masked(made))


def _exchange(call: Call, verb: str) -> int:
    from runner import printing  # noqa: PLC0415 - see `_open`
    from runner.engine import exchange  # noqa: PLC0415

    with _stop_is_told(call):
        opened = _open(call)
        if verb == "push" and not opened.asked.event.may_push:
            message = f"nothing is pushed here: {opened.asked.event.why}"
            raise ConfigError(message, "push from a run that is trusted")
        moved = getattr(exchange, verb)(opened.project, opened.asked.settings.targets)
        opened.close()
    _print(call, lambda: printing.moved_data(moved), lambda: printing.moved_lines(verb, moved))
    for failure in moved.failed:
        logger.error("%s", failure.error)
    return Exit.REMOTE if moved.failed else Exit.HELD


def _show(report: Report) -> None:
    """Print a report for people; where standard output is no terminal nothing is cut to a width nobody has."""
    from runner import printing  # noqa: PLC0415 - see `_open`

    quiet = not (report.gates or report.error) and all(row.decision == "fresh" for row in report.stages)
    if quiet and report.stages:
        click.echo(printing.all_fresh(report))
    else:
        from rich.console import Console  # noqa: PLC0415 - see `_open`

        from runner import tables  # noqa: PLC0415 - see `_open`

        console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
        click.echo(log.block(tables.drawn(report, console)), nl=False)
    _print_lines(printing.report_lines(report))


def _print(call: Call, as_data: Callable[[], Any], as_lines: Callable[[], Sequence[str]]) -> None:
    """Print the result: JSON on one line, or what a person reads."""
    from runner import printing  # noqa: PLC0415 - see `_open`

    with _reader_may_leave():
        if call.as_json:
            click.echo(printing.json_line(as_data()))
        else:
            _print_lines(as_lines())


def _print_lines(lines: Sequence[str]) -> None:
    """Print each as one line, whatever names and values stand in it."""
    for line in lines:
        click.echo(log.printed(line))


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    """Go on where nobody reads the result to its end (`| head`): it is the exit code that counts."""
    try:
        yield
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich makes the one of the other
        _discard(sys.stdout)


def _discard(stream: TextIO) -> None:
    """Let what is still to be written go nowhere: a failing last flush would change Python's exit code."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
