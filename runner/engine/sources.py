"""Where deps come from that are not in the project: what each holds now, and its bytes into the cache.

Each source is asked once a run, however often its stages are decided on. Who chose it decides how it is read: one that
only an untrusted commit names is read from public addresses and without credentials, or not at all.
"""

from __future__ import annotations

import posixpath
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from runner.engine.decision import Content
from runner.errors import ConfigError, Corrupt, ObjectMissing, RemoteError, RunnerError
from runner.hashes import Hash, Tree
from runner.pipeline.source import REV
from runner.store.source import Part, of_file, of_folder, open_source
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runner.engine.imported import Repositories
    from runner.pipeline.config import Config
    from runner.pipeline.model import Dep, LockedPath
    from runner.pipeline.source import Source
    from runner.store.incoming import Incoming
    from runner.store.patience import Patience
    from runner.store.source import Found, SourceStore

_LARGEST_UNTRUSTED = 10 << 30
"""Bytes that are read for somebody who is not trusted."""


@dataclass(frozen=True)
class _Place:
    """A source's whole url, and the options of the storage it lies in."""

    url: str
    options: Mapping[str, Any] = field(repr=False)
    versioned: bool
    guarded: bool

    @property
    def storage(self) -> tuple[str, ...]:
        """What two sources share that are read through one client."""
        scheme, separator, rest = self.url.partition("://")
        host = rest.partition("/")[0] if separator else ""
        return (scheme if separator else "", host, repr(sorted(self.options.items(), key=str)), str(self.guarded))


class Sources:
    """The sources of a project's deps."""

    def __init__(self, config: Config, repositories: Repositories, trusts: Callable[[Source], bool]) -> None:
        """Read sources for a project.

        Args:
            config: DVC's configuration, for `remote://` urls.
            repositories: the git repositories that data is imported from; they know folder, cache and environment.
            trusts: whether somebody who is trusted chose a source.

        """
        self._config = config
        self._repositories = repositories
        self._root = repositories.root
        self._environ = repositories.environ
        self._cache = repositories.cache
        self._trusts = trusts
        self._stores: dict[tuple[str, ...], SourceStore] = {}
        self._found: dict[Source, Found | None] = {}

    @cached_property
    def _patience(self) -> Patience:
        from runner.store.patience import Patience  # noqa: PLC0415 - most runs ask no source

        return Patience()

    def look(self, dep: Dep, recorded: LockedPath | None) -> Content | None:
        """Ask what a dep's source holds now; `None` where there is nothing.

        Args:
            dep: a dep that has a source.
            recorded: what it held before.

        Raises:
            RemoteError, GitError: it could not be told.
            ConfigError: a source that is not supported.

        """
        source = _source_of(dep)
        if source.repo:
            return Content(Hash(self._repositories.tip(source.repo, guarded=not self._trusts(source)), REV))
        found = self._find(source, folder=bool(recorded and recorded.hash and recorded.hash.is_dir))
        return _content(found, versioned=self._place(source).versioned) if found else None

    def look_at_all(self, deps: Iterable[tuple[Dep, LockedPath | None]]) -> None:
        """Ask about many at once; what cannot be told is told when it is asked for singly. No dataset is."""
        elsewhere = [(dep, recorded) for dep, recorded in deps if dep.source and not dep.dataset]
        wanted = [(dep, recorded) for dep, recorded in elsewhere if dep.source not in self._found]
        if len(wanted) > 1:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most runs ask no source

            with ThreadPoolExecutor(min(self._repositories.jobs, len(wanted))) as threads:
                list(threads.map(self._try, wanted))

    def bring(self, dep: Dep, recorded: LockedPath) -> Content:
        """Bring into the cache what a source held when `recorded` was; give what a copy of it holds.

        Raises:
            ObjectMissing, Unavailable: it holds something else now.
            RemoteError, GitError, ConfigError: it could not be had.

        """
        source = _source_of(dep)
        if recorded.hash is None:
            message = f"nothing is recorded of {dep.path}"
            raise ObjectMissing(message, "take it in first: retrain update")
        if source.repo:
            return self._repositories.bring(source, recorded.hash.value, guarded=not self._trusts(source))
        found = self._found.get(source)
        if found is None or found.hash != recorded.hash:
            found = _of_record(recorded) or self._find(source, folder=recorded.hash.is_dir)
        if found is None or found.hash != recorded.hash:
            message = f"{dep.path} does not hold what is recorded of it any more"
            raise ObjectMissing(message, "take in what it holds now: retrain update")
        return self._taken(self._place(source), found)

    def _try(self, wanted: tuple[Dep, LockedPath | None]) -> None:
        try:
            self.look(*wanted)
        except RunnerError:
            return

    def _find(self, source: Source, *, folder: bool) -> Found | None:
        if source not in self._found:
            place = self._place(source)
            store = self._store(place)
            self._found[source] = self._patience.call(
                lambda: store.find(place.url, folder=folder, versioned=place.versioned)
            )
        return self._found[source]

    def _place(self, source: Source) -> _Place:
        """Find out where a source is: a `remote://` url lies in a remote of the configuration."""
        scheme, separator, rest = source.url.partition("://")
        if not separator:
            path = posixpath.normpath(posixpath.join(self._root, source.url))
            return _Place(path, {}, versioned=False, guarded=not self._trusts(source))
        if scheme != "remote":
            guarded = not self._trusts(source)
            options = dict(source.options)
            if guarded and (scheme not in {"http", "https"} or options):
                message = f"{source.url} is named by this pull request only, so it is not read"
                raise RemoteError(message, "such a source must be a public http:// or https:// url without options")
            return _Place(source.url, options, source.versioned, guarded)
        name, _, path = rest.partition("/")
        remote = self._config.remote(name)
        if ".." in path.split("/"):
            message = f"{source.url} leads out of its remote"
            raise ConfigError(message, "name a path inside it")
        options = {**remote.options, **(source.options if self._trusts(source) else {})}
        versioned = source.versioned or options.get("version_aware") is True
        return _Place(f"{remote.url.rstrip('/')}/{path}", options, versioned, guarded=False)

    def _store(self, place: _Place) -> SourceStore:
        if place.storage not in self._stores:
            self._stores[place.storage] = open_source(
                place.url, place.options, environ=self._environ, guarded=place.guarded
            )
        return self._stores[place.storage]

    def _taken(self, place: _Place, found: Found) -> Content:
        """Read every file into the cache, and of a directory its listing."""
        names = [self._take(place, part) for part in found.parts]
        sizes = sum(size for _, size in names)
        if not found.is_dir:
            return Content(names[0][0], sizes)
        tree = Tree.of((part.relpath, name.value) for part, (name, _) in zip(found.parts, names, strict=True))
        return Content(self._cache.take_listing(tree), sizes, len(tree))

    def _take(self, place: _Place, part: Part) -> tuple[Hash, int]:
        store = self._store(place)

        def fill(incoming: Incoming) -> None:
            sink = _Limited(incoming) if place.guarded else incoming
            self._patience.fill(lambda one: store.get(place.url, part, one), sink)
            if part.size is not None and incoming.size != part.size:
                message = f"{place.url}: {incoming.size} bytes arrived of {part.size}"
                raise Corrupt(message, "run again; if this comes back, the source itself is broken")

        return self._cache.take(fill)


