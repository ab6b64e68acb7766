"""Opens a project: event, commits, settings, DVC files and configuration, and the parts a verb works with."""

from __future__ import annotations

import gc
import logging
import os
from contextlib import ExitStack, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner import asking, settings
from runner.engine.committed import Committed
from runner.engine.imported import Repositories
from runner.engine.objects import Objects, home_of
from runner.engine.project import Place, Project, hold
from runner.engine.runcache import RunCache
from runner.engine.sources import Sources
from runner.engine.times import Times
from runner.engine.versions import Versions
from runner.engine.workspace import SCRATCH, Workspace
from runner.errors import ConfigError, RunnerError
from runner.git import Git, index
from runner.pipeline import config, files
from runner.pipeline.unpack import Unpacking
from runner.store.cache import Cache
from runner.store.meter import Meter
from runner.store.place import keeps_versions
from runner.store.state import State
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.asked import Asked
    from runner.engine.supposing import Supposing
    from runner.hashes import Hash
    from runner.pipeline.config import Config
    from runner.pipeline.model import LockedPath, Out, Pipeline, Stage
    from runner.pipeline.source import Source
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
        home: the project's folder in the checkout that this one stands beside; `None`: this is it.

    """

    asked: Asked
    git: Git
    root: Path
    prefix: str
    found: Project | None
    home: Path | None = None

    @property
    def project(self) -> Project:
        """The DVC project; verbs that need one have checked that it is there."""
        if self.found is None:
            raise no_project(self.root)
        return self.found

    def close(self) -> None:
        """Keep what was hashed for the next run, and end git."""
        if self.found:
            self.found.held.close()
            self.found.state.close()
        self.git.close()


def open_call(  # noqa: PLR0913 - the call, what it is for, and who shows how far it is
    flags: Mapping[str, str | None],
    environ: Mapping[str, str],
    command: str,
    *,
    compares: bool,
    judges: bool,
    meter: Meter | None = None,
    home: Path | None = None,
) -> Opened:
    """Open what one call of the command line asks for.

    Args:
        flags: options by input name.
        environ: the process's environment.
        command: the call as given, for the report.
        compares: find the commit to compare with.
        judges: read the gate file whole; otherwise only the settings in it are read. Needs no DVC project by itself.
        meter: shows how far what takes long is.
        home: the project's folder in the checkout that this one stands beside: its cache and configuration count.

    Raises:
        ConfigError: no project, or wrong files or settings.
        GitError: no repository, or a revision that is not there.

    """
    root, git, prefix = located(flags, environ)
    if not judges and not (root / ".dvc").is_dir():
        raise no_project(_directory(flags, environ))
    with ExitStack() as unless_opened:
        unless_opened.callback(git.close)
        said = asking.Said(flags=flags, environ=environ, command=command, compares=compares, judges=judges)
        asked = asking.ask(root, git, said)
        with asked.answers():
            place = Place(git, root, prefix)
            found = _project(place, asked, meter or Meter(), home) if (root / ".dvc").is_dir() else None
        unless_opened.pop_all()
    return Opened(asked=asked, git=git, root=root, prefix=prefix, found=found, home=home)


def located(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> tuple[Path, Git, str]:
    """Give the project's folder, its repository, and the folder's place there: ending in `/`, empty at the top.

    Raises:
        ConfigError: the directory asked for is none.
        GitError: there is no repository.

    """
    directory = _directory(flags, environ)
    root = find_root(directory)
    git = Git.discover(root or directory, environ)
    root = root or git.root
    return root, git, "" if git.root == root or git.root.samefile(root) else _inside(git.root, root)


def folder(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> str:
    """Give the project's place in its repository, as `located` does; empty where there is none to be found."""
    try:
        _, git, prefix = located(flags, environ)
    except RunnerError:
        return ""
    git.close()
    return prefix


