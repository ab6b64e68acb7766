"""Everything that is not in the repository, checked once: flags, the environment's inputs, keys of the gate file.

One table, `INPUTS`, says what there is; the command line's options, action.yml and the README follow it.
"""

from __future__ import annotations

import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from runner import units
from runner.errors import ConfigError, ConfigErrors, Location
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
_SEVERAL = {"lock-reviewers", "pass-env", "setup"}


def _text(value: str) -> str:
    return value


def _names(value: str) -> tuple[str, ...]:
    return tuple(value.replace(",", " ").split())


def _lines(value: str) -> tuple[str, ...]:
    return tuple(part for line in value.splitlines() for part in [line.strip()] if part)


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


def _one_of(*words: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in words:
            message = "one of " + ", ".join(words)
            raise ValueError(message)
        return value

    return check


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
    Input("targets", "", _lines, "Stages, one a line, with everything they need; empty: all.", in_file=False),
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
    Input("push", "passed", _one_of("passed", "always", "never"), "When to push: if the gates passed, always, never."),
    Input("setup", "", _text, "Commands to run once before the first stage that runs: install what stages need."),
    Input("pass-env", "", _names, "Names of environment variables that stages may see besides the harmless ones."),
    Input(
        "comment",
        "update",
        _one_of("update", "new", "hide-old", "off"),
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
        _one_of("auto", "leave", "check", "commit", "pull-request"),
        "The new lock: leave it, check that it is committed, commit it, propose it in a pull-request, or auto.",
    ),
    Input("lock-branch", "", _branch, "Branch of that pull request; empty: retrain/BASE, with the project's folder."),
    Input("lock-reviewers", "", _names, "Who is asked to review it: logins, and teams as organization/team."),
    Input(
        "auto-merge",
        "off",
        _one_of("off", "passed", "warned"),
        "Ask GitHub to merge it by itself: if the gates passed, also if they warned, or off.",
    ),
    Input(
        "claims",
        "auto",
        _one_of("auto", "accept", "rerun", "fail"),
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
        _one_of("auto", "file"),
        "Where the report is posted: auto, the host whose job this is; file, into files in report-dir, for any CI.",
    ),
    Input(
        "issue",
        "off",
        _one_of("on", "off"),
        "Keep one issue open while retraining does not hold: on, off. Only for runs that are about no pull request.",
    ),
    Input("issue-after", "3", _count, "Runs in a row that must end badly before it is opened; a failed gate opens it."),
    Input(
        "webhook-url", "", _text, "Address that is told of a run that did not hold, as Slack's webhooks.", in_file=False
    ),
    Input(
        "update-imports",
        "auto",
        _one_of("auto", "always", "never"),
        "Bring imports up to date before stages run: auto (on a schedule), always, never.",
    ),
    Input("github-token", "", _text, "Token for what is posted: comment, check, status.", in_file=False),
    Input("force", "false", _yes, "Run every stage that is not frozen, whatever the lock says.", in_file=False),
    Input("keep-going", "false", _yes, "After a failure go on with what does not depend on it."),
    Input(
        "check-determinism",
        "off",
        _one_of("off", "warn", "fail"),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """What GitHub says of the job: event, commit, repository, workflow file, and the files it reads afterwards."""

    event: str
    event_path: str
    sha: str
    ref: str
    repository: str
    api_url: str
    output: str
    summary: str
    workspace: str
    workflow: str = ""
    server_url: str = "https://github.com"
    run: int = 0
    attempt: int = 1

    @property
    def page(self) -> str:
        """The address of the run's page; empty where its number is unknown."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run}" if self.run else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The checked inputs of one run.

    Attributes:
        directory: where the project is looked for, absolute.
        targets: stages asked for; empty: all.
        remote: DVC remote's name; empty: the default one.
        base: revision to compare with; empty: to be found.
        config: the gate file, relative to the project's root.
        jobs: stages at once; 0: as many as there are cores.
        transfers: requests at once.
        timeout: seconds for all commands together; 0: any.
        stage_timeout: seconds for each stage that says nothing of its own; 0: any.
        silence: seconds without output after which a stage is warned of; 0: never.
        report_dir: where the report is written; empty: nowhere.
        push: when to push.
        setup: shell commands to run before the first stage that runs; empty: none.
        pass_env: names of variables that stages may see.
        comment: what to do with the pull request's comment.
        progress: whether the comment, or the check, shows meanwhile what the run is at.
        check_run: whether a check run is made.
        commit_status: whether a commit status is set.
        report_name: what tells this run's comment, check and status apart; empty: the project's folder.
        report_artifact: the artifact in which a fork's run leaves its report for the run that follows.
        lock: what to do with a lock that the run changed.
        lock_branch: the branch of the pull request that proposes it; empty: named after its base and the project.
        lock_reviewers: who is asked to review that, logins and teams.
        auto_merge: by which verdict GitHub is asked to merge that by itself.
        claims: what to do with gated metrics that only the commit vouches for; see `review.claims`.
        issue: whether an issue is kept of a model that is not kept up.
        issue_after: runs in a row that have to end badly, without a failed gate, before it is opened.
        webhook_url: where it is told that a run did not hold; never shown.
        update_imports: whether imports are brought up to date first; `auto`: on a schedule.
        forge: whether what would be posted is posted (`auto`), or put into files (`file`).
        token: the code host's token; never shown.
        actions: the GitHub job, if this is one.
        gitlab: GitLab's own variables of the job, if this is one of GitLab's.
        force, keep_going, single_item, downstream, allow_missing, run_cache: see `engine.modes`.
        set_param: values that params files hold for this run, as `[file:]key=value`.
        check_determinism: whether commands run twice, and what becomes of a stage that writes something else.
        locked: end with exit code 10, before anything is run, if anything is stale.

    """

    directory: Path
    targets: tuple[str, ...] = ()
    remote: str = ""
    base: str = ""
    config: str = "retrain.yaml"
    jobs: int = 0
    transfers: int = 32
    timeout: float = 0
    stage_timeout: float = 0
    silence: float = 1800
    report_dir: str = ""
    push: Push = "passed"
    setup: str = ""
    pass_env: tuple[str, ...] = ()
    comment: Comment = "update"
    progress: bool = True
    check_run: bool = False
    commit_status: bool = False
    report_name: str = ""
    report_artifact: str = "retrain-report"
    lock: Lock = "auto"
    lock_branch: str = ""
    lock_reviewers: tuple[str, ...] = ()
    auto_merge: AutoMerge = "off"
    claims: Claims = "auto"
    issue: Switch = "off"
    issue_after: int = 3
    webhook_url: str = field(default="", repr=False)
    update_imports: Update = "auto"
    forge: Forge = "auto"
    token: str = field(default="", repr=False)
    actions: Actions | None = None
    gitlab: Mapping[str, str] | None = None
    force: bool = False
    keep_going: bool = False
    locked: bool = False
    single_item: bool = False
    downstream: bool = False
    allow_missing: bool = False
    run_cache: bool = True
    set_param: tuple[str, ...] = ()
    check_determinism: Determinism = "off"


def page_of(environ: Mapping[str, str]) -> str:
    """Give the address of the run's own page; empty where it has none."""
    actions, gitlab = actions_of(environ), gitlab_of(environ)
    return actions.page if actions else (gitlab or {}).get("CI_JOB_URL", "")


def workspace_of(environ: Mapping[str, str]) -> str:
    """Give the folder that the host's paths are relative to; empty where there is no host."""
    actions, gitlab = actions_of(environ), gitlab_of(environ)
    return actions.workspace if actions else (gitlab or {}).get("CI_PROJECT_DIR", "")


def variable(name: str) -> str:
    """Give the environment variable in which GitHub hands an input to a container action."""
    return f"INPUT_{name.upper()}"


def early(name: str, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> str:
    """Give an input that the gate file cannot set, before that file is found."""
    default = next(known.default for known in INPUTS if known.name == name)
    return flags.get(name) or environ.get(variable(name), "").strip() or default


def resolve(
    flags: Mapping[str, str | None], environ: Mapping[str, str], file: Mapping[str, tuple[object, Location]]
) -> Settings:
    """Check every input: the flag comes first, then the environment, then the gate file, then the default.

    Args:
        flags: what the command line says, by input name; `None` where it says nothing.
        environ: the process's environment. An empty variable is one that is not set.
        file: the gate file's own keys, with their places.

    Raises:
        ConfigErrors: every mistake at once.

    """
    values: dict[str, Any] = {}
    mistakes = list(_unknown(file))
    for known in INPUTS:
        text, where = _spoken(known, flags, environ, file)
        try:
            values[known.name] = known.read(text)
        except ValueError as error:
            message = f"{known.name}: {text!r} is not {error}"
            mistakes.append(ConfigError(message, known.help, where))
    if mistakes:
        raise ConfigErrors(mistakes)
    _check_together(values)
    return _settings(values, environ)


def _check_together(values: Mapping[str, Any]) -> None:
    for one, other in (("force", "locked"), ("single-item", "downstream")):
        if values[one] and values[other]:
            message = f"{one} and {other} contradict each other"
            raise ConfigError(message, "leave one of them out")
    if values["forge"] == "file" and not values["report-dir"]:
        message = "forge: file has no folder to write to"
        raise ConfigError(message, "name one with report-dir")


def unknown_inputs(environ: Mapping[str, str]) -> list[str]:
    """Give the `INPUT_*` variables that nobody reads: a misspelt input, most likely."""
    known = {variable(one.name) for one in INPUTS if one.in_job} | {"INPUT_COMMAND"}
    return sorted(name for name in environ if name.startswith("INPUT_") and name not in known)


def _unknown(file: Mapping[str, tuple[object, Location]]) -> Iterator[ConfigError]:
    allowed = {known.name for known in INPUTS if known.in_file}
    for name, (value, where) in file.items():
        if name not in allowed:
            message = f"{name!r} cannot be set in the gate file"
            yield ConfigError(message, f"it may set {', '.join(sorted(allowed))}", where)
        elif isinstance(value, dict) or (isinstance(value, list) and name not in _SEVERAL):
            message = f"{name}: {value!r} is not one value"
            yield ConfigError(message, next(known.help for known in INPUTS if known.name == name), where)


def _spoken(
    known: Input,
    flags: Mapping[str, str | None],
    environ: Mapping[str, str],
    file: Mapping[str, tuple[object, Location]],
) -> tuple[str, Location | None]:
    flag = flags.get(known.name)
    if flag is not None:
        return flag, None
    variable_text = environ.get(variable(known.name), "").strip() if known.in_job else ""
    if variable_text:
        return variable_text, None
    value, where = file.get(known.name, (None, None))
    if value is None:
        return known.default, where
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value), where


def _settings(values: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    return Settings(
        directory=Path(os.path.abspath(values["working-directory"])),  # noqa: PTH100 - resolve() would follow links
        targets=values["targets"],
        remote=values["remote"],
        base=values["base"],
        config=values["config"],
        jobs=values["jobs"],
        transfers=values["transfers"],
        timeout=values["timeout"],
        stage_timeout=values["stage-timeout"],
        silence=values["silence"],
        report_dir=values["report-dir"],
        push=cast("Push", values["push"]),
        setup=values["setup"],
        pass_env=values["pass-env"],
        comment=cast("Comment", values["comment"]),
        progress=values["progress"],
        check_run=values["check-run"],
        commit_status=values["commit-status"],
        report_name=values["report-name"],
        report_artifact=values["report-artifact"],
        lock=cast("Lock", values["lock"]),
        lock_branch=values["lock-branch"],
        lock_reviewers=values["lock-reviewers"],
        auto_merge=cast("AutoMerge", values["auto-merge"]),
        claims=cast("Claims", values["claims"]),
        issue=cast("Switch", values["issue"]),
        issue_after=values["issue-after"],
        webhook_url=values["webhook-url"],
        update_imports=cast("Update", values["update-imports"]),
        forge=cast("Forge", values["forge"]),
        token=values["github-token"] or (environ.get("GITLAB_TOKEN", "") if gitlab_of(environ) else ""),
        actions=actions_of(environ),
        gitlab=gitlab_of(environ),
        force=values["force"],
        keep_going=values["keep-going"],
        locked=values["locked"],
        single_item=values["single-item"],
        downstream=values["downstream"],
        allow_missing=values["allow-missing"],
        run_cache=values["run-cache"],
        set_param=values["set-param"],
        check_determinism=cast("Determinism", values["check-determinism"]),
    )


def actions_of(environ: Mapping[str, str]) -> Actions | None:
    """Read GitHub's variables; their meaning is GitHub's documented one."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return None
    return Actions(
        event=environ.get("GITHUB_EVENT_NAME", ""),
        event_path=environ.get("GITHUB_EVENT_PATH", ""),
        sha=environ.get("GITHUB_SHA", ""),
        ref=environ.get("GITHUB_REF", ""),
        repository=environ.get("GITHUB_REPOSITORY", ""),
        api_url=environ.get("GITHUB_API_URL", "https://api.github.com"),
        output=environ.get("GITHUB_OUTPUT", ""),
        summary=environ.get("GITHUB_STEP_SUMMARY", ""),
        workspace=environ.get("GITHUB_WORKSPACE", ""),
        workflow=environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0].rpartition("/")[2],
        server_url=environ.get("GITHUB_SERVER_URL", "https://github.com"),
        run=_number(environ.get("GITHUB_RUN_ID", "")),
        attempt=_number(environ.get("GITHUB_RUN_ATTEMPT", "")) or 1,
    )


def gitlab_of(environ: Mapping[str, str]) -> dict[str, str] | None:
    """Give GitLab's variables of the job, but no credentials; `None` elsewhere.

    https://docs.gitlab.com/ci/variables/predefined_variables/
    """
    if environ.get("GITLAB_CI") != "true" or environ.get("GITHUB_ACTIONS") == "true":
        return None
    plain = (name for name in environ if name.startswith("CI_") and not name.endswith(("TOKEN", "PASSWORD", "JWT")))
    return {name: environ[name] for name in plain}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
