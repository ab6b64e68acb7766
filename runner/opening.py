"""Opens a project: event, commits, settings, DVC files and configuration, and the parts a verb works with."""

from __future__ import annotations

import gc
import json
import logging
import os
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner import settings
from runner.ci import Asked
from runner.engine.objects import Objects
from runner.engine.project import Project
from runner.engine.runcache import RunCache
from runner.engine.workspace import SCRATCH, Workspace
from runner.errors import ConfigError, ForgeError, GitError, Location
from runner.forge.event import classify
from runner.git import Git
from runner.pipeline import config, files, yaml12
from runner.review import baseline
from runner.review.commit import Commit
from runner.store.cache import Cache
from runner.store.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.forge.event import Event
    from runner.pipeline.config import Config
    from runner.pipeline.model import LockedPath, Out, Pipeline, Stage
    from runner.review.gatefile import GateFile
    from runner.settings import Settings
    from runner.store.remote import Remote

logger = logging.getLogger("retrain")
_GATES: Final = frozenset({"baseline", "gates"})


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a verb starts from.

    Attributes:
        asked: settings, event, gate file, head and base.
        git: the repository.
        root: the project's folder; the repository's top where there is no DVC project.
        prefix: that folder inside the repository, ending in `/`; empty at the top.
        found: the DVC project, if there is one.

    """

    asked: Asked
    git: Git
    root: Path
    prefix: str
    found: Project | None

    @property
    def project(self) -> Project:
        """The DVC project; verbs that need one have checked that it is there."""
        if self.found is None:
            raise _no_project(self.root)
        return self.found

    def close(self) -> None:
        """Keep what was hashed for the next run, and end git."""
        if self.found:
            self.found.state.close()
        self.git.close()


def open_call(
    flags: Mapping[str, str | None], environ: Mapping[str, str], command: str, *, compares: bool, judges: bool
) -> Opened:
    """Open what one call of the command line asks for.

    Args:
        flags: options by input name.
        environ: the process's environment.
        command: the call as given, for the report.
        compares: find the commit to compare with.
        judges: read the gate file whole; otherwise only the settings in it are read. Needs no DVC project by itself.

    Raises:
        ConfigError: no project, or wrong files or settings.
        GitError: no repository, or a revision that is not there.

    """
    directory = _directory(flags, environ)
    root = find_root(directory)
    git = Git.discover(root or directory, environ)
    root = root or git.root
    prefix = "" if git.root == root or git.root.samefile(root) else _inside(git.root, root)
    gates, chosen = _gates_and_settings(root, directory, flags, environ, judges=judges)
    for name in settings.unknown_inputs(environ):
        logger.warning("%s is no input of the runner; see `retrain --help`", name)
    event = _event(chosen)
    if not judges and not (root / ".dvc").is_dir():
        raise _no_project(directory)
    with ExitStack() as unless_opened:
        unless_opened.callback(git.close)
        base = _base(git, chosen, gates, event) if compares or event.base_remote else None
        head = _head(git, event, named=judges)
        asked = Asked(settings=chosen, event=event, environ=environ, gates=gates, head=head, base=base, command=command)
        found = _project(root, git, prefix, asked) if (root / ".dvc").is_dir() else None
        unless_opened.pop_all()
    return Opened(asked=asked, git=git, root=root, prefix=prefix, found=found)


def settings_alone(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Settings:
    """Check the settings of a verb that needs no project; a gate file is read where there is one."""
    directory = _directory(flags, environ)
    return _gates_and_settings(find_root(directory) or directory, directory, flags, environ, judges=False)[1]


def _directory(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Path:
    directory = Path(os.path.abspath(settings.early("working-directory", flags, environ)))  # noqa: PTH100 - follows no links
    if not directory.is_dir():
        message = f"{directory} is not a folder"
        raise ConfigError(message, "name the project's folder with -C DIR")
    return directory


def find_root(directory: Path) -> Path | None:
    """Find the folder with a `.dvc` folder in it, from `directory` upwards, as DVC does."""
    return next((folder for folder in (directory, *directory.parents) if (folder / ".dvc").is_dir()), None)


def _inside(top: Path, root: Path) -> str:
    return f"{root.resolve().relative_to(top.resolve()).as_posix()}/"


def _no_project(directory: Path) -> ConfigError:
    message = f"{directory} is not inside a DVC project (no .dvc folder here or above)"
    return ConfigError(message, "go to the project's folder, or name it with -C DIR")


def _gates_and_settings(
    root: Path, directory: Path, flags: Mapping[str, str | None], environ: Mapping[str, str], *, judges: bool
) -> tuple[GateFile | None, Settings]:
    """Read the gate file, and check all settings. Verbs that do not judge do not pay for reading its gates."""
    name = settings.early("config", flags, environ)
    given = bool(flags.get("config") or environ.get(settings.variable("config"), "").strip())
    place = (directory if given else root) / name
    text = _read(place, name)
    if text is None and given:
        message = f"the gate file {name} does not exist"
        raise ConfigError(message, "name an existing file with --config, or leave it out")
    if text is None:
        return None, settings.resolve(flags, environ, {})
    if judges:
        gatefile = import_module("runner.review.gatefile")
        gates: GateFile = gatefile.parse_gates(text, name)
        own = {key: (one.value, one.where) for key, one in gates.settings.items()}
        return gates, settings.resolve(flags, environ, own)
    document = yaml12.parse(text, name)
    keys = document if isinstance(document, dict) else {}
    own = {key: (value, Location(name, *yaml12.locate(text, key))) for key, value in keys.items() if key not in _GATES}
    return None, settings.resolve(flags, environ, own)


def _event(chosen: Settings) -> Event:
    actions = chosen.actions
    if actions is None:
        return classify("", {}, sha="", ref="", repository="")
    payload: object = {}
    if actions.event_path:
        try:
            payload = json.loads(Path(actions.event_path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            message = f"the event's file {actions.event_path} cannot be read: {error}"
            raise ConfigError(message, "GITHUB_EVENT_PATH must name the file that GitHub wrote") from error
    event = classify(
        actions.event,
        payload if isinstance(payload, dict) else {},
        sha=actions.sha,
        ref=actions.ref,
        repository=actions.repository,
    )
    logger.info("%s: %s", event.kind, event.why)
    return event


def _head(git: Git, event: Event, *, named: bool) -> Commit:
    """Give the candidate, with its branch's name where it is for a reader; a repository without a commit has none."""
    branch = git.branch() if named else ""
    try:
        sha = git.head()
    except GitError:
        return Commit(sha="", ref=branch)
    shown = event.head_sha or sha
    return Commit(sha=shown, ref=branch, subject=git.subject(shown) if shown == sha else "")


