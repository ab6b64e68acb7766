"""The command line's options: each has one meaning everywhere, and is one of `inputs`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import field
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from runner import inputs, log
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

EPILOG: Final = """\b
Exit codes: 0 held, 1 a gate failed or could not be measured, 2 usage or configuration,
3 a stage failed, 4 remote, 5 git, 6 code host, 10 stale (--check, --locked), 70 a bug,
130 and 143 interrupted. Logs go to standard error, results to standard output."""

_SECRETS: Final = (
    "INPUT_GITHUB-TOKEN",
    "INPUT_WEBHOOK-URL",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "CI_JOB_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_STORAGE_CONNECTION_STRING",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "RETRAIN_SSH_KEY",
)


@dataclass
class Call:
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

    @property
    def in_actions(self) -> bool:
        """Whether this is a step of a GitHub job."""
        return self.environ.get("GITHUB_ACTIONS") == "true"

    def log_to_stderr(self) -> None:
        """Set the log up; nothing it prints shows a token or a remote's secret."""
        secrets = [self.environ.get(name, "") for name in _SECRETS]
        log.setup(sys.stderr, actions=self.in_actions, verbosity=self.verbosity, secrets=filter(None, secrets))


class _Once(click.Option):
    """An option that may come more than once, each time with one value."""


