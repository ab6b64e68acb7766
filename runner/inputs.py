"""Every input there is, in one table: name, default, how its text is read, and who may set it.

The command line's options, action.yml and the README follow it; `settings` checks what was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from runner import units
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Push = Literal["passed", "always", "never"]
Comment = Literal["update", "new", "hide-old", "off"]
Lock = Literal["auto", "leave", "check", "commit", "pull-request"]
AutoMerge = Literal["off", "passed", "warned"]
Claims = Literal["auto", "accept", "rerun", "fail"]
Forge = Literal["auto", "file"]
Switch = Literal["on", "off"]
Update = Literal["auto", "always", "never"]
Determinism = Literal["off", "warn", "fail"]
_MOST_JOBS = 1024
_NO_BRANCH = regex(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(^|/)\.|^[-/]|\.lock(/|$)|[./]$|^@$")


def _text(value: str) -> str:
    return value


def _names(value: str) -> tuple[str, ...]:
    return tuple(value.replace(",", " ").split())


def _lines(value: str) -> tuple[str, ...]:
    return tuple(part for line in value.splitlines() for part in [line.strip()] if part)


def _targets(value: str) -> tuple[str, ...]:
    """Take targets one a line; those of a command line just as they are, each ended by a NUL, as `xargs -0` does."""
    return tuple(value.split("\0")[:-1]) if "\0" in value else _lines(value)


def _branch(value: str) -> str:
    """Take what git takes for a branch: https://git-scm.com/docs/git-check-ref-format."""
    if _NO_BRANCH.search(value):
        message = "a name that git takes for a branch"
        raise ValueError(message)
    return value


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 0 < int(value) <= _MOST_JOBS:
        message = f"a whole number from 1 to {_MOST_JOBS}"
        raise ValueError(message)
    return int(value)


def _jobs(value: str) -> int:
    return _count(value) if value else 0


def _duration(value: str) -> float:
    return units.seconds(value) if value not in {"", "0"} else 0


def _yes(value: str) -> bool:
    if value.lower() not in {"true", "false"}:
        message = "true or false"
        raise ValueError(message)
    return value.lower() == "true"


@dataclass(frozen=True, slots=True)
class _OneOf:
    """Takes one of some words."""

    words: tuple[str, ...]

    def __call__(self, value: str) -> str:
        if value not in self.words:
            message = "one of " + ", ".join(self.words)
            raise ValueError(message)
        return value


def _one_of(kind: object) -> _OneOf:
    """Give what takes the words of a `Literal`."""
    return _OneOf(get_args(kind))


@dataclass(frozen=True, slots=True)
class Input:
    """One input: a flag `--name`, an environment variable `INPUT_NAME`, a key `name` of the gate file.

    Attributes:
        name: kebab-case.
        default: as text.
        read: text to value; raises `ValueError` saying what it should be.
        help: one line for `--help` and the README.
        in_file: whether the gate file may set it.
        in_job: whether the environment, and so a GitHub job, may set it; otherwise only the command line can.

    """

    name: str
    default: str
    read: Callable[[str], Any]
    help: str
    in_file: bool = True
    in_job: bool = True