def _base(git: Git, chosen: Settings, gates: GateFile | None, event: Event) -> Commit | None:
    asked = baseline.Wish(
        rev=chosen.base,
        rule=gates.baseline if gates else baseline.MERGE_BASE,
        event=event.kind,
        target=event.base_ref,
        target_sha=event.base_sha,
        head_sha=event.head_sha,
        before=event.before,
    )
    found = baseline.choose(git, asked, _compared(chosen))
    if found:
        logger.info("compared with %s (%s)", found.sha[:12], found.how)
    else:
        logger.warning("there is no commit to compare with; limits on the difference are unmeasured")
    return found


def _compared(chosen: Settings) -> Callable[[str, str], str | None] | None:
    """Ask GitHub for a merge base, where this job may; the client is loaded only if it is asked."""
    actions = chosen.actions
    if actions is None or not chosen.token or not actions.repository:
        return None

    def ask(base: str, head: str) -> str | None:
        github = import_module("runner.forge.github")
        try:
            found: str | None = github.GitHub(actions.api_url, actions.repository, chosen.token).merge_base(base, head)
        except ForgeError as error:
            logger.warning("GitHub could not give the merge base: %s", error)
            return None
        return found

    return ask


def _project(root: Path, git: Git, prefix: str, asked: Asked) -> Project:
    chosen, environ = asked.settings, asked.environ
    config_rev = asked.base.sha if asked.event.base_remote and asked.base else ""
    if config_rev:
        logger.info("the remote's address is read from %s, not from the pull request", config_rev[:12])
    dvc = _read_config(root, git, f"{prefix}.dvc/config", config_rev, environ)
    state = State(root / SCRATCH / "state.db")
    workspace = Workspace(root, state, lambda: git.listed(root))
    gc.disable()  # nothing that is read here is garbage, and looking for some takes a tenth of the time
    pipeline = files.load(workspace.dvc_files(), workspace.read, str(root))
    gc.freeze()
    gc.enable()
    store = Cache(Path(dvc.cache_dir) if dvc.cache_dir else root / ".dvc" / "cache", dvc.cache_types, state)
    remote = _remotes(dvc, chosen.remote, environ)
    homes = {
        recorded.hash: out.remote
        for stage in pipeline.stages
        for out in stage.outs
        if out.remote and (recorded := _recorded(pipeline, stage, out)) and recorded.hash
    }
    objects = Objects(store, remote, chosen.jobs, homes)
    runs = RunCache(store, lambda: remote(""))
    cwd = os.path.relpath(chosen.directory, root)
    return Project(root, git, prefix, pipeline, workspace, store, objects, runs, state, remote, cwd)


