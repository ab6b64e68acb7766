"""Everything that is not in the repository, checked once: flags, the environment's inputs, keys of the gate file."""

from __future__ import annotations

import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigError, ConfigErrors, Location
from runner.inputs import INPUTS, variable
from runner.job import actions_of, gitlab_of
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.inputs import AutoMerge, Claims, Comment, Determinism, Forge, Input, Lock, Push, Switch, Update
    from runner.job import Actions

_SEVERAL = {"lock-reviewers", "pass-env", "setup"}


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


def _settings(values: dict[str, Any], environ: Mapping[str, str]) -> Settings:
    """Give each input to the field of its name, but for two; the rest of them is said by the code host."""
    gitlab = gitlab_of(environ)
    return Settings(
        directory=Path(os.path.abspath(values.pop("working-directory"))),  # noqa: PTH100 - resolve() would follow links
        token=values.pop("github-token") or (environ.get("GITLAB_TOKEN", "") if gitlab else ""),
        actions=actions_of(environ),
        gitlab=gitlab,
        **{name.replace("-", "_"): value for name, value in values.items()},
    )
