"""What one call asks for: event, settings, gate file, head and base. On a pull request the base decides.

What a pull request changes cannot widen its own rights: on such an event the settings in the gate file, its
`baseline`, and the remote's address are those of the base commit; the gates themselves are the checkout's, because a
change of them is there for the reviewer to see.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import time
from dataclasses import field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runner import settings
from runner.asked import Asked
from runner.errors import ConfigError, ForgeError, GitError, Location
from runner.forge import gitlab_event
from runner.forge.event import classify
from runner.pipeline import yaml12
from runner.review import baseline
from runner.review.commit import Commit
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.forge.event import Event
    from runner.forge.slash import Command
    from runner.git import Git
    from runner.review.gatefile import GateFile
    from runner.review.model import Override
    from runner.settings import Actions, Settings

    Own = dict[str, tuple[object, Location]]

logger = logging.getLogger("retrain")
_GATES: Final = frozenset({"baseline", "gates", "lint"})
ACCEPT: Final = "accept-regression"
"""The label by which somebody accepts failed gates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the command line said.

    Attributes:
        flags: options by input name.
        environ: the process's environment.
        command: the call as given, for the report.
        compares: find the commit to compare with.
        judges: read the gate file whole; otherwise only the settings in it are read.

    """

    flags: Mapping[str, str | None]
    environ: Mapping[str, str] = field(repr=False)
    command: str
    compares: bool
    judges: bool


def ask(root: Path, git: Git, said: Said) -> Asked:
    """Find out what one call asks for, in the project at `root` of a repository.

    Raises:
        NothingAsked: the event is a comment that asks for nothing, or a stranger's.

    """
    for name in settings.unknown_inputs(said.environ):
        logger.warning("%s is no input of the runner; see `retrain --help`", name)
    actions = settings.actions_of(said.environ)
    event = event_of(said.environ)
    if event.kind not in {"local", "comment"}:
        logger.info("%s: %s", event.kind, event.why)
    if event.kind != "comment" or actions is None:
        return _asked(root, git, said, event)
    from runner import heeding  # noqa: PLC0415 - few events are comments

    token = settings.early("github-token", said.flags, said.environ)
    heard = heeding.heed(event, _github(actions, token) if token else None, actions.repository, git)
    with heard.answers():
        made = _asked(root, git, replace(said, flags=_with_command(said, heard.command)), heard.event)
    return replace(made, notes=(heard.note,), answers=heard.answers)


def _with_command(said: Said, command: Command) -> Mapping[str, str | None]:
    """Give the options with what a comment asks for: its stages in place of ours, its params beside ours."""
    params = filter(None, (settings.early("set-param", said.flags, said.environ), *command.params))
    asked = {"set-param": "\n".join(params), "targets": "\n".join(command.stages)}
    return {**said.flags, **{name: text for name, text in asked.items() if text}}


def _asked(root: Path, git: Git, said: Said, event: Event) -> Asked:
    flags, environ = said.flags, said.environ
    actions = settings.actions_of(environ)
    file, text = _gate_file(root, flags, environ)
    if event.base_remote:
        _refuse_outside(git, file)
    gates, own, rule = _read_gates(text, file.name, judges=said.judges)
    token = settings.early("github-token", flags, environ)
    host = _host(actions, token)
    trusted = None
    if event.base_remote:
        trusted = baseline.choose(git, _wish(event, settings.early("base", flags, environ)), host)
        own, rule = _of_base(git, trusted, file)
    chosen = settings.resolve(flags, environ, own)
    base = trusted if rule == baseline.MERGE_BASE else None
    if base is None and said.compares:
        base = baseline.choose(git, _wish(event, chosen.base, rule), host)
    if said.compares:
        _say_base(base)
    return Asked(
        settings=chosen,
        event=event,
        environ=environ,
        gates=gates,
        head=_head(git, event, named=said.judges),
        base=base,
        remote_from=(trusted.sha if trusted else None) if event.base_remote else "",
        gone=_gone(git, base, file, text or "") if said.judges else (),
        command=said.command,
        began=time.monotonic(),
        override=_override(event, actions, token),
    )


def alone(root: Path, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Settings:
    """Check the settings of a verb that needs no project; a gate file is read where there is one."""
    file, text = _gate_file(root, flags, environ)
    return settings.resolve(flags, environ, _read_gates(text, file.name, judges=False)[1])


def gate_file(root: Path, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> GateFile | None:
    """Read and check the gate file of a project, and the settings in it; `None` where there is none.

    Raises:
        ConfigErrors: every mistake in it, with its place.

    """
    place, text = _gate_file(root, flags, environ)
    gates, own, _ = _read_gates(text, os.path.relpath(place, root), judges=True)
    settings.resolve(flags, environ, own)
    return gates


def _gate_file(root: Path, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> tuple[Path, str | None]:
    """Give the gate file's place and text: where it is named relative to where we started, else beside `.dvc`."""
    name = settings.early("config", flags, environ)
    given = bool(flags.get("config") or environ.get(settings.variable("config"), "").strip())
    place = (Path(settings.early("working-directory", flags, environ)).absolute() if given else root) / name
    text = read_text(place, name)
    if not given:
        _refuse_others(root, Path(settings.early("working-directory", flags, environ)).absolute(), name)
    if text is None and given:
        message = f"the gate file {name} does not exist"
        raise ConfigError(message, "name an existing file with --config, or leave it out")
    return place, text