INPUTS = (
    Input("working-directory", ".", _text, "Run as if started in this directory (-C).", in_file=False),
    Input("targets", "", _targets, "Stages, one a line, with everything they need; empty: all.", in_file=False),
    Input("remote", "", _text, "DVC remote to pull from and push to; empty: the default one."),
    Input("base", "", _text, "Git revision to compare with; empty: found from the event or the default branch."),
    Input("config", "retrain.yaml", _text, "The gate file.", in_file=False),
    Input("jobs", "", _jobs, "How many stages may run at once; empty: as many as there are cores."),
    Input("transfers", "32", _count, "How many requests to the remote at once."),
    Input(
        "timeout", "", _duration, "Time for all commands together, such as 5 h; what runs then is ended. Empty: any."
    ),
    Input("stage-timeout", "", _duration, "Time for each stage that has no `meta: {timeout: ...}`; empty: any."),
    Input("silence", "30 min", _duration, "Warn of a stage that prints nothing for so long; 0: never."),
    Input("report-dir", "", _text, "Write report.json, .md, .html, .xml (JUnit) and the plots into this directory."),
    Input("push", "passed", _one_of(Push), "When to push: if the gates passed, always, never."),
    Input("setup", "", _text, "Commands to run once before the first stage that runs: install what stages need."),
    Input("pass-env", "", _names, "Names of environment variables that stages may see besides the harmless ones."),
    Input(
        "comment",
        "update",
        _one_of(Comment),
        "The report on the pull request: update one comment, new, hide-old (new, the older ones folded up), off.",
    ),
    Input("progress", "true", _yes, "Show in the comment, or the check, every half minute what a long run is at."),
    Input("check-run", "false", _yes, "Also a check of the commit, with all annotations."),
    Input("commit-status", "false", _yes, "Also a status of the commit, in a line."),
    Input(
        "report-name", "", _text, "What tells this run's comment, check and status apart; empty: the project's folder."
    ),
    Input(
        "lock",
        "auto",
        _one_of(Lock),
        "The new lock: leave it, check that it is committed, commit it, propose it in a pull-request, or auto.",
    ),
    Input("lock-branch", "", _branch, "Branch of that pull request; empty: retrain/BASE, with the project's folder."),
    Input("lock-reviewers", "", _names, "Who is asked to review it: logins, and teams as organization/team."),
    Input(
        "auto-merge",
        "off",
        _one_of(AutoMerge),
        "Ask GitHub to merge it by itself: if the gates passed, also if they warned, or off.",
    ),
    Input(
        "claims",
        "auto",
        _one_of(Claims),
        "Gated metrics that only the commit vouches for: auto (rerun a pull request's), accept, rerun, fail.",
    ),
    Input(
        "report-artifact",
        "retrain-report",
        _text,
        "The artifact in which a fork's run leaves its report-dir, for the run that follows and posts it.",
    ),
    Input(
        "forge",
        "auto",
        _one_of(Forge),
        "Where the report is posted: auto, the host whose job this is; file, into files in report-dir, for any CI.",
    ),
    Input(
        "issue",
        "off",
        _one_of(Switch),
        "Keep one issue open while retraining does not hold: on, off. Only for runs that are about no pull request.",
    ),
    Input("issue-after", "3", _count, "Runs in a row that must end badly before it is opened; a failed gate opens it."),
    Input(
        "webhook-url", "", _text, "Address that is told of a run that did not hold, as Slack's webhooks.", in_file=False
    ),
    Input(
        "update-imports",
        "auto",
        _one_of(Update),
        "Bring imports up to date before stages run: auto (on a schedule), always, never.",
    ),
    Input("github-token", "", _text, "Token for what is posted: comment, check, status.", in_file=False),
    Input("force", "false", _yes, "Run every stage that is not frozen, whatever the lock says.", in_file=False),
    Input("keep-going", "false", _yes, "After a failure go on with what does not depend on it."),
    Input(
        "check-determinism",
        "off",
        _one_of(Determinism),
        "Run each command twice, the second time in a clean copy: off; warn, or fail, where it writes something else.",
    ),
    Input("locked", "false", _yes, "End with exit code 10 if anything is stale; run nothing then.", in_file=False),
    Input(
        "set-param",
        "",
        _lines,
        "Other values in params files for this run: [file:]key=value, one a line.",
        in_file=False,
    ),
    Input("single-item", "false", _yes, "The targets alone.", in_file=False, in_job=False),
    Input("downstream", "false", _yes, "The targets and what depends on them.", in_file=False, in_job=False),
    Input("allow-missing", "false", _yes, "What is not there is no reason to run.", in_file=False, in_job=False),
    Input("run-cache", "true", _yes, "Look up past runs.", in_file=False, in_job=False),
)


def words(name: str) -> tuple[str, ...]:
    """Give the words of which an input is one."""
    read = next(known.read for known in INPUTS if known.name == name)
    assert isinstance(read, _OneOf)  # noqa: S101 - asked of such inputs alone
    return read.words


def variable(name: str) -> str:
    """Give the environment variable in which GitHub hands an input to a container action."""
    return f"INPUT_{name.upper()}"


def early(name: str, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> str:
    """Give an input that the gate file cannot set, before that file is found."""
    default = next(known.default for known in INPUTS if known.name == name)
    return flags.get(name) or environ.get(variable(name), "").strip() or default


def unknown(environ: Mapping[str, str]) -> list[str]:
    """Give the `INPUT_*` variables that nobody reads: a misspelt input, most likely."""
    known = {variable(one.name) for one in INPUTS if one.in_job} | {"INPUT_COMMAND"}
    return sorted(name for name in environ if name.startswith("INPUT_") and name not in known)