def _recorded(pipeline: Pipeline, stage: Stage, out: Out) -> LockedPath | None:
    entry = pipeline.entries.get(stage.address)
    return entry.out(out.spelled) if entry else None


def _read_config(root: Path, git: Git, name: str, rev: str, environ: Mapping[str, str]) -> Config:
    """Read DVC's configuration: system, user, project and local file, the later the stronger."""
    home = environ.get("HOME", "")
    system = Path(environ.get("DVC_SYSTEM_CONFIG_DIR") or "/etc/xdg/dvc")
    user = Path(environ.get("DVC_GLOBAL_CONFIG_DIR") or f"{environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}/dvc")
    committed = git.show(rev, name) if rev else None
    own = _layer(root / ".dvc" / "config", ".dvc/config")
    if committed is not None:
        own = (".dvc/config", committed.decode(), str(root / ".dvc"))
    local = _layer(root / ".dvc" / "config.local", ".dvc/config.local")
    if rev and local and git.tracked([f"{name}.local"]):
        logger.warning("%s.local came with the pull request and is not read", name)
        local = None
    layers = (_layer(system / "config"), _layer(user / "config"), own, local)
    return config.parse([layer for layer in layers if layer], home)


def _layer(place: Path, name: str = "") -> tuple[str, str, str] | None:
    text = _read(place, name or str(place))
    return None if text is None else (name or str(place), text, str(place.parent))


def _remotes(dvc: Config, wanted: str, environ: Mapping[str, str]) -> Callable[[str], Remote | None]:
    """Open each remote once, when it is first asked for."""
    if wanted:
        dvc.remote(wanted)  # a name that is not there is said even if the remote is never needed

    @cache
    def remote(name: str) -> Remote | None:
        if not (name or wanted or dvc.default_remote):
            return None
        from runner.store.remote import open_remote  # noqa: PLC0415 - most plans ask no remote

        chosen = dvc.remote(name or wanted)
        return open_remote(chosen.url, chosen.options, environ=environ)

    return remote


def _read(place: Path, name: str) -> str | None:
    """Read a text file; `None` where there is none."""
    try:
        return place.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (UnicodeDecodeError, OSError) as error:
        message = f"{name} cannot be read: {error}"
        raise ConfigError(message, "make it a readable UTF-8 file") from error