def _refuse_others(root: Path, directory: Path, name: str) -> None:
    """Refuse a gate file between where one is and the project's root: who wrote it believes that it counts."""
    folders = [one for one in (directory, *directory.parents) if root in one.parents]
    other = next((one / name for one in folders if (one / name).is_file()), None)
    if other:
        message = (
            f"{other.relative_to(root).as_posix()} is not read: this project's gate file is {name}, beside .dvc or .git"
        )
        raise ConfigError(message, "move its gates there, or name it with --config")


def _refuse_outside(git: Git, file: Path) -> None:
    """Refuse a gate file that a pull request made a link to somewhere else: an error in it would show what is there.

    Raises:
        ConfigError: it is one.

    """
    if file.is_symlink() and not file.resolve().is_relative_to(git.root.resolve()):
        message = f"{file.name} is a link that leads outside of the repository, and is not read"
        raise ConfigError(message, "put a file in its place")


def _read_gates(text: str | None, name: str, *, judges: bool) -> tuple[GateFile | None, Own, str]:
    """Give the gates, the settings beside them, and the rule for the baseline."""
    if text is None:
        return None, {}, baseline.MERGE_BASE
    if not judges:
        return None, *_keys(text, name)
    gatefile = import_module("runner.review.gatefile")
    gates: GateFile = gatefile.parse_gates(text, name)
    return gates, {key: (one.value, one.where) for key, one in gates.settings.items()}, gates.baseline


def _keys(text: str, name: str) -> tuple[Own, str]:
    """Read the settings of a gate file without its gates, which a verb that does not judge does not pay for."""
    document = yaml12.parse(text, name)
    keys: dict[Any, Any] = document if isinstance(document, dict) else {}
    own = {key: (value, Location(name, *yaml12.locate(text, key))) for key, value in keys.items() if key not in _GATES}
    return own, str(keys.get("baseline", baseline.MERGE_BASE))


def _of_base(git: Git, base: Commit | None, file: Path) -> tuple[Own, str]:
    """Give the settings and the rule of the gate file as the base commit has it."""
    text = _text_at(git, base, file)
    return _keys(text, file.name) if text else ({}, baseline.MERGE_BASE)


def _gone(git: Git, base: Commit | None, file: Path, now: str) -> tuple[str, ...]:
    """Name the gates of the base that the checkout lacks or has otherwise: a reviewer has to see by what is judged."""
    text = _text_at(git, base, file)
    lost = tuple(_changes(_rows(text, file.name), _rows(now, file.name))) if text != now else ()
    for line in lost:
        logger.warning("%s", line)
    return lost


def _rows(text: str, name: str) -> list[Mapping[str, object]]:
    document = yaml12.parse(text, name) if text else None
    listed = document.get("gates") if isinstance(document, dict) else None
    return [row for row in listed or () if isinstance(row, dict) and _label(row)]


def _changes(before: Sequence[Mapping[str, object]], now: Sequence[Mapping[str, object]]) -> Iterator[str]:
    for was in before:
        same = [row for row in now if _label(row) == _label(was)]
        if not same:
            yield f"the gate {_label(was)} of the base is gone"
        elif was not in same:
            keys = [key for key in {**was, **same[0]} if was.get(key) != same[0].get(key)]
            told = ", ".join(f"{key} was {_shown(was, key)} and is {_shown(same[0], key)}" for key in keys)
            yield f"the gate {_label(was)} is not that of the base: {told}"


def _shown(row: Mapping[str, object], key: str) -> str:
    return json.dumps(row[key], ensure_ascii=False, default=str) if key in row else "none"


def _label(row: Mapping[str, object]) -> str:
    """Give a rule's name, as `Gate.label` has it; empty where it is about nothing that is known."""
    if "metric" in row:
        return str(row["metric"])
    return next((f"{subject}: {row[subject]}" for subject in ("size", "duration") if subject in row), "")


def _text_at(git: Git, base: Commit | None, file: Path) -> str:
    """Give the gate file as the base commit has it; empty where it has none. A link counts only if the base has it."""
    top, place = git.root.resolve(), file.parent.resolve() / file.name
    if base is None or not place.is_relative_to(top):
        return ""
    if link := git.link(base.sha, place.relative_to(top).as_posix()):
        place = Path(os.path.normpath(place.parent / link))
        if not place.is_relative_to(top):
            return ""
    content = git.show(base.sha, place.relative_to(top).as_posix())
    try:
        return content.decode("utf-8-sig") if content else ""
    except UnicodeDecodeError as error:
        message = f"{file.name} of the base commit {base.sha[:12]} is not UTF-8"
        raise ConfigError(message, "mend it on the target branch") from error