def _kept(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Keep an option's value under its input's name."""

    def keep(context: click.Context, _: click.Parameter, value: Any) -> Any:  # noqa: ANN401 - click's own type
        if value not in {None, ()}:
            text = "\n".join(value) if isinstance(value, tuple) else value
            context.find_object(Call).flags[name] = text  # type: ignore[union-attr]
        return value

    return keep


def _option(*names: str, of: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: ANN401
    return click.option(*names, callback=_kept(of), expose_value=False, **how)


def _flag(*names: str, of: str, to: str = "true", help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: A002 - click's
    return _option(*names, of=of, flag_value=to, is_flag=True, default=None, type=str, help=help)


def _choice(name: str, *, of: str, help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: A002 - click's
    return _option(name, of=of, type=click.Choice(inputs.words(of)), help=help)


def _json(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it
    context.find_object(Call).as_json |= value  # type: ignore[union-attr]


def _louder(by: int) -> Callable[[click.Context, click.Parameter, int], None]:
    def keep(context: click.Context, _: click.Parameter, value: int) -> None:
        call = context.find_object(Call)
        if value and call:
            call.verbosity += by * value
            call.log_to_stderr()

    return keep


OPTIONS: Final = {
    "directory": _option("-C", of="working-directory", metavar="DIR", help="Run as if started in DIR."),
    "remote": _option("-r", "--remote", of="remote", metavar="NAME", help="DVC remote; the default one if not given."),
    "base": _option("--base", of="base", metavar="REV", help="Git revision to compare with; found if not given."),
    "config": _option("--config", of="config", metavar="PATH", help="Gate file; retrain.yaml if not given."),
    "jobs": _option("-j", "--jobs", of="jobs", metavar="N", help="Stages at once; as many as cores if not given."),
    "transfers": _option(
        "--transfers", of="transfers", metavar="N", help="Requests to the remote at once; 32 if not given."
    ),
    "requests": _option(
        "-j",
        "--jobs",
        "--transfers",
        of="transfers",
        metavar="N",
        help="Requests to the remote at once; 32 if not given.",
    ),
    "timeout": _option("--timeout", of="timeout", metavar="TIME", help="For all commands together, such as `5 h`."),
    "stage-timeout": _option(
        "--stage-timeout", of="stage-timeout", metavar="TIME", help="For each stage whose `meta` says nothing else."
    ),
    "silence": _option(
        "--silence",
        of="silence",
        metavar="TIME",
        help="Warn of a stage silent for so long; 30 min if not given, 0: never.",
    ),
    "report": _option(
        "--report-dir", of="report-dir", metavar="DIR", help="Write report.json, .md, .html, .xml, plots to DIR."
    ),
    "push": _choice("--push", of="push", help="When to push; `passed`: if the gates passed."),
    "lock": _choice(
        "--lock",
        of="lock",
        help="The new lock; `check`: exit with 10 if it is not committed; commits and pull requests in a GitHub job.",
    ),
    "lock-branch": _option(
        "--lock-branch", of="lock-branch", metavar="NAME", help="Branch of the lock's pull request; retrain/BASE."
    ),
    "lock-reviewers": _option(
        "--lock-reviewers", of="lock-reviewers", metavar="NAMES", help="Who is asked to review it, separated by commas."
    ),
    "auto-merge": _choice(
        "--auto-merge", of="auto-merge", help="By which verdict GitHub is asked to merge it by itself."
    ),
    "comment": _choice(
        "--comment",
        of="comment",
        help="The report on the pull request, in a GitHub job; hide-old: a new one, and the older ones are folded up.",
    ),
    "progress": _flag(
        "--no-progress", of="progress", to="false", help="Show in no comment or check what the run is at."
    ),
    "check-run": _flag("--check-run", of="check-run", help="Also make a check of the commit, with all annotations."),
    "commit-status": _flag("--commit-status", of="commit-status", help="Also set a status of the commit."),
    "report-name": _option(
        "--report-name", of="report-name", metavar="NAME", help="Tells this run's comment, check and status apart."
    ),
    "issue": _choice("--issue", of="issue", help="Keep one issue open while retraining does not hold."),
    "issue-after": _option(
        "--issue-after", of="issue-after", metavar="N", help="Runs in a row that must end badly before it is opened; 3."
    ),
    "webhook-url": _option(
        "--webhook-url", of="webhook-url", metavar="URL", help="Told of a run that did not hold; better by environment."
    ),
    "update-imports": _choice(
        "--update-imports",
        of="update-imports",
        help="Bring imports up to date first; auto, as if not given: on a schedule.",
    ),
    "forge": _choice(
        "--forge", of="forge", help="Post to the host whose job this is, or into files in the report directory."
    ),
    "report-artifact": _option(
        "--report-artifact",
        of="report-artifact",
        metavar="NAME",
        help="Where a fork's run left its report; for the run that follows it.",
    ),
    "claims": _choice(
        "--claims",
        of="claims",
        help="Gated metrics that only the commit vouches for; auto: run again what a pull request changed.",
    ),
    "setup": _option(
        "--setup", of="setup", metavar="COMMANDS", help="Shell commands to run once before the first stage that runs."
    ),
    "pass-env": _option(
        "--pass-env", of="pass-env", metavar="NAMES", help="Variables that stages may see, separated by commas."
    ),
    "force": _flag("-f", "--force", of="force", help="Run every stage that is not frozen, whatever the lock says."),
    "single-item": _flag("-s", "--single-item", of="single-item", help="The targets alone, without what they need."),
    "downstream": _flag("--downstream", of="downstream", help="The targets and what depends on them."),
    "keep-going": _flag(
        "-k", "--keep-going", of="keep-going", help="After a failure go on with what does not depend on it."
    ),
    "check-determinism": _flag(
        *("--check-determinism",),
        of="check-determinism",
        to="fail",
        help="Run each command twice; a stage that then writes something else fails.",
    ),
    "locked": _flag("--locked", of="locked", help="Exit with 10, and run nothing, if anything is stale."),
    "allow-missing": _flag("--allow-missing", of="allow-missing", help="What is not there is no reason to run."),
    "run-cache": _flag("--no-run-cache", of="run-cache", to="false", help="Look up no past runs."),
    "set-param": _option(
        *("-S", "--set-param"),
        of="set-param",
        cls=_Once,
        multiple=True,
        metavar="[FILE:]KEY=VALUE",
        help="Run with another value in a params file; afterwards the file is as it was. May be given more than once.",
    ),
    "json": click.option(
        "--json", is_flag=True, callback=_json, expose_value=False, help="Result as JSON on standard output."
    ),
    "verbose": click.option("-v", "--verbose", count=True, callback=_louder(1), expose_value=False, help="Say more."),
    "quiet": click.option("-q", "--quiet", count=True, callback=_louder(-1), expose_value=False, help="Say less."),
}
PROPOSING: Final = ("lock", "lock-branch", "lock-reviewers", "auto-merge")
MODES: Final = ("set-param", "force", "single-item", "downstream", "locked", "allow-missing", "run-cache")
POSTING: Final = (
    "comment",
    "progress",
    "check-run",
    "commit-status",
    "report-name",
    "report-artifact",
    "forge",
    "issue",
    "issue-after",
    "webhook-url",
)
RUNNING: Final = ("jobs", "transfers", "timeout", "stage-timeout", "silence")
EVERY: Final = ("directory", "config", "json", "verbose", "quiet")


class _Verb(click.Command):
    """A verb. Options that may come more than once take values up to the next option, as DVC's do: `--targets a b`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write the option before each of its values."""
        options = (param for param in self.params if isinstance(param, click.Option))
        several = {
            name for option in options if option.multiple and not isinstance(option, _Once) for name in option.opts
        }
        written: list[str] = []
        current = ""
        for arg in args:
            if arg in several or arg.startswith("-"):
                current = arg if arg in several else ""
                written += [] if current else [arg]
            else:
                written += [current, arg] if current else [arg]
        return super().parse_args(ctx, written)


def verb(*options: str) -> Callable[[Callable[..., int]], click.Command]:
    """Make a verb of a function that takes the `Call`: the options every verb has, and those named."""

    def decorate(function: Callable[..., int]) -> click.Command:
        for name in reversed([*options, *EVERY]):
            function = OPTIONS[name](function)
        return click.command(epilog=EPILOG, cls=_Verb)(click.pass_obj(function))

    return decorate


def listed(*names: str, metavar: str, help: str) -> Callable[[Callable[..., int]], Callable[..., int]]:  # noqa: A002 - click's
    """Take one or more values under one name."""
    return click.option(*names, multiple=True, metavar=metavar, help=help)


recursive = click.option("-R", "--recursive", is_flag=True, expose_value=False, help="Look into folders; always done.")


with_deps = click.option("-d", "--with-deps", is_flag=True, help="Also all stages upstream of the stages named.")


def revisions(function: Callable[..., int]) -> Callable[..., int]:
    """Take all branches, tags or commits beside the working tree, as one `Scope`."""

    @wraps(function)
    def scoped(*args: Any, branches: bool, tags: bool, commits: bool, **others: Any) -> int:  # noqa: ANN401 - click's
        from runner.engine.tracked import Scope  # noqa: PLC0415 - see `verbs.opened.open_project`

        return function(*args, scope=Scope(branches, tags, commits), **others)

    for names, of in (
        (("-A", "--all-commits"), "commits"),
        (("-T", "--all-tags"), "tags"),
        (("-a", "--all-branches"), "branches"),
    ):
        scoped = click.option(*names, of, is_flag=True, help=f"Of all {of} too.")(scoped)
    return scoped


def targets(function: Callable[..., int]) -> Callable[..., int]:
    """Take targets as arguments."""
    return click.argument("targets", nargs=-1, callback=_keep_targets, expose_value=False)(function)


def _keep_targets(context: click.Context, _: click.Parameter, value: Sequence[str]) -> None:
    """Keep each argument as it is: a name may hold line breaks and end in blanks."""
    if value:
        context.find_object(Call).flags["targets"] = "".join(f"{target}\0" for target in value)  # type: ignore[union-attr]
