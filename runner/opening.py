"""Opens a project: event, commits, settings, DVC files and configuration, and the parts a verb works with."""

from __future__ import annotations

import gc
import logging
import os
from contextlib import ExitStack, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from runner import asking, configured, locating, trust
from runner.engine.committed import Committed
from runner.engine.homes import home_of
from runner.engine.imported import Repositories
from runner.engine.objects import Objects
from runner.engine.project import Place, Project, hold
from runner.engine.runcache import RunCache
from runner.engine.sources import Sources
from runner.engine.times import Times
from runner.engine.versions import Versions
from runner.engine.workspace import SCRATCH, Workspace
from runner.git import Git, index
from runner.pipeline import config, files
from runner.pipeline.unpack import Unpacking
from runner.store.cache import Cache
from runner.store.meter import Meter
from runner.store.state import State
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.asked import Asked
    from runner.engine.supposing import Supposing
    from runner.hashes import Hash
    from runner.pipeline.model import LockedPath, Out, Stage
    from runner.pipeline.pipeline import Pipeline
    from runner.settings import Settings

logger = logging.getLogger("retrain")


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
            raise locating.no_project(self.root)
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
    root, git, prefix = locating.located(flags, environ)
    has_project = (root / ".dvc").is_dir()
    if not judges and not has_project:
        raise locating.no_project(locating.directory(flags, environ))
    with ExitStack() as unless_opened:
        unless_opened.callback(git.close)
        if has_project:
            index.begin(git, root, trust.scratch(root, git))  # git's answers come while settings are read
        said = asking.Said(flags=flags, environ=environ, command=command, compares=compares, judges=judges)
        asked = asking.ask(root, git, said)
        with asked.answers():
            place = Place(git, root, prefix)
            found = _project(place, asked, meter or Meter(), home) if has_project else None
        unless_opened.pop_all()
    return Opened(asked=asked, git=git, root=root, prefix=prefix, found=found, home=home)


def _project(place: Place, asked: Asked, meter: Meter, home: Path | None) -> Project:
    root, git, prefix = place.root, place.git, place.prefix
    chosen, environ = asked.settings, asked.environ
    rev = asked.remote_from or ("HEAD" if home else "")
    borrows = trust.may_configure(asked, git)
    dvc = configured.read_config(home or root, git, f"{prefix}.dvc/config", rev, environ, borrows=borrows)
    if asked.remote_from:
        logger.info("the remote's address is read from %s, not from the pull request", asked.remote_from[:12])
    trust.check_scratch(root, git)
    state = State(root / SCRATCH / "state.db", meter=meter)
    listed = index.listed(git, root)
    cached = Path(dvc.cache_dir) if dvc.cache_dir else (home or root) / ".dvc" / "cache"
    workspace = Workspace(root, state, None if trust.is_trusted_event(asked) else git.root, cached)
    supposing = _supposing(root, workspace, chosen)
    gc.disable()  # nothing that is read here is garbage, and looking for some takes a tenth of the time
    unpacking = Unpacking.of(configured.dvc_config(root, git, prefix, environ) if asked.remote_from else dvc)
    sight = files.Sight(workspace.hiding, listed.ignored_locks)
    pipeline = files.load(workspace.found(listed.files), workspace.read, str(root), unpacking, sight)
    gc.freeze()
    gc.enable()
    if supposing:
        supposing.check(pipeline)
    _heed_loans(workspace, pipeline)
    store = Cache(cached, dvc.cache_types, state, meter, shared=dvc.is_shared)
    versions = Versions()
    versions.note(pipeline)
    remote = configured.remotes(dvc, chosen.remote, environ, versions)
    if asked.remote_from is None:
        logger.warning("the base commit is not known, so no remote is used: a pull request may not name its own")
        remote = _no_remote
    homes = {
        recorded.hash: home_of(out)
        for stage in pipeline.stages
        for out in stage.outs
        if home_of(out) and (recorded := _recorded(pipeline, stage, out)) and recorded.hash
    }
    repositories = Repositories(root, environ, store, chosen.transfers, strict=not trust.is_trusted_event(asked))
    known = dvc if asked.remote_from is not None else config.Config()
    base = Committed(git, prefix, asked.remote_from or "")
    sources = Sources(known, repositories, trust.trusts(pipeline, base, asked))
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
        read_only=configured.read_only(dvc, chosen.remote),
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


def _recorded(pipeline: Pipeline, stage: Stage, out: Out) -> LockedPath | None:
    entry = pipeline.entries.get(stage.address)
    return entry.out(out.spelled) if entry else None


def _no_remote(_: str) -> None:
    """Give no remote."""