class _Limited:
    """A sink that takes no more than is read for somebody who is not trusted."""

    def __init__(self, sink: Incoming) -> None:
        self._sink = sink

    def write(self, chunk: bytes, /) -> None:
        if self._sink.size + len(chunk) > _LARGEST_UNTRUSTED:
            message = f"a source of a pull request is larger than {_LARGEST_UNTRUSTED:,} bytes"
            raise RemoteError(message, "name it on the target branch first")
        self._sink.write(chunk)

    def restart(self) -> None:
        self._sink.restart()


def _source_of(dep: Dep) -> Source:
    if dep.source is None:
        message = f"{dep.path} is in the project"
        raise ValueError(message)
    return dep.source


def _content(found: Found, *, versioned: bool) -> Content:
    if not found.is_dir:
        version = found.parts[0].version
        return Content(found.hash, found.size, extra={"version_id": version} if version else {})
    nfiles = len(found.parts)
    if not versioned:
        return Content(found.hash, found.size, nfiles)
    rows = [
        {"relpath": part.relpath, part.hash.name: part.hash.value, "size": part.size, "version_id": part.version}
        for part in found.parts
    ]
    return Content(found.hash, found.size, nfiles, extra={"files": rows})


def _of_record(recorded: LockedPath) -> Found | None:
    """Give what a record alone says of a source's files; of a directory that takes its versions."""
    if "files" in recorded.extra:
        return of_folder([_part(row) for row in recorded.extra["files"]])
    if recorded.hash is None or recorded.hash.is_dir:
        return None
    return of_file(Part("", recorded.hash, recorded.size, recorded.extra.get("version_id", "")))


def _part(row: Mapping[str, Any]) -> Part:
    return Part(row["relpath"], Hash(row.get("etag") or "", "etag"), row.get("size"), row.get("version_id", ""))