def _wish(event: Event, rev: str, rule: str = baseline.MERGE_BASE) -> baseline.Wish:
    return baseline.Wish(
        rev=rev,
        rule=rule,
        event=event.kind,
        target=event.base_ref,
        target_sha=event.base_sha,
        head_sha=event.head_sha,
        before=event.before,
    )


def event_of(environ: Mapping[str, str]) -> Event:
    """Give the event that started a job.

    Raises:
        ConfigError: GitHub's file of it cannot be read.

    """
    actions, gitlab = settings.actions_of(environ), settings.gitlab_of(environ)
    if gitlab is not None:
        return gitlab_event.classify(gitlab)
    return event(actions, payload(actions)) if actions else classify("", {}, sha="", ref="", repository="")


def event(actions: Actions, payload: Mapping[str, object]) -> Event:
    """Say what kind of run this is."""
    return classify(actions.event, payload, sha=actions.sha, ref=actions.ref, repository=actions.repository)


def payload(actions: Actions) -> Mapping[str, object]:
    """Read the event's file; empty where there is none, or where it holds no object.

    Raises:
        ConfigError: it cannot be read.

    """
    if not actions.event_path:
        return {}
    try:
        found = json.loads(Path(actions.event_path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        message = f"the event's file {actions.event_path} cannot be read: {error}"
        raise ConfigError(message, "GITHUB_EVENT_PATH must name the file that GitHub wrote") from error
    return found if isinstance(found, dict) else {}


def _head(git: Git, event: Event, *, named: bool) -> Commit:
    """Give the candidate, with its branch's name where it is for a reader; a repository without a commit has none."""
    branch = git.branch() if named else ""
    try:
        sha = git.head()
    except GitError:
        return Commit(sha="", ref=branch)
    shown = event.head_sha or sha
    return Commit(sha=shown, ref=branch, subject=git.subject(shown) if shown == sha else "")


def _say_base(base: Commit | None) -> None:
    if base:
        logger.info("compared with %s (%s)", base.sha[:12], base.how)
    else:
        logger.warning("there is no commit to compare with; limits on the difference are unmeasured")


def _host(actions: Actions | None, token: str) -> baseline.Host:
    """Ask GitHub what git cannot say, where this job may; the client is loaded only if it is asked."""
    if actions is None or not token or not actions.repository:
        return baseline.NOBODY

    def compared(base: str, head: str) -> str | None:
        try:
            found: str | None = _github(actions, token).merge_base(base, head)
        except ForgeError as error:
            logger.warning("GitHub could not give the merge base: %s", error)
            return None
        return found

    def succeeded(branch: str) -> list[str]:
        try:
            found: list[str] = _github(actions, token).successes(actions.workflow, branch)
        except ForgeError as error:
            logger.warning("GitHub could not give the last successful run: %s", error)
            return []
        return found

    return baseline.Host(compared, succeeded if actions.workflow else None)


def _override(event: Event, actions: Actions | None, token: str) -> Callable[[], Override | None]:
    """Give what finds out whether somebody who may write accepts failed gates of this head.

    The label holds for the head at which it was set: only the event that says so tells which one that was, and from
    whom it is. GitHub is asked whether the label and the head are still there, and whether they may write.
    """

    def ask() -> Override | None:
        if event.label != ACCEPT or event.number is None or actions is None or not token:
            return None
        github = _github(actions, token)
        try:
            pull = github.pull(event.number)
            writes = github.may_write(event.actor)
        except ForgeError as error:
            logger.warning("GitHub could not say whether the label %s counts: %s", ACCEPT, error)
            return None
        if pull.head != event.head_sha or ACCEPT not in pull.labels:
            logger.warning("the label %s does not count: it, or the head it was set at, is gone", ACCEPT)
            return None
        if not writes:
            logger.warning("the label %s does not count: %s may not write here", ACCEPT, event.actor)
            return None
        from runner.review.model import Override  # noqa: PLC0415 - most events have none

        return Override(event.actor, ACCEPT, pull.head)

    return ask


def _github(actions: Actions, token: str) -> Any:  # noqa: ANN401 - forge.repository.Repository, which is loaded when it is asked
    return import_module("runner.forge.repository").Repository(actions.api_url, actions.repository, token)


def read_text(place: Path, name: str) -> str | None:
    """Read a text file; `None` where there is none."""
    try:
        if not stat.S_ISREG(place.stat().st_mode):
            message = f"{name} is not a regular file"
            raise ConfigError(message, "put a file in its place")
        return place.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (UnicodeDecodeError, OSError) as error:
        message = f"{name} cannot be read: {error}"
        raise ConfigError(message, "make it a readable UTF-8 file") from error
