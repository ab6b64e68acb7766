"""The door: verbs and options, the environment, signals, and the one place where errors become exit codes."""

from __future__ import annotations

import json
import logging
import os
import shlex
import signal
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import click

from runner import __version__, log
from runner.errors import ConfigError, Exit, Interrupted, RunnerError

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


_SECRETS: Final = (
    "INPUT_GITHUB-TOKEN",
    "GITHUB_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
_WIDE: Final = 160

ABOUT: Final = """Retrain models in CI and decide whether they may be merged.

\b
A first look, in a repository with a dvc.yaml:
  retrain plan        which stages are stale, why, and what would be pulled
  retrain run         pull what is needed, run it, judge the gates, push, report"""


@dataclass
class _Call:
    """What the command line said: options by input name, and how to print."""

    environ: Mapping[str, str] = field(repr=False)
    argv: Sequence[str]
    flags: dict[str, str | None] = field(default_factory=dict)
    as_json: bool = False
    verbosity: int = 0

    @property
    def command(self) -> str:
        """The call as given."""
        return shlex.join(["retrain", *self.argv])

    def log_to_stderr(self) -> None:
        """Set the log up; nothing it prints shows a token or a remote's secret."""
        secrets = [self.environ.get(name, "") for name in _SECRETS]
        actions = self.environ.get("GITHUB_ACTIONS") == "true"
        log.setup(sys.stderr, actions=actions, verbosity=self.verbosity, secrets=filter(None, secrets))


def start(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command line; give the exit code.

    Args:
        argv: arguments without the program's name.
        environ: the process's environment.

    """
    call = _Call(environ, argv)
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


def _bug(call: _Call) -> int:
    logger.error("this is a bug in the runner, version %s", __version__)
    with log.group("Traceback"):
        logger.error("%s\nPython %s\n%s", call.command, sys.version, traceback.format_exc())
    return Exit.BUG


def _kept(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Keep an option's value under its input's name."""

    def keep(context: click.Context, _: click.Parameter, value: Any) -> Any:  # noqa: ANN401 - click's own type
        if value not in {None, ()}:
            context.find_object(_Call).flags[name] = value  # type: ignore[union-attr]
        return value

    return keep


def _option(*names: str, of: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: ANN401
    return click.option(*names, callback=_kept(of), expose_value=False, **how)


def _json(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it
    context.find_object(_Call).as_json |= value  # type: ignore[union-attr]


def _louder(by: int) -> Callable[[click.Context, click.Parameter, int], None]:
    def keep(context: click.Context, _: click.Parameter, value: int) -> None:
        call = context.find_object(_Call)
        if value and call:
            call.verbosity += by * value
            call.log_to_stderr()

    return keep


_OPTIONS: Final = {
    "directory": _option("-C", of="working-directory", metavar="DIR", help="Run as if started in DIR."),
    "remote": _option("-r", "--remote", of="remote", metavar="NAME", help="DVC remote; the default one if not given."),
    "base": _option("--base", of="base", metavar="REV", help="Git revision to compare with; found if not given."),
    "config": _option("--config", of="config", metavar="PATH", help="Gate file; retrain.yaml if not given."),
    "jobs": _option("--jobs", of="jobs", metavar="N", help="Requests to the remote at once; 32 if not given."),
    "report": _option("--report-dir", of="report-dir", metavar="DIR", help="Write report.json, .md and .html to DIR."),
    "push": _option(
        "--push",
        of="push",
        type=click.Choice(["passed", "always", "never"]),
        help="When to push; `passed`: if the gates passed.",
    ),
    "setup": _option(
        "--setup", of="setup", metavar="COMMANDS", help="Shell commands to run once before the first stage that runs."
    ),
    "pass-env": _option(
        "--pass-env", of="pass-env", metavar="NAMES", help="Variables that stages may see, separated by commas."
    ),
    "json": click.option(
        "--json", is_flag=True, callback=_json, expose_value=False, help="Result as JSON on standard output."
    ),
    "verbose": click.option("-v", "--verbose", count=True, callback=_louder(1), expose_value=False, help="Say more."),
    "quiet": click.option("-q", "--quiet", count=True, callback=_louder(-1), expose_value=False, help="Say less."),
}
_EVERY: Final = ("directory", "config", "json", "verbose", "quiet")


def _verb(*options: str) -> Callable[[Callable[..., int]], click.Command]:
    """Make a verb: the options every verb has, and those named."""

    def decorate(function: Callable[..., int]) -> click.Command:
        for name in reversed([*options, *_EVERY]):
            function = _OPTIONS[name](function)
        return main.command(epilog=EPILOG)(click.pass_obj(function))

    return decorate


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=ABOUT,
    epilog=EPILOG,
    no_args_is_help=True,
)
@_OPTIONS["directory"]
@click.version_option(__version__, prog_name="retrain", message="%(prog)s %(version)s")
def main() -> None:
    """Hold the verbs."""


def _targets(function: Callable[..., int]) -> Callable[..., int]:
    return click.argument("targets", nargs=-1, callback=_as_lines, expose_value=False)(function)


def _as_lines(context: click.Context, _: click.Parameter, value: Sequence[str]) -> None:
    if value:
        context.find_object(_Call).flags["targets"] = "\n".join(value)  # type: ignore[union-attr]


@_verb("remote", "base", "jobs")
@click.option("--check", is_flag=True, help="Exit with 10 if anything is stale.")
@_targets
def plan(call: _Call, *, check: bool) -> int:
    """Say which stages are stale and why, and what would be pulled. Runs nothing.

    Works in a fresh clone from hashes alone. TARGETS are stages (with all they need) or DVC files; none: all.
    """
    from runner import ci, printing  # noqa: PLC0415 - see `_open`

    opened = _open(call, compares=True)
    made = ci.plan(opened.project, opened.asked.settings.targets)
    opened.close()
    _print(call, lambda: printing.plan_data(opened.asked, made), lambda: printing.plan_lines(opened.asked, made))
    if opened.asked.settings.actions:
        _outputs(opened, printing.plan_outputs(made))
    return Exit.STALE if check and any(step.is_stale for step in made.steps) else Exit.HELD


@_verb("remote", "base", "jobs", "report", "push", "setup", "pass-env")
@_targets
def run(call: _Call) -> int:
    """Do the whole job: pull what is needed, run what is stale, judge the gates, push, report.

    In a GitHub job the report also goes to the step summary and, on a pull request, into one comment.
    """
    return _whole(call, "run")


@_verb("remote", "jobs", "report", "setup", "pass-env")
@_targets
def repro(call: _Call) -> int:
    """Make stages fresh: restore what was computed before, run the rest. Judges and pushes nothing."""
    return _whole(call, "repro")


@_verb("remote", "base", "jobs", "report")
def gate(call: _Call) -> int:
    """Judge the metrics that are there by the limits of the gate file. Runs nothing.

    Works in any git repository with a retrain.yaml, with or without DVC.
    """
    return _whole(call, "gate")


@_verb("report")
def report(call: _Call) -> int:
    """Render report.json again, as report.md and report.html: the same bytes as in CI."""
    from runner import opening, telling  # noqa: PLC0415 - see `_open`

    found = telling.again(opening.settings_alone(call.flags, call.environ))
    with _reader_may_leave():
        if call.as_json:
            click.echo(json.dumps(telling.data(found), allow_nan=False))
        else:
            _show(found)
    return Exit.HELD


@_verb("remote", "jobs")
@_targets
def pull(call: _Call) -> int:
    """Fetch outs from the remote, verified, and put them in place. TARGETS: stages, DVC files, paths; none: all."""
    return _exchange(call, "pull")


@_verb("remote", "jobs")
@_targets
def push(call: _Call) -> int:
    """Send outs and past runs to the remote, and prove them there. TARGETS: stages, DVC files, paths; none: all."""
    return _exchange(call, "push")


@_verb()
def stages(call: _Call) -> int:
    """List the stages as they are resolved: command, deps, params, outs."""
    from runner import printing  # noqa: PLC0415 - see `_open`

    opened = _open(call)
    opened.close()
    _print(call, lambda: printing.stages_data(opened.project), lambda: printing.stages_lines(opened.project))
    return Exit.HELD


def _open(call: _Call, *, compares: bool = False) -> Opened:
    """Open the project. Modules are imported as verbs need them: `--help` must not wait for a parser of YAML."""
    from runner import opening  # noqa: PLC0415

    return opening.open_call(call.flags, call.environ, call.command, compares=compares, judges=False)


def _whole(call: _Call, verb: str) -> int:
    """Walk, then tell; the report's exit code is ours."""
    from runner import ci, opening, telling  # noqa: PLC0415 - see `_open`

    judges = verb != "repro"
    opened = opening.open_call(call.flags, call.environ, call.command, compares=judges, judges=judges)
    if verb == "gate" and not (opened.asked.gates and opened.asked.gates.gates):
        message = "there are no gates to judge"
        raise ConfigError(message, "write a retrain.yaml with a gate in it, or name the gate file with --config")
    if verb == "gate":
        made = ci.judge(opened.git, opened.root, opened.prefix, opened.found, opened.asked)
    else:
        made = ci.run(opened.project, opened.asked) if verb == "run" else ci.repro(opened.project, opened.asked)
    opened.close()
    code = telling.tell(made, opened)
    with _reader_may_leave():
        if call.as_json:
            click.echo(json.dumps(telling.gate_data(made) if verb == "gate" else telling.data(made), allow_nan=False))
        else:
            _show(made)
    return code


def _exchange(call: _Call, verb: str) -> int:
    from runner import printing  # noqa: PLC0415 - see `_open`
    from runner.engine import exchange  # noqa: PLC0415

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


def _outputs(opened: Opened, outputs: Mapping[str, str]) -> None:
    from runner import telling  # noqa: PLC0415 - see `_open`

    telling.write_outputs(opened.asked, outputs)


def _show(report: Report) -> None:
    """Print a report for people; where standard output is no terminal nothing is cut to a width nobody has."""
    from runner import printing  # noqa: PLC0415 - see `_open`

    quiet = not (report.gates or report.error) and all(row.decision == "fresh" for row in report.stages)
    if quiet and report.stages:
        click.echo("\n".join([printing.all_fresh(report), *printing.report_lines(report)]))
        return
    from rich.console import Console  # noqa: PLC0415 - see `_open`

    from runner import tables  # noqa: PLC0415 - see `_open`

    tables.show(report, Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE))


def _print(call: _Call, as_data: Callable[[], Any], as_lines: Callable[[], Sequence[str]]) -> None:
    """Print the result: JSON on one line, or what a person reads."""
    with _reader_may_leave():
        if call.as_json:
            click.echo(json.dumps(as_data(), allow_nan=False))
        else:
            for line in as_lines():
                click.echo(line)


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