def dvc_config(root: Path, git: Git, prefix: str, environ: Mapping[str, str]) -> Config:
    """Read DVC's configuration of a project as it is in the workspace, with that of the machine.

    Raises:
        ConfigErrors: every mistake in it.

    """
    return _read_config(root, git, f"{prefix}.dvc/config", "", environ)


def settings_alone(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Settings:
    """Check the settings of a verb that needs no project; a gate file is read where there is one."""
    directory = _directory(flags, environ)
    return asking.alone(find_root(directory) or directory, flags, environ)


def _directory(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Path:
    directory = Path(os.path.abspath(settings.early("working-directory", flags, environ)))  # noqa: PTH100 - follows no links
    if not directory.is_dir():
        message = f"{directory} is not a folder"
        raise ConfigError(message, "name the project's folder with -C DIR")
    return directory


def find_root(directory: Path) -> Path | None:
    """Find the folder with a `.dvc` folder in it, from `directory` upwards, as DVC does.

    Not above the repository that one is in: what surrounds a submodule is another project, with other gates.
    """
    for folder in (directory, *directory.parents):
        if (folder / ".dvc").is_dir():
            return folder
        if (folder / ".git").exists():
            break
    return None


def _inside(top: Path, root: Path) -> str:
    return f"{root.resolve().relative_to(top.resolve()).as_posix()}/"


def no_project(directory: Path) -> ConfigError:
    """Say that there is no DVC project."""
    message = f"{directory} is not inside a DVC project (no .dvc folder here or above)"
    return ConfigError(message, "go to the project's folder, or name it with -C DIR")


def _project(place: Place, asked: Asked, meter: Meter, home: Path | None) -> Project:
    root, git, prefix = place.root, place.git, place.prefix
    chosen, environ = asked.settings, asked.environ
    rev = asked.remote_from or ("HEAD" if home else "")
    dvc = _read_config(home or root, git, f"{prefix}.dvc/config", rev, environ, borrows=_may_configure(asked, git))
    if asked.remote_from:
        logger.info("the remote's address is read from %s, not from the pull request", asked.remote_from[:12])
    check_scratch(root, git)
    state = State(root / SCRATCH / "state.db", meter=meter)
    listed = index.listed(git, root)
    workspace = Workspace(root, state, within=None if _is_trusted_event(asked) else git.root)
    supposing = _supposing(root, workspace, chosen)
    gc.disable()  # nothing that is read here is garbage, and looking for some takes a tenth of the time
    unpacking = Unpacking.of(_read_config(root, git, "", "", environ) if asked.remote_from else dvc)
    sight = files.Sight(workspace.hiding, listed.ignored_locks)
    pipeline = files.load(workspace.found(listed.files), workspace.read, str(root), unpacking, sight)
    gc.freeze()
    gc.enable()
    if supposing:
        supposing.check(pipeline)
    _heed_loans(workspace, pipeline)
    cached = Path(dvc.cache_dir) if dvc.cache_dir else (home or root) / ".dvc" / "cache"
    store = Cache(cached, dvc.cache_types, state, meter)
    versions = Versions()
    versions.note(pipeline)
    remote = _remotes(dvc, chosen.remote, environ, versions)
    if asked.remote_from is None:
        logger.warning("the base commit is not known, so no remote is used: a pull request may not name its own")
        remote = _no_remote
    homes = {
        recorded.hash: home_of(out)
        for stage in pipeline.stages
        for out in stage.outs
        if home_of(out) and (recorded := _recorded(pipeline, stage, out)) and recorded.hash
    }
    repositories = Repositories(root, environ, store, chosen.transfers, strict=not _is_trusted_event(asked))
    known = dvc if asked.remote_from is not None else config.Config()
    sources = Sources(known, repositories, _trusts(pipeline, Committed(git, prefix, asked.remote_from or ""), asked))
    objects = Objects(store, remote, chosen.transfers, homes, versions)
    objects.recorded = _recorded_sizes(pipeline)
    objects.origin = lambda file: _origin(pipeline, sources, file)
    runs = RunCache(store, lambda: remote(""), root / SCRATCH / "unpushed", remembers=asked.event.trusted)
    cwd = os.path.relpath(chosen.directory, root)
    times = Times(store, lambda: remote(""))
    parts = (pipeline, workspace, store, objects, runs, sources, state, remote, times, cwd, unpacking)
    return Project(
        root,
        git,
        prefix,
        *parts,
        read_only=_read_only(dvc, chosen.remote),
        supposed=supposing.in_place if supposing else nullcontext,
    )


def _supposing(root: Path, workspace: Workspace, chosen: Settings) -> Supposing | None:
    """Put back the params files that a killed run left changed; then suppose in them what this call sets."""
    scratch = root / SCRATCH
    left = scratch.is_dir() and any(place.name.startswith("params-") for place in scratch.iterdir())
    if not (left or chosen.set_param):
        return None
    from runner.engine import supposing  # noqa: PLC0415 - few calls set params

    supposing.recover(workspace, partial(hold, root))
    cwd = os.path.relpath(chosen.directory, root)
    return supposing.of(workspace, cwd, chosen.set_param, partial(hold, root)) if chosen.set_param else None


def _heed_loans(workspace: Workspace, pipeline: Pipeline) -> None:
    """Take directories for absent of which another run has lent files to its stages, or was killed while it had."""
    scratch = workspace.path(SCRATCH)
    if scratch.is_dir() and any(place.name.startswith("lent-") for place in scratch.iterdir()):
        from runner.engine import lending  # noqa: PLC0415 - as above

        lending.heed(workspace, pipeline.recorded_at)


def check_scratch(root: Path, git: Git) -> None:
    """Refuse a folder of our own that came with the checkout.

    What we find there is believed: repositories with their configuration, what a killed run left to be done.

    Raises:
        ConfigError: git tracks something in it.

    """
    place, top = (root / SCRATCH).resolve(), git.root.resolve()
    if place.exists() and place.is_relative_to(top) and index.tracks(git, place.relative_to(top).as_posix()):
        message = f"{SCRATCH} is tracked by git, and nothing in it is to be believed"
        raise ConfigError(message, f"git rm -r --cached {SCRATCH}, then remove it")


def _origin(pipeline: Pipeline, sources: Sources, file: str) -> None:
    """Bring the data of an import into the cache, as it was when it was recorded."""
    stage = pipeline.stage(file)
    recorded = pipeline.entries[file].dep(stage.deps[0].spelled)
    if recorded:
        sources.bring(stage.deps[0], recorded)


def _recorded_sizes(pipeline: Pipeline) -> Callable[[Hash], int]:
    """Give a function that gives the size of an object as DVC files say, looked for when it is first asked."""

    @cache
    def sizes() -> dict[Hash, int]:
        items = (item for entry in pipeline.entries.values() for item in (*entry.deps, *entry.outs))
        return {item.hash: item.size for item in items if item.hash and item.size}

    return lambda name: sizes().get(name, 0)


def _is_trusted_event(asked: Asked) -> bool:
    """Whether everything in the checkout was written or reviewed by somebody who is trusted."""
    return asked.event.trusted and not asked.event.base_remote


def _may_configure(asked: Asked, git: Git) -> bool:
    """Whether the checkout's own configuration may say where credentials go, where no base says so.

    After a stranger's run the checkout is the default branch's, unless the workflow took the stranger's in its place.
    """
    if not asked.event.rights.beside_secrets:
        return True
    return asked.remote_from == "" and git.head() == asked.event.sha


def _trusts(pipeline: Pipeline, base: Committed, asked: Asked) -> Callable[[Source], bool]:
    """Give a function that says whether somebody who is trusted chose a source.

    On a pull request that is so if a DVC file of the base names the very same; one that only begins alike may be
    another bucket, host or port.
    """
    if _is_trusted_event(asked):
        return lambda _: True
    then = base.pipeline if base.sha and any(_sources(pipeline)) else None
    known = [source.place for source in _sources(then)] if then else []
    return lambda source: source.place in known and not _has_file_of_checkout(source)


def _sources(pipeline: Pipeline) -> Iterator[Source]:
    return (dep.source for stage in pipeline.stages for dep in stage.deps if dep.source and not dep.dataset)


def _has_file_of_checkout(source: Source) -> bool:
    """Whether a file decides where a source is, which a pull request may have changed."""
    return bool(source.repo and source.repo.config and isinstance(source.repo.config, str))


def _recorded(pipeline: Pipeline, stage: Stage, out: Out) -> LockedPath | None:
    entry = pipeline.entries.get(stage.address)
    return entry.out(out.spelled) if entry else None


def _read_config(  # noqa: PLR0913 - where, at which commit, and whose word counts
    root: Path, git: Git, name: str, rev: str, environ: Mapping[str, str], *, borrows: bool = True
) -> Config:
    """Read DVC's configuration: system, user, project and local file, the later the stronger.

    Where the commit `rev` has no such file, that of the checkout counts, if this `borrows` it.
    """
    home = environ.get("HOME", "")
    shared = environ.get("XDG_CONFIG_DIRS", "").partition(":")[0] or "/etc/xdg"
    system = Path(environ.get("DVC_SYSTEM_CONFIG_DIR") or f"{shared}/dvc")
    user = Path(environ.get("DVC_GLOBAL_CONFIG_DIR") or f"{environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}/dvc")
    committed = git.show(rev, name) if rev else None
    own = _layer(root / ".dvc" / "config", ".dvc/config") if borrows else None
    if committed is not None:
        try:
            own = (".dvc/config", committed.decode(), str(root / ".dvc"))
        except UnicodeDecodeError as error:
            message = f".dvc/config of the base commit {rev[:12]} is not UTF-8"
            raise ConfigError(message, "mend it on the target branch") from error
    local = _layer(root / ".dvc" / "config.local", ".dvc/config.local")
    if rev and local and index.tracked(git, [f"{name}.local"]):
        logger.warning("%s.local came with the pull request and is not read", name)
        local = None
    layers = (_layer(system / "config"), _layer(user / "config"), own, local)
    return config.parse([layer for layer in layers if layer], home)


def _layer(place: Path, name: str = "") -> tuple[str, str, str] | None:
    text = asking.read_text(place, name or str(place))
    return None if text is None else (name or str(place), text, str(place.parent))


def _no_remote(_: str) -> None:
    """Give no remote."""


def _read_only(dvc: Config, wanted: str) -> Callable[[str], str]:
    """Give a function that says why a remote is not pushed to, from its options alone: it is not opened for that."""

    def why(name: str) -> str:
        if not (name or wanted or dvc.default_remote):
            return ""
        chosen = dvc.remote(name or wanted)
        option = keeps_versions(chosen.options)
        return f"remote {chosen.name!r} ({chosen.file}) is {option}: it is read, and not pushed to" if option else ""

    return why


def _remotes(
    dvc: Config, wanted: str, environ: Mapping[str, str], versions: Versions
) -> Callable[[str], Remote | None]:
    """Open each remote once, when it is first asked for."""
    if wanted:
        dvc.remote(wanted)  # a name that is not there is said even if the remote is never needed

    @cache
    def remote(name: str) -> Remote | None:
        if not (name or wanted or dvc.default_remote):
            return None
        from runner.store.remote import open_remote  # noqa: PLC0415 - most plans ask no remote

        chosen = dvc.remote(name or wanted)
        if not keeps_versions(chosen.options):
            return open_remote(chosen.url, chosen.options, environ=environ)
        from runner.store.versioned import open_versioned  # noqa: PLC0415 - as above

        return open_versioned(chosen.url, chosen.options, partial(versions.place, chosen.name), environ=environ)

    return remote
